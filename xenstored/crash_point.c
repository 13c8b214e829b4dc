/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/crash_point.h"

#ifdef XENSTORED_CRASH_POINTS
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "xenstored/flight.h"

static struct flight *book;
static const char *own_role = "";
static bool counts;
static unsigned long left; /* 0: nothing was said when it began */

static unsigned long
number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

void
crash_role(const char *role, struct flight *flight)
{
	const char *wanted = getenv("XENSTORED_CRASH_ROLE");

	book = flight;
	own_role = role;
	left = 0;
	counts = wanted != NULL && strcmp(wanted, role) == 0;
	if (counts && flight->killed < number("XENSTORED_CRASH_TIMES", 1))
		left = number("XENSTORED_CRASH_AT", 0);
}

/* Whether this is the place. */
static bool
is_time(void)
{
	bool now;

	if (!counts)
		return false;
	now = left > 0 && --left == 0;
	if (__atomic_load_n(&book->kill_in, __ATOMIC_ACQUIRE) > 0)
		now |= __atomic_sub_fetch(
			   &book->kill_in, 1, __ATOMIC_ACQ_REL) == 0;
	return now;
}

static _Noreturn void
die(const char *file, int line)
{
	book->killed++;
	snprintf(book->killed_at, sizeof(book->killed_at), "%s:%d", file, line);
	(void)raise(SIGKILL); /* what a sandbox permits */
	abort();
}

void
crash_point(const char *file, int line)
{
	if (is_time())
		die(file, line);
}

/* What tdb writes its file with, in place of the C library's: half of it may be
 * there when the process dies. */
__attribute__((visibility("default"))) ssize_t
pwrite(int fd, const void *buf, size_t n, off_t at)
{
	if (is_time()) {
		(void)syscall(SYS_pwrite64, fd, buf, n / 2, at);
		die(__FILE__, __LINE__);
	}
	return (ssize_t)syscall(SYS_pwrite64, fd, buf, n, at);
}

bool
crash_fault(const char *rule)
{
	const char *wanted = getenv("XENSTORED_CRASH_FAULT");

	const size_t len = strlen(rule);

	if (wanted == NULL || strncmp(wanted, rule, len) != 0)
		return false;
	return wanted[len] == '\0' ||
	       (wanted[len] == '@' && strcmp(wanted + len + 1, own_role) == 0);
}
#else
/* There is nothing in the daemon that is installed. */
typedef int crash_point_is_empty;
#endif
