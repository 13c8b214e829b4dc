/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What diff_trees() tells, with paths.
 */
#include "harness.h"

static struct h h;
static struct diff *diff;
static char told[4096];

static void
tell(void *ctx, struct node *before, struct node *after)
{
	char path[WIRE_ABS_PATH_MAX + 1];
	size_t len = strlen(told);

	(void)ctx;
	assert_true(diff_path(diff, after != NULL ? after : before, path,
			sizeof(path)) > 0);
	snprintf(told + len, sizeof(told) - len, "%c%s ",
	    before == NULL  ? '+'
	    : after == NULL ? '-'
			    : '=',
	    path);
}

static const char *
since(struct node *before)
{
	told[0] = '\0';
	diff_trees(diff, before, h.st->live, NULL, tell, NULL);
	node_unref(&h.st->heap, before);
	return told;
}

static int
setup(void **state)
{
	(void)state;
	h_start(&h);
	diff = diff_new();
	return diff == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	diff_free(diff);
	h_stop(&h);
	return 0;
}

static void
each_node_is_told_with_its_path(void **state)
{
	struct conn *s = h_socket(&h);
	struct node *before;

	(void)state;
	assert_int_equal(h_write(&h, s, 0, "/a/b/c", "1"), XS_OK);
	before = node_ref(h.st->live);
	assert_int_equal(h_write(&h, s, 0, "/a/b/d/e", "1"), XS_OK);
	assert_string_equal(since(before), "=/ =/a =/a/b +/a/b/d/e +/a/b/d ");
	before = node_ref(h.st->live);
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/a/b"), XS_OK);
	assert_string_equal(
	    since(before), "=/ =/a -/a/b/c -/a/b/d/e -/a/b/d -/a/b ");
	before = node_ref(h.st->live);
	assert_int_equal(h_write(&h, s, 0, "/a", "2"), XS_OK);
	assert_string_equal(since(before), "=/ =/a ");
}

static void
specials_and_the_root_have_theirs(void **state)
{
	struct conn *s = h_socket(&h);
	struct node *before = node_ref(h.st->live);

	(void)state;
	assert_int_equal(
	    h_perms(&h, s, 0, "@releaseDomain", "n0", "r3", NULL), XS_OK);
	assert_string_equal(since(before), "=@releaseDomain ");
	before = node_ref(h.st->live);
	assert_int_equal(h_write(&h, s, 0, "/", "x"), XS_OK);
	assert_string_equal(since(before), "=/ ");
}

static void
a_path_without_room_is_none(void **state)
{
	struct conn *s = h_socket(&h);
	struct node *before = node_ref(h.st->live);
	char small[3];

	(void)state;
	assert_int_equal(h_write(&h, s, 0, "/abc", "1"), XS_OK);
	since(before);
	assert_int_equal(
	    diff_path(diff, store_get(&h.st->heap, h.st->live, "/abc"), small,
		sizeof(small)),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    each_node_is_told_with_its_path, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    specials_and_the_root_have_theirs, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_path_without_room_is_none, setup, teardown),
	};

	h_use_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
