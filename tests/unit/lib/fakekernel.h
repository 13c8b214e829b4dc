/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel for the providers that need one: this program's own open() and
 * ioctl() stand in front of libc's. Nodes whose path starts with FAKE_PREFIX
 * are a memory file, and ioctls on it go to fake_ioctl(), which the test
 * defines; all else is passed on.
 */
#ifndef TESTS_UNIT_LIB_FAKEKERNEL_H
#define TESTS_UNIT_LIB_FAKEKERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define FAKE_PAGES 64

#ifndef FAKE_PREFIX
#define FAKE_PREFIX "/fake/"
#endif

static char fake_opened[64]; /* the last such path */

/* The ioctl's result, errno set if it is -1. */
int fake_ioctl(unsigned long request, void *arg);

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
int ioctl(int fd, unsigned long request, ...);

static int
real_or_fake_open(const char *path, int flags, int mode)
{
	int fd;

	if (strncmp(path, FAKE_PREFIX, strlen(FAKE_PREFIX)) != 0)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	snprintf(fake_opened, sizeof(fake_opened), "%s", path);
	fd = memfd_create("fake", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, FAKE_PAGES * 4096) < 0)
		return -1;
	return fd;
}

int
open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, int) : 0;
	va_end(args);
	return real_or_fake_open(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, int) : 0;
	va_end(args);
	return real_or_fake_open(path, flags, mode);
}

int
ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	(void)fd;
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	return fake_ioctl(request, arg);
}

#endif
