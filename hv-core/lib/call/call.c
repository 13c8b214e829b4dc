/* SPDX-License-Identifier: BSD-2-Clause */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../common/provider.h"

enum { PAGE = 4096 };

static const struct call_ops *
find_ops(enum provider provider)
{
	switch (provider) {
	case PROVIDER_LINUX:
		return call_linux_ops();
	case PROVIDER_NETBSD:
		return call_netbsd_ops();
	case PROVIDER_HOSTED:
		break;
	}
	return call_hosted_ops();
}

xencall_handle *
xencall_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	struct xencall_handle *xcall;
	enum provider provider;

	if ((open_flags & ~XENCALL_OPENFLAG_NON_REENTRANT) != 0) {
		errno = EINVAL;
		return NULL;
	}
	if (provider_find(logger, "xencall", &provider) < 0)
		return NULL;
	xcall = calloc(1, sizeof(*xcall));
	if (xcall == NULL)
		return NULL;
	xcall->ops = find_ops(provider);
	xcall->logger = logger;
	xcall->fd = -1;
	xcall->buf_fd = -1;
	if (xcall->ops->open(xcall) < 0) {
		int saved = errno;

		free(xcall);
		errno = saved;
		return NULL;
	}
	return xcall;
}

int
xencall_close(xencall_handle *xcall)
{
	if (xcall == NULL)
		return 0;
	xcall->ops->close(xcall);
	free(xcall);
	return 0;
}

int
xencall_fd(xencall_handle *xcall)
{
	return xcall->fd;
}

static long
call(struct xencall_handle *xcall, unsigned op, uint64_t a1, uint64_t a2,
    uint64_t a3, uint64_t a4, uint64_t a5)
{
	const uint64_t arg[5] = { a1, a2, a3, a4, a5 };
	long ret = xcall->ops->call(xcall, op, arg);

	if (ret >= 0)
		return ret;
	errno = (int)-ret;
	return -1;
}

int
xencall0(xencall_handle *xcall, unsigned int op)
{
	return (int)call(xcall, op, 0, 0, 0, 0, 0);
}

int
xencall1(xencall_handle *xcall, unsigned int op, uint64_t arg1)
{
	return (int)call(xcall, op, arg1, 0, 0, 0, 0);
}

int
xencall2(xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2)
{
	return (int)call(xcall, op, arg1, arg2, 0, 0, 0);
}

int
xencall3(xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2,
    uint64_t arg3)
{
	return (int)call(xcall, op, arg1, arg2, arg3, 0, 0);
}

int
xencall4(xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2,
    uint64_t arg3, uint64_t arg4)
{
	return (int)call(xcall, op, arg1, arg2, arg3, arg4, 0);
}

int
xencall5(xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2,
    uint64_t arg3, uint64_t arg4, uint64_t arg5)
{
	return (int)call(xcall, op, arg1, arg2, arg3, arg4, arg5);
}

long
xencall2L(xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2)
{
	return call(xcall, op, arg1, arg2, 0, 0, 0);
}

void *
xencall_alloc_buffer_pages(xencall_handle *xcall, size_t nr_pages)
{
	if (nr_pages == 0 || nr_pages > SIZE_MAX / PAGE) {
		errno = nr_pages == 0 ? EINVAL : ENOMEM;
		return NULL;
	}
	return xcall->ops->alloc(xcall, nr_pages);
}

void
xencall_free_buffer_pages(xencall_handle *xcall, void *p, size_t nr_pages)
{
	if (p != NULL)
		xcall->ops->free(xcall, p, nr_pages);
}

/*
 * Where the platform gives whole pages only, the number of pages stands in
 * front of the buffer. One cache line keeps the alignment.
 */
enum { PREFIX = 64 };

void *
xencall_alloc_buffer(xencall_handle *xcall, size_t size)
{
	size_t nr_pages;
	char *p;

	if (xcall->ops->small_alloc != NULL)
		return xcall->ops->small_alloc(xcall, size);
	if (size > SIZE_MAX - PREFIX - PAGE) {
		errno = ENOMEM;
		return NULL;
	}
	nr_pages = (size + PREFIX + PAGE - 1) / PAGE;
	p = xcall->ops->alloc(xcall, nr_pages);
	if (p == NULL)
		return NULL;
	*(size_t *)(void *)p = nr_pages;
	return p + PREFIX;
}

void
xencall_free_buffer(xencall_handle *xcall, void *p)
{
	char *start;

	if (p == NULL)
		return;
	if (xcall->ops->small_free != NULL) {
		xcall->ops->small_free(xcall, p);
		return;
	}
	start = (char *)p - PREFIX;
	xcall->ops->free(xcall, start, *(size_t *)(void *)start);
}

int
xencall_buffers_never_fault(xencall_handle *xcall)
{
	return xcall->ops->never_fault;
}
