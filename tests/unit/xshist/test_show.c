/* SPDX-License-Identifier: BSD-2-Clause */
/* What others chose as a name or wrote as a value does nothing to a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/xshist/show.h"

static void
names_and_values_have_no_control_characters(void **state)
{
	static const char hostile[] = "\033[2J\377\a";
	struct history_who who = { .pid = 7, .domid = 0 };
	struct out out = { 0 };
	struct show show = { .out = &out };

	(void)state;
	strcpy(who.kind, "socket");
	strcpy(who.command, hostile);
	show_who(&show, &who);
	assert_string_equal(out.text, "\\x1b[2J\\xff\\007[7]");
	out_free(&out);
	show_value(&show, hostile, strlen(hostile), strlen(hostile));
	assert_string_equal(out.text, "\"\\x1b[2J\\xff\\007\"");
	out_free(&out);
}

static void
a_process_without_a_name_has_its_number(void **state)
{
	struct history_who who = { .pid = 7, .uid = 5 };
	struct out out = { 0 };
	struct show show = { .out = &out };

	(void)state;
	strcpy(who.kind, "socket");
	show_who(&show, &who);
	assert_string_equal(out.text, "process 7 of uid 5");
	out_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_values_have_no_control_characters),
		cmocka_unit_test(a_process_without_a_name_has_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
