/*
 * The life of a disk: attach, connect, close; and what is asked about it. The
 * ring is in blkfront_ring.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "hv-core/guest/blkfront_int.h"
#include "hv-core/guest/frontend.h"
#include "hv-core/guest/gnttab.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"

#define DISKS_MAX 32

static struct blkfront *disks[DISKS_MAX];

/* The disk for device VDEV: the one it was before, or a new one. */
static struct blkfront *
disk_for(uint32_t vdev)
{
	unsigned int i;

	for (i = 0; i < DISKS_MAX; i++) {
		if (disks[i] == NULL)
			disks[i] = calloc(1, sizeof(*disks[i]));
		else if (disks[i]->vdev != vdev)
			continue;
		if (disks[i] != NULL)
			disks[i]->vdev = vdev;
		return disks[i];
	}
	return NULL;
}

/* An event only ends a wait; whoever waits looks at the ring. */
static void
woken(void *arg, uint32_t port)
{
	(void)arg;
	(void)port;
}

static int
publish(struct xenbus *xb, uint32_t tx, void *arg)
{
	const struct blkfront *dev = arg;
	const char *dir = dev->fe->path;
	int rc;

	rc = xenbus_printf(xb, tx, dir, "ring-ref", "%u", dev->ring_ref);
	if (rc == 0)
		rc = xenbus_printf(
		    xb, tx, dir, "event-channel", "%u", dev->port);
	if (rc == 0)
		rc = xenbus_printf(xb, tx, dir, "protocol", "x86_64-abi");
	if (rc == 0)
		rc = xenbus_switch_state(xb, tx, dir, XenbusStateInitialised);
	return rc;
}

/* The ring and its channel, shared with the backend's domain. */
static int
set_up(struct blkfront *dev)
{
	uint16_t domid = dev->fe->backend.domid;
	int rc;

	dev->page = guest_alloc_pages(1);
	if (dev->page == NULL)
		return -ENOMEM;
	ring_front_init(
	    &dev->ring, dev->page, GUEST_PAGE_SIZE, sizeof(union blkif_slot));
	rc = gnttab_grant(
	    domid, guest_gfn(dev->page), GNTTAB_RW, &dev->ring_ref);
	if (rc != 0)
		return rc;
	return guest_evtchn_alloc_unbound(domid, woken, NULL, &dev->port);
}

static void
tear_down(struct blkfront *dev)
{
	if (dev->port != 0)
		(void)guest_evtchn_close(dev->port);
	if (dev->ring_ref != GNTTAB_NO_REF)
		gnttab_end_later(dev->ring_ref, dev->page);
	else
		guest_free_pages(dev->page, 1);
	dev->port = 0;
	dev->ring_ref = GNTTAB_NO_REF;
	dev->page = NULL;
}

static void
detach(struct frontend *fe)
{
	struct blkfront *dev = fe->priv;

	if (dev == NULL)
		return;
	dev->state = BLKFRONT_DETACHED;
	dev->fe = NULL;
	fe->priv = NULL;
	blkfront_ring_abort(dev);
	tear_down(dev);
}

static int
attach(struct frontend *fe)
{
	struct blkfront *dev = disk_for(fe->id);
	int rc;

	if (dev == NULL)
		return -ENOSPC;
	dev->fe = fe;
	fe->priv = dev;
	rc = set_up(dev);
	if (rc == 0)
		rc = xenbus_transaction(fe->xb, publish, dev);
	if (rc == 0)
		dev->state = BLKFRONT_CONNECTING;
	else
		detach(fe);
	return rc;
}

/* What the backend says of itself; also after a change of size. */
static int
read_info(struct blkfront *dev, struct blkfront_info *out)
{
	struct xenbus *xb = dev->fe->xb;
	const char *dir = dev->fe->backend.path;
	uint64_t sectors, size, info, flush;
	int rc;

	rc = xenbus_read_num(
	    xb, XENBUS_NO_TX, dir, "sectors", UINT64_MAX / 4096, &sectors);
	if (rc == 0)
		rc = xenbus_read_num(
		    xb, XENBUS_NO_TX, dir, "sector-size", 4096, &size);
	if (rc == 0)
		rc = xenbus_read_num(
		    xb, XENBUS_NO_TX, dir, "info", UINT32_MAX, &info);
	if (rc == 0)
		rc = xenbus_read_num_or(
		    xb, XENBUS_NO_TX, dir, "feature-flush-cache", 1, 0, &flush);
	if (rc != 0)
		return rc;
	if (size < BLKFRONT_SECTOR || (size & (size - 1)) != 0)
		return -EINVAL;
	*out = (struct blkfront_info){
		.vdev = dev->vdev,
		.sectors = sectors,
		.sector_size = (uint32_t)size,
		.read_only = (info & VDISK_READONLY) != 0,
		.cdrom = (info & VDISK_CDROM) != 0,
		.flushes = flush != 0,
	};
	return 0;
}

static void
changed(struct frontend *fe, enum xenbus_state backend)
{
	struct blkfront *dev = fe->priv;
	struct blkfront_info info;
	int rc;

	if (backend != XenbusStateConnected)
		return;
	rc = read_info(dev, &info);
	if (rc == 0) {
		dev->info = info;
		if (dev->state == BLKFRONT_CONNECTED)
			return;
		rc = xenbus_switch_state(
		    fe->xb, XENBUS_NO_TX, fe->path, XenbusStateConnected);
	}
	if (rc == 0) {
		dev->state = BLKFRONT_CONNECTED;
		return;
	}
	xenbus_report(fe->xb, fe->path, -rc, "reading the backend's nodes");
	frontend_close(fe);
}

const struct frontend_driver blkfront_driver = {
	.type = "vbd",
	.attach = attach,
	.changed = changed,
	.detach = detach,
};

/* --- for kernels ------------------------------------------------------- */

struct blkfront *
blkfront_get(unsigned int index)
{
	return index < DISKS_MAX ? disks[index] : NULL;
}

int
blkfront_info(const struct blkfront *dev, struct blkfront_info *out)
{
	if (dev->state != BLKFRONT_CONNECTED)
		return -ENXIO;
	*out = dev->info;
	return 0;
}

int
blkfront_wait(unsigned int index, uint64_t deadline, struct blkfront **out)
{
	for (;;) {
		struct blkfront *dev = blkfront_get(index);

		if (dev != NULL && dev->state == BLKFRONT_CONNECTED) {
			*out = dev;
			return 0;
		}
		if (dev != NULL && dev->state == BLKFRONT_DETACHED)
			return -EIO;
		if (guest_step(deadline) == 0 && guest_now() >= deadline)
			return -ETIMEDOUT;
	}
}
