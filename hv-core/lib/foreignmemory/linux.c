/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's /dev/xen/privcmd: mmap() of the node reserves addresses, an ioctl
 * fills them with frames. Tried by tests/xen, paged out frames excepted.
 */
#include "provider.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../common/provider.h"

#define LINUX_IOC(nr, size) (0x5000ul | (nr) | (unsigned long)(size) << 16)

struct linux_batch {
	unsigned num;
	domid_t dom;
	uint64_t addr;
	const xen_pfn_t *arr;
	int *err; /* out: minus errno each */
};

struct linux_resource {
	domid_t dom;
	uint32_t type;
	uint32_t id;
	uint32_t idx;
	uint64_t num;
	uint64_t addr;
};

#define LINUX_MMAPBATCH_V2 LINUX_IOC(4, sizeof(struct linux_batch))
#define LINUX_RESTRICT LINUX_IOC(6, sizeof(domid_t))
#define LINUX_MMAP_RESOURCE LINUX_IOC(7, sizeof(struct linux_resource))

/* A frame that was paged out comes back within that. */
enum { PAGED_TRIES = 1000, PAGED_NS = 100000 };

static int
linux_open(struct xenforeignmemory_handle *f)
{
	f->fd = provider_open(f->logger, "xenforeignmemory", PROVIDER_LINUX,
	    "/dev/xen/privcmd", 0, "modprobe xen-privcmd");
	return f->fd < 0 ? -1 : 0;
}

static void
linux_close(struct xenforeignmemory_handle *f)
{
	close(f->fd);
}

static void *
linux_reserve(struct xenforeignmemory_handle *f, void *hint, size_t size,
    int prot, int flags)
{
	void *p = mmap(hint, size, prot, flags | MAP_SHARED, f->fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* One ioctl for NUM frames at ADDR. It fails with ENOENT if a frame is paged
 * out; ERR is set in that case, too. */
static int
batch(struct xenforeignmemory_handle *f, domid_t dom, uint8_t *addr, size_t num,
    const xen_pfn_t *arr, int *err)
{
	struct linux_batch arg = {
		.num = (unsigned)num,
		.dom = dom,
		.addr = (uintptr_t)addr,
		.arr = arr,
		.err = err,
	};

	if (ioctl(f->fd, LINUX_MMAPBATCH_V2, &arg) == 0 || errno == ENOENT)
		return 0;
	return -1;
}

static int
linux_map(struct xenforeignmemory_handle *f, domid_t dom, void *addr, int prot,
    size_t pages, const xen_pfn_t arr[], int err[])
{
	const struct timespec pause = { .tv_nsec = PAGED_NS };
	uint8_t *to = addr;
	size_t i;
	int tries = 0;

	(void)prot;
	if (batch(f, dom, to, pages, arr, err) < 0)
		return -1;
	for (i = 0; i < pages; i++) {
		while (err[i] == -ENOENT && tries++ < PAGED_TRIES) {
			nanosleep(&pause, NULL);
			if (batch(f, dom, to + i * FOREIGN_PAGE, 1, arr + i,
				err + i) < 0)
				return -1;
		}
		if (err[i] < 0)
			err[i] = -err[i];
	}
	return 0;
}

static int
linux_restrict(struct xenforeignmemory_handle *f, domid_t dom)
{
	return ioctl(f->fd, LINUX_RESTRICT, &dom);
}

static int
linux_map_resource(struct xenforeignmemory_handle *f,
    struct xenforeignmemory_resource_handle *res)
{
	size_t size = res->nr_frames * FOREIGN_PAGE;
	struct linux_resource arg = {
		.dom = res->domid,
		.type = res->type,
		.id = res->id,
		.idx = (uint32_t)res->frame,
		.num = res->nr_frames,
	};
	void *addr = linux_reserve(f, res->addr, size, res->prot, res->flags);

	if (addr == NULL)
		return -1;
	arg.addr = (uintptr_t)addr;
	if (ioctl(f->fd, LINUX_MMAP_RESOURCE, &arg) < 0) {
		int saved = errno == ENOTTY ? EOPNOTSUPP : errno;

		munmap(addr, size);
		errno = saved;
		return -1;
	}
	res->addr = addr;
	return 0;
}

static int
linux_resource_size(struct xenforeignmemory_handle *f, domid_t dom,
    unsigned type, unsigned id, size_t *size)
{
	struct linux_resource arg = { .dom = dom, .type = type, .id = id };

	if (ioctl(f->fd, LINUX_MMAP_RESOURCE, &arg) < 0) {
		if (errno == ENOTTY)
			errno = EOPNOTSUPP;
		return -1;
	}
	*size = (size_t)arg.num * FOREIGN_PAGE;
	return 0;
}

const struct foreign_ops *
foreign_linux_ops(void)
{
	static const struct foreign_ops ops = {
		.open = linux_open,
		.close = linux_close,
		.reserve = linux_reserve,
		.map = linux_map,
		.restrict_to = linux_restrict,
		.map_resource = linux_map_resource,
		.resource_size = linux_resource_size,
	};

	return &ops;
}
