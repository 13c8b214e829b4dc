/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xenstored/options.h"

enum { ARGS = 24 };

static struct options options;
static char error[OPTIONS_ERROR_SIZE];

static enum options_result
parse(const char *text)
{
	static char copy[256];
	char *argv[ARGS + 1] = { copy }, *save = NULL, *word;
	int argc = 0;

	strcpy(copy, "xenstored ");
	strcat(copy, text);
	for (word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	error[0] = '\0';
	return options_parse(argc, argv, &options, error);
}

static void
without_options_everything_has_its_default(void **unused)
{
	(void)unused;
	assert_int_equal(parse(""), OPTIONS_RUN);
	assert_null(options.pid_file);
	assert_false(options.foreground);
	assert_false(options.no_domains);
	assert_int_equal(options.ready_fd, -1);
	assert_int_equal(options.quotas.n[QUOTA_NODES], 1000);
	assert_int_equal(options.soft_memory, 2 << 20);
}

static void
every_option_reaches_its_field(void **unused)
{
	(void)unused;
	assert_int_equal(
	    parse("-F /p -N -T /t --trace-control +io -K -p 3 -e 9 -D"),
	    OPTIONS_RUN);
	assert_string_equal(options.pid_file, "/p");
	assert_string_equal(options.trace_file, "/t");
	assert_string_equal(options.trace[0], "+io");
	assert_int_equal(options.n_trace, 1);
	assert_true(options.foreground && options.keep_orphans);
	assert_true(options.no_domains);
	assert_int_equal(options.priv_domid, 3);
	assert_int_equal(options.event_port, 9);
	assert_int_equal(parse("-E 1 -S 2 -W 3 -t 4 -A 5"), OPTIONS_RUN);
	assert_int_equal(options.quotas.n[QUOTA_NODES], 1);
	assert_int_equal(options.quotas.n[QUOTA_NODESIZE], 2);
	assert_int_equal(options.quotas.n[QUOTA_WATCHES], 3);
	assert_int_equal(options.quotas.n[QUOTA_TXNS], 4);
	assert_int_equal(options.quotas.n[QUOTA_PERMS], 5);
	assert_int_equal(
	    parse("-M 6 -Q outstanding=7 --quota memory=0 -q memory=8 "
		  "-w watch-event=9"),
	    OPTIONS_RUN);
	assert_int_equal(options.quotas.n[QUOTA_PATHMAX], 6);
	assert_int_equal(options.quotas.n[QUOTA_OUTSTANDING], 7);
	assert_int_equal(options.quotas.n[QUOTA_MEMORY], 0);
	assert_int_equal(options.soft_memory, 8);
	assert_int_equal(parse("--ready-fd 5 --no-fork"), OPTIONS_RUN);
	assert_int_equal(options.ready_fd, 5);
	assert_int_equal(parse("-H"), OPTIONS_HELP);
	assert_int_equal(parse("--version"), OPTIONS_VERSION);
}

static void
what_makes_no_sense_is_refused_with_a_reason(void **unused)
{
	static const char *const bad[] = { "-E", "-E x", "-E -1", "-E 1x",
		"-E 99999999999", "-Q nodes", "-Q nope=1", "-Q =1",
		"-Q nodes=", "-q nodes=1", "-w foo=1", "-p 40000", "-e x",
		"--ready-fd -1", "--bogus", "-z", "operand",
		"--trace-control" };
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i]) != OPTIONS_BAD)
			fail_msg("%s", bad[i]);
		assert_true(error[0] != '\0');
		assert_null(strchr(error, '\n'));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_everything_has_its_default),
		cmocka_unit_test(every_option_reaches_its_field),
		cmocka_unit_test(what_makes_no_sense_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
