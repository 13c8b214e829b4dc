/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

/*
 * The conflict matrix of the two stock daemons: what is done in the
 * transaction, what another client does meanwhile, and whether the commit must
 * be accepted because one of them accepts it.
 *
 * An action is a letter and a path: w write "new", s write the old value, r
 * read, d directory, m mkdir, x rm, p set permissions.
 */
struct row {
	const char *body[4];
	const char *outside[2];
	enum xs_err result;
};

/* clang-format off */
static const struct row matrix[] = {
	/* body */                            /* outside */             /* commit */
	{ { NULL },                           { "w/a" },                XS_OK },
	{ { "r/a" },                          { "w/b" },                XS_OK },
	{ { "r/a" },                          { "w/a" },                XS_OK },
	{ { "r/a", "w/z" },                   { "w/a" },                XS_EAGAIN },
	{ { "r/a", "w/z" },                   { "s/a" },                XS_OK },
	{ { "r/a", "w/z" },                   { "w/b" },                XS_OK },
	{ { "w/a" },                          { "w/a" },                XS_OK },
	{ { "w/p/x" },                        { "w/p/y" },              XS_OK },
	{ { "w/top/q/r" },                    { "w/other" },            XS_OK },
	{ { "d/d", "w/z" },                   { "w/d/new" },            XS_EAGAIN },
	{ { "d/d", "w/z" },                   { "w/d/k" },              XS_OK },
	{ { "d/d", "w/z" },                   { "w/d/k/deep" },         XS_OK },
	{ { "d/d", "w/z" },                   { "w/d/aba", "x/d/aba" }, XS_OK },
	{ { "r/d", "w/z" },                   { "w/d/new" },            XS_OK },
	{ { "r/p/x", "w/z" },                 { "w/p/y" },              XS_OK },
	{ { "r/p/x", "w/z" },                 { "w/p/x" },              XS_EAGAIN },
	{ { "x/d" },                          { "w/d/k" },              XS_OK },
	{ { "x/a" },                          { "x/a" },                XS_OK },
	{ { "m/m" },                          { "m/m" },                XS_OK },
	{ { "w/d/new" },                      { "x/d" },                XS_OK },
	{ { "r/a", "w/z" },                   { "p/a" },                XS_OK },
	{ { "w/d/k" },                        { "p/d" },                XS_OK },
	/* and what follows from the rules */
	{ { "w/a", "r/a" },                   { "w/a" },                XS_OK },
	{ { "r/a", "w/a" },                   { "w/a" },                XS_EAGAIN },
	{ { "r/nope/x", "w/z" },              { "w/nope" },             XS_OK },
	{ { "x/nope/x", "w/z" },              { "w/nope" },             XS_EAGAIN },
	{ { "x/d", "m/d", "d/d" },            { "w/d/new" },            XS_OK },
	{ { "m/m", "r/m" },                   { "w/m" },                XS_EAGAIN },
};
/* clang-format on */

static enum xs_err
act(struct h *h, struct conn *conn, uint32_t tx, const char *action)
{
	const char *path = action + 1;

	switch (action[0]) {
	case 'w':
		return h_write(h, conn, tx, path, "new");
	case 's':
		return h_write(h, conn, tx, path, "old");
	case 'r':
		return h_one(h, conn, WIRE_READ, tx, path);
	case 'd':
		return h_one(h, conn, WIRE_DIRECTORY, tx, path);
	case 'm':
		return h_one(h, conn, WIRE_MKDIR, tx, path);
	case 'x':
		return h_one(h, conn, WIRE_RM, tx, path);
	case 'p':
		return h_perms(h, conn, tx, path, "n0", "r3", NULL);
	}
	return XS_EINVAL;
}

/* A store with something in it, and two clients of it. */
static void
plant(struct h *h, struct conn **s_out, struct conn **o_out)
{
	struct conn *s;

	h_start(h);
	*s_out = s = h_socket(h);
	*o_out = h_socket(h);
	assert_int_equal(h_write(h, s, 0, "/a", "old"), XS_OK);
	assert_int_equal(h_write(h, s, 0, "/b", "old"), XS_OK);
	assert_int_equal(h_write(h, s, 0, "/d/k", "old"), XS_OK);
	assert_int_equal(h_one(h, s, WIRE_MKDIR, 0, "/p"), XS_OK);
}

static void
a_commit_is_accepted_if_one_stock_daemon_accepts_it(void **unused)
{
	unsigned row, i;
	struct h h;

	(void)unused;
	for (row = 0; row < sizeof(matrix) / sizeof(matrix[0]); row++) {
		struct conn *s, *o;
		uint32_t tx;
		enum xs_err err;

		plant(&h, &s, &o);
		tx = h_begin(&h, s);
		for (i = 0; i < 4 && matrix[row].body[i] != NULL; i++)
			(void)act(&h, s, tx, matrix[row].body[i]);
		for (i = 0; i < 2 && matrix[row].outside[i] != NULL; i++)
			assert_int_equal(
			    act(&h, o, 0, matrix[row].outside[i]), XS_OK);
		err = h_end(&h, s, tx, "T");
		if (err != matrix[row].result)
			fail_msg("row %u: %s, not %s", row, error_name(err),
			    error_name(matrix[row].result));
		h_stop(&h);
	}
}

static void
a_refused_commit_changes_nothing_and_ends_the_transaction(void **unused)
{
	struct h h;
	struct conn *s, *o;
	uint32_t tx;

	(void)unused;
	plant(&h, &s, &o);
	tx = h_begin(&h, s);
	assert_string_equal(h_read(&h, s, tx, "/a"), "old");
	assert_int_equal(h_write(&h, s, tx, "/z", "1"), XS_OK);
	assert_int_equal(h_write(&h, o, 0, "/a", "theirs"), XS_OK);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_EAGAIN);
	assert_string_equal(h_read(&h, s, 0, "/z"), "ENOENT");
	assert_string_equal(h_read(&h, s, 0, "/a"), "theirs");
	assert_int_equal(h_end(&h, s, tx, "F"), XS_ENOENT);
	h_stop(&h);
}

/* The rights of a node that a transaction made come from its parent. */
static void
what_was_read_of_a_node_made_in_it_must_be_so_at_the_commit(void **unused)
{
	struct h h;
	struct conn *s, *o;
	uint32_t tx;

	(void)unused;
	plant(&h, &s, &o);
	tx = h_begin(&h, s);
	assert_int_equal(h_write(&h, s, tx, "/new/x", "1"), XS_OK);
	assert_string_equal(h_text(&h, s, WIRE_GET_PERMS, tx, "/new/x"), "n0");
	assert_int_equal(h_one(&h, o, WIRE_MKDIR, 0, "/new"), XS_OK);
	assert_int_equal(h_perms(&h, o, 0, "/new", "b0", NULL, NULL), XS_OK);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_EAGAIN);
	assert_string_equal(h_read(&h, s, 0, "/new/x"), "ENOENT");
	h_stop(&h);
}

static void
reads_show_the_store_as_it_was_at_the_start(void **unused)
{
	struct h h;
	struct conn *s, *o;
	uint32_t tx;

	(void)unused;
	plant(&h, &s, &o);
	tx = h_begin(&h, s);
	assert_int_equal(h_write(&h, o, 0, "/a", "theirs"), XS_OK);
	assert_int_equal(h_one(&h, o, WIRE_RM, 0, "/d"), XS_OK);
	assert_string_equal(h_read(&h, s, tx, "/a"), "old");
	assert_string_equal(h_read(&h, s, tx, "/d/k"), "old");
	assert_string_equal(
	    h_text(&h, s, WIRE_DIRECTORY, tx, "/"), "tool a b d p");
	assert_string_equal(h_read(&h, s, 0, "/a"), "theirs");
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	h_stop(&h);
}

static void
changes_are_seen_inside_at_once_and_outside_after_the_commit(void **unused)
{
	struct h h;
	struct conn *s, *o;
	uint32_t tx;

	(void)unused;
	plant(&h, &s, &o);
	tx = h_begin(&h, s);
	assert_int_equal(h_write(&h, s, tx, "/n/m", "1"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_RM, tx, "/d"), XS_OK);
	assert_string_equal(h_read(&h, s, tx, "/n/m"), "1");
	assert_string_equal(h_read(&h, s, tx, "/d/k"), "ENOENT");
	assert_string_equal(h_read(&h, o, 0, "/n/m"), "ENOENT");
	assert_string_equal(h_read(&h, o, 0, "/d/k"), "old");
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	assert_string_equal(h_read(&h, o, 0, "/n/m"), "1");
	assert_string_equal(h_read(&h, o, 0, "/d/k"), "ENOENT");
	h_stop(&h);
}

static void
an_aborted_transaction_leaves_nothing(void **unused)
{
	struct h h;
	struct conn *s;
	uint32_t tx;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_int_equal(h_watch(&h, s, "/n", "t"), XS_OK);
	tx = h_begin(&h, s);
	assert_int_equal(h_write(&h, s, tx, "/n", "1"), XS_OK);
	assert_int_equal(h_end(&h, s, tx, "F"), XS_OK);
	assert_int_equal(h.n_events, 0);
	assert_string_equal(h_read(&h, s, 0, "/n"), "ENOENT");
	h_stop(&h);
}

static void
ids_belong_to_one_connection_and_are_never_zero(void **unused)
{
	struct h h;
	struct conn *s, *o;
	uint32_t tx;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	tx = h_begin(&h, s);
	assert_string_equal(h_read(&h, o, tx, "/tool"), "ENOENT");
	assert_int_equal(h_end(&h, o, tx, "T"), XS_ENOENT);
	assert_int_equal(h_end(&h, s, 0, "T"), XS_ENOENT);
	assert_int_equal(
	    h_one(&h, s, WIRE_TRANSACTION_START, tx, ""), XS_EBUSY);
	assert_int_equal(
	    h_one(&h, s, WIRE_TRANSACTION_START, tx + 9, ""), XS_ENOENT);
	assert_int_equal(h_end(&h, s, tx, "X"), XS_EINVAL);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	h_stop(&h);
}

static void
commit_events_come_once_per_path_in_the_order_of_first_access(void **unused)
{
	struct h h;
	struct conn *s, *o;
	uint32_t tx;

	(void)unused;
	plant(&h, &s, &o);
	assert_int_equal(h_watch(&h, o, "/", "t"), XS_OK);
	tx = h_begin(&h, s);
	assert_string_equal(h_read(&h, s, tx, "/b"), "old");
	assert_int_equal(h_write(&h, s, tx, "/a", "1"), XS_OK);
	assert_int_equal(h_write(&h, s, tx, "/b", "1"), XS_OK);
	assert_int_equal(h_write(&h, s, tx, "/a", "2"), XS_OK);
	assert_int_equal(h_write(&h, s, tx, "/gone", "1"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_RM, tx, "/gone"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_RM, tx, "/d"), XS_OK);
	assert_int_equal(h_write(&h, s, tx, "/d", "again"), XS_OK);
	assert_string_equal(h_events(&h, o), "");
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	assert_string_equal(h_events(&h, o), "/b|t;/a|t;/d|t;");
	h_stop(&h);
}

static void
a_failed_write_makes_the_commit_fail_with_its_cause(void **unused)
{
	struct h h;
	struct conn *s, *g;
	char big[2048];
	uint32_t tx;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	memset(big, 'x', sizeof(big));
	big[2047] = '\0';
	tx = h_begin(&h, g);
	assert_int_equal(h_write(&h, g, tx, "ok", "1"), XS_OK);
	assert_int_equal(h_write(&h, g, tx, "big", big), XS_ENOSPC);
	assert_int_equal(h_end(&h, g, tx, "T"), XS_ENOSPC);
	assert_string_equal(h_read(&h, g, 0, "ok"), "ENOENT");
	h_stop(&h);
}

static void
quota_is_checked_for_the_whole_at_the_commit(void **unused)
{
	struct h h;
	struct conn *s, *g;
	uint32_t tx;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1); /* owns its home: one node */
	assert_int_equal(h_strings(&h, s, WIRE_SET_QUOTA, 0,
			     &(struct h_message){ 0 }, "1", "nodes", "3", NULL),
	    XS_OK);
	tx = h_begin(&h, g);
	assert_int_equal(h_write(&h, g, tx, "a", ""), XS_OK);
	assert_int_equal(h_write(&h, g, tx, "b", ""), XS_OK);
	assert_int_equal(h_write(&h, g, 0, "c", ""), XS_OK);
	assert_int_not_equal(h_end(&h, g, tx, "T"), XS_OK);
	assert_string_equal(
	    h_text(&h, g, WIRE_DIRECTORY, 0, "/local/domain/1"), "c");
	h_stop(&h);
}

static void
created_and_deleted_nodes_leave_no_trace_in_the_books(void **unused)
{
	struct h h;
	struct conn *s, *g;
	uint32_t tx;
	int i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	for (i = 0; i < 2000; i++) {
		tx = h_begin(&h, g);
		assert_int_equal(h_write(&h, g, tx, "a/b/c", "1"), XS_OK);
		if (i % 3 == 0)
			assert_int_equal(
			    h_write(&h, s, 0, "/local/domain/1/a", "x"), XS_OK);
		assert_int_equal(h_one(&h, g, WIRE_RM, tx, "a"), XS_OK);
		assert_int_equal(h_end(&h, g, tx, "T"), XS_OK);
	}
	assert_int_equal(g->who.self->usage.n[QUOTA_NODES], 1);
	h_stop(&h);
}

static void
a_node_is_not_given_to_a_domain_that_died_before_the_commit(void **unused)
{
	struct domain_info gone = { .exists = false };
	struct h h;
	struct conn *s;
	uint32_t tx;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_int_equal(h_write(&h, s, 0, "/a", "1"), XS_OK);
	tx = h_begin(&h, s);
	assert_int_equal(h_perms(&h, s, tx, "/a", "n7", NULL, NULL), XS_OK);
	h.domain[7].exists = false;
	state_domain_changed(h.st, 7, &gone);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_EAGAIN);
	assert_string_equal(h_text(&h, s, WIRE_GET_PERMS, 0, "/a"), "n0");
	h_stop(&h);
}

static void
a_right_is_not_given_to_a_domain_that_was_born_after_the_request(void **unused)
{
	struct h h;
	struct conn *s, *g;
	uint32_t tx;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	h.domain[7].exists = false;
	assert_int_equal(h_write(&h, s, 0, "/a", "1"), XS_OK);
	tx = h_begin(&h, s);
	assert_int_equal(h_perms(&h, s, tx, "/a", "n0", "r7", NULL), XS_OK);
	h.domain[7].exists = true;
	g = h_guest(&h, s, 7);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	assert_string_equal(h_text(&h, s, WIRE_GET_PERMS, 0, "/a"), "n0 r7");
	assert_string_equal(h_read(&h, g, 0, "/a"), "EACCES");
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_commit_is_accepted_if_one_stock_daemon_accepts_it),
		cmocka_unit_test(
		    a_refused_commit_changes_nothing_and_ends_the_transaction),
		cmocka_unit_test(
		    what_was_read_of_a_node_made_in_it_must_be_so_at_the_commit),
		cmocka_unit_test(reads_show_the_store_as_it_was_at_the_start),
		cmocka_unit_test(
		    changes_are_seen_inside_at_once_and_outside_after_the_commit),
		cmocka_unit_test(an_aborted_transaction_leaves_nothing),
		cmocka_unit_test(
		    ids_belong_to_one_connection_and_are_never_zero),
		cmocka_unit_test(
		    commit_events_come_once_per_path_in_the_order_of_first_access),
		cmocka_unit_test(
		    a_failed_write_makes_the_commit_fail_with_its_cause),
		cmocka_unit_test(quota_is_checked_for_the_whole_at_the_commit),
		cmocka_unit_test(
		    a_node_is_not_given_to_a_domain_that_died_before_the_commit),
		cmocka_unit_test(
		    a_right_is_not_given_to_a_domain_that_was_born_after_the_request),
		cmocka_unit_test(
		    created_and_deleted_nodes_leave_no_trace_in_the_books),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
