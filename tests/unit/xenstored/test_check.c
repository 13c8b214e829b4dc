/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

#include "xenstored/apply.h"
#include "xenstored/check.h"

enum { NODES = 20000 };

/* A store of NODES nodes in few and large directories, some of a guest. */
static void
start(struct h *h, struct conn **s, struct conn **o)
{
	struct conn *g;
	char path[32];
	int i;

	h_start(h);
	*s = h_socket(h);
	*o = h_socket(h);
	g = h_guest(h, *s, 1);
	for (i = 0; i < NODES; i++) {
		snprintf(path, sizeof(path), "/d%d/n%d", i % 3, i);
		assert_int_equal(h_write(h, *s, 0, path, "1"), XS_OK);
	}
	for (i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "n%d", i);
		assert_int_equal(h_write(h, g, 0, path, "1"), XS_OK);
	}
}

/* Sends "CONTROL check" once; whether it was used up. */
static bool
ask(struct conn *conn)
{
	struct wire_header header = { .type = WIRE_CONTROL, .len = 6 };
	char bytes[sizeof(header) + 6];
	int budget = 1000;
	size_t used;

	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), "check", 6);
	(void)state_input(conn, bytes, sizeof(bytes), &budget, &used);
	assert_true(used == 0 || used == sizeof(bytes));
	return used != 0;
}

static void
assert_answer(struct conn *conn, const char *want)
{
	struct h_message m;

	assert_true(h_take(conn, &m));
	assert_int_equal(m.header.type, WIRE_CONTROL);
	assert_string_equal(m.payload, want);
}

static void
others_are_served_while_one_checks(void **unused)
{
	struct conn *s, *o;
	char path[32];
	struct h h;
	int n = 0;

	(void)unused;
	start(&h, &s, &o);
	while (!ask(s)) {
		assert_false(state_has_output(s));
		/* what is looked at is the store of the beginning */
		snprintf(path, sizeof(path), "/d1/n%d", n * 3 + 1);
		assert_int_equal(h_one(&h, o, WIRE_RM, 0, path), XS_OK);
		snprintf(path, sizeof(path), "/d2/new%d", n++);
		assert_int_equal(h_write(&h, o, 0, path, "1"), XS_OK);
	}
	assert_in_range(n, 5, 50);
	assert_answer(s, "OK");
	assert_null(state_check(h.st));
	h_stop(&h);
}

static void
a_wrong_book_is_found(void **unused)
{
	struct principal *p;
	struct conn *s, *o;
	struct h h;

	(void)unused;
	start(&h, &s, &o);
	p = principal_current(h.st->all, 1);
	principal_charge(p, QUOTA_NODES, 1);
	while (!ask(s))
		;
	assert_answer(s, "domain 1: nodes is 102 in the books and 101 in fact");
	principal_charge(p, QUOTA_NODES, -1);
	h.st->live->kids->below.nodes++;
	while (!ask(s))
		;
	assert_answer(s, "a subtree is miscounted");
	h.st->live->kids->below.nodes--;
	assert_null(state_check(h.st));
	h_stop(&h);
}

static void
two_who_check_take_turns(void **unused)
{
	struct conn *s, *o;
	struct h h;

	(void)unused;
	start(&h, &s, &o);
	assert_false(ask(s));
	assert_false(ask(o));
	while (!ask(s))
		assert_false(ask(o));
	assert_answer(s, "OK");
	assert_false(ask(o));
	/* who goes takes the comparison along */
	assert_false(ask(s));
	state_close(o);
	while (!ask(s))
		;
	assert_answer(s, "OK");
	assert_int_equal(h.st->live->ref, 1);
	h_stop(&h);
}

static void
a_death_meanwhile_is_no_fault(void **unused)
{
	struct conn *s, *o;
	struct h h;

	(void)unused;
	start(&h, &s, &o);
	assert_false(ask(s));
	h.domain[1].exists = false;
	state_domain_changed(h.st, 1, &h.domain[1]);
	h.domain[1] = (struct domain_info){ .exists = true, .unique_id = 77 };
	while (!ask(s))
		;
	assert_answer(s, "OK");
	h_stop(&h);
}

static void
follow(void *ctx, const struct record *record)
{
	const char *wrong = apply_record(ctx, record);

	if (wrong != NULL)
		fail_msg("the follower: %s", wrong);
}

/* Sends the LEN bytes at BYTES until they are used up. */
static void
send_all(struct conn *conn, const char *bytes, size_t len)
{
	size_t used = 0;
	int budget;

	while (used == 0) {
		budget = 1000;
		(void)state_input(conn, bytes, len, &budget, &used);
	}
	assert_int_equal(used, len);
}

static void
who_follows_answers_a_check_that_came_in_parts(void **unused)
{
	const struct wire_header header = { .type = WIRE_CONTROL, .len = 6 };
	struct apply *follower = apply_new(NULL);
	struct record_start start;
	struct record record;
	struct conn *s, *theirs;
	char path[32];
	struct h h;
	int i;

	(void)unused;
	h_start(&h);
	record = apply_start(&h.config, &start);
	assert_null(apply_record(follower, &record));
	h.tap = follow;
	h.tap_ctx = follower;
	s = h_socket(&h);
	for (i = 0; i < NODES; i++) {
		snprintf(path, sizeof(path), "/d%d/n%d", i % 3, i);
		assert_int_equal(h_write(&h, s, 0, path, "1"), XS_OK);
	}
	assert_true(state_input_part(s, &header, sizeof(header)));
	send_all(s, "check", 6);
	theirs = state_find_conn(apply_state(follower), conn_id(s));
	assert_int_equal(theirs->q.n_replies, 1);
	assert_answer(s, "OK");
	assert_int_equal(theirs->q.n_replies, 0);
	assert_int_equal(apply_state(follower)->live->ref, 1);
	h.tap = NULL;
	apply_free(follower);
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    who_follows_answers_a_check_that_came_in_parts),
		cmocka_unit_test(others_are_served_while_one_checks),
		cmocka_unit_test(a_wrong_book_is_found),
		cmocka_unit_test(two_who_check_take_turns),
		cmocka_unit_test(a_death_meanwhile_is_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
