/* SPDX-License-Identifier: BSD-2-Clause */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../common/provider.h"

enum { DOMIDS = 0x8000 };

static const struct foreign_ops *
find_ops(enum provider provider)
{
	switch (provider) {
	case PROVIDER_LINUX:
		return foreign_linux_ops();
	case PROVIDER_NETBSD:
		return foreign_netbsd_ops();
	case PROVIDER_HOSTED:
		break;
	}
	return foreign_hosted_ops();
}

xenforeignmemory_handle *
xenforeignmemory_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	struct xenforeignmemory_handle *f;
	enum provider provider;

	if (open_flags != 0) {
		errno = EINVAL;
		return NULL;
	}
	if (provider_find(logger, "xenforeignmemory", &provider) < 0)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->ops = find_ops(provider);
	f->logger = logger;
	f->fd = -1;
	if (f->ops->open(f) < 0) {
		int saved = errno;

		free(f);
		errno = saved;
		return NULL;
	}
	return f;
}

int
xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
	if (fmem == NULL)
		return 0;
	fmem->ops->close(fmem);
	free(fmem);
	return 0;
}

void *
xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t dom, int prot,
    size_t pages, const xen_pfn_t arr[], int err[])
{
	return xenforeignmemory_map2(fmem, dom, NULL, prot, 0, pages, arr, err);
}

/* The first error among ERR, or 0. */
static int
first_error(const int err[], size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		if (err[i] != 0)
			return err[i];
	return 0;
}

/* Unmap, keeping errno. Always NULL. */
static void *
undo(void *addr, size_t size)
{
	int saved = errno;

	munmap(addr, size);
	errno = saved;
	return NULL;
}

/* As map2, ERR being there and the arguments valid. */
static void *
map_each(xenforeignmemory_handle *fmem, domid_t dom, void *hint, int prot,
    int flags, size_t pages, const xen_pfn_t arr[], int err[])
{
	size_t size = pages * FOREIGN_PAGE;
	void *addr = fmem->ops->reserve(fmem, hint, size, prot, flags);

	if (addr == NULL)
		return NULL;
	if (fmem->ops->map(fmem, dom, addr, prot, pages, arr, err) < 0)
		return undo(addr, size);
	return addr;
}

void *
xenforeignmemory_map2(xenforeignmemory_handle *fmem, uint32_t dom, void *addr,
    int prot, int flags, size_t pages, const xen_pfn_t arr[], int err[])
{
	int *errs;
	void *p;

	if (pages == 0 || pages > SIZE_MAX / FOREIGN_PAGE || dom >= DOMIDS) {
		errno = dom >= DOMIDS ? ESRCH : EINVAL;
		return NULL;
	}
	if (err != NULL)
		return map_each(
		    fmem, (domid_t)dom, addr, prot, flags, pages, arr, err);
	errs = calloc(pages, sizeof(*errs));
	if (errs == NULL)
		return NULL;
	p = map_each(fmem, (domid_t)dom, addr, prot, flags, pages, arr, errs);
	if (p != NULL && first_error(errs, pages) != 0) {
		errno = first_error(errs, pages);
		p = undo(p, pages * FOREIGN_PAGE);
	}
	free(errs);
	return p;
}

int
xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *addr, size_t pages)
{
	(void)fmem;
	if (pages == 0 || pages > SIZE_MAX / FOREIGN_PAGE) {
		errno = EINVAL;
		return -1;
	}
	return munmap(addr, pages * FOREIGN_PAGE);
}

int
xenforeignmemory_restrict(xenforeignmemory_handle *fmem, domid_t domid)
{
	return fmem->ops->restrict_to(fmem, domid);
}

xenforeignmemory_resource_handle *
xenforeignmemory_map_resource(xenforeignmemory_handle *fmem, domid_t domid,
    unsigned int type, unsigned int id, unsigned long frame,
    unsigned long nr_frames, void **paddr, int prot, int flags)
{
	struct xenforeignmemory_resource_handle *res;

	if (nr_frames == 0 || nr_frames > UINT32_MAX || frame > UINT32_MAX) {
		errno = EINVAL;
		return NULL;
	}
	res = calloc(1, sizeof(*res));
	if (res == NULL)
		return NULL;
	*res = (struct xenforeignmemory_resource_handle){
		.domid = domid,
		.type = type,
		.id = id,
		.frame = frame,
		.nr_frames = nr_frames,
		.addr = *paddr,
		.prot = prot,
		.flags = flags,
	};
	if (fmem->ops->map_resource(fmem, res) < 0) {
		int saved = errno;

		free(res);
		errno = saved;
		return NULL;
	}
	*paddr = res->addr;
	return res;
}

int
xenforeignmemory_unmap_resource(
    xenforeignmemory_handle *fmem, xenforeignmemory_resource_handle *fres)
{
	int ret;

	(void)fmem;
	if (fres == NULL)
		return 0;
	ret = munmap(fres->addr, fres->nr_frames * FOREIGN_PAGE);
	free(fres);
	return ret;
}

int
xenforeignmemory_resource_size(xenforeignmemory_handle *fmem, domid_t domid,
    unsigned int type, unsigned int id, size_t *size)
{
	return fmem->ops->resource_size(fmem, domid, type, id, size);
}
