/* SPDX-License-Identifier: BSD-2-Clause */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../common/provider.h"
#include "abi/grant_table.h"

struct xengntdev_handle *
gnttab_handle_new(struct xentoollog_logger *logger)
{
	struct xengntdev_handle *h;
	enum provider provider;

	if (provider_find(logger, "xengnttab", &provider) < 0)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	h->logger = logger;
	h->fd = -1;
	switch (provider) {
	case PROVIDER_HOSTED:
		h->ops = gnttab_hosted_ops();
		break;
	case PROVIDER_LINUX:
		h->ops = gnttab_linux_ops();
		break;
	case PROVIDER_NETBSD:
		h->ops = gnttab_netbsd_ops();
		break;
	}
	return h;
}

struct xengntdev_handle *
gnttab_handle_drop(struct xengntdev_handle *h)
{
	int saved = errno;

	free(h);
	errno = saved;
	return NULL;
}

static int
no_call(int errnum)
{
	errno = errnum;
	return -1;
}

xengnttab_handle *
xengnttab_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	struct xengntdev_handle *h;

	if (open_flags != 0) {
		errno = EINVAL;
		return NULL;
	}
	h = gnttab_handle_new(logger);
	if (h != NULL && h->ops->open_tab(h) < 0)
		return gnttab_handle_drop(h);
	return h;
}

int
xengnttab_close(xengnttab_handle *xgt)
{
	if (xgt == NULL)
		return 0;
	slots_free(xgt->slots);
	xgt->ops->close(xgt);
	free(xgt);
	return 0;
}

int
xengnttab_fd(xengnttab_handle *xgt)
{
	return xgt->fd;
}

int
xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t nr_grants)
{
	if (nr_grants == 0)
		return no_call(EINVAL);
	if (xgt->ops->set_max_grants == NULL)
		return 0;
	return xgt->ops->set_max_grants(xgt, nr_grants);
}

/* True if PROT asks for reading, writing or both and nothing else. */
static bool
prot_valid(int prot)
{
	return prot != 0 && (prot & ~(PROT_READ | PROT_WRITE)) == 0;
}

static void *
map(struct xengntdev_handle *h, const struct gnttab_request *req)
{
	bool clears = req->notify_offset != GNTTAB_NO_NOTIFY;

	errno = 0;
	if (req->count == 0 || !prot_valid(req->prot) ||
	    (clears && req->notify_offset >= GNTTAB_PAGE))
		errno = EINVAL;
	else if (clears && (req->prot & PROT_WRITE) == 0)
		errno = EPERM;
	if (errno != 0)
		return NULL;
	return h->ops->map(h, req);
}

void *
xengnttab_map_grant_ref(
    xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	return xengnttab_map_grant_ref_notify(
	    xgt, domid, ref, prot, GNTTAB_NO_NOTIFY, GNTTAB_NO_NOTIFY);
}

void *
xengnttab_map_grant_refs(xengnttab_handle *xgt, uint32_t count,
    uint32_t *domids, uint32_t *refs, int prot)
{
	struct gnttab_request req = {
		.count = count,
		.domids = domids,
		.domid_step = 1,
		.refs = refs,
		.prot = prot,
		.notify_offset = GNTTAB_NO_NOTIFY,
		.notify_port = GNTTAB_NO_NOTIFY,
	};

	return map(xgt, &req);
}

void *
xengnttab_map_domain_grant_refs(xengnttab_handle *xgt, uint32_t count,
    uint32_t domid, uint32_t *refs, int prot)
{
	struct gnttab_request req = {
		.count = count,
		.domids = &domid,
		.refs = refs,
		.prot = prot,
		.notify_offset = GNTTAB_NO_NOTIFY,
		.notify_port = GNTTAB_NO_NOTIFY,
	};

	return map(xgt, &req);
}

void *
xengnttab_map_grant_ref_notify(xengnttab_handle *xgt, uint32_t domid,
    uint32_t ref, int prot, uint32_t notify_offset, evtchn_port_t notify_port)
{
	struct gnttab_request req = {
		.count = 1,
		.domids = &domid,
		.refs = &ref,
		.prot = prot,
		.notify_offset = notify_offset,
		.notify_port = notify_port,
	};

	return map(xgt, &req);
}

int
xengnttab_unmap(xengnttab_handle *xgt, void *start_address, uint32_t count)
{
	if (start_address == NULL || count == 0)
		return no_call(EINVAL);
	return xgt->ops->unmap(xgt, start_address, count);
}

int
xengnttab_grant_copy(
    xengnttab_handle *xgt, uint32_t count, xengnttab_grant_copy_segment_t *segs)
{
	const unsigned known = GNTCOPY_source_gref | GNTCOPY_dest_gref;
	uint32_t i;

	for (i = 0; i < count; i++)
		if ((segs[i].flags & known) == 0 ||
		    (segs[i].flags & ~known) != 0)
			return no_call(EINVAL);
	if (xgt->ops->copy == NULL)
		return no_call(ENOSYS);
	return count == 0 ? 0 : xgt->ops->copy(xgt, count, segs);
}

int
kbgnttab_map_pages(xengnttab_handle *xgt, uint32_t domid, uint32_t count,
    const uint32_t *refs, int prot, void **pages_out, uint32_t *handles_out)
{
	if (count == 0 || count > INT32_MAX || !prot_valid(prot))
		return no_call(EINVAL);
	if (xgt->ops->map_pages == NULL)
		return slots_map_pages(
		    xgt, domid, count, refs, prot, pages_out, handles_out);
	return xgt->ops->map_pages(
	    xgt, domid, count, refs, prot, pages_out, handles_out);
}

int
kbgnttab_unmap_pages(
    xengnttab_handle *xgt, uint32_t count, const uint32_t *handles)
{
	if (xgt->ops->unmap_pages == NULL)
		return slots_unmap_pages(xgt, count, handles);
	return xgt->ops->unmap_pages(xgt, count, handles);
}

int
xengnttab_dmabuf_exp_from_refs(xengnttab_handle *xgt, uint32_t domid,
    uint32_t flags, uint32_t count, const uint32_t *refs, uint32_t *fd)
{
	(void)xgt;
	(void)domid;
	(void)flags;
	(void)count;
	(void)refs;
	(void)fd;
	return no_call(ENOSYS);
}

int
xengnttab_dmabuf_exp_wait_released(
    xengnttab_handle *xgt, uint32_t fd, uint32_t wait_to_ms)
{
	(void)xgt;
	(void)fd;
	(void)wait_to_ms;
	return no_call(ENOSYS);
}

int
xengnttab_dmabuf_imp_to_refs(xengnttab_handle *xgt, uint32_t domid, uint32_t fd,
    uint32_t count, uint32_t *refs)
{
	(void)xgt;
	(void)domid;
	(void)fd;
	(void)count;
	(void)refs;
	return no_call(ENOSYS);
}

int
xengnttab_dmabuf_imp_release(xengnttab_handle *xgt, uint32_t fd)
{
	(void)xgt;
	(void)fd;
	return no_call(ENOSYS);
}
