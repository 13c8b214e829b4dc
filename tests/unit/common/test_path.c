/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/path.h"

static void
only_the_documented_syntax_is_a_path(void **unused)
{
	static const struct {
		const char *path;
		enum path_kind kind;
	} table[] = {
		{ "/", PATH_ABSOLUTE },
		{ "/a", PATH_ABSOLUTE },
		{ "/a-b_c@d/09AZ", PATH_ABSOLUTE },
		{ "/local/domain/x", PATH_ABSOLUTE },
		{ "/local/domain/4294967296/a", PATH_ABSOLUTE },
		{ "local/domain", PATH_RELATIVE },
		{ "a", PATH_RELATIVE },
		{ "a/@b", PATH_RELATIVE },
		{ "@releaseDomain", PATH_SPECIAL },
		{ "@releaseDomain/5", PATH_SPECIAL },
		{ "@", PATH_SPECIAL },
		{ "", PATH_BAD },
		{ "//", PATH_BAD },
		{ "/a/", PATH_BAD },
		{ "a/", PATH_BAD },
		{ "/a//b", PATH_BAD },
		{ "//a", PATH_BAD },
		{ "/local/domain/", PATH_BAD },
		{ "/local/domain//x", PATH_BAD },
		{ "@a/", PATH_BAD },
		{ "/a b", PATH_BAD },
		{ "/a.b", PATH_BAD },
		{ "/a:b", PATH_BAD },
		{ "/a\x80", PATH_BAD },
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (path_kind(table[i].path, strlen(table[i].path)) !=
		    table[i].kind)
			fail_msg("%s", table[i].path);
}

static void
every_other_byte_is_refused(void **unused)
{
	char path[3] = "/x";
	int c;

	(void)unused;
	for (c = 0; c < 256; c++) {
		const char *legal =
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		    "0123456789-_@";

		path[1] = (char)c;
		assert_int_equal(path_kind(path, 2) == PATH_ABSOLUTE,
		    c != 0 && strchr(legal, c) != NULL);
	}
}

static void
relative_paths_start_from_the_home_of_who_says_them(void **unused)
{
	char buf[PATH_BUF_SIZE];

	(void)unused;
	assert_int_equal(path_absolute(0, "foo", buf, sizeof(buf)), 19);
	assert_string_equal(buf, "/local/domain/0/foo");
	assert_int_equal(
	    path_absolute(UINT32_MAX, "a/b", buf, sizeof(buf)), 28);
	assert_string_equal(buf, "/local/domain/4294967295/a/b");
	path_absolute(5, "/a", buf, sizeof(buf));
	assert_string_equal(buf, "/a");
	path_absolute(5, "@x", buf, sizeof(buf));
	assert_string_equal(buf, "@x");
}

static void
what_does_not_fit_is_refused_to_the_byte(void **unused)
{
	char buf[20];

	(void)unused;
	assert_int_equal(path_absolute(0, "foo", buf, 20), 19);
	assert_int_equal(path_absolute(0, "foo", buf, 19), 0);
	assert_int_equal(path_absolute(0, "/abc", buf, 5), 4);
	assert_int_equal(path_absolute(0, "/abc", buf, 4), 0);
	assert_int_equal(path_absolute(0, "a//b", buf, 20), 0);
}

static void
limits_count_what_follows_a_home(void **unused)
{
	(void)unused;
	assert_int_equal(path_counted_len("/local/domain/5/abc"), 3);
	assert_int_equal(path_counted_len("/local/domain/5"), 15);
	assert_int_equal(path_counted_len("/local/domain/x/abc"), 19);
	assert_int_equal(path_counted_len("/local/domain/"), 14);
	assert_int_equal(path_counted_len("/abc"), 4);
}

static void
within_goes_by_components(void **unused)
{
	(void)unused;
	assert_true(path_within("/a", "/a"));
	assert_true(path_within("/a", "/a/b"));
	assert_true(path_within("/", "/a"));
	assert_true(path_within("/", "/"));
	assert_false(path_within("/a", "/ab"));
	assert_false(path_within("/a/b", "/a"));
	assert_false(path_within("/", "@releaseDomain"));
	assert_true(path_within("a", "a/b"));
	assert_false(path_within("a", "ab"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_documented_syntax_is_a_path),
		cmocka_unit_test(every_other_byte_is_refused),
		cmocka_unit_test(
		    relative_paths_start_from_the_home_of_who_says_them),
		cmocka_unit_test(what_does_not_fit_is_refused_to_the_byte),
		cmocka_unit_test(limits_count_what_follows_a_home),
		cmocka_unit_test(within_goes_by_components),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
