/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For oxenstored, which gives up when it may not raise its limit of open files:
 * in a user namespace nobody may.
 */
#include <sys/resource.h>

int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit);

int
setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	(void)resource;
	(void)limit;
	return 0;
}

int
setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
	(void)resource;
	(void)limit;
	return 0;
}
