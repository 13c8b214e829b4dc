/*
 * One ring page, 32 requests of up to 11 segments. Data in the domain's memory
 * are granted where they lie; others go through bounce pages that a request
 * keeps for the next time. Nothing the backend writes is believed: a response
 * that answers no request ends the connection.
 */
#include <errno.h>
#include <string.h>

#include "hv-core/guest/blkfront_int.h"
#include "hv-core/guest/frontend.h"
#include "hv-core/guest/gnttab.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"

#define SEGMENTS BLKIF_MAX_SEGMENTS_PER_REQUEST
#define SECTORS_PER_PAGE (GUEST_PAGE_SIZE / BLKFRONT_SECTOR)
/* A backend that was replaced may have missed a notification. */
#define STALL_NS GUEST_NS_PER_S

/* --- the end of a request ----------------------------------------------- */

/*
 * Takes back what REQ granted. A bounce page that the backend does not let go
 * of is given up with its grant.
 */
static void
ungrant(struct request *req)
{
	unsigned int i;

	for (i = 0; i < req->segments; i++) {
		if (gnttab_end(req->ref[i]) != -EBUSY)
			continue;
		gnttab_end_later(req->ref[i], req->bounce[i]);
		req->bounce[i] = NULL;
	}
	req->segments = 0;
}

static void
finish(struct request *req, int err)
{
	struct batch *batch = req->batch;
	size_t done = 0, n;
	unsigned int i;

	for (i = 0; err == 0 && req->copy_to != NULL && done < req->copy_len;
	     i++, done += n) {
		n = req->copy_len - done;
		if (n > GUEST_PAGE_SIZE)
			n = GUEST_PAGE_SIZE;
		memcpy(req->copy_to + done, req->bounce[i], n);
	}
	ungrant(req);
	req->batch = NULL;
	if (err != 0 && batch->err == 0)
		batch->err = err;
	batch->in_flight--;
}

void
blkfront_ring_abort(struct blkfront *dev)
{
	unsigned int i, k;

	for (i = 0; i < BLKFRONT_REQUESTS; i++) {
		struct request *req = &dev->request[i];

		if (req->batch != NULL)
			finish(req, -EIO);
		for (k = 0; k < SEGMENTS; k++) {
			guest_free_pages(req->bounce[k], 1);
			req->bounce[k] = NULL;
		}
	}
}

/* --- the ring ----------------------------------------------------------- */

/* The backend cannot be believed any more. */
static void
give_up(struct blkfront *dev, const char *why)
{
	struct frontend *fe = dev->fe;

	guest_printf("%s: %s\n", fe->path, why);
	xenbus_report(fe->xb, fe->path, EIO, "%s", why);
	frontend_close(fe);
}

/* What a response means for the one who waits. */
static int
outcome(struct blkfront *dev, const struct blkif_response *rsp)
{
	if (rsp->status == BLKIF_RSP_OKAY)
		return 0;
	if (rsp->operation == BLKIF_OP_FLUSH_DISKCACHE &&
	    rsp->status == BLKIF_RSP_EOPNOTSUPP) {
		dev->info.flushes = 0;
		return 0;
	}
	return -EIO;
}

/* Takes the responses that are there; their number. */
static unsigned int
collect(struct blkfront *dev)
{
	unsigned int count = 0;
	int n = ring_front_pending(&dev->ring);

	for (; n > 0; n--, count++) {
		struct blkif_response rsp;
		struct request *req;

		ring_front_take(&dev->ring, &rsp, sizeof(rsp));
		req = rsp.id < BLKFRONT_REQUESTS ? &dev->request[rsp.id] : NULL;
		if (req == NULL || req->batch == NULL ||
		    req->operation != rsp.operation) {
			give_up(dev, "the backend answered what nobody asked");
			return count;
		}
		finish(req, outcome(dev, &rsp));
	}
	if (n < 0)
		give_up(dev, "the backend broke the ring");
	return count;
}

static struct request *
free_request(struct blkfront *dev)
{
	unsigned int i;

	if (ring_front_room(&dev->ring) == 0)
		return NULL;
	for (i = 0; i < BLKFRONT_REQUESTS; i++)
		if (dev->request[i].batch == NULL)
			return &dev->request[i];
	return NULL;
}

static void
push(struct blkfront *dev)
{
	if (ring_front_push(&dev->ring))
		(void)guest_evtchn_notify(dev->port);
}

/* Waits for the ring, letting the store's watches say that it has gone. */
static void
wait_for_ring(struct blkfront *dev)
{
	uint64_t deadline = guest_now() + STALL_NS;
	struct xenbus *xb = dev->fe->xb;

	if (ring_front_final_check(&dev->ring))
		return;
	if (xenbus_pending(xb))
		(void)guest_wait(0);
	else if (guest_wait(deadline) == 0)
		(void)guest_evtchn_notify(dev->port);
	(void)xenbus_poll(xb);
}

/* --- requests ----------------------------------------------------------- */

/*
 * The next piece of a transfer: as much of BUF as one request can carry from
 * SECTOR on.
 */
struct piece {
	uint64_t sector;
	uint8_t *buf;
	size_t nsectors;
	enum blkfront_dir dir;
	int direct; /* BUF is granted itself */
};

/* The page for segment I: part of the buffer, or a bounce page; or NULL. */
static uint8_t *
segment_page(struct request *req, const struct piece *p, unsigned int i,
    size_t done, size_t sectors)
{
	uint8_t *from = p->buf + done * BLKFRONT_SECTOR;

	if (p->direct)
		return from;
	if (req->bounce[i] == NULL)
		req->bounce[i] = guest_alloc_pages(1);
	if (req->bounce[i] != NULL && p->dir == BLKFRONT_WRITE)
		memcpy(req->bounce[i], from, sectors * BLKFRONT_SECTOR);
	return req->bounce[i];
}

/* Where in its page sector DONE of P lies. */
static unsigned int
offset_of(const struct piece *p, size_t done)
{
	if (!p->direct)
		return 0;
	return (unsigned int)((uintptr_t)p->buf / BLKFRONT_SECTOR + done) %
	       SECTORS_PER_PAGE;
}

/* The sectors of P that one request takes: whole ones of the backend's size. */
static size_t
reach(const struct blkfront *dev, const struct piece *p)
{
	size_t n = SEGMENTS * SECTORS_PER_PAGE - offset_of(p, 0);

	if (n >= p->nsectors)
		return p->nsectors;
	return n - n % (dev->info.sector_size / BLKFRONT_SECTOR);
}

/*
 * Grants the segments of the first WANT sectors of P and describes them in SEG.
 * -EAGAIN, and nothing granted, if there are not enough grants or pages.
 */
static int
fill(struct blkfront *dev, struct request *req, const struct piece *p,
    size_t want, struct blkif_request_segment *seg)
{
	enum gnttab_access access =
	    p->dir == BLKFRONT_WRITE ? GNTTAB_RO : GNTTAB_RW;
	size_t done = 0;

	while (done < want) {
		unsigned int i = req->segments, first = offset_of(p, done);
		size_t n = want - done;
		uint8_t *page;

		if (n > SECTORS_PER_PAGE - first)
			n = SECTORS_PER_PAGE - first;
		page = segment_page(req, p, i, done, n);
		if (page == NULL ||
		    gnttab_grant(dev->fe->backend.domid, guest_gfn(page),
			access, &req->ref[i]) != 0) {
			ungrant(req);
			return -EAGAIN;
		}
		seg[i].gref = req->ref[i];
		seg[i].first_sect = (uint8_t)first;
		seg[i].last_sect = (uint8_t)(first + n - 1);
		req->segments++;
		done += n;
	}
	return 0;
}

/* Puts REQ, filled in by the caller, on the ring. */
static void
put(struct blkfront *dev, struct request *req, struct batch *batch,
    struct blkif_request *msg)
{
	req->batch = batch;
	req->operation = msg->operation;
	batch->in_flight++;
	msg->id = (uint64_t)(req - dev->request);
	msg->handle = (blkif_vdev_t)dev->vdev;
	msg->nr_segments = req->segments;
	ring_copy(ring_front_next(&dev->ring), msg, sizeof(*msg));
}

/* Submits (a part of) P and moves it on. -EAGAIN: nothing is free for it. */
static int
submit(struct blkfront *dev, struct batch *batch, struct piece *p)
{
	struct blkif_request msg = {
		.operation =
		    p->dir == BLKFRONT_WRITE ? BLKIF_OP_WRITE : BLKIF_OP_READ,
		.sector_number = p->sector,
	};
	struct request *req = free_request(dev);
	size_t done;

	if (req == NULL)
		return -EAGAIN;
	done = reach(dev, p);
	if (fill(dev, req, p, done, msg.seg) != 0)
		return -EAGAIN;
	req->copy_to = p->direct || p->dir == BLKFRONT_WRITE ? NULL : p->buf;
	req->copy_len = done * BLKFRONT_SECTOR;
	put(dev, req, batch, &msg);
	p->sector += done;
	p->buf += done * BLKFRONT_SECTOR;
	p->nsectors -= done;
	return 0;
}

/* Waits until BATCH has at most LEFT requests in flight, or the disk is gone.
 */
static void
drain(struct blkfront *dev, struct batch *batch, unsigned int left)
{
	while (batch->in_flight > left) {
		if (collect(dev) == 0 && batch->in_flight > left)
			wait_for_ring(dev);
	}
}

static int
check(const struct blkfront *dev, const struct piece *p)
{
	uint32_t unit = dev->info.sector_size / BLKFRONT_SECTOR;

	if (dev->state != BLKFRONT_CONNECTED)
		return -ENXIO;
	if (p->dir == BLKFRONT_WRITE && dev->info.read_only)
		return -EROFS;
	if (p->nsectors > dev->info.sectors ||
	    p->sector > dev->info.sectors - p->nsectors)
		return -EINVAL;
	if (p->sector % unit != 0 || p->nsectors % unit != 0)
		return -EINVAL;
	return 0;
}

int
blkfront_rw(struct blkfront *dev, uint64_t sector, void *buf, size_t nsectors,
    enum blkfront_dir dir)
{
	struct piece p = {
		.sector = sector,
		.buf = buf,
		.nsectors = nsectors,
		.dir = dir,
	};
	struct batch batch = { 0, 0 };
	int rc = check(dev, &p);

	if (rc != 0)
		return rc;
	p.direct = (uintptr_t)buf % BLKFRONT_SECTOR == 0 &&
		   guest_is_ram(buf, nsectors * BLKFRONT_SECTOR);
	while (p.nsectors > 0 && batch.err == 0) {
		rc = submit(dev, &batch, &p);
		if (rc == 0)
			continue;
		push(dev);
		if (batch.in_flight == 0)
			return -ENOMEM; /* nothing of ours will free anything */
		drain(dev, &batch, batch.in_flight - 1);
	}
	if (dev->state == BLKFRONT_CONNECTED)
		push(dev);
	drain(dev, &batch, 0);
	return batch.err;
}

int
blkfront_flush(struct blkfront *dev)
{
	struct blkif_request msg = { .operation = BLKIF_OP_FLUSH_DISKCACHE };
	struct batch batch = { 0, 0 };
	struct request *req;

	if (dev->state != BLKFRONT_CONNECTED)
		return -ENXIO;
	if (!dev->info.flushes || dev->info.read_only)
		return 0;
	req = free_request(dev);
	if (req == NULL)
		return -EBUSY; /* called from within a transfer's wait */
	req->copy_to = NULL;
	put(dev, req, &batch, &msg);
	push(dev);
	drain(dev, &batch, 0);
	return batch.err;
}
