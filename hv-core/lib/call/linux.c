/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's /dev/xen/privcmd. The hypercall's result is the ioctl's. Buffers come
 * from /dev/xen/hypercall, whose pages the kernel never moves; kernels without
 * it get locked anonymous pages, on which a call may fail with EFAULT when the
 * kernel migrates them (not tried). Tried by tests/xen.
 */
#include "provider.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../common/provider.h"

struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
};

#define PRIVCMD_HYPERCALL                                                      \
	(0x5000ul | (unsigned long)sizeof(struct privcmd_hypercall) << 16)

enum { PAGE = 4096 };

static int
linux_open(struct xencall_handle *xcall)
{
	xcall->fd = provider_open(xcall->logger, "xencall", PROVIDER_LINUX,
	    "/dev/xen/privcmd", 0, "modprobe xen-privcmd");
	if (xcall->fd < 0)
		return -1;
	xcall->buf_fd = open("/dev/xen/hypercall", O_RDWR | O_CLOEXEC);
	return 0;
}

static void
linux_close(struct xencall_handle *xcall)
{
	close(xcall->fd);
	if (xcall->buf_fd >= 0)
		close(xcall->buf_fd);
}

static long
linux_call(struct xencall_handle *xcall, unsigned op, const uint64_t arg[5])
{
	struct privcmd_hypercall call = {
		.op = op,
		.arg = { arg[0], arg[1], arg[2], arg[3], arg[4] },
	};
	long ret = ioctl(xcall->fd, PRIVCMD_HYPERCALL, &call);

	return ret < 0 ? -errno : ret;
}

static void *
linux_alloc(struct xencall_handle *xcall, size_t nr_pages)
{
	int flags = xcall->buf_fd >= 0 ? MAP_SHARED
				       : MAP_PRIVATE | MAP_ANON | MAP_LOCKED;
	void *p = mmap(NULL, nr_pages * PAGE, PROT_READ | PROT_WRITE, flags,
	    xcall->buf_fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (xcall->buf_fd < 0 &&
	    madvise(p, nr_pages * PAGE, MADV_DONTFORK) < 0) {
		munmap(p, nr_pages * PAGE);
		return NULL;
	}
	return p;
}

static void
linux_free(struct xencall_handle *xcall, void *p, size_t nr_pages)
{
	(void)xcall;
	munmap(p, nr_pages * PAGE);
}

const struct call_ops *
call_linux_ops(void)
{
	static const struct call_ops ops = {
		.open = linux_open,
		.close = linux_close,
		.call = linux_call,
		.alloc = linux_alloc,
		.free = linux_free,
	};

	return &ops;
}
