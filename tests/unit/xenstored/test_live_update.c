/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xenstored/live_update.h"

struct fake {
	struct live_update lu;
	const char *refuse_check, *refuse_start;
	unsigned n_started;
	struct live_update_request request;
};

static bool
check(void *ctx, const struct live_update_request *request,
    char why[LIVE_UPDATE_TEXT])
{
	struct fake *f = ctx;

	(void)request;
	if (f->refuse_check != NULL)
		strcpy(why, f->refuse_check);
	return f->refuse_check == NULL;
}

static bool
start(void *ctx, const struct live_update_request *request,
    char why[LIVE_UPDATE_TEXT])
{
	struct fake *f = ctx;

	f->request = *request;
	f->n_started++;
	if (f->refuse_start != NULL)
		strcpy(why, f->refuse_start);
	return f->refuse_start == NULL;
}

static void
init(struct fake *f)
{
	const struct live_update_env env = { f, check, start };

	memset(f, 0, sizeof(*f));
	live_update_init(&f->lu, &env);
}

/* The reply to "live-update" and the words that follow; an error's name. */
static const char *
say(struct fake *f, ...)
{
	static char buf[LIVE_UPDATE_TEXT];
	const char *argv[8] = { "live-update" };
	enum xs_err err;
	int argc = 1;
	size_t len;
	va_list ap;

	va_start(ap, f);
	while ((argv[argc] = va_arg(ap, const char *)) != NULL)
		argc++;
	va_end(ap);
	err = live_update_control(&f->lu, argc, argv, buf, sizeof(buf), &len);
	if (err != XS_OK)
		return error_name(err);
	assert_int_equal(len, strlen(buf));
	return buf;
}

/* As Debian's xenstored 4.17 answered. */
static void
what_is_said_is_what_stock_daemons_say(void **unused)
{
	struct fake f;

	(void)unused;
	init(&f);
	assert_string_equal(say(&f, NULL), "EINVAL");
	assert_string_equal(
	    say(&f, "-a", NULL), "No live-update session active.");
	assert_string_equal(say(&f, "-s", NULL), "Not in live-update session.");
	assert_string_equal(
	    say(&f, "-c", "x", NULL), "Not in live-update session.");
	assert_string_equal(say(&f, "-f", NULL), "EINVAL");
	f.refuse_check = "File not accessible.";
	assert_string_equal(
	    say(&f, "-f", "/nonexistent", NULL), "File not accessible.");
	assert_string_equal(
	    say(&f, "-a", NULL), "No live-update session active.");
	f.refuse_check = NULL;
	assert_string_equal(say(&f, "-f", "/bin/x", NULL), "OK");
	assert_string_equal(say(&f, "-f", "/bin/y", NULL),
	    "live-update session already active.");
	assert_string_equal(say(&f, "-c", "--bla", NULL), "OK");
	assert_string_equal(say(&f, "-c", "--a", "b", NULL), "EINVAL");
	assert_string_equal(say(&f, "-a", "x", NULL), "EINVAL");
	assert_string_equal(say(&f, "-b", "10", NULL), "EINVAL");
	assert_string_equal(say(&f, "-F", NULL), "EINVAL");
	assert_string_equal(say(&f, "-a", NULL), "OK");
	assert_string_equal(
	    say(&f, "-a", NULL), "No live-update session active.");
	assert_int_equal(f.n_started, 0);
}

static void
a_started_update_is_busy_until_it_is_decided(void **unused)
{
	struct fake f;

	(void)unused;
	init(&f);
	assert_string_equal(say(&f, "-f", "/bin/x", NULL), "OK");
	assert_string_equal(say(&f, "-c", "--bla", NULL), "OK");
	assert_string_equal(say(&f, "-s", "-t", NULL), "EINVAL");
	assert_string_equal(say(&f, "-s", "-t", "abc", NULL), "EINVAL");
	assert_int_equal(f.n_started, 0);
	assert_string_equal(
	    say(&f, "-s", "-t", "7", "-F", "-v", "1", NULL), "BUSY");
	assert_string_equal(say(&f, "-s", NULL), "BUSY");
	assert_string_equal(say(&f, "-a", NULL), "BUSY");
	assert_int_equal(f.n_started, 1);
	assert_string_equal(f.request.binary, "/bin/x");
	assert_string_equal(f.request.cmdline, "--bla");
	assert_true(f.request.has_cmdline && f.request.force);
	assert_int_equal(f.request.timeout, 7);
	assert_int_equal(f.request.version, 1);
	live_update_failed(&f.lu, "it does not like me");
	assert_string_equal(say(&f, "-s", NULL), "it does not like me");
	assert_string_equal(say(&f, "-s", NULL), "Not in live-update session.");
}

static void
the_new_program_says_ok_once(void **unused)
{
	struct fake f;

	(void)unused;
	init(&f);
	live_update_done(&f.lu);
	assert_string_equal(say(&f, "-s", "-t", "60", NULL), "OK");
	assert_string_equal(say(&f, "-s", NULL), "Not in live-update session.");
	live_update_done(&f.lu); /* and who asked did not wait */
	assert_string_equal(say(&f, "-f", "/bin/x", NULL), "OK");
	assert_string_equal(say(&f, "-s", NULL), "BUSY");
	assert_int_equal(f.request.timeout, LIVE_UPDATE_TIMEOUT);
}

static void
what_cannot_be_started_is_no_session(void **unused)
{
	struct fake f;

	(void)unused;
	init(&f);
	f.refuse_start = "no";
	assert_string_equal(say(&f, "-f", "/bin/x", NULL), "OK");
	assert_string_equal(say(&f, "-s", NULL), "no");
	assert_string_equal(say(&f, "-s", NULL), "Not in live-update session.");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_what_stock_daemons_say),
		cmocka_unit_test(a_started_update_is_busy_until_it_is_decided),
		cmocka_unit_test(the_new_program_says_ok_once),
		cmocka_unit_test(what_cannot_be_started_is_no_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
