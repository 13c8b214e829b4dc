/*
 * The two rings. Buffers stay granted and are used again and again: a packet is
 * copied once on either side, and the kernel never looks at memory that the
 * backend can still change.
 */
#include <errno.h>
#include <string.h>

#include "hv-core/guest/frontend.h"
#include "hv-core/guest/gnttab.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"
#include "hv-core/guest/netfront_int.h"

#include "abi/io/netif.h"

#define ETHER_HEADER 14u
#define TX_PAGES (NETFRONT_SLOTS / 2)

/* --- setting up --------------------------------------------------------- */

static int
share(uint16_t domid, enum gnttab_access access, void **page, uint32_t *ref)
{
	*page = guest_alloc_pages(1);
	if (*page == NULL)
		return -ENOMEM;
	return gnttab_grant(domid, guest_gfn(*page), access, ref);
}

static int
direction_up(struct netfront_ring *r, uint16_t domid, size_t slot_size,
    unsigned int pages, enum gnttab_access access)
{
	unsigned int i;
	int rc = share(domid, GNTTAB_RW, &r->page, &r->ring_ref);

	if (rc != 0)
		return rc;
	ring_front_init(&r->ring, r->page, GUEST_PAGE_SIZE, slot_size);
	for (i = 0; i < pages && rc == 0; i++) {
		void *page;

		rc = share(domid, access, &page, &r->ref[i]);
		r->buf[i] = page;
	}
	return rc;
}

int
netfront_ring_up(struct netfront *nf, uint16_t domid)
{
	int rc;

	rc = direction_up(
	    &nf->tx, domid, sizeof(union netif_tx_slot), TX_PAGES, GNTTAB_RO);
	if (rc == 0)
		rc = direction_up(&nf->rx, domid, sizeof(union netif_rx_slot),
		    NETFRONT_SLOTS, GNTTAB_RW);
	return rc;
}

static void
unshare(void *page, uint32_t ref)
{
	if (ref != GNTTAB_NO_REF)
		gnttab_end_later(ref, page);
	else
		guest_free_pages(page, 1);
}

static void
direction_down(struct netfront_ring *r)
{
	unsigned int i;

	unshare(r->page, r->ring_ref);
	for (i = 0; i < NETFRONT_SLOTS; i++)
		unshare(r->buf[i], r->ref[i]);
	memset(r, 0, sizeof(*r));
}

void
netfront_ring_down(struct netfront *nf)
{
	direction_down(&nf->tx);
	direction_down(&nf->rx);
	nf->packet_len = 0;
	nf->packet_bad = 0;
	nf->tx_hint = 0;
}

/* --- both --------------------------------------------------------------- */

static void
kick(const struct netfront *nf, struct netfront_ring *r)
{
	if (ring_front_push(&r->ring))
		(void)guest_evtchn_notify(nf->port);
}

/* The backend cannot be believed any more. */
static void
give_up(struct netfront *nf, const char *why)
{
	struct frontend *fe = nf->fe;

	nf->stats.nonsense++;
	guest_printf("%s: %s\n", fe->path, why);
	xenbus_report(fe->xb, fe->path, EIO, "%s", why);
	frontend_close(fe);
}

/* The number of a response's request, if it is with the backend; it comes
 * back. */
static int
take_back(struct netfront_ring *r, uint16_t id)
{
	if (id >= NETFRONT_SLOTS || !r->busy[id])
		return -EINVAL;
	r->busy[id] = 0;
	return 0;
}

/* --- sending ------------------------------------------------------------ */

/* Collects finished transmissions; -EIO if the interface had to be closed. */
static int
collect_tx(struct netfront *nf)
{
	int n = ring_front_pending(&nf->tx.ring);

	for (; n > 0; n--) {
		struct netif_tx_response rsp;

		ring_front_take(&nf->tx.ring, &rsp, sizeof(rsp));
		if (take_back(&nf->tx, rsp.id) != 0) {
			give_up(nf, "the backend sent a packet nobody had");
			return -EIO;
		}
		if (rsp.status != NETIF_RSP_OKAY)
			nf->stats.tx_errors++;
	}
	if (n == 0)
		return 0;
	give_up(nf, "the backend broke the transmit ring");
	return -EIO;
}

/* -ENOBUFS: the ring is full, and an event will say when it is not. */
static int
make_tx_room(struct netfront *nf)
{
	while (ring_front_room(&nf->tx.ring) == 0) {
		if (collect_tx(nf) != 0)
			return -ENETDOWN;
		if (ring_front_room(&nf->tx.ring) == 0 &&
		    !ring_front_final_check(&nf->tx.ring))
			return -ENOBUFS;
	}
	return 0;
}

static int
free_tx_id(struct netfront *nf)
{
	unsigned int i;

	for (i = 0; i < NETFRONT_SLOTS; i++) {
		unsigned int id = (nf->tx_hint + i) % NETFRONT_SLOTS;

		if (nf->tx.busy[id])
			continue;
		nf->tx_hint = id + 1;
		return (int)id;
	}
	return -ENOBUFS;
}

unsigned int
netfront_tx_room(const struct netfront *nf)
{
	if (nf->state != NETFRONT_CONNECTED)
		return 0;
	return ring_front_room(&nf->tx.ring);
}

static size_t
total(const struct iovec *iov, int count)
{
	size_t len = 0;
	int i;

	for (i = 0; i < count && len <= NETFRONT_FRAME_MAX; i++)
		len += iov[i].iov_len < NETFRONT_FRAME_MAX + 1
			   ? iov[i].iov_len
			   : NETFRONT_FRAME_MAX + 1;
	return len;
}

int
netfront_send(struct netfront *nf, const struct iovec *iov, int count)
{
	struct netif_tx_request req = { .flags = 0 };
	size_t len = total(iov, count);
	uint8_t *to;
	int i, id, rc;

	if (nf->state != NETFRONT_CONNECTED)
		return -ENETDOWN;
	if (len > NETFRONT_FRAME_MAX || len < ETHER_HEADER)
		return -EMSGSIZE;
	rc = make_tx_room(nf);
	if (rc != 0)
		return rc;
	id = free_tx_id(nf);
	if (id < 0)
		return id;
	req.id = (uint16_t)id;
	req.gref = nf->tx.ref[id / 2];
	req.offset = (uint16_t)((unsigned int)id % 2 * NETFRONT_TX_SIZE);
	req.size = (uint16_t)len;
	to = nf->tx.buf[id / 2] + req.offset;
	for (i = 0; i < count; to += iov[i].iov_len, i++)
		if (iov[i].iov_len > 0)
			memcpy(to, iov[i].iov_base, iov[i].iov_len);
	nf->tx.busy[id] = 1;
	ring_copy(ring_front_next(&nf->tx.ring), &req, sizeof(req));
	kick(nf, &nf->tx);
	nf->stats.tx_packets++;
	nf->stats.tx_bytes += len;
	return 0;
}

/* --- receiving ---------------------------------------------------------- */

static void
offer(struct netfront *nf, uint16_t id)
{
	struct netif_rx_request req = { .id = id, .gref = nf->rx.ref[id] };

	nf->rx.busy[id] = 1;
	ring_copy(ring_front_next(&nf->rx.ring), &req, sizeof(req));
}

void
netfront_ring_start(struct netfront *nf)
{
	uint16_t id;

	for (id = 0; id < NETFRONT_SLOTS; id++)
		offer(nf, id);
	kick(nf, &nf->rx);
}

/* Adds what response RSP brings to the packet in the making. */
static void
gather(struct netfront *nf, const struct netif_rx_response *rsp)
{
	size_t len = rsp->status > 0 ? (size_t)rsp->status : 0;

	if (rsp->status < 0)
		nf->stats.rx_errors++;
	if (len == 0 || rsp->offset > GUEST_PAGE_SIZE ||
	    len > GUEST_PAGE_SIZE - rsp->offset ||
	    len > sizeof(nf->packet) - nf->packet_len) {
		if (rsp->status >= 0)
			nf->stats.nonsense++;
		nf->packet_bad = 1;
		return;
	}
	memcpy(nf->packet + nf->packet_len, nf->rx.buf[rsp->id] + rsp->offset,
	    len);
	nf->packet_len += len;
}

/* Hands over the packet, if it is a good one; 1 if there was somebody. */
static unsigned int
hand_over(struct netfront *nf, uint16_t flags)
{
	size_t len = nf->packet_len;
	int bad = nf->packet_bad;

	nf->packet_len = 0;
	nf->packet_bad = 0;
	if (bad)
		return 0;
	if (len < ETHER_HEADER) {
		nf->stats.nonsense++;
		return 0;
	}
	nf->stats.rx_packets++;
	nf->stats.rx_bytes += len;
	if (nf->receive != NULL)
		nf->receive(nf->receive_arg, nf->packet, len,
		    (flags & (NETRXF_data_validated | NETRXF_csum_blank)) != 0);
	return 1;
}

/* Takes the responses that are there until MAX packets are complete. */
static unsigned int
collect_rx(struct netfront *nf, unsigned int max)
{
	unsigned int count = 0;
	int n = ring_front_pending(&nf->rx.ring);

	while (n > 0 && count < max) {
		struct netif_rx_response rsp;

		ring_front_take(&nf->rx.ring, &rsp, sizeof(rsp));
		n--;
		/* Extras belong to features that we did not ask for. */
		if (take_back(&nf->rx, rsp.id) != 0 ||
		    (rsp.flags & NETRXF_extra_info) != 0) {
			give_up(nf, "the backend filled no buffer of ours");
			return count;
		}
		gather(nf, &rsp);
		offer(nf, rsp.id);
		if ((rsp.flags & NETRXF_more_data) == 0)
			count += hand_over(nf, rsp.flags);
		/* The receiver may have had the interface closed. */
		if (nf->state != NETFRONT_CONNECTED)
			return count;
	}
	if (n < 0)
		give_up(nf, "the backend broke the receive ring");
	else
		kick(nf, &nf->rx);
	return count;
}

unsigned int
netfront_poll(struct netfront *nf, unsigned int max)
{
	unsigned int count = 0;

	while (nf->state == NETFRONT_CONNECTED && count < max) {
		if (collect_tx(nf) != 0)
			break;
		count += collect_rx(nf, max - count);
		if (nf->state != NETFRONT_CONNECTED || count >= max)
			break;
		if (!ring_front_final_check(&nf->rx.ring) &&
		    !ring_front_final_check(&nf->tx.ring))
			break;
	}
	return count;
}
