/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * NetBSD: what a process wrote is not counted, so the one connection that was
 * being written to when it died is closed. A process whose parent is gone finds
 * that out from its descriptor.
 */
#ifdef __NetBSD__
#include "xenstored/plat.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <unistd.h>

int
plat_open_written(pid_t pid)
{
	(void)pid;
	errno = ENOSYS;
	return -1;
}

bool
plat_written(int fd, uint64_t *bytes_out)
{
	(void)fd;
	(void)bytes_out;
	return false;
}

void
plat_name_self(void)
{
}

void
plat_die_with(pid_t parent)
{
	(void)parent;
}

int
plat_open_process(pid_t pid)
{
	(void)pid;
	errno = ENOSYS;
	return -1;
}

bool
plat_is_running(pid_t pid, int fd)
{
	(void)fd;
	return kill(pid, 0) == 0;
}

void
plat_describe_end(pid_t pid, char *text, size_t size)
{
	(void)pid;
	snprintf(text, size, "it ended before it answered");
}

void
plat_no_core(void)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
}

void
plat_wait_gone(pid_t pid, int ms)
{
	for (; pid != 0 && ms > 0 && kill(pid, 0) == 0; ms--)
		usleep(1000);
}

int
plat_memory_file(const char *text)
{
	char name[] = "/var/shm/xenstored-XXXXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);

	(void)text;
	if (fd >= 0)
		(void)unlink(name);
	return fd;
}

void
plat_boot_id(uint8_t id[16])
{
	struct timespec boot;
	size_t len = sizeof(boot);

	memset(id, 0, 16);
	if (sysctlbyname("kern.boottime", &boot, &len, NULL, 0) == 0)
		memcpy(id, &boot, len < 16 ? len : 16);
}

bool
plat_random(void *buf, size_t len)
{
	arc4random_buf(buf, len);
	return true;
}

void
plat_process_name(pid_t pid, char name_out[16])
{
	(void)pid;
	name_out[0] = '\0';
}

const char *
plat_own_program(void)
{
	return "/proc/curproc/exe";
}
#else
typedef int plat_netbsd_is_empty;
#endif
