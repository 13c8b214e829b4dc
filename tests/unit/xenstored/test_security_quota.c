/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

/*
 * What went wrong in Xenstores before, case by case: accounting and
 * transactions. security.tbl lists all cases.
 */

static void
start(struct h *h, struct conn **s, struct conn **g)
{
	h_start(h);
	*s = h_socket(h);
	*g = h_guest(h, *s, 1);
}

static int64_t
used(const struct conn *conn, enum quota_id id)
{
	return conn->who.self->usage.n[id];
}

/* Case 33, XSA-440, XSA-421, XSA-415: what a transaction made, changed or
 * removed is removed outside. */
static void
what_is_removed_outside_is_counted_right_at_the_commit(void **unused)
{
	struct conn *s, *g;
	enum xs_err err;
	struct h h;
	uint32_t tx;
	int how;

	(void)unused;
	for (how = 0; how < 12; how++) {
		start(&h, &s, &g);
		assert_int_equal(h_write(&h, g, 0, "p/a/x", "1"), XS_OK);
		tx = h_begin(&h, g);
		if (how % 3 == 0)
			assert_int_equal(
			    h_write(&h, g, tx, "p/a/new", "1"), XS_OK);
		else if (how % 3 == 1)
			assert_int_equal(
			    h_one(&h, g, WIRE_RM, tx, "p/a/x"), XS_OK);
		else
			assert_int_equal(
			    h_write(&h, g, tx, "p/a/x", "2"), XS_OK);
		assert_int_equal(h_one(&h, how / 3 % 2 ? s : g, WIRE_RM, 0,
				     "/local/domain/1/p/a"),
		    XS_OK);
		if (how >= 6)
			assert_int_equal(h_write(&h, g, 0, "p/a", "3"), XS_OK);
		err = h_end(&h, g, tx, "T");
		assert_true(
		    err == XS_OK || err == XS_EAGAIN || err == XS_ENOENT);
		assert_null(state_check(h.st));
		assert_int_equal(h_one(&h, g, WIRE_RM, 0, "p"), XS_OK);
		assert_int_equal(used(g, QUOTA_NODES), 1);
		h_stop(&h);
	}
}

/* Case 36: a limit that is already passed stops growth and nothing else. */
static void
a_limit_below_what_is_used_stops_only_growth(void **unused)
{
	struct conn *s, *g;
	char path[16];
	struct h h;
	int i;

	(void)unused;
	start(&h, &s, &g);
	for (i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "n%d", i);
		assert_int_equal(h_write(&h, g, 0, path, "value"), XS_OK);
	}
	assert_int_equal(h_watch(&h, g, "a", "t"), XS_OK);
	assert_int_equal(h_watch(&h, g, "b", "t"), XS_OK);
	h_quota(&h, s, "nodes", "3");
	h_quota(&h, s, "watches", "1");
	h_quota(&h, s, "memory", "100");
	assert_int_equal(h_write(&h, g, 0, "more", ""), XS_ENOSPC);
	assert_int_equal(h_watch(&h, g, "c", "t"), XS_ENOSPC);
	assert_int_equal(h_write(&h, g, 0, "n0", "longer value"), XS_ENOMEM);
	assert_string_equal(h_read(&h, g, 0, "n0"), "value");
	/* what is there can shrink and go, and the privileged may do as ever */
	assert_int_equal(h_write(&h, g, 0, "n0", "v"), XS_OK);
	assert_int_equal(h_one(&h, g, WIRE_RM, 0, "n1"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/local/domain/1/n2", "new"), XS_OK);
	assert_int_equal(h_one(&h, g, WIRE_RESET_WATCHES, 0, ""), XS_OK);
	for (i = 2; i < 10; i++) {
		snprintf(path, sizeof(path), "n%d", i);
		assert_int_equal(h_one(&h, g, WIRE_RM, 0, path), XS_OK);
	}
	h_quota(&h, s, "memory", "10000");
	assert_int_equal(h_write(&h, g, 0, "more", ""), XS_OK);
	assert_int_equal(h_watch(&h, g, "c", "t"), XS_OK);
	assert_int_equal(h_watch(&h, g, "d", "t"), XS_ENOSPC);
	h_stop(&h);
}

/* Case 38, XSA-326: as many transactions as it may have, each filled. */
static void
transactions_together_stay_within_the_memory(void **unused)
{
	int64_t limit = quota_defaults().n[QUOTA_MEMORY];
	int64_t open = quota_defaults().n[QUOTA_TXNS], before, i, j;
	char path[16], value[2001];
	struct conn *s, *g;
	enum xs_err err = XS_OK;
	uint32_t tx[64];
	struct h h;

	(void)unused;
	start(&h, &s, &g);
	before = used(g, QUOTA_MEMORY);
	memset(value, 'v', sizeof(value));
	value[2000] = '\0';
	for (i = 0; i < open; i++)
		tx[i] = h_begin(&h, g);
	for (i = 0; i < open; i++)
		for (j = 0; j < 400; j++) {
			snprintf(path, sizeof(path), "n%d", (int)j);
			err = h_write(&h, g, tx[i], path, value);
			assert_true(err == XS_OK || err == XS_ENOMEM);
			assert_true(used(g, QUOTA_MEMORY) <= limit);
		}
	assert_int_equal(err, XS_ENOMEM);
	for (i = 0; i < open; i++)
		assert_int_equal(h_end(&h, g, tx[i], "F"), XS_OK);
	assert_int_equal(used(g, QUOTA_MEMORY), before);
	h_stop(&h);
}

/* Case 37, XSA-206: a guest that writes in a loop beside a transaction of the
 * toolstack that creates and writes in the same directory. */
static void
a_guest_that_writes_all_the_time_does_not_make_others_commits_fail(
    void **unused)
{
	char value[16];
	struct conn *s, *g;
	struct h h;
	uint32_t tx;
	int i;

	(void)unused;
	start(&h, &s, &g);
	for (i = 0; i < 100; i++) {
		snprintf(value, sizeof(value), "%d", i);
		tx = h_begin(&h, s);
		assert_int_equal(h_write(&h, g, 0, "data/g", value), XS_OK);
		assert_int_equal(
		    h_write(&h, s, tx, "/local/domain/1/device", value), XS_OK);
		assert_int_equal(h_write(&h, g, 0, value, value), XS_OK);
		assert_int_equal(
		    h_write(&h, s, tx, "/local/domain/1/data/p", value), XS_OK);
		assert_int_equal(h_one(&h, g, WIRE_RM, 0, value), XS_OK);
		assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
		assert_string_equal(h_read(&h, g, 0, "data/p"), value);
	}
	h_stop(&h);
}

/* Case 42: how a transaction ends is T or F. */
static void
a_transaction_is_not_ended_by_another_letter(void **unused)
{
	static const char *const bad[] = { "", "t", "f", "TT", "T ", "TF", "1",
		"OK" };
	struct conn *s, *g;
	struct h h;
	uint32_t tx;
	size_t i;

	(void)unused;
	start(&h, &s, &g);
	tx = h_begin(&h, g);
	assert_int_equal(h_write(&h, g, tx, "a", "v"), XS_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(h_end(&h, g, tx, bad[i]), XS_EINVAL);
	assert_int_equal(used(g, QUOTA_TXNS), 1);
	assert_string_equal(h_read(&h, g, tx, "a"), "v");
	assert_int_equal(h_end(&h, g, tx, "T"), XS_OK);
	assert_int_equal(h_end(&h, g, tx, "T"), XS_ENOENT);
	assert_string_equal(h_read(&h, g, 0, "a"), "v");
	h_stop(&h);
}

/* Case 41, XSA-484, XSA-330: watches are reset in a transaction. */
static void
watches_reset_in_a_transaction_leave_nothing_on_the_bill(void **unused)
{
	struct conn *s, *g;
	struct h h;
	uint32_t tx, other;
	int64_t before;

	(void)unused;
	start(&h, &s, &g);
	before = used(g, QUOTA_MEMORY);
	assert_int_equal(h_watch(&h, g, "a/b/c", "t"), XS_OK);
	assert_int_equal(h_watch(&h, g, "@releaseDomain", "t"), XS_OK);
	tx = h_begin(&h, g);
	other = h_begin(&h, g);
	assert_int_equal(h_write(&h, g, tx, "x", "v"), XS_OK);
	/* with a dead one nothing is dropped */
	assert_int_equal(h_end(&h, g, other, "F"), XS_OK);
	assert_int_equal(
	    h_one(&h, g, WIRE_RESET_WATCHES, other, ""), XS_ENOENT);
	assert_int_equal(used(g, QUOTA_WATCHES), 2);
	assert_int_equal(used(g, QUOTA_TXNS), 1);
	assert_int_equal(h_one(&h, g, WIRE_RESET_WATCHES, tx, ""), XS_OK);
	assert_int_equal(used(g, QUOTA_WATCHES), 0);
	assert_int_equal(used(g, QUOTA_TXNS), 0);
	assert_int_equal(used(g, QUOTA_MEMORY), before);
	assert_int_equal(h_write(&h, g, tx, "x", "v"), XS_ENOENT);
	/* and out of one */
	tx = h_begin(&h, g);
	assert_int_equal(h_one(&h, g, WIRE_RESET_WATCHES, 0, ""), XS_OK);
	assert_int_equal(h_write(&h, g, tx, "x", "v"), XS_ENOENT);
	assert_int_equal(used(g, QUOTA_MEMORY), before);
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_is_removed_outside_is_counted_right_at_the_commit),
		cmocka_unit_test(a_limit_below_what_is_used_stops_only_growth),
		cmocka_unit_test(transactions_together_stay_within_the_memory),
		cmocka_unit_test(
		    a_guest_that_writes_all_the_time_does_not_make_others_commits_fail),
		cmocka_unit_test(a_transaction_is_not_ended_by_another_letter),
		cmocka_unit_test(
		    watches_reset_in_a_transaction_leave_nothing_on_the_bill),
	};

	h_use_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
