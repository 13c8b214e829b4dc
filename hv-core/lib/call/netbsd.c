/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's /kern/xen/privcmd: the hypercall's result comes back in the
 * structure, errors as this system's errno. Buffers are locked pages. Tried on
 * an imitation (tests/netbsd), not on hardware.
 */
#include "provider.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../common/provider.h"

struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
	int64_t retval;
};

#define PRIVCMD_HYPERCALL 0xc0385000ul

_Static_assert(sizeof(struct privcmd_hypercall) == 0x38, "as in the number");

enum { PAGE = 4096 };

static int
netbsd_open(struct xencall_handle *xcall)
{
	xcall->fd = provider_open(xcall->logger, "xencall", PROVIDER_NETBSD,
	    "/kern/xen/privcmd", 0, "mount -t kernfs kernfs /kern");
	return xcall->fd < 0 ? -1 : 0;
}

static void
netbsd_close(struct xencall_handle *xcall)
{
	close(xcall->fd);
}

static long
netbsd_call(struct xencall_handle *xcall, unsigned op, const uint64_t arg[5])
{
	struct privcmd_hypercall call = {
		.op = op,
		.arg = { arg[0], arg[1], arg[2], arg[3], arg[4] },
	};

	if (ioctl(xcall->fd, PRIVCMD_HYPERCALL, &call) < 0)
		return -errno;
	return (long)call.retval;
}

static void *
netbsd_alloc(struct xencall_handle *xcall, size_t nr_pages)
{
	void *p = mmap(NULL, nr_pages * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);

	(void)xcall;
	if (p == MAP_FAILED)
		return NULL;
	if (mlock(p, nr_pages * PAGE) < 0) {
		int saved = errno;

		munmap(p, nr_pages * PAGE);
		errno = saved;
		return NULL;
	}
	return p;
}

static void
netbsd_free(struct xencall_handle *xcall, void *p, size_t nr_pages)
{
	(void)xcall;
	munmap(p, nr_pages * PAGE);
}

const struct call_ops *
call_netbsd_ops(void)
{
	static const struct call_ops ops = {
		.open = netbsd_open,
		.close = netbsd_close,
		.call = netbsd_call,
		.alloc = netbsd_alloc,
		.free = netbsd_free,
	};

	return &ops;
}
