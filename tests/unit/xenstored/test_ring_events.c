/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests as sparing of events as Linux is: they send none for request bytes
 * while the daemon has not given back the ones before, none for room in a ring
 * that was not full. A daemon that leaves bytes or room unseen waits for ever.
 */
#include <pthread.h>

#include "fakehv.h"

static void
the_beginning_of_a_message_is_given_back_at_once(void **unused)
{
	char bytes[64], reply[64];
	size_t len, first;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	len = make(bytes, WIRE_GET_DOMAIN_PATH, "1\0", 2);
	for (first = 1; first < len; first++) {
		put(1, bytes, first);
		kick(&t, 1);
		assert_int_equal(
		    fake.page[1]->req_cons, fake.page[1]->req_prod);
		put(1, bytes + first, len - first);
		kick(&t, 1);
		assert_int_equal(get(1, reply), 16 + sizeof("/local/domain/1"));
	}
	assert_int_equal(
	    ask(&t, 1, WIRE_GET_DOMAIN_PATH, "1\0", 2), WIRE_GET_DOMAIN_PATH);
	end(&t);
}

static void
a_length_beyond_the_limit_is_seen_in_a_header_that_came_in_parts(void **unused)
{
	struct wire_header header = { .type = WIRE_READ, .len = 4097 };
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	put(1, &header, 15);
	kick(&t, 1);
	assert_int_equal(fake.page[1]->error, WIRE_RING_OK);
	put(1, (char *)&header + 15, 1);
	kick(&t, 1);
	assert_int_equal(fake.page[1]->error, WIRE_RING_EPROTOCOL);
	end(&t);
}

/* Domain 0 has another request while its first one is at work. */
static void
put_another(void)
{
	char bytes[64];

	fake.mapping = NULL;
	put(0, bytes, make(bytes, WIRE_GET_DOMAIN_PATH, "1\0", 2));
}

static void
a_request_that_came_during_another_needs_no_event(void **unused)
{
	char bytes[WIRE_MESSAGE_MAX];
	struct t t;

	(void)unused;
	begin(&t);
	fake.mapping = put_another;
	put(0, bytes, make(bytes, WIRE_INTRODUCE, "1\0001\0005\0", 6));
	kick(&t, 0);
	assert_int_equal(
	    get(0, bytes), 16 + 3 + 16 + sizeof("/local/domain/1"));
	end(&t);
}

/* Sends an event from the other thread. */
static void
send_event(void)
{
	uint64_t one = 1;

	__atomic_store_n(&fake.pending[1], true, __ATOMIC_SEQ_CST);
	assert_int_equal(write(fake.fd, &one, sizeof(one)), sizeof(one));
}

static uint32_t
word(const uint32_t *w)
{
	return __atomic_load_n(w, __ATOMIC_SEQ_CST);
}

static void
sparing_write(struct wire_ring *page, const char *bytes, uint32_t len)
{
	uint32_t prod = page->req_prod, i;

	for (i = 0; i < len; i++)
		page->req[(prod + i) % WIRE_RING_SIZE] = (uint8_t)bytes[i];
	__atomic_store_n(&page->req_prod, prod + len, __ATOMIC_SEQ_CST);
	if ((int32_t)(prod - word(&page->req_cons)) <= 0)
		send_event();
}

/* False: it waited for some seconds in vain. */
static bool
sparing_read(struct wire_ring *page, uint32_t len)
{
	uint32_t cons = page->rsp_cons, n, tries;

	while (len > 0) {
		for (tries = 0; (n = word(&page->rsp_prod) - cons) == 0;
		     tries++) {
			if (tries == 10000)
				return false;
			if (tries > 100)
				usleep(500);
		}
		if (n > len)
			n = len;
		__atomic_store_n(&page->rsp_cons, cons + n, __ATOMIC_SEQ_CST);
		if (word(&page->rsp_prod) - cons >= WIRE_RING_SIZE)
			send_event();
		cons += n;
		len -= n;
	}
	return true;
}

enum { SPARING_ROUNDS = 500, SPARING_VALUE = 3000 };

struct sparing {
	int rounds;
	bool done;
};

/* A guest that reads a value longer than the ring again and again. */
static void *
sparing_guest(void *arg)
{
	struct wire_ring *page = fake.page[1];
	struct sparing *guest = arg;
	char bytes[64];
	size_t len = make(bytes, WIRE_READ, "/v\0", 3);

	while (guest->rounds < SPARING_ROUNDS) {
		sparing_write(page, bytes, sizeof(struct wire_header));
		sparing_write(page, bytes + sizeof(struct wire_header),
		    (uint32_t)(len - sizeof(struct wire_header)));
		if (!sparing_read(page, 16 + SPARING_VALUE))
			break;
		guest->rounds++;
	}
	__atomic_store_n(&guest->done, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static void
a_guest_that_spares_events_is_served_to_the_end(void **unused)
{
	struct sparing guest = { 0 };
	char value[SPARING_VALUE + 1];
	pthread_t thread;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	memset(value, 'v', SPARING_VALUE);
	value[SPARING_VALUE] = '\0';
	assert_int_equal(h_write(&t.h, t.s, 0, "/v", value), XS_OK);
	assert_int_equal(h_perms(&t.h, t.s, 0, "/v", "r0", NULL, NULL), XS_OK);
	assert_int_equal(
	    pthread_create(&thread, NULL, sparing_guest, &guest), 0);
	while (!__atomic_load_n(&guest.done, __ATOMIC_SEQ_CST))
		if (!server_turn(t.server, false))
			usleep(1);
	pthread_join(thread, NULL);
	assert_int_equal(guest.rounds, SPARING_ROUNDS);
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_beginning_of_a_message_is_given_back_at_once),
		cmocka_unit_test(
		    a_length_beyond_the_limit_is_seen_in_a_header_that_came_in_parts),
		cmocka_unit_test(
		    a_request_that_came_during_another_needs_no_event),
		cmocka_unit_test(
		    a_guest_that_spares_events_is_served_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
