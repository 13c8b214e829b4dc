/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's /kern/xen/privcmd (kernels since 2020; others answer EINVAL): the
 * caller reserves addresses, an ioctl replaces what is there by the granted
 * pages, munmap() releases them. There is no grant copy. Tried on an
 * imitation (tests/netbsd), not on hardware.
 */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../common/provider.h"

struct netbsd_notify {
	ssize_t offset;
	uint32_t action;
	uint32_t port;
};

struct netbsd_ref {
	uint32_t domid;
	uint32_t ref;
};

struct netbsd_map {
	uint32_t count;
	uint32_t pad;
	void *va;
	struct netbsd_notify notify;
	struct netbsd_ref *refs;
};

struct netbsd_alloc {
	uint16_t domid;
	uint16_t flags;
	uint32_t count;
	void *va;
	struct netbsd_notify notify;
	uint32_t *refs; /* out */
};

#define NETBSD_MAP 0x80285008ul
#define NETBSD_ALLOC 0x80285009ul

_Static_assert(sizeof(void *) != 8 || sizeof(struct netbsd_map) == 0x28, "map");
_Static_assert(
    sizeof(void *) != 8 || sizeof(struct netbsd_alloc) == 0x28, "alloc");

enum { NOTIFY_CLEAR_BYTE = 1, NOTIFY_SEND_EVENT = 2, ALLOC_WRITABLE = 1 };

static int
netbsd_open(struct xengntdev_handle *h)
{
	h->fd = provider_open(h->logger, "xengnttab", PROVIDER_NETBSD,
	    "/kern/xen/privcmd", 0, "mount -t kernfs kernfs /kern");
	return h->fd < 0 ? -1 : 0;
}

static void
netbsd_close(struct xengntdev_handle *h)
{
	close(h->fd);
}

/* COUNT pages of addresses for the kernel to fill. NULL and errno. */
static void *
reserve(uint32_t count, int prot)
{
	void *p = mmap(NULL, (size_t)count * GNTTAB_PAGE, prot,
	    MAP_ANON | MAP_SHARED, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Give the addresses back, keeping errno. Always NULL. */
static void *
unreserve(void *p, uint32_t count)
{
	int saved = errno;

	munmap(p, (size_t)count * GNTTAB_PAGE);
	errno = saved;
	return NULL;
}

static struct netbsd_notify
notify_of(uint32_t offset, uint32_t port)
{
	struct netbsd_notify n = { 0 };

	if (offset != GNTTAB_NO_NOTIFY) {
		n.offset = offset;
		n.action |= NOTIFY_CLEAR_BYTE;
	}
	if (port != GNTTAB_NO_NOTIFY) {
		n.port = port;
		n.action |= NOTIFY_SEND_EVENT;
	}
	return n;
}

static void *
netbsd_map(struct xengntdev_handle *h, const struct gnttab_request *req)
{
	struct netbsd_map arg = { .count = req->count };
	struct netbsd_ref *refs = calloc(req->count, sizeof(*refs));
	uint32_t i;
	int ret;

	if (refs == NULL)
		return NULL;
	for (i = 0; i < req->count; i++) {
		refs[i].domid = req->domids[i * req->domid_step];
		refs[i].ref = req->refs[i];
	}
	arg.va = reserve(req->count, req->prot);
	if (arg.va == NULL) {
		free(refs);
		return NULL;
	}
	arg.notify = notify_of(req->notify_offset, req->notify_port);
	arg.refs = refs;
	ret = ioctl(h->fd, NETBSD_MAP, &arg);
	free(refs);
	return ret < 0 ? unreserve(arg.va, req->count) : arg.va;
}

static int
netbsd_unmap(struct xengntdev_handle *h, void *addr, uint32_t count)
{
	(void)h;
	return munmap(addr, (size_t)count * GNTTAB_PAGE);
}

static void *
netbsd_share(struct xengntdev_handle *h, uint32_t domid, uint32_t count,
    uint32_t *refs, int writable, uint32_t notify_offset, uint32_t notify_port)
{
	struct netbsd_alloc arg = {
		.domid = (uint16_t)domid,
		.flags = writable ? ALLOC_WRITABLE : 0,
		.count = count,
		.notify = notify_of(notify_offset, notify_port),
		.refs = refs,
	};

	arg.va = reserve(count, PROT_READ | PROT_WRITE);
	if (arg.va == NULL)
		return NULL;
	if (ioctl(h->fd, NETBSD_ALLOC, &arg) < 0)
		return unreserve(arg.va, count);
	return arg.va;
}

const struct gnttab_ops *
gnttab_netbsd_ops(void)
{
	static const struct gnttab_ops ops = {
		.open_tab = netbsd_open,
		.open_shr = netbsd_open,
		.close = netbsd_close,
		.map = netbsd_map,
		.unmap = netbsd_unmap,
		.share = netbsd_share,
		.unshare = netbsd_unmap,
	};

	return &ops;
}
