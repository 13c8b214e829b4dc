/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a store daemon, plants the fault that $FAULT names; the lab
 * must notice:
 *
 *   kick    domain 0's kernel gets no event
 *   event   who watches a vbd's state is not told of its changes
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/wire.h"

/* Linux's /dev/xen/evtchn */
#define BIND_INTERDOMAIN 0x84501ul
#define NOTIFY 0x44504ul

static uint32_t dom0_port;

static bool
has_fault(const char *name)
{
	const char *fault = getenv("FAULT");

	return fault != NULL && strcmp(fault, name) == 0;
}

/* The libc's function of that name. (ISO C has no cast for it.) */
static void
next(const char *name, void *function)
{
	void *p = dlsym(RTLD_NEXT, name);

	memcpy(function, &p, sizeof(p));
}

__attribute__((visibility("default"))) int
ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	const uint32_t *words;
	va_list args;
	void *arg;
	int ret;

	if (real == NULL)
		next("ioctl", &real);
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	words = arg;
	if (request == NOTIFY && has_fault("kick") && words[0] == dom0_port)
		return 0;
	ret = real(fd, request, arg);
	if (request == BIND_INTERDOMAIN && words[0] == 0)
		dom0_port = (uint32_t)ret;
	return ret;
}

/* Is this one watch event, of a vbd's state? */
static bool
is_lost(const void *bytes, size_t len)
{
	struct wire_header header;
	const char *path;
	size_t n;

	if (len < sizeof(header) || !has_fault("event"))
		return false;
	memcpy(&header, bytes, sizeof(header));
	if (header.type != WIRE_WATCH_EVENT ||
	    len != sizeof(header) + header.len)
		return false;
	path = (const char *)bytes + sizeof(header);
	n = strnlen(path, header.len);
	return memmem(path, n, "/backend/vbd/", 13) != NULL && n > 6 &&
	       memcmp(path + n - 6, "/state", 6) == 0;
}

__attribute__((visibility("default"))) ssize_t
write(int fd, const void *buf, size_t len)
{
	static ssize_t (*real)(int, const void *, size_t);

	if (real == NULL)
		next("write", &real);
	return is_lost(buf, len) ? (ssize_t)len : real(fd, buf, len);
}

__attribute__((visibility("default"))) ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
	static ssize_t (*real)(int, const void *, size_t, int);

	if (real == NULL)
		next("send", &real);
	return is_lost(buf, len) ? (ssize_t)len : real(fd, buf, len, flags);
}
