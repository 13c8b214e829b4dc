/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's event loop with rings of guests 1 and 2, which do what the bytes
 * say: between the daemon's turns, and at each access that the daemon makes to
 * their pages. Guest 3 keeps to the rules and must be served all the time. The
 * pages lie between pages that nobody may touch.
 */
#include "fuzz.h"

/* clang-format off */
#include "tests/unit/xenstored/harness.h"
#include "tests/unit/xenstored/fakehv.h"
#include "quiet.h"
/* clang-format on */

enum { GUESTS = 2, HONEST = 3 };

static struct script script;

/* --- what a guest does --- */

/* A request that makes sense, or at least some; at the end of the ring. */
static void
guest_requests(int i)
{
	static const struct {
		uint32_t type;
		const char *payload;
		uint32_t len;
	} some[] = {
		{ WIRE_READ, "a\0", 2 },
		{ WIRE_WRITE, "a\0value", 7 },
		{ WIRE_WRITE, "b/c\0v", 5 },
		{ WIRE_DIRECTORY, "/local/domain/1\0", 16 },
		{ WIRE_WATCH, "a\0t\0", 4 },
		{ WIRE_WATCH, "@releaseDomain\0t\0", 17 },
		{ WIRE_UNWATCH, "a\0t\0", 4 },
		{ WIRE_TRANSACTION_START, "\0", 1 },
		{ WIRE_TRANSACTION_END, "T\0", 2 },
		{ WIRE_RESET_WATCHES, "\0", 1 },
		{ WIRE_RM, "a\0", 2 },
		{ WIRE_GET_DOMAIN_PATH, "1\0", 2 },
		{ WIRE_WRITE, NULL, 1500 },
		{ WIRE_WRITE, NULL, 4096 },
		{ WIRE_READ, NULL, 4097 },
	};
	static char bytes[2 * WIRE_MESSAGE_MAX];
	size_t n = script_pick(&script, sizeof(some) / sizeof(some[0])), len;
	struct wire_header header = { .type = some[n].type,
		.req_id = 9,
		.tx_id = script_byte(&script) & 3,
		.len = some[n].len };

	memcpy(bytes, &header, sizeof(header));
	memset(bytes + sizeof(header), 'p', WIRE_PAYLOAD_MAX);
	if (some[n].payload != NULL)
		memcpy(bytes + sizeof(header), some[n].payload, some[n].len);
	else
		bytes[sizeof(header) + 5] = '\0';
	len = sizeof(header) + header.len;
	if (script_byte(&script) & 1)
		len = len * script_byte(&script) / 256;
	if (len > WIRE_RING_SIZE)
		len = WIRE_RING_SIZE;
	put(i, bytes, len);
}

/* The words of the page behind the bytes. */
static uint32_t *
guest_word(int i, unsigned n)
{
	return &fake.page[i]->req_cons + n % 8;
}

static void
guest_acts(int i)
{
	struct wire_ring *page = fake.page[i];
	uint8_t what = script_byte(&script);

	switch (what % 16) {
	case 1:
		*guest_word(i, what >> 4) = script_word(&script);
		break;
	case 2:
		*guest_word(i, what >> 4) +=
		    (uint32_t)(int8_t)script_byte(&script);
		break;
	case 3:
		page->req_prod = page->req_cons + script_short(&script) % 1100;
		break;
	case 4:
		page->rsp_cons = page->rsp_prod;
		break;
	case 5:
		page->rsp_cons = page->rsp_prod - script_short(&script) % 1100;
		break;
	case 6:
		page->connection = WIRE_RECONNECT;
		break;
	case 7:
		(void)script_bytes(&script,
		    page->req + (script_byte(&script) * 4u), what >> 4);
		break;
	case 8:
		memset(page->req, what, sizeof(page->req));
		break;
	case 9:
		page->req_cons = page->req_prod = 0;
		page->rsp_cons = page->rsp_prod = 0;
		break;
	case 10:
	case 11:
		guest_requests(i);
		break;
	default:
		break;
	}
}

/* --- the daemon's accesses --- */

/* The owner of ADDRESS acts, if it is one of the two. */
static void
touched(const void *address)
{
	int i;

	for (i = 1; i <= GUESTS; i++)
		if ((const char *)address >= (const char *)fake.page[i] &&
		    (const char *)address < (const char *)fake.page[i] + 4096)
			guest_acts(i);
}

static uint32_t
guest_load(const uint32_t *word)
{
	uint32_t value;

	touched(word);
	value = *(const volatile uint32_t *)word;
	touched(word);
	return value;
}

static void
guest_store(uint32_t *word, uint32_t value)
{
	touched(word);
	*(volatile uint32_t *)word = value;
	touched(word);
}

static void
guest_copy(void *to, const void *from, size_t n)
{
	touched(from);
	memcpy(to, from, n);
}

#define __atomic_load_n(word, order) guest_load(word)
#define __atomic_store_n(word, value, order) guest_store(word, value)
#define memcpy(to, from, n) guest_copy(to, from, n)
#include "xenstored/ring.c"
#undef __atomic_load_n
#undef __atomic_store_n
#undef memcpy

/* --- the world --- */

static void
interrupt(struct t *t)
{
	uint64_t one = 1;

	fake.virq = true;
	must(write(fake.fd, &one, sizeof(one)) == sizeof(one));
	turns(t);
}

static void
dies(struct t *t, int i)
{
	fake.state[i] = 0;
	fake.changed[i] = true;
	interrupt(t);
	must(fake.mapped[i] == 0 && !fake.bound[i]);
}

static void
is_born(int i)
{
	if (fake.state[i] == 0)
		fake.unique_id[i] += 100;
	fake.state[i] = XENMANAGE_GETDOMSTATE_STATE_EXIST;
}

static void
world_acts(struct t *t)
{
	uint8_t what = script_byte(&script);
	int i = 1 + (what >> 7);

	switch (what % 8) {
	case 0:
		fake.pending[i] = true;
		kick(t, i);
		break;
	case 1:
		(void)introduce(t, i);
		break;
	case 2:
		(void)h_write(&t->h, t->s, 0, "/local/domain/1/a", "other");
		turns(t);
		break;
	case 3:
		if ((what >> 3 & 3) == 0)
			dies(t, i);
		is_born(i);
		break;
	case 4:
		fake.granted[i] = !fake.granted[i];
		break;
	case 5:
		fake.state[i] |= XENMANAGE_GETDOMSTATE_STATE_SHUTDOWN;
		fake.changed[i] = true;
		interrupt(t);
		break;
	default:
		guest_acts(i);
		break;
	}
}

/* Guest 3 is served; the books are right. */
static void
check_all(struct t *t)
{
	must(ask(t, HONEST, WIRE_GET_DOMAIN_PATH, "1\0", 2) ==
	     WIRE_GET_DOMAIN_PATH);
	must(state_check(server_state(t->server)) == NULL);
	(void)h_events(&t->h, t->s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct t t;
	int i;

	script.left = 0; /* nobody acts yet */
	begin(&t);
	must(introduce(&t, 1) == XS_OK && introduce(&t, 2) == XS_OK);
	must(introduce(&t, HONEST) == XS_OK);
	must(h_write(&t.h, t.s, 0, "/local/domain/1", "") == XS_OK);
	must(h_perms(&t.h, t.s, 0, "/local/domain/1", "n1", NULL, NULL) ==
	     XS_OK);
	script = (struct script){ data, size };
	while (script.left > 0) {
		world_acts(&t);
		if (script_byte(&script) % 4 == 0)
			check_all(&t);
	}
	check_all(&t);
	must(h_watch(&t.h, t.s, "@releaseDomain", "r") == XS_OK);
	for (i = 1; i <= GUESTS; i++) {
		fake.granted[i] = true;
		is_born(i);
		must(introduce(&t, i) == XS_OK);
		dies(&t, i);
		must(strstr(h_events(&t.h, t.s), "@releaseDomain|r;") != NULL);
	}
	h_use_all();
	end(&t);
	return 0;
}
