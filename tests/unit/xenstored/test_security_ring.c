/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakehv.h"

/*
 * What went wrong in Xenstores before, case by case: rings. security.tbl lists
 * all cases.
 */

/* Case 6, XSA-38: what was taken out of the ring is not looked at there again.
 */
static void
a_request_is_read_from_a_copy(void **unused)
{
	char bytes[WIRE_MESSAGE_MAX], value[1400];
	size_t len;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(h_write(&t.h, t.s, 0, "/open", ""), XS_OK);
	assert_int_equal(
	    h_perms(&t.h, t.s, 0, "/open", "b0", NULL, NULL), XS_OK);
	memset(value, 'v', sizeof(value));
	memcpy(value, "/open", 6);
	len = make(bytes, WIRE_WRITE, value, sizeof(value));
	put(1, bytes, WIRE_RING_SIZE);
	kick(&t, 1);
	assert_int_equal(fake.page[1]->req_cons, WIRE_RING_SIZE);
	/* another path, length, operation and value */
	memset(fake.page[1]->req, '/', WIRE_RING_SIZE);
	put(1, bytes + WIRE_RING_SIZE, len - WIRE_RING_SIZE);
	kick(&t, 1);
	assert_int_equal(get(1, bytes), 16 + 3);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(strlen(h_read(&t.h, t.s, 0, "/open")), 1394);
	assert_null(strchr(h_read(&t.h, t.s, 0, "/open"), '/'));
	end(&t);
}

/* Case 7, XSA-325: whose ring is ignored is told of all the same. */
static void
a_guest_that_broke_its_ring_is_told_of_when_it_dies(void **unused)
{
	uint64_t one = 1;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	memset(fake.page[1]->req, 0xff, 16);
	fake.page[1]->req_prod = 16;
	kick(&t, 1);
	assert_int_equal(fake.page[1]->error, WIRE_RING_EPROTOCOL);
	memset(fake.page[1], 0xa5, 4096);
	kick(&t, 1);
	assert_int_equal(h_watch(&t.h, t.s, "@releaseDomain", "r"), XS_OK);
	fake.state[1] = 0;
	fake.changed[1] = fake.virq = true;
	assert_int_equal(write(fake.fd, &one, sizeof(one)), sizeof(one));
	turns(&t);
	assert_string_equal(h_events(&t.h, t.s), "@releaseDomain|r;");
	assert_int_equal(fake.mapped[1], 0);
	assert_false(fake.bound[1]);
	end(&t);
}

/* Case 11: events without data cost a look at the ring each and delay nobody.
 */
static void
a_storm_of_events_without_data_delays_nobody(void **unused)
{
	char bytes[64];
	size_t len;
	struct t t;
	int i, waited;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(introduce(&t, 2), XS_OK);
	for (i = 0; i < 5000; i++) {
		len = make(bytes, WIRE_GET_DOMAIN_PATH, "1\0", 2);
		put(2, bytes, len);
		fake.pending[2] = true;
		for (waited = 0; get(2, bytes) == 0; waited++) {
			uint64_t one = 1;

			assert_true(waited < 3);
			fake.pending[1] = true;
			assert_int_equal(
			    write(fake.fd, &one, sizeof(one)), sizeof(one));
			(void)server_turn(t.server, false);
		}
	}
	/* it got no event for its own: that of INTRODUCE was the last */
	assert_int_equal(fake.notified[1], 1);
	end(&t);
}

/* Case 44, XSA-425: a new start in the middle of all a connection can have. */
static void
introduce_again_with_everything_under_way_is_a_new_start(void **unused)
{
	char bytes[WIRE_MESSAGE_MAX];
	struct conn *g;
	size_t i;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	for (i = 0; i < 3; i++) {
		assert_int_equal(
		    ask(&t, 1, WIRE_WATCH, "a\0t\0", 4), WIRE_WATCH);
		assert_int_equal(ask(&t, 1, WIRE_TRANSACTION_START, "\0", 1),
		    WIRE_TRANSACTION_START);
		/* replies that do not fit its ring, then half a request */
		while (fake.page[1]->req_prod - fake.page[1]->req_cons <
		       WIRE_RING_SIZE - 18) {
			put(1, bytes,
			    make(bytes, WIRE_GET_DOMAIN_PATH, "1\0", 2));
			kick(&t, 1);
		}
		put(1, bytes, 7);
		kick(&t, 1);
		g = domain_find(server_state(t.server), 1)->conn;
		assert_true(state_has_output(g));
		assert_int_equal(introduce(&t, 1), XS_OK);
		assert_false(state_has_output(g));
		assert_int_equal(g->who.self->usage.n[QUOTA_WATCHES], 0);
		assert_int_equal(g->who.self->usage.n[QUOTA_TXNS], 0);
		turns(&t);
		assert_int_equal(get(1, bytes), 0);
	}
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read_from_a_copy),
		cmocka_unit_test(
		    a_guest_that_broke_its_ring_is_told_of_when_it_dies),
		cmocka_unit_test(a_storm_of_events_without_data_delays_nobody),
		cmocka_unit_test(
		    introduce_again_with_everything_under_way_is_a_new_start),
	};

	h_use_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
