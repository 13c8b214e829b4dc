/* SPDX-License-Identifier: BSD-2-Clause */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/paths.h"

static void
a_variable_beats_the_default(void **state)
{
	(void)state;
	unsetenv("XEN_RUN_DIR");
	assert_string_equal(paths_dir(PATHS_RUN), "/run/xen");
	setenv("XEN_RUN_DIR", "/else/where", 1);
	assert_string_equal(paths_dir(PATHS_RUN), "/else/where");
	setenv("XEN_RUN_DIR", "", 1);
	assert_string_equal(paths_dir(PATHS_RUN), "/run/xen");
	unsetenv("XEN_RUN_DIR");
}

static void
slashes_at_the_end_go(void **state)
{
	(void)state;
	setenv("XEN_LOG_DIR", "/a/b//", 1);
	assert_string_equal(paths_dir(PATHS_LOG), "/a/b");
	setenv("XEN_LOG_DIR", "/", 1);
	assert_string_equal(paths_dir(PATHS_LOG), "/");
	unsetenv("XEN_LOG_DIR");
}

static void
scripts_are_below_the_configuration(void **state)
{
	(void)state;
	unsetenv("XEN_SCRIPT_DIR");
	setenv("XEN_CONFIG_DIR", "/conf", 1);
	assert_string_equal(paths_dir(PATHS_SCRIPT), "/conf/scripts");
	setenv("XEN_SCRIPT_DIR", "/scr", 1);
	assert_string_equal(paths_dir(PATHS_SCRIPT), "/scr");
	unsetenv("XEN_SCRIPT_DIR");
	unsetenv("XEN_CONFIG_DIR");
	assert_string_equal(paths_dir(PATHS_SCRIPT), "/etc/xen/scripts");
}

static void
helpers_are_beside_the_program(void **state)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	if (n <= 0)
		skip();
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	unsetenv("XEN_LIBEXEC_DIR");
	assert_string_equal(paths_dir(PATHS_LIBEXEC), self);
}

static void
join_refuses_what_does_not_fit(void **state)
{
	char buf[16];

	(void)state;
	setenv("XEN_LOCK_DIR", "/lock", 1);
	assert_int_equal(
	    paths_join(buf, sizeof(buf), PATHS_LOCK, "file.%d", 123), 0);
	assert_string_equal(buf, "/lock/file.123");
	assert_int_equal(
	    paths_join(buf, sizeof(buf), PATHS_LOCK, "file.%d", 12345), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_string_equal(buf, "");
	assert_int_equal(paths_join(buf, 4, PATHS_LOCK, "x"), -1);
	unsetenv("XEN_LOCK_DIR");
}

static void
mkdir_makes_parents(void **state)
{
	char top[] = "/tmp/kernbus-test-XXXXXX";
	char path[64];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(path, sizeof(path), "%s/a/b", top);
	setenv("XEN_RUN_DIR", path, 1);
	assert_int_equal(paths_mkdir(PATHS_RUN), 0);
	assert_int_equal(paths_mkdir(PATHS_RUN), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	rmdir(path);
	assert_int_equal(creat(path, 0600) >= 0, 1);
	assert_int_equal(paths_mkdir(PATHS_RUN), -1);
	assert_int_equal(errno, ENOTDIR);
	unlink(path);
	snprintf(path, sizeof(path), "%s/a", top);
	rmdir(path);
	rmdir(top);
	unsetenv("XEN_RUN_DIR");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_variable_beats_the_default),
		cmocka_unit_test(slashes_at_the_end_go),
		cmocka_unit_test(scripts_are_below_the_configuration),
		cmocka_unit_test(helpers_are_beside_the_program),
		cmocka_unit_test(join_refuses_what_does_not_fit),
		cmocka_unit_test(mkdir_makes_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
