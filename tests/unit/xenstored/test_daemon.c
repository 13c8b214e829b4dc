/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "xenstored/daemon.h"

static void
descriptors_are_limited_by_the_hard_limit_only(void **unused)
{
	struct rlimit before, limit;

	(void)unused;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	daemon_many_files();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(limit.rlim_cur, before.rlim_max);
	assert_int_equal(limit.rlim_max, before.rlim_max);
	setrlimit(RLIMIT_NOFILE, &before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    descriptors_are_limited_by_the_hard_limit_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
