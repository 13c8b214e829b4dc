/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/update_program.h"

static void
only_store_daemons_can_be_executed(void **unused)
{
	char why[LIVE_UPDATE_TEXT] = "";

	(void)unused;
	assert_true(update_can_execute("/proc/self/exe", why));
	assert_false(update_can_execute("/bin/true", why));
	assert_string_equal(why, "File is no store daemon.");
	assert_false(update_can_execute("/bin/sh", why));
	assert_false(update_can_execute("/nonexistent", why));
	assert_string_equal(why, "File not accessible.");
	assert_false(update_can_execute("/etc/passwd", why));
	assert_string_equal(why, "File not executable.");
	assert_false(update_can_execute("/tmp", why));
	assert_string_equal(why, "File not executable.");
}

/* Who serves can make one, and put anything in it. */
static void
files_without_a_name_are_not_executed(void **unused)
{
	static const char text[] = "#!/bin/sh\n# live-update @releaseDomain\n";
	char why[LIVE_UPDATE_TEXT] = "", path[64], name[] = "/tmp/fileXXXXXX";
	int fd = memfd_create("program", 0);

	(void)unused;
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(access(path, X_OK), 0);
	assert_false(update_can_execute(path, why));
	assert_string_equal(why, "File not executable.");
	close(fd);
	fd = mkstemp(name);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(fchmod(fd, 0700), 0);
	assert_true(update_can_execute(name, why));
	assert_int_equal(unlink(name), 0);
	close(fd);
}

static void
our_programs_are_told_from_others(void **unused)
{
	(void)unused;
	assert_true(update_is_ours("/proc/self/exe"));
	assert_false(update_is_ours("/bin/sh"));
	assert_false(update_is_ours("/nonexistent"));
	assert_false(update_is_ours("/tmp"));
}

static void
words_are_the_present_ones_or_those_asked_for(void **unused)
{
	struct live_update_request r = { .binary = "/new" };
	char *argv[] = { "old", "--a", "b c", NULL }, **words;

	(void)unused;
	words = update_argv(&r, argv, NULL);
	assert_non_null(words);
	assert_string_equal(words[0], "/new");
	assert_string_equal(words[1], "--a");
	assert_string_equal(words[2], "b c");
	assert_null(words[3]);
	free(words);
	r.has_cmdline = true;
	strcpy(r.cmdline, "  -x  --yy=1 z ");
	words = update_argv(&r, argv, "-U");
	assert_non_null(words);
	assert_string_equal(words[0], "/new");
	assert_string_equal(words[1], "-x");
	assert_string_equal(words[2], "--yy=1");
	assert_string_equal(words[3], "z");
	assert_string_equal(words[4], "-U");
	assert_null(words[5]);
	free(words);
	strcpy(r.cmdline, "");
	words = update_argv(&r, argv, "-U");
	assert_string_equal(words[1], "-U");
	assert_null(words[2]);
	free(words);
}

static void
a_request_travels_whole(void **unused)
{
	struct live_update_request r = { .timeout = 7, .version = 1 }, got;
	int fd;

	(void)unused;
	memset(r.binary, 'b', sizeof(r.binary) - 1);
	strcpy(r.cmdline, "-x");
	r.force = r.has_cmdline = true;
	fd = update_pack(&r);
	assert_true(fd >= 0);
	assert_true(update_unpack(fd, &got));
	assert_string_equal(got.binary, r.binary);
	assert_string_equal(got.cmdline, "-x");
	assert_true(got.force && got.has_cmdline);
	assert_int_equal(got.timeout, 7);
	assert_int_equal(got.version, 1);
	for (int i = 20; i > 0; i--) {
		assert_int_equal(ftruncate(fd, i), 0);
		assert_false(update_unpack(fd, &got));
	}
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_store_daemons_can_be_executed),
		cmocka_unit_test(files_without_a_name_are_not_executed),
		cmocka_unit_test(our_programs_are_told_from_others),
		cmocka_unit_test(words_are_the_present_ones_or_those_asked_for),
		cmocka_unit_test(a_request_travels_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
