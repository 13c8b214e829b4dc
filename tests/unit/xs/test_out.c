/* SPDX-License-Identifier: BSD-2-Clause */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "tools/xs/cmd.h"
#include "tools/xs/out.h"

static void
assert_escapes(const char *value, size_t len, const char *text)
{
	struct out out = { 0 };

	out_escaped(&out, value, len);
	assert_string_equal(out.text, text);
	out_free(&out);
}

static void
assert_unescapes(const char *text, const char *value, size_t len)
{
	char *copy = strdup(text);

	assert_int_equal(out_unescape(copy), len);
	assert_memory_equal(copy, value, len);
	free(copy);
}

static void
values_become_printable(void **state)
{
	(void)state;
	assert_escapes("plain \"text'~", 13, "plain \"text'~");
	assert_escapes("\t\n\r\\", 4, "\\t\\n\\r\\\\");
	assert_escapes("\0\1\7", 3, "\\000\\001\\007");
	assert_escapes("\b\033\177\200\377", 5, "\\x08\\x1b\\x7f\\x80\\xff");
}

static void
escapes_become_bytes(void **state)
{
	(void)state;
	assert_unescapes("plain", "plain", 5);
	assert_unescapes("\\t\\n\\r\\\\", "\t\n\r\\", 4);
	assert_unescapes("\\101\\x41\\x4g\\1", "AA\4g\1", 5);
	assert_unescapes("\\x", "x", 1);
	assert_unescapes("\\xg", "xg", 2);
	assert_unescapes("\\8\\q", "8q", 2);
	assert_unescapes("\\400\\777", "\0\377", 2);
	assert_unescapes("\\x041", "\0041", 2);
	assert_unescapes("a\\", "a", 2); /* with the NUL */
	assert_unescapes("", "", 0);
}

static void
every_value_survives_both_ways(void **state)
{
	char value[256];
	struct out out = { 0 };

	(void)state;
	for (int i = 0; i < 256; i++)
		value[i] = (char)i;
	out_escaped(&out, value, sizeof(value));
	assert_int_equal(out_unescape(out.text), sizeof(value));
	assert_memory_equal(out.text, value, sizeof(value));
	out_free(&out);
}

static void
paths_grow_until_there_is_no_room(void **state)
{
	static char path[CMD_PATH_SIZE];
	size_t len = 1;

	(void)state;
	strcpy(path, "/");
	assert_true(cmd_path_push(path, &len, "a"));
	assert_string_equal(path, "/a");
	assert_true(cmd_path_push(path, &len, "b"));
	assert_string_equal(path, "/a/b");
	assert_int_equal(len, 4);
	while (cmd_path_push(path, &len, "0123456789"))
		;
	assert_int_equal(strlen(path), len);
	assert_true(len < CMD_PATH_SIZE);
	assert_true(len + 11 >= CMD_PATH_SIZE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_become_printable),
		cmocka_unit_test(escapes_become_bytes),
		cmocka_unit_test(every_value_survives_both_ways),
		cmocka_unit_test(paths_grow_until_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
