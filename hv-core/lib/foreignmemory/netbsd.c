/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's /kern/xen/privcmd: the caller reserves anonymous shared addresses,
 * an ioctl fills them with frames, munmap() releases them. An ioctl that the
 * kernel does not know is EINVAL. Tried on an imitation (tests/netbsd), not on
 * hardware.
 */
#include "provider.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../common/provider.h"

struct netbsd_batch {
	int num;
	domid_t dom;
	uint64_t addr;
	const xen_pfn_t *arr;
	int *err; /* out */
};

struct netbsd_resource {
	domid_t dom;
	uint32_t type;
	uint32_t id;
	uint32_t idx;
	uint64_t num;
	uint64_t addr;
};

#define NETBSD_MMAPBATCH_V2 0x80205006ul
#define NETBSD_MMAP_RESOURCE 0x80205007ul

_Static_assert(sizeof(void *) != 8 || sizeof(struct netbsd_batch) == 0x20, "");
_Static_assert(sizeof(struct netbsd_resource) == 0x20, "as in the number");

static int
netbsd_open(struct xenforeignmemory_handle *f)
{
	f->fd = provider_open(f->logger, "xenforeignmemory", PROVIDER_NETBSD,
	    "/kern/xen/privcmd", 0, "mount -t kernfs kernfs /kern");
	return f->fd < 0 ? -1 : 0;
}

static void
netbsd_close(struct xenforeignmemory_handle *f)
{
	close(f->fd);
}

static void *
netbsd_reserve(struct xenforeignmemory_handle *f, void *hint, size_t size,
    int prot, int flags)
{
	void *p = mmap(hint, size, prot, flags | MAP_ANON | MAP_SHARED, -1, 0);

	(void)f;
	return p == MAP_FAILED ? NULL : p;
}

static int
netbsd_map(struct xenforeignmemory_handle *f, domid_t dom, void *addr, int prot,
    size_t pages, const xen_pfn_t arr[], int err[])
{
	struct netbsd_batch arg = {
		.num = (int)pages,
		.dom = dom,
		.addr = (uintptr_t)addr,
		.arr = arr,
		.err = err,
	};
	size_t i;

	(void)prot;
	if (ioctl(f->fd, NETBSD_MMAPBATCH_V2, &arg) < 0)
		return -1;
	for (i = 0; i < pages; i++)
		if (err[i] < 0)
			err[i] = -err[i];
	return 0;
}

static int
netbsd_restrict(struct xenforeignmemory_handle *f, domid_t dom)
{
	(void)f;
	(void)dom;
	errno = EOPNOTSUPP;
	return -1;
}

static int
netbsd_map_resource(struct xenforeignmemory_handle *f,
    struct xenforeignmemory_resource_handle *res)
{
	size_t size = res->nr_frames * FOREIGN_PAGE;
	struct netbsd_resource arg = {
		.dom = res->domid,
		.type = res->type,
		.id = res->id,
		.idx = (uint32_t)res->frame,
		.num = res->nr_frames,
	};
	void *addr = netbsd_reserve(f, res->addr, size, res->prot, res->flags);

	if (addr == NULL)
		return -1;
	arg.addr = (uintptr_t)addr;
	if (ioctl(f->fd, NETBSD_MMAP_RESOURCE, &arg) < 0) {
		int saved = errno;

		munmap(addr, size);
		errno = saved;
		return -1;
	}
	res->addr = addr;
	return 0;
}

static int
netbsd_resource_size(struct xenforeignmemory_handle *f, domid_t dom,
    unsigned type, unsigned id, size_t *size)
{
	(void)f;
	(void)dom;
	(void)type;
	(void)id;
	(void)size;
	errno = EOPNOTSUPP;
	return -1;
}

const struct foreign_ops *
foreign_netbsd_ops(void)
{
	static const struct foreign_ops ops = {
		.open = netbsd_open,
		.close = netbsd_close,
		.reserve = netbsd_reserve,
		.map = netbsd_map,
		.restrict_to = netbsd_restrict,
		.map_resource = netbsd_map_resource,
		.resource_size = netbsd_resource_size,
	};

	return &ops;
}
