/* SPDX-License-Identifier: BSD-2-Clause */
/* Values as JSON: whatever the bytes, the text is JSON and loses nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tools/xs/json.h"

static struct out out;

#define BYTES(literal) (literal), sizeof(literal) - 1

static void
assert_value(const char *value, size_t len, const char *want)
{
	json_value(&out, value, len);
	assert_string_equal(out.text, want);
	out_free(&out);
}

static void
text_is_a_string_with_escapes(void **state)
{
	(void)state;
	assert_value(BYTES("hello"), "\"value\":\"hello\"");
	assert_value(BYTES(""), "\"value\":\"\"");
	assert_value(
	    BYTES("a\"b\\c\n\t\r"), "\"value\":\"a\\\"b\\\\c\\n\\t\\r\"");
	assert_value(
	    BYTES("\0\1\37\177"), "\"value\":\"\\u0000\\u0001\\u001f\\u007f\"");
	assert_value(BYTES("\303\244\342\202\254\360\237\230\200"),
	    "\"value\":\"\303\244\342\202\254\360\237\230\200\"");
}

static void
what_is_no_text_is_base64(void **state)
{
	(void)state;
	assert_value(BYTES("\377"), "\"value_base64\":\"/w==\"");
	assert_value(BYTES("a\200"), "\"value_base64\":\"YYA=\"");
	assert_value(BYTES("ab\200"), "\"value_base64\":\"YWKA\"");
	assert_value(BYTES("\303"), "\"value_base64\":\"ww==\""); /* cut */
	assert_value(BYTES("\300\200"), "\"value_base64\":\"wIA=\"");
	assert_value(BYTES("\355\240\200"), "\"value_base64\":\"7aCA\"");
	assert_value(
	    BYTES("\364\220\200\200"), "\"value_base64\":\"9JCAgA==\"");
	assert_value(BYTES("\342\202x"), "\"value_base64\":\"4oJ4\"");
}

static void
what_cannot_be_read_is_null(void **state)
{
	(void)state;
	assert_value(NULL, 0, "\"value\":null");
}

/* Names of processes are cut after so many bytes, wherever that is. */
static void
a_name_that_is_no_text_is_text_all_the_same(void **state)
{
	(void)state;
	json_string(&out, BYTES("a\377b\303\244\342\202\033"));
	assert_string_equal(
	    out.text, "\"a\\ufffdb\303\244\\ufffd\\ufffd\\u001b\"");
	out_free(&out);
}

static void
arrays_have_commas_between(void **state)
{
	unsigned long n = 0;

	(void)state;
	json_end(&out, n);
	assert_string_equal(out.text, "[]\n");
	out_free(&out);
	json_next(&out, &n);
	json_string(&out, BYTES("a"));
	json_next(&out, &n);
	json_member(&out, "k", "v");
	json_end(&out, n);
	assert_string_equal(out.text, "[\n\"a\",\n\"k\":\"v\"\n]\n");
	out_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_a_string_with_escapes),
		cmocka_unit_test(what_is_no_text_is_base64),
		cmocka_unit_test(what_cannot_be_read_is_null),
		cmocka_unit_test(a_name_that_is_no_text_is_text_all_the_same),
		cmocka_unit_test(arrays_have_commas_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
