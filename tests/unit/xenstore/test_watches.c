/* SPDX-License-Identifier: BSD-2-Clause */
/* What a handle remembers for its next connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "txns.h"
#include "watches.h"

static struct watches w;

static void
expect_next(unsigned generation, const char *path)
{
	struct watch *watch = watches_next(&w, generation);

	if (path == NULL) {
		assert_null(watch);
		assert_int_equal(errno, 0);
		return;
	}
	assert_non_null(watch);
	assert_string_equal(watch->path, path);
	free(watch);
}

static void
a_pair_is_known_once(void **state)
{
	(void)state;
	assert_int_equal(watches_add(&w, "/a", "t", NULL, 0), 1);
	assert_int_equal(watches_add(&w, "/a", "t", "3", 0), 0);
	assert_int_equal(watches_add(&w, "/a", "u", NULL, 0), 1);
	assert_int_equal(watches_add(&w, "/at", "", NULL, 0), 1);
	watches_remove(&w, "/a", "nope");
	assert_int_equal(w.num, 3);
	watches_remove(&w, "/a", "t");
	assert_int_equal(w.num, 2);
	assert_int_equal(watches_add(&w, "/a", "t", NULL, 0), 1);
	watches_free(&w);
	watches_remove(&w, "/a", "t");
}

static void
each_is_told_once_in_order(void **state)
{
	(void)state;
	watches_add(&w, "/a", "t", NULL, 0);
	watches_add(&w, "/b", "t", NULL, 0);
	watches_add(&w, "/c", "t", NULL, 0);
	expect_next(1, "/a");
	/* added by one who will tell it himself */
	watches_add(&w, "/d", "t", NULL, 0);
	watches_remove(&w, "/b", "t");
	expect_next(1, "/c");
	expect_next(1, NULL);
	/* the next attempt begins anew, with all that there are */
	expect_next(2, "/a");
	expect_next(2, "/d");
	expect_next(2, "/c");
	expect_next(2, NULL);
	watches_free(&w);
}

static void
the_copy_has_everything(void **state)
{
	struct watch *watch;

	(void)state;
	watches_add(&w, "/a", "token", "7", 0);
	watch = watches_next(&w, 1);
	assert_string_equal(watch->path, "/a");
	assert_string_equal(watch->token, "token");
	assert_string_equal(watch->depth, "7");
	free(watch);
	watches_add(&w, "/b", "", NULL, 1);
	watch = watches_next(&w, 2);
	free(watch);
	watch = watches_next(&w, 2);
	assert_string_equal(watch->token, "");
	assert_null(watch->depth);
	free(watch);
	watches_free(&w);
}

static void
many_are_found(void **state)
{
	char path[32];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(path, sizeof(path), "/n/%d", i);
		assert_int_equal(watches_add(&w, path, "t", NULL, 0), 1);
	}
	for (int i = 0; i < 10000; i += 2) {
		snprintf(path, sizeof(path), "/n/%d", i);
		watches_remove(&w, path, "t");
	}
	assert_int_equal(w.num, 5000);
	for (int i = 1; i < 10000; i += 2) {
		snprintf(path, sizeof(path), "/n/%d", i);
		assert_int_equal(watches_add(&w, path, "t", NULL, 0), 0);
		expect_next(1, path);
	}
	expect_next(1, NULL);
	watches_free(&w);
}

static void
transactions_have_numbers_of_their_own_after_a_loss(void **state)
{
	struct txns t = { 0 };
	uint32_t wire = 99, id;

	(void)state;
	assert_int_equal(txns_find(&t, 5, &wire), TXNS_UNKNOWN);
	assert_int_equal(wire, 5);
	assert_int_equal(txns_add(&t, 1), 1);
	assert_int_equal(txns_add(&t, 2), 2);
	assert_int_equal(txns_find(&t, 1, &wire), TXNS_OPEN);
	assert_int_equal(wire, 1);
	assert_false(t.lost_any);
	txns_lose(&t);
	assert_true(t.lost_any);
	assert_int_equal(txns_find(&t, 1, &wire), TXNS_LOST);
	assert_int_equal(wire, 0);
	id = txns_add(&t, 1);
	assert_int_not_equal(id, 0);
	assert_int_not_equal(id, 1);
	assert_int_not_equal(id, 2);
	assert_int_equal(txns_find(&t, id, &wire), TXNS_OPEN);
	assert_int_equal(wire, 1);
	txns_replace(&t, 2, 7);
	assert_int_equal(txns_find(&t, 2, &wire), TXNS_LOST);
	assert_int_equal(wire, 7);
	txns_lose(&t);
	assert_int_equal(txns_find(&t, 2, &wire), TXNS_LOST);
	assert_int_equal(wire, 0);
	txns_drop(&t, 2);
	assert_int_equal(txns_find(&t, 2, &wire), TXNS_UNKNOWN);
	txns_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pair_is_known_once),
		cmocka_unit_test(each_is_told_once_in_order),
		cmocka_unit_test(the_copy_has_everything),
		cmocka_unit_test(many_are_found),
		cmocka_unit_test(
		    transactions_have_numbers_of_their_own_after_a_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
