/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>

#include "fakehv.h"

static void
domain_0_is_told_and_its_ring_is_served_where_it_stands(void **unused)
{
	struct t t;

	(void)unused;
	begin(&t);
	assert_true(fake.notified[0] >= 1);
	assert_int_equal(fake.page[0]->features, 15);
	assert_int_equal(ask(&t, 0, WIRE_READ, "/tool\0", 6), WIRE_READ);
	fake.page[0]->req_cons = fake.page[0]->req_prod = 0xfffffff0u;
	fake.page[0]->rsp_cons = fake.page[0]->rsp_prod = 0xfffffff8u;
	assert_int_equal(ask(&t, 0, WIRE_READ, "/tool\0", 6), WIRE_READ);
	assert_int_equal(ask(&t, 0, WIRE_WRITE, "rel\0v", 5), WIRE_WRITE);
	end(&t);
}

static void
introduce_maps_the_page_and_makes_it_new(void **unused)
{
	struct wire_ring *page;
	struct t t;

	(void)unused;
	begin(&t);
	page = fake.page[1];
	page->req_cons = 5;
	page->req_prod = 77;
	page->rsp_cons = 3;
	page->connection = WIRE_RECONNECT;
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(fake.mapped[1], 1);
	assert_int_equal(
	    page->req_cons | page->req_prod | page->rsp_cons | page->rsp_prod,
	    0);
	assert_int_equal(page->connection, WIRE_CONNECTED);
	assert_int_equal(page->features, 15);
	assert_int_equal(fake.notified[1], 1);
	assert_int_equal(ask(&t, 1, WIRE_READ, "/tool\0", 6), WIRE_ERROR);
	/* again: a new mapping and port, nothing leaks */
	page->req_prod = 9;
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(fake.mapped[1], 1);
	assert_int_equal(page->req_prod, 0);
	assert_int_equal(ask(&t, 1, WIRE_WATCH, "a\0t\0", 4), WIRE_WATCH);
	end(&t);
}

static void
introduce_without_a_page_or_a_port_changes_nothing(void **unused)
{
	struct h_message m;
	struct t t;

	(void)unused;
	begin(&t);
	fake.granted[1] = false;
	assert_int_equal(introduce(&t, 1), XS_ENOENT);
	fake.granted[1] = true;
	assert_int_equal(
	    h_strings(&t.h, t.s, WIRE_INTRODUCE, 0, &m, "1", "1", "999", NULL),
	    XS_EINVAL);
	assert_int_equal(fake.mapped[1], 0);
	assert_string_equal(
	    h_text(&t.h, t.s, WIRE_IS_DOMAIN_INTRODUCED, 0, "1"), "F");
	assert_int_equal(introduce(&t, 1), XS_OK);
	end(&t);
}

static void
a_port_that_fails_takes_the_ring_until_the_next_introduce(void **unused)
{
	char bytes[WIRE_MESSAGE_MAX];
	struct h_message m;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(introduce(&t, 2), XS_OK);
	assert_int_equal(ask(&t, 1, WIRE_WATCH, "a\0t\0", 4), WIRE_WATCH);
	/* the guest has work in hand when its ring goes away */
	put(1, bytes, make(bytes, WIRE_READ, "a\0", 2));
	fake.page[1]->connection = WIRE_RECONNECT;
	server_activate(
	    t.server, conn_shell(domain_find(server_state(t.server), 1)->conn));
	assert_int_equal(
	    h_strings(&t.h, t.s, WIRE_INTRODUCE, 0, &m, "1", "1", "999", NULL),
	    XS_EINVAL);
	turns(&t);
	assert_int_equal(fake.mapped[1], 0);
	assert_int_equal(h_write(&t.h, t.s, 0, "/local/domain/1/a", ""), XS_OK);
	turns(&t);
	assert_int_equal(
	    ask(&t, 2, WIRE_GET_DOMAIN_PATH, "1\0", 2), WIRE_GET_DOMAIN_PATH);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(get(1, bytes), 0);
	assert_int_equal(ask(&t, 1, WIRE_WATCH, "a\0t\0", 4), WIRE_WATCH);
	end(&t);
}

static void
a_page_that_cannot_be_had_again_leaves_the_ring_as_it_was(void **unused)
{
	char bytes[2 * WIRE_MESSAGE_MAX], value[2000];
	size_t n, i;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(ask(&t, 1, WIRE_WATCH, "a\0t\0", 4), WIRE_WATCH);
	/* a message longer than the ring, of which the daemon has a part */
	memset(value, 'v', sizeof(value));
	memcpy(value, "/x", 3);
	n = make(bytes, WIRE_WRITE, value, sizeof(value));
	put(1, bytes, WIRE_RING_SIZE);
	kick(&t, 1);
	fake.granted[1] = false;
	assert_int_equal(introduce(&t, 1), XS_ENOENT);
	for (i = WIRE_RING_SIZE; i < n; i += 500) {
		put(1, bytes + i, n - i < 500 ? n - i : 500);
		kick(&t, 1);
	}
	assert_true(get(1, bytes) > 0);
	assert_memory_equal(bytes + 16, "EACCES", 7); /* the WRITE's reply */
	assert_int_equal(fake.page[1]->error, WIRE_RING_OK);
	assert_int_equal(ask(&t, 1, WIRE_UNWATCH, "a\0t\0", 4), WIRE_UNWATCH);
	fake.granted[1] = true;
	end(&t);
}

static void
the_operator_is_told_once_of_a_guest_that_breaks_its_ring(void **unused)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO), c, i, lines = 0;
	struct t t;

	(void)unused;
	assert_non_null(file);
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	dup2(fileno(file), STDERR_FILENO);
	for (i = 0; i < 100; i++) {
		fake.page[1]->req_prod = 5000;
		kick(&t, 1);
		fake.page[1]->connection = WIRE_RECONNECT;
		kick(&t, 1);
	}
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	while ((c = fgetc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	assert_int_equal(lines, 1);
	assert_int_equal(ask(&t, 1, WIRE_WATCH, "a\0t\0", 4), WIRE_WATCH);
	end(&t);
}

static void
indexes_too_far_apart_end_the_connection_but_nobody_elses(void **unused)
{
	static const uint32_t distance[] = { 1025, 0x80000000u, 0xffffffffu,
		12345678u };
	struct t t;
	size_t i;

	(void)unused;
	for (i = 0; i < 8; i++) {
		begin(&t);
		assert_int_equal(introduce(&t, 1), XS_OK);
		assert_int_equal(introduce(&t, 2), XS_OK);
		if (i >= 4) /* in the middle of a message */
			put(1, "\2\0\0\0", 4);
		fake.page[1]->req_prod =
		    fake.page[1]->req_cons + distance[i % 4];
		kick(&t, 1);
		assert_int_equal(fake.page[1]->error, WIRE_RING_EINDEX);
		assert_int_equal(fake.notified[1], 2);
		/* not read any more */
		fake.page[1]->req_prod = fake.page[1]->req_cons;
		put(1, "garbage", 7);
		kick(&t, 1);
		assert_int_equal(fake.page[1]->req_cons, 0);
		assert_int_equal(ask(&t, 2, WIRE_GET_DOMAIN_PATH, "1\0", 2),
		    WIRE_GET_DOMAIN_PATH);
		/* known still, and revived by introducing it again */
		assert_string_equal(
		    h_text(&t.h, t.s, WIRE_IS_DOMAIN_INTRODUCED, 0, "1"), "T");
		assert_int_equal(introduce(&t, 1), XS_OK);
		assert_int_equal(fake.page[1]->error, WIRE_RING_OK);
		assert_int_equal(ask(&t, 1, WIRE_GET_DOMAIN_PATH, "1\0", 2),
		    WIRE_GET_DOMAIN_PATH);
		end(&t);
	}
}

static void
the_replys_indexes_are_checked_too(void **unused)
{
	char bytes[64];
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	fake.page[1]->rsp_cons = 7; /* ahead of what was ever produced */
	put(1, bytes, make(bytes, WIRE_GET_DOMAIN_PATH, "1\0", 2));
	kick(&t, 1);
	assert_int_equal(fake.page[1]->error, WIRE_RING_EINDEX);
	end(&t);
}

static void
a_full_ring_is_legal(void **unused)
{
	char bytes[WIRE_RING_SIZE], path[1200];
	struct t t;
	size_t len;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	memset(path, 'x', sizeof(path));
	path[WIRE_RING_SIZE - 17] = '\0';
	len = make(bytes, WIRE_READ, path, WIRE_RING_SIZE - 16);
	assert_int_equal(len, WIRE_RING_SIZE);
	put(1, bytes, len);
	kick(&t, 1);
	assert_int_equal(fake.page[1]->req_cons, WIRE_RING_SIZE);
	assert_int_equal(fake.page[1]->error, WIRE_RING_OK);
	assert_true(get(1, bytes) > 16);
	end(&t);
}

static void
a_length_beyond_the_limit_ends_the_connection(void **unused)
{
	static const uint32_t lens[] = { 4097, 0x80000000u, 0xffffffffu,
		(uint32_t)-16 };
	struct wire_header header = { .type = WIRE_READ };
	struct t t;
	size_t i;

	(void)unused;
	for (i = 0; i < 4; i++) {
		begin(&t);
		assert_int_equal(introduce(&t, 1), XS_OK);
		header.len = lens[i];
		put(1, &header, sizeof(header));
		kick(&t, 1);
		assert_int_equal(fake.page[1]->error, WIRE_RING_EPROTOCOL);
		end(&t);
	}
}

static void
one_byte_at_a_time_with_the_header_across_the_end(void **unused)
{
	char bytes[128];
	struct t t;
	size_t len, i;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	fake.page[1]->req_cons = fake.page[1]->req_prod = 1023;
	fake.page[1]->rsp_cons = fake.page[1]->rsp_prod = 2047;
	len = make(bytes, WIRE_GET_DOMAIN_PATH, "1\0", 2);
	for (i = 0; i < len; i++) {
		assert_int_equal(fake.page[1]->rsp_prod, 2047);
		put(1, bytes + i, 1);
		kick(&t, 1);
	}
	assert_int_equal(get(1, bytes), 16 + 16);
	assert_string_equal(bytes + 16, "/local/domain/1");
	end(&t);
}

static void
a_message_longer_than_the_ring_passes_through_it(void **unused)
{
	char bytes[WIRE_MESSAGE_MAX], value[4000];
	size_t len, at, n;
	struct h_message m;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(h_write(&t.h, t.s, 0, "/open", ""), XS_OK);
	assert_int_equal(
	    h_perms(&t.h, t.s, 0, "/open", "b0", NULL, NULL), XS_OK);
	assert_int_equal(
	    h_strings(&t.h, t.s, WIRE_SET_QUOTA, 0, &m, "node-size", "0", NULL),
	    XS_OK);
	memcpy(value, "/open", 6);
	memset(value + 6, 'v', sizeof(value) - 6);
	len = make(bytes, WIRE_WRITE, value, sizeof(value));
	for (at = 0; at < len; at += n) {
		n = WIRE_RING_SIZE -
		    (fake.page[1]->req_prod - fake.page[1]->req_cons);
		if (n > len - at)
			n = len - at;
		assert_true(n > 0);
		put(1, bytes + at, n);
		kick(&t, 1);
	}
	assert_int_equal(get(1, bytes), 16 + 3);
	/* and so does the reply */
	put(1, bytes, make(bytes, WIRE_READ, "/open\0", 6));
	kick(&t, 1);
	for (at = 0; at < 16 + 3994; at += n) {
		n = get(1, bytes);
		assert_true(n > 0);
		kick(&t, 1);
	}
	assert_int_equal(at, 16 + 3994);
	end(&t);
}

static void
a_guest_that_reads_nothing_stops_being_served_until_it_does(void **unused)
{
	char bytes[64], out[WIRE_RING_SIZE];
	size_t len, n, total = 0;
	struct conn *g;
	int i, sent = 0;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	g = domain_find(server_state(t.server), 1)->conn;
	len = make(bytes, WIRE_GET_DOMAIN_PATH, "1\0", 2);
	for (i = 0; i < 1000; i++) {
		if (fake.page[1]->req_prod - fake.page[1]->req_cons + len >
		    WIRE_RING_SIZE)
			break;
		put(1, bytes, len);
		sent++;
		kick(&t, 1);
	}
	/* 20 replies wait, 32 fill the ring, the rest is in the requests' */
	assert_true(i < 1000);
	assert_int_equal(g->q.n_replies, 20);
	assert_int_equal(ask(&t, 0, WIRE_READ, "/tool\0", 6), WIRE_READ);
	while ((n = get(1, out)) > 0) {
		total += n;
		kick(&t, 1);
	}
	assert_int_equal(total, (size_t)sent * 32);
	end(&t);
}

static void
every_publication_is_notified(void **unused)
{
	unsigned before;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	before = fake.notified[1];
	assert_int_equal(
	    ask(&t, 1, WIRE_GET_DOMAIN_PATH, "1\0", 2), WIRE_GET_DOMAIN_PATH);
	assert_int_equal(fake.notified[1], before + 1);
	assert_int_equal(ask(&t, 1, WIRE_WATCH, "a\0t\0", 4), WIRE_WATCH);
	before = fake.notified[1];
	assert_int_equal(h_write(&t.h, t.s, 0, "/local/domain/1", ""), XS_OK);
	assert_int_equal(
	    h_perms(&t.h, t.s, 0, "/local/domain/1", "n1", NULL, NULL), XS_OK);
	assert_int_equal(h_write(&t.h, t.s, 0, "/local/domain/1/a", ""), XS_OK);
	turns(&t);
	assert_int_equal(fake.notified[1], before + 1);
	/* nothing to say, nothing said; unknown ports neither */
	before = fake.notified[1];
	kick(&t, 1);
	kick(&t, 5);
	assert_int_equal(fake.notified[1], before);
	end(&t);
}

static void
reconnect_drops_what_was_before_and_answers(void **unused)
{
	char bytes[64];
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(ask(&t, 1, WIRE_WATCH, "a\0t\0", 4), WIRE_WATCH);
	put(1, "half a message", 14);
	fake.page[1]->connection = WIRE_RECONNECT;
	kick(&t, 1);
	assert_int_equal(fake.page[1]->connection, WIRE_CONNECTED);
	assert_int_equal(fake.page[1]->req_prod, 0);
	assert_int_equal(fake.page[1]->req_cons, 0);
	assert_int_equal(h_write(&t.h, t.s, 0, "/local/domain/1/a", ""), XS_OK);
	turns(&t);
	assert_int_equal(get(1, bytes), 0);
	assert_int_equal(ask(&t, 1, WIRE_WATCH, "a\0t\0", 4), WIRE_WATCH);
	/* a broken connection too */
	fake.page[1]->req_prod = 5000;
	kick(&t, 1);
	assert_int_equal(fake.page[1]->error, WIRE_RING_EINDEX);
	fake.page[1]->connection = WIRE_RECONNECT;
	kick(&t, 1);
	assert_int_equal(fake.page[1]->error, WIRE_RING_OK);
	assert_int_equal(ask(&t, 1, WIRE_WATCH, "a\0t\0", 4), WIRE_WATCH);
	end(&t);
}

static void
firmware_that_zeroes_all_indexes_is_followed(void **unused)
{
	struct wire_ring *page;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	page = fake.page[1];
	assert_int_equal(
	    ask(&t, 1, WIRE_GET_DOMAIN_PATH, "1\0", 2), WIRE_GET_DOMAIN_PATH);
	page->req_cons = page->req_prod = page->rsp_cons = page->rsp_prod = 0;
	assert_int_equal(
	    ask(&t, 1, WIRE_GET_DOMAIN_PATH, "1\0", 2), WIRE_GET_DOMAIN_PATH);
	end(&t);
}

static void
deaths_are_learned_of_by_the_interrupt(void **unused)
{
	uint64_t one = 1;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(introduce(&t, 2), XS_OK);
	assert_int_equal(h_watch(&t.h, t.s, "@releaseDomain", "r"), XS_OK);
	fake.state[1] = 0; /* gone */
	fake.state[2] |= XENMANAGE_GETDOMSTATE_STATE_SHUTDOWN;
	fake.changed[1] = fake.changed[2] = true;
	fake.virq = true;
	assert_int_equal(write(fake.fd, &one, sizeof(one)), sizeof(one));
	turns(&t);
	assert_string_equal(
	    h_events(&t.h, t.s), "@releaseDomain|r;@releaseDomain|r;");
	assert_int_equal(fake.mapped[1], 0);
	assert_false(fake.bound[1]);
	assert_int_equal(fake.mapped[2], 1);
	assert_int_equal(introduce(&t, 1), XS_ENOENT);
	/* a stopped domain is served on */
	assert_int_equal(
	    ask(&t, 2, WIRE_GET_DOMAIN_PATH, "1\0", 2), WIRE_GET_DOMAIN_PATH);
	end(&t);
}

/* --- a page that is never the same twice --- */

static volatile bool hammering;

static void *
hammer(void *arg)
{
	uint32_t *word = arg;
	uint64_t r = 88172645463325252u;

	while (hammering) {
		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		__atomic_store_n(&word[(r >> 8) % 520], (uint32_t)(r >> 32),
		    __ATOMIC_RELAXED);
		__atomic_store_n(
		    &word[513], word[512] + (r >> 40) % 1500, __ATOMIC_RELAXED);
		__atomic_store_n(
		    &word[514], word[515] - (r >> 44) % 1100, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void
a_page_that_changes_all_the_time_harms_nobody(void **unused)
{
	pthread_t thread;
	struct t t;
	int i;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(introduce(&t, 2), XS_OK);
	hammering = true;
	assert_int_equal(
	    pthread_create(&thread, NULL, hammer, fake.page[1]), 0);
	for (i = 0; i < 20000; i++) {
		kick(&t, 1);
		if (i % 16 == 0)
			assert_int_equal(
			    ask(&t, 2, WIRE_GET_DOMAIN_PATH, "1\0", 2),
			    WIRE_GET_DOMAIN_PATH);
		if (i % 64 == 0)
			assert_int_equal(introduce(&t, 1), XS_OK);
	}
	hammering = false;
	pthread_join(thread, NULL);
	assert_string_equal(
	    h_text(&t.h, t.s, WIRE_IS_DOMAIN_INTRODUCED, 0, "1"), "T");
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    domain_0_is_told_and_its_ring_is_served_where_it_stands),
		cmocka_unit_test(introduce_maps_the_page_and_makes_it_new),
		cmocka_unit_test(
		    a_port_that_fails_takes_the_ring_until_the_next_introduce),
		cmocka_unit_test(
		    a_page_that_cannot_be_had_again_leaves_the_ring_as_it_was),
		cmocka_unit_test(
		    the_operator_is_told_once_of_a_guest_that_breaks_its_ring),
		cmocka_unit_test(
		    introduce_without_a_page_or_a_port_changes_nothing),
		cmocka_unit_test(
		    indexes_too_far_apart_end_the_connection_but_nobody_elses),
		cmocka_unit_test(the_replys_indexes_are_checked_too),
		cmocka_unit_test(a_full_ring_is_legal),
		cmocka_unit_test(a_length_beyond_the_limit_ends_the_connection),
		cmocka_unit_test(
		    one_byte_at_a_time_with_the_header_across_the_end),
		cmocka_unit_test(
		    a_message_longer_than_the_ring_passes_through_it),
		cmocka_unit_test(
		    a_guest_that_reads_nothing_stops_being_served_until_it_does),
		cmocka_unit_test(every_publication_is_notified),
		cmocka_unit_test(reconnect_drops_what_was_before_and_answers),
		cmocka_unit_test(firmware_that_zeroes_all_indexes_is_followed),
		cmocka_unit_test(deaths_are_learned_of_by_the_interrupt),
		cmocka_unit_test(a_page_that_changes_all_the_time_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
