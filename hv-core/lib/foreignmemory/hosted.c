/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Foreign memory of the hosted hypervisor: a domain's memory is a descriptor,
 * mapping frames is mmap() of pieces of it. A frame inside the domain's
 * memory that the domain has not populated maps as zeroes.
 */
#include "provider.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../common/provider.h"
#include "../hosted/client.h"
#include "abi/memory.h"

static int
hosted_open(struct xenforeignmemory_handle *f)
{
	int err = hv_client_open(HV_CHAN_FOREIGN, &f->client);

	if (err == 0)
		return 0;
	provider_log_hvd(f->logger, "xenforeignmemory", -err);
	errno = -err;
	return -1;
}

static void
hosted_close(struct xenforeignmemory_handle *f)
{
	hv_client_close(f->client);
}

static void *
hosted_reserve(struct xenforeignmemory_handle *f, void *hint, size_t size,
    int prot, int flags)
{
	int fixed = flags & MAP_FIXED;
	void *p = mmap(hint, size, PROT_NONE,
	    MAP_PRIVATE | MAP_ANON | MAP_NORESERVE | fixed, -1, 0);

	(void)f;
	(void)prot;
	return p == MAP_FAILED ? NULL : p;
}

/* How many of PAGES frames follow each other within NR_FRAMES frames. */
static size_t
run_length(const xen_pfn_t arr[], size_t pages, uint64_t nr_frames)
{
	size_t n = 1;

	while (n < pages && arr[n] == arr[0] + n && arr[n] < nr_frames)
		n++;
	return n;
}

static int
hosted_map(struct xenforeignmemory_handle *f, domid_t dom, void *addr, int prot,
    size_t pages, const xen_pfn_t arr[], int err[])
{
	struct hv_window *w;
	uint8_t *to = addr;
	uint64_t nr_frames;
	size_t i, k, n;
	int ret;

	w = hv_client_ram(f->client, dom, &ret);
	if (w == NULL) {
		errno = ret == -ENOENT ? EINVAL : -ret;
		return -1;
	}
	nr_frames = w->size / FOREIGN_PAGE;
	for (i = 0; i < pages; i += n) {
		n = 1;
		if (arr[i] >= nr_frames) {
			err[i] = EINVAL;
			continue;
		}
		n = run_length(arr + i, pages - i, nr_frames);
		ret = 0;
		if (mmap(to + i * FOREIGN_PAGE, n * FOREIGN_PAGE, prot,
			MAP_SHARED | MAP_FIXED, w->fd,
			(off_t)(arr[i] * FOREIGN_PAGE)) == MAP_FAILED)
			ret = errno;
		for (k = 0; k < n; k++)
			err[i + k] = ret;
	}
	hv_window_put(w);
	return 0;
}

static int
hosted_restrict(struct xenforeignmemory_handle *f, domid_t dom)
{
	(void)f;
	(void)dom;
	errno = EOPNOTSUPP;
	return -1;
}

static int
hosted_map_resource(struct xenforeignmemory_handle *f,
    struct xenforeignmemory_resource_handle *res)
{
	size_t size = res->nr_frames * FOREIGN_PAGE;
	struct hv_msg_resource what = {
		.domid = res->domid,
		.type = res->type,
		.id = res->id,
		.frame = (uint32_t)res->frame,
		.nr_frames = (uint32_t)res->nr_frames,
	};
	void *addr = hosted_reserve(f, res->addr, size, 0, res->flags);
	int err;

	if (addr == NULL)
		return -1;
	err = hv_client_resource(f->client, &what, addr, &res->addr);
	if (err == 0 && mprotect(res->addr, size, res->prot) < 0)
		err = -errno;
	if (err == 0)
		return 0;
	munmap(addr, size);
	errno = -err;
	return -1;
}

static int
hosted_resource_size(struct xenforeignmemory_handle *f, domid_t dom,
    unsigned type, unsigned id, size_t *size)
{
	struct xen_mem_acquire_resource *op =
	    hv_client_alloc(f->client, sizeof(*op));
	uint64_t args[5] = { XENMEM_acquire_resource, 0, 0, 0, 0 };
	int64_t ret;

	if (op == NULL)
		return -1;
	memset(op, 0, sizeof(*op));
	op->domid = dom;
	op->type = (uint16_t)type;
	op->id = id;
	args[1] = hv_client_addr(f->client, op);
	ret = hv_client_call(f->client, __HYPERVISOR_memory_op, args);
	if (ret >= 0)
		*size = (size_t)op->nr_frames * FOREIGN_PAGE;
	hv_client_free(f->client, op);
	if (ret >= 0)
		return 0;
	errno = (int)-ret;
	return -1;
}

const struct foreign_ops *
foreign_hosted_ops(void)
{
	static const struct foreign_ops ops = {
		.open = hosted_open,
		.close = hosted_close,
		.reserve = hosted_reserve,
		.map = hosted_map,
		.restrict_to = hosted_restrict,
		.map_resource = hosted_map_resource,
		.resource_size = hosted_resource_size,
	};

	return &ops;
}
