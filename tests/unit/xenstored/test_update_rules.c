/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/update_rules.h"

static char dir[] = "/tmp/test_update_rules.XXXXXX", path[128];

/* NAME in the directory, for the next call only. */
static const char *
in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int
set_up(void **unused)
{
	(void)unused;
	assert_non_null(mkdtemp(dir));
	close(open(in_dir("program"), O_WRONLY | O_CREAT, 0700));
	assert_int_equal(mkdir(in_dir("open"), 0700), 0);
	assert_int_equal(chmod(in_dir("open"), 0777), 0);
	close(open(in_dir("open/program"), O_WRONLY | O_CREAT, 0700));
	return 0;
}

static int
tear_down(void **unused)
{
	static const char *const names[] = { "program", "open/program", "link",
		"to-open", "loop" };
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(in_dir(names[i]));
	assert_int_equal(rmdir(in_dir("open")), 0);
	return rmdir(dir);
}

static void
what_only_its_owner_can_change_may_be_executed(void **unused)
{
	char why[LIVE_UPDATE_TEXT] = "";

	(void)unused;
	assert_true(update_rules_path("/bin/sh", why));
	assert_true(update_rules_path(in_dir("program"), why));
	assert_true(update_rules_path(in_dir(".//program"), why));
}

static void
what_others_can_change_may_not(void **unused)
{
	char why[LIVE_UPDATE_TEXT] = "";

	(void)unused;
	assert_false(update_rules_path(in_dir("open/program"), why));
	assert_non_null(strstr(why, "Others than root can change"));
	assert_non_null(strstr(why, "/open."));
	assert_int_equal(chmod(in_dir("program"), 0702), 0);
	assert_false(update_rules_path(in_dir("program"), why));
	assert_int_equal(chmod(in_dir("program"), 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(in_dir("program"), 12345, 0), 0);
		assert_false(update_rules_path(in_dir("program"), why));
		assert_int_equal(chown(in_dir("program"), 0, 12345), 0);
		assert_int_equal(chmod(in_dir("program"), 0720), 0);
		assert_false(update_rules_path(in_dir("program"), why));
		assert_int_equal(chmod(in_dir("program"), 0700), 0);
	}
	assert_true(update_rules_path(in_dir("program"), why));
	assert_false(update_rules_path("bin/sh", why));
	assert_false(update_rules_path(in_dir("nothing"), why));
	assert_string_equal(why, "File not accessible.");
}

static void
links_are_followed_and_lead_nowhere_else(void **unused)
{
	char why[LIVE_UPDATE_TEXT] = "", to[128];

	(void)unused;
	assert_int_equal(symlink("program", in_dir("link")), 0);
	assert_true(update_rules_path(in_dir("link"), why));
	snprintf(to, sizeof(to), "%s/open/program", dir);
	assert_int_equal(symlink(to, in_dir("to-open")), 0);
	assert_false(update_rules_path(in_dir("to-open"), why));
	assert_int_equal(symlink("loop", in_dir("loop")), 0);
	assert_false(update_rules_path(in_dir("loop"), why));
	assert_string_equal(why, "File not accessible.");
}

/* --- words --- */

static char *argv[] = { "xenstored", "-D", "-T", "/log/trace", "--user=store",
	"--fresh", NULL };

/* Whether the daemon of WORDS may be asked for TEXT. */
static bool
may_of(char *const words[], const char *text)
{
	struct live_update_request r = { .has_cmdline = true };
	char why[LIVE_UPDATE_TEXT] = "";
	bool yes;

	snprintf(r.cmdline, sizeof(r.cmdline), "%s", text);
	yes = update_rules_words(&r, words, why);
	assert_int_equal(yes, why[0] == '\0');
	return yes;
}

static bool
may(const char *text)
{
	return may_of(argv, text);
}

static void
words_of_today_and_limits_may_be_asked_for(void **unused)
{
	struct live_update_request none = { .has_cmdline = false };
	char why[LIVE_UPDATE_TEXT];

	(void)unused;
	assert_true(update_rules_words(&none, argv, why));
	assert_true(may("--user=store"));
	assert_true(may("-D -T /log/trace --user=store --fresh"));
	assert_true(may("--user=store -N -K -E 5 -W6 --watch-nb=7 --entry-nb 8 "
			"-Q nodes=9 --quota=watches=1 -w watch-event=3 "
			"--trace-control=+io --trace-control -io"));
}

static void
words_that_name_files_or_accounts_may_not(void **unused)
{
	static const char *const bad[] = { "-T /etc/cron.d/x",
		"-T/etc/cron.d/x", "--trace-file=/etc/x", "-F /etc/x",
		"--pid-file /etc/x", "--user root", "--user=root", "/log/trace",
		"-E /log/trace", "-E/log/trace", "--entry-nb=/log/trace", "x",
		"-F /log/trace", "--child=3", "--resume=go:3", "--ready-fd=3",
		"-U", "--", "-D/log/trace", "--no-fork=/x",
		"--watch-nb-file=/x", "-", "--config-file=/x", "-E -- /x" };
	char text[128];
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "--user=store %s", bad[i]);
		assert_false(may(text));
		snprintf(text, sizeof(text), "%s --user=store", bad[i]);
		assert_false(may(text));
	}
}

static void
the_account_stays(void **unused)
{
	(void)unused;
	assert_false(may(""));
	assert_false(may("-D"));
	assert_false(may("--user=stor"));
	assert_true(may("-D --user=store"));
}

/* Or getopt() would take what is to be an option for a value. */
static void
options_keep_their_values(void **unused)
{
	static char *with[] = { "xenstored", "-D", "-N", "--pid-file", "/p",
		"--user=store", "-T", "/a", "-T", "/b", "-E", "5", NULL };
	static char *apart[] = { "xenstored", "--user", "store", "-D", NULL };

	(void)unused;
	assert_true(may_of(with, "-D -N --pid-file /p --user=store"));
	assert_true(may_of(with, "--user=store -T /a -T /b"));
	assert_true(may_of(with, "-E 5 --user=store"));
	assert_true(may_of(with, "-E 6 --user=store"));
	assert_false(may_of(with, "-D -N --pid-file --user=store"));
	assert_false(may_of(with, "-T --user=store"));
	assert_false(may_of(with, "-T /p --user=store"));
	assert_false(may_of(with, "--user=store --pid-file"));
	assert_false(may_of(with, "--user=store /p"));
	assert_false(may_of(with, "--trace-control --user=store"));
	assert_false(may_of(with, "-W --user=store"));
	assert_true(may_of(apart, "-D --user store"));
	assert_false(may_of(apart, "--user -D store"));
	assert_false(may_of(apart, "--user"));
	assert_false(may_of(apart, "--trace-control --user store"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_only_its_owner_can_change_may_be_executed),
		cmocka_unit_test(what_others_can_change_may_not),
		cmocka_unit_test(links_are_followed_and_lead_nowhere_else),
		cmocka_unit_test(words_of_today_and_limits_may_be_asked_for),
		cmocka_unit_test(words_that_name_files_or_accounts_may_not),
		cmocka_unit_test(the_account_stays),
		cmocka_unit_test(options_keep_their_values),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
