/* SPDX-License-Identifier: BSD-2-Clause */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>

#include "../common/provider.h"

xengntshr_handle *
xengntshr_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	struct xengntdev_handle *h;

	if (open_flags != 0) {
		errno = EINVAL;
		return NULL;
	}
	h = gnttab_handle_new(logger);
	if (h == NULL)
		return NULL;
	if (h->ops->open_shr == NULL) {
		provider_log(logger, "xengntshr", 0,
		    "a process of domain 0 has no memory of its domain here "
		    "that it could grant");
		errno = ENOSYS;
		return gnttab_handle_drop(h);
	}
	if (h->ops->open_shr(h) < 0)
		return gnttab_handle_drop(h);
	return h;
}

int
xengntshr_close(xengntshr_handle *xgs)
{
	if (xgs == NULL)
		return 0;
	xgs->ops->close(xgs);
	free(xgs);
	return 0;
}

int
xengntshr_fd(xengntshr_handle *xgs)
{
	return xgs->fd;
}

static void *
share(xengntshr_handle *xgs, uint32_t domid, int count, uint32_t *refs,
    int writable, uint32_t notify_offset, uint32_t notify_port)
{
	if (count <= 0 || domid > UINT16_MAX ||
	    (notify_offset != GNTTAB_NO_NOTIFY &&
		notify_offset >= GNTTAB_PAGE)) {
		errno = EINVAL;
		return NULL;
	}
	return xgs->ops->share(xgs, domid, (uint32_t)count, refs, writable,
	    notify_offset, notify_port);
}

void *
xengntshr_share_pages(xengntshr_handle *xgs, uint32_t domid, int count,
    uint32_t *refs, int writable)
{
	return share(xgs, domid, count, refs, writable, GNTTAB_NO_NOTIFY,
	    GNTTAB_NO_NOTIFY);
}

void *
xengntshr_share_page_notify(xengntshr_handle *xgs, uint32_t domid,
    uint32_t *ref, int writable, uint32_t notify_offset,
    evtchn_port_t notify_port)
{
	return share(xgs, domid, 1, ref, writable, notify_offset, notify_port);
}

int
xengntshr_unshare(xengntshr_handle *xgs, void *start_address, uint32_t count)
{
	if (start_address == NULL || count == 0) {
		errno = EINVAL;
		return -1;
	}
	return xgs->ops->unshare(xgs, start_address, count);
}
