/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole state machine: what several sockets and guests ask, in pieces and
 * in transactions, and what becomes of domains. Every few steps all
 * accounting is compared with a count. Replies come in the order of the
 * requests, messages are whole, and no guest is told what is under /secret.
 */
#include "fuzz.h"

/* clang-format off */
#include "tests/unit/xenstored/harness.h"
#include "xenstored/domain.h"
#include "quiet.h"
/* clang-format on */

enum {
	SOCKETS = 2,
	GUESTS = 4, /* domain 4 is privileged as well */
	PRIV_DOMID = 4,
	DOM0_RING = SOCKETS + GUESTS,
	CLIENTS,
};

static const char hidden[] = "hidden7";

static struct {
	struct h h;
	struct script s;
	struct conn *conn[CLIENTS]; /* guests' are looked up */
	uint32_t tx[CLIENTS];	    /* the last that was started */
	uint32_t seen[CLIENTS];	    /* req_id of the last reply */
	uint32_t asked;		    /* req_id of the last request */
	bool raw;		    /* some request was no request */
	bool leaked;		    /* somebody but the script said HIDDEN */
} w;

static struct conn *
client(unsigned i)
{
	struct domain *d;

	if (i < SOCKETS || i == DOM0_RING)
		return w.conn[i];
	d = domain_find(w.h.st, i - SOCKETS + 1);
	return d != NULL ? d->conn : NULL;
}

/* --- requests --- */

struct payload {
	char bytes[WIRE_PAYLOAD_MAX];
	size_t len;
};

static void
add(struct payload *p, const char *bytes, size_t len)
{
	if (len > sizeof(p->bytes) - p->len)
		len = sizeof(p->bytes) - p->len;
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

static void
add_text(struct payload *p, const char *text)
{
	add(p, text, strlen(text));
}

static void
add_one_of(struct payload *p, const char *const *texts, size_t n)
{
	add_text(p, texts[script_pick(&w.s, n)]);
}

#define ADD_ONE_OF(p, texts)                                                   \
	add_one_of(p, texts, sizeof(texts) / sizeof(texts[0]))

static void
add_path(struct payload *p)
{
	static const char *const bases[] = { "/local/domain/1",
		"/local/domain/2", "/local/domain/3", "", "/secret", "/tool",
		"/local", "/a", "/local/domain/4" };
	static const char *const names[] = { "a", "b", "c", "dd", "e-_@", "f",
		"", "1" };
	static char filler[3100];
	uint8_t what = script_byte(&w.s), more;
	size_t n = what % 12;

	if (n < sizeof(bases) / sizeof(bases[0]))
		add_text(p, bases[n]);
	else if (n == 9)
		add_text(p, names[what >> 4 & 7]);
	else if (n == 10)
		add_text(p, "/");
	for (more = what >> 4 & 3; more > 0; more--) {
		add_text(p, "/");
		ADD_ONE_OF(p, names);
	}
	if (what >> 6 == 3) {
		n = script_short(&w.s) % sizeof(filler);
		memset(filler, 'x', n);
		add_text(p, "/");
		add(p, filler, n);
	}
}

static void
add_special(struct payload *p)
{
	static const char *const specials[] = { "@releaseDomain",
		"@introduceDomain", "@releaseDomain/1", "@introduceDomain/2",
		"@other", "@" };

	ADD_ONE_OF(p, specials);
}

static void
add_word(struct payload *p, uint32_t type)
{
	static const char *const perms[] = { "n0", "n1", "n2", "n3", "r1", "w2",
		"b3", "b0", "r32757", "b32757", "n4", "r15", "n7", "x1", "r" };
	static const char *const ends[] = { "T", "F", "T", "x" };
	static const char *const tokens[] = { "t", "u", "", "0", "1", "65535",
		"-1" };
	static const char *const quotas[] = { "nodes", "watches",
		"transactions", "memory", "node-size", "transaction-nodes",
		"children", "node-permissions", "path-max", "outstanding",
		"check", "quota", "quota-soft", "memreport", "help", "max",
		"set", "1", "2", "5", "0", "10000" };

	if (type == WIRE_SET_PERMS)
		ADD_ONE_OF(p, perms);
	else if (type == WIRE_TRANSACTION_END)
		ADD_ONE_OF(p, ends);
	else if (type == WIRE_CONTROL || type >= WIRE_GET_QUOTA)
		ADD_ONE_OF(p, quotas);
	else
		ADD_ONE_OF(p, tokens);
}

static void
add_number(struct payload *p)
{
	static const char *const numbers[] = { "1", "2", "3", "4", "0", "15",
		"7", "32752", "4294967295", "4294967296", "-1", "" };

	ADD_ONE_OF(p, numbers);
}

static void
add_raw(struct payload *p)
{
	static char bytes[WIRE_PAYLOAD_MAX];
	uint8_t what = script_byte(&w.s);
	size_t n = what;

	if (what < 200) {
		n = script_bytes(&w.s, bytes, what % 24);
	} else {
		n = script_short(&w.s) % sizeof(bytes);
		memset(bytes, 'v', n);
	}
	add(p, bytes, n);
}

static void
add_argument(struct payload *p, uint32_t type, char letter)
{
	bool special = letter == 'w' || letter == 'P';

	if (special && script_byte(&w.s) % 4 == 0)
		add_special(p);
	else if (letter == 'p' || special)
		add_path(p);
	else if (letter == 'd' || letter == 'u')
		add_number(p);
	else
		add_word(p, type);
	add(p, "", 1);
}

/* A payload as TYPE wants it. */
static void
make_payload(struct payload *p, uint32_t type)
{
	static const char *const args[] = {
#define XS_OP(number, name, handler, args, flags) [number] = args,
#include "schema/ops.tbl"
	};
	const char *l = type < WIRE_OP_COUNT ? args[type] : "b";

	for (; *l != '\0'; l++) {
		if (*l == 'b')
			add_raw(p);
		else if (*l == '?' && script_byte(&w.s) % 2 == 0)
			return;
		else if (*l == '*')
			for (uint8_t n = script_byte(&w.s) % 4; n > 0; n--)
				add_argument(p, type, 's');
		else if (*l == '-')
			add(p, "", 1);
		else if (*l != '?')
			add_argument(p, type, *l);
	}
}

/* LEN bytes of one message, in one piece or two. */
static void
hand_in(struct conn *conn, const char *bytes, size_t len, uint8_t how)
{
	enum input_result result;
	int budget = 100;
	size_t used = 0, first = 0;

	if (how % 4 == 1 && len > 17) {
		first = 16 + (how >> 2) % (len - 16);
		result = state_input(conn, bytes, first, &budget, &used);
		if (used == 0 && result == INPUT_MORE &&
		    state_input_part(conn, bytes, first))
			used = first;
		if (result == INPUT_BAD)
			state_ignore(conn);
		if (used != first)
			return;
	}
	result = state_input(conn, bytes + used, len - used, &budget, &used);
	if (result == INPUT_BAD)
		state_ignore(conn);
}

/* Whether the script itself says what must not be told. */
static bool
says_hidden(const void *bytes, size_t len)
{
	return memmem(bytes, len, hidden, sizeof(hidden) - 1) != NULL;
}

static void
request(unsigned i)
{
	char bytes[WIRE_MESSAGE_MAX];
	struct payload p = { .len = 0 };
	struct wire_header header = { .req_id = ++w.asked };
	struct conn *conn = client(i);
	uint8_t type = script_byte(&w.s), how = script_byte(&w.s);

	header.type = type % (WIRE_OP_COUNT + 1);
	if (how % 4 == 2)
		header.tx_id = w.tx[i];
	else if (how % 4 == 3)
		header.tx_id = how >> 2;
	if (type < 240)
		make_payload(&p, header.type);
	else
		add_raw(&p);
	header.len = (uint32_t)p.len;
	if (type == 255) {
		header.len = script_word(&w.s);
		w.raw = true;
	}
	if (conn == NULL)
		return;
	if (says_hidden(p.bytes, p.len))
		w.leaked = true;
	/* who may give the right to read it away */
	if (conn_privileged(conn) && memmem(p.bytes, p.len, "secret", 6))
		w.leaked = true;
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), p.bytes, p.len);
	how = script_byte(&w.s);
	/* a part that is completed by another request is no request */
	if (how % 4 == 1)
		w.raw = true;
	hand_in(conn, bytes, sizeof(header) + p.len, how);
}

/* --- replies --- */

static void
check_message(unsigned i, const struct h_message *m)
{
	uint64_t id;

	must(m->header.len <= WIRE_PAYLOAD_MAX);
	if (!w.leaked && !conn_privileged(client(i)))
		must(!says_hidden(m->payload, m->header.len));
	if (m->header.type == WIRE_WATCH_EVENT) {
		must(m->header.req_id == 0 && m->header.tx_id == 0);
		must(m->payload[m->header.len - 1] == '\0');
		must(strlen(m->payload) + 1 < m->header.len);
		return;
	}
	if (!w.raw) {
		must(m->header.req_id > w.seen[i]);
		must(m->header.req_id <= w.asked);
	}
	w.seen[i] = m->header.req_id;
	if (m->header.type == WIRE_ERROR)
		must(strcmp(
			 error_name(error_from_name(m->payload, m->header.len)),
			 m->payload) == 0);
	if (m->header.type == WIRE_TRANSACTION_START) {
		must(wire_number(m->payload, UINT32_MAX, &id) && id != 0);
		w.tx[i] = (uint32_t)id;
	}
}

/* Takes up to MAX messages of client I. */
static void
take(unsigned i, unsigned max)
{
	static struct h_message m;
	struct conn *conn = client(i);

	while (max-- > 0 && conn != NULL && h_take(conn, &m))
		check_message(i, &m);
}

/* --- the world --- */

static void
told(unsigned domid)
{
	state_domain_changed(w.h.st, domid, &w.h.domain[domid]);
}

static void
introduce(unsigned domid)
{
	struct h_message m;
	char text[8];

	/* as its answer must be the next one */
	take(0, 100000);
	snprintf(text, sizeof(text), "%u", domid);
	(void)h_strings(
	    &w.h, w.conn[0], WIRE_INTRODUCE, 0, &m, text, "1", "5", NULL);
	w.tx[SOCKETS + domid - 1] = 0;
}

/* Domain 0 makes many children in the home of DOMID: what is otherwise rare
 * becomes usual (large directories, long queues of events). */
static void
make_many(unsigned domid)
{
	unsigned n = script_byte(&w.s) * 3u, i;
	char path[512], filler[400];

	memset(filler, 'x', sizeof(filler));
	filler[n % sizeof(filler)] = '\0';
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/local/domain/%u/a/%s%u", domid,
		    filler, i);
		(void)h_write(&w.h, w.conn[0], 0, path, "");
	}
}

static void
world_acts(void)
{
	uint8_t what = script_byte(&w.s);
	unsigned domid = 1 + (what >> 4) % GUESTS;
	struct domain_info *info = &w.h.domain[domid];
	struct conn *conn = client(SOCKETS + domid - 1);

	switch (what % 16) {
	case 0:
		info->exists = false;
		told(domid);
		break;
	case 1: /* nobody is told yet */
		info->exists = false;
		break;
	case 2:
		*info = (struct domain_info){ .exists = true,
			.unique_id = info->unique_id + 100 };
		break;
	case 3:
		info->shutdown = true;
		told(domid);
		break;
	case 4:
		info->dying = true;
		told(domid);
		break;
	case 5:
		told(domid);
		break;
	case 6:
		w.h.ring_error = w.h.ring_error == XS_OK ? XS_ENOENT : XS_OK;
		break;
	case 7:
		if (conn != NULL)
			state_reset(conn);
		break;
	case 8:
		if (conn != NULL)
			state_ignore(conn);
		break;
	case 9:
		state_close(w.conn[1]);
		w.conn[1] = h_socket(&w.h);
		w.tx[1] = 0;
		break;
	case 10:
		(void)h_write(&w.h, w.conn[0], 0, "/secret/hidden7", "x");
		break;
	case 11:
		(void)h_write(&w.h, w.conn[0], 0, "/secret/a", "hidden7");
		break;
	case 12:
		make_many(domid);
		break;
	default:
		introduce(domid);
		break;
	}
}

static void
step(void)
{
	uint8_t what = script_byte(&w.s);
	unsigned i = (what >> 4) % CLIENTS;

	switch (what % 8) {
	case 0:
		take(0, 100000); /* world_acts() may ask through it */
		world_acts();
		break;
	case 1:
		take(i, what >> 7 ? 1 : 100000);
		break;
	default:
		request(i);
		if (what % 8 < 6)
			take(i, 100000);
		break;
	}
}

static void
check_books(void)
{
	const char *wrong = state_check(w.h.st);

	if (wrong != NULL) {
		fprintf(stderr, "the books: %s\n", wrong);
		abort();
	}
}

static void
start(void)
{
	unsigned i;

	memset(&w, 0, sizeof(w));
	h_start(&w.h);
	w.h.st->config.priv_domid = PRIV_DOMID;
	for (i = 0; i < SOCKETS; i++)
		w.conn[i] = h_socket(&w.h);
	w.conn[DOM0_RING] = state_open_dom0(w.h.st, 1, 1, NULL);
	must(w.conn[DOM0_RING] != NULL);
	for (i = 1; i <= GUESTS; i++)
		(void)h_guest(&w.h, w.conn[0], i);
	must(h_write(&w.h, w.conn[0], 0, "/secret/hidden7", "x") == XS_OK);
	w.asked = 10; /* the harness asks with 7 */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned i, n;

	start();
	w.s = (struct script){ data, size };
	for (n = 0; w.s.left > 0; n++) {
		step();
		if (n % 8 == 0)
			check_books();
	}
	check_books();
	while (state_step(w.h.st, 1000))
		;
	for (i = 0; i < CLIENTS; i++)
		take(i, 100000);
	h_use_all();
	h_stop(&w.h);
	return 0;
}
