/* SPDX-License-Identifier: BSD-2-Clause */
/* Patterns for paths: what they match, and where a walk need not look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tools/xs/glob.h"

static void
a_pattern_without_a_slash_is_about_names(void **state)
{
	(void)state;
	assert_true(glob_match("name", "/local/domain/0/name"));
	assert_true(glob_match("n*", "/a/name"));
	assert_true(glob_match("[mn]ame", "/a/name"));
	assert_true(glob_match("*", "name"));
	assert_false(glob_match("domain", "/local/domain/0"));
	assert_false(glob_match("n", "/a/name"));
	assert_true(glob_may_contain("name", "/anywhere"));
}

static void
a_pattern_with_a_slash_is_about_whole_paths(void **state)
{
	(void)state;
	assert_true(glob_match("/local/domain/*/name", "/local/domain/7/name"));
	assert_false(glob_match("/local/*/name", "/local/domain/7/name"));
	assert_false(glob_match("/local/domain", "/local/domain/7"));
	assert_false(glob_match("/local/domain/7/x", "/local/domain/7"));
	assert_false(glob_match("/local/domain/*/name", "local/domain/7/name"));
	assert_true(glob_match("device/*", "device/vbd"));
	assert_false(glob_match("device/*", "/device/vbd"));
	assert_true(glob_match("/a/b?", "/a/bc"));
	assert_false(glob_match("/a/b?", "/a/b"));
	assert_true(glob_match("/*", "/a"));
	assert_false(glob_match("/*", "/a/b"));
}

static void
two_stars_are_any_number_of_components(void **state)
{
	(void)state;
	assert_true(glob_match("/local/**/state", "/local/state"));
	assert_true(glob_match("/local/**/state", "/local/a/b/c/state"));
	assert_false(glob_match("/local/**/state", "/local/a/b/c/x"));
	assert_true(glob_match("/a/**", "/a/b/c"));
	assert_true(glob_match("**", "/a/b/c"));
	assert_true(glob_match("/**/b/**/d", "/a/b/c/d"));
	assert_false(glob_match("/**/b/**/d", "/a/c/d"));
}

static void
a_walk_stays_out_of_what_cannot_match(void **state)
{
	(void)state;
	assert_true(glob_may_contain("/local/domain/*/name", "/"));
	assert_true(glob_may_contain("/local/domain/*/name", "/local"));
	assert_true(
	    glob_may_contain("/local/domain/*/name", "/local/domain/3"));
	assert_false(
	    glob_may_contain("/local/domain/*/name", "/local/domain/3/name"));
	assert_false(glob_may_contain("/local/domain/*/name", "/tool"));
	assert_false(
	    glob_may_contain("/local/domain/*/name", "/local/domain/3/x"));
	assert_true(glob_may_contain("/a/**/z", "/a/b/c"));
	assert_false(glob_may_contain("/a/**/z", "/b"));
	assert_true(glob_may_contain("/a/**", "/a/b"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_without_a_slash_is_about_names),
		cmocka_unit_test(a_pattern_with_a_slash_is_about_whole_paths),
		cmocka_unit_test(two_stars_are_any_number_of_components),
		cmocka_unit_test(a_walk_stays_out_of_what_cannot_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
