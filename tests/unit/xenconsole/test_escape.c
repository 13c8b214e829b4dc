/* SPDX-License-Identifier: BSD-2-Clause */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "tools/xenconsole/escape.h"

static void
control_characters_and_plain_ones_are_named(void **state)
{
	(void)state;
	assert_int_equal(escape_parse("^]"), ESCAPE_DEFAULT);
	assert_int_equal(escape_parse("^A"), 1);
	assert_int_equal(escape_parse("^a"), 1);
	assert_int_equal(escape_parse("^@"), 0);
	assert_int_equal(escape_parse("^_"), 0x1f);
	assert_int_equal(escape_parse("^"), '^');
	assert_int_equal(escape_parse("q"), 'q');
	assert_int_equal(escape_parse("\377"), 255);
}

static void
other_names_are_refused(void **state)
{
	(void)state;
	assert_int_equal(escape_parse(""), -1);
	assert_int_equal(escape_parse("^1"), -1);
	assert_int_equal(escape_parse("^ab"), -1);
	assert_int_equal(escape_parse("ab"), -1);
	assert_int_equal(escape_parse("^?"), -1);
	assert_int_equal(escape_parse("^\200"), -1);
}

static void
the_key_counts_alone_only(void **state)
{
	(void)state;
	assert_true(escape_is("\035", 1, ESCAPE_DEFAULT));
	assert_false(escape_is("\035x", 2, ESCAPE_DEFAULT));
	assert_false(escape_is("x\035", 2, ESCAPE_DEFAULT));
	assert_false(escape_is("x", 1, ESCAPE_DEFAULT));
	assert_false(escape_is("", 0, 0));
	assert_true(escape_is("\377", 1, 255));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_and_plain_ones_are_named),
		cmocka_unit_test(other_names_are_refused),
		cmocka_unit_test(the_key_counts_alone_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
