/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the figures are served: what is at a path is not lost. */
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
#include <event2/event.h>

#include "tools/xenmetricsd/serve.h"

static struct event_base *base;
static char dir[] = "/tmp/kernbus-serve-XXXXXX", path[64];

static int
setup(void **state)
{
	(void)state;
	base = event_base_new();
	if (base == NULL || mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	event_base_free(base);
	(void)unlink(path);
	return rmdir(dir);
}

static void
a_file_that_is_no_socket_is_kept(void **state)
{
	char why[SERVE_WHY_SIZE] = "";
	FILE *file = fopen(path, "w");
	struct stat st;

	(void)state;
	assert_non_null(file);
	fputs("precious", file);
	assert_int_equal(fclose(file), 0);
	assert_null(serve_start(base, NULL, path, why));
	assert_non_null(strstr(why, "is no socket"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, strlen("precious"));
	assert_int_equal(unlink(path), 0);
}

static void
the_socket_of_one_who_was_killed_is_replaced(void **state)
{
	char why[SERVE_WHY_SIZE] = "", aside[80];
	struct serve *serve = serve_start(base, NULL, path, why);
	struct stat old, new;

	(void)state;
	snprintf(aside, sizeof(aside), "%s/aside", dir);
	assert_non_null(serve);
	assert_int_equal(rename(path, aside), 0);
	serve_stop(serve);
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(stat(path, &old), 0);

	serve = serve_start(base, NULL, path, why);
	assert_non_null(serve);
	assert_int_equal(stat(path, &new), 0);
	assert_true(S_ISSOCK(new.st_mode));
	assert_int_equal(new.st_mode & 0777, 0600);
	assert_true(old.st_ctim.tv_sec != new.st_ctim.tv_sec ||
		    old.st_ctim.tv_nsec != new.st_ctim.tv_nsec);
	serve_stop(serve);
	assert_int_equal(access(path, F_OK), -1);
}

static void
only_the_machine_itself_is_served(void **state)
{
	static const char *const wrong[] = { "1.2.3.4:99", "0.0.0.0:99", "foo",
		"0", "99999", "127.0.0.1:", ":99", "" };
	char why[SERVE_WHY_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		why[0] = '\0';
		assert_null(serve_start(base, NULL, wrong[i], why));
		assert_true(why[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_is_no_socket_is_kept),
		cmocka_unit_test(the_socket_of_one_who_was_killed_is_replaced),
		cmocka_unit_test(only_the_machine_itself_is_served),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
