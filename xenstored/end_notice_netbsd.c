/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * NetBSD: nobody is told before the parent is.
 */
#ifdef __NetBSD__
#include "xenstored/end_notice.h"

void
end_notice_promise(uint32_t *word)
{
	(void)word;
}

int
end_notice_watch(int fd, size_t at)
{
	(void)fd;
	(void)at;
	return -1;
}

void
end_notice_take(int events)
{
	(void)events;
}

bool
end_notice_confirm(pid_t pid, int *status_out)
{
	(void)pid;
	(void)status_out;
	return false;
}

bool
end_notice_begins(pid_t pid)
{
	(void)pid;
	return false;
}
#else
typedef int end_notice_netbsd_is_empty;
#endif
