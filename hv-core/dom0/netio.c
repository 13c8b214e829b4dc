#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hv-core/dom0/netcsum.h"
#include "hv-core/dom0/netio.h"

#define PAGE 4096u
#define RX_ROUND 64

/* One packet: a run of slots of the tx ring. */
struct packet {
	uint32_t first, slots;
	int16_t status; /* NETIF_RSP_*, for all its requests */
	int blank;	/* the checksum is to be filled in */
	/* Its pieces: requests, extra infos left out. */
	uint32_t pieces;
	uint32_t slot[XEN_NETIF_NR_SLOTS_MIN];
	uint32_t map_first; /* of its pieces in the pages mapped */
	uint16_t first_len; /* bytes in the first piece */
	uint16_t len;
};

/* Everything of one tx round. */
struct tx_round {
	struct packet packets[NETIO_SLOTS];
	uint32_t count;
	uint8_t extra[NETIO_SLOTS]; /* the slot is an extra info */
	uint32_t refs[NETIO_SLOTS];
	void *pages[NETIO_SLOTS];
	uint32_t handles[NETIO_SLOTS];
	uint32_t mapped;
};

/*
 * Finds the end of the packet that starts at slot FROM of COUNT and marks its
 * extra infos. 0 if the end is not there. Its pieces are collected as long as
 * there is room; too many make it bad.
 */
static int
packet_delimit(const struct netio *io, struct tx_round *t, struct packet *p,
    uint32_t from, uint32_t count)
{
	uint32_t at = from;
	int more = 1, extra = 0;

	memset(p, 0, sizeof(*p));
	p->first = from;
	while (more || extra) {
		const union netif_tx_slot *slot = &io->held[at];

		if (at == count)
			return 0;
		t->extra[at] = (uint8_t)extra;
		if (extra) {
			extra = slot->extra.flags & XEN_NETIF_EXTRA_FLAG_MORE;
			p->status = NETIF_RSP_ERROR; /* none was offered */
		} else {
			more = (slot->req.flags & NETTXF_more_data) != 0;
			extra = (slot->req.flags & NETTXF_extra_info) != 0;
			if (p->pieces < XEN_NETIF_NR_SLOTS_MIN)
				p->slot[p->pieces++] = at;
			else
				p->status = NETIF_RSP_ERROR;
		}
		at++;
	}
	p->slots = at - from;
	return 1;
}

/* Checks sizes and offsets; sets len, first_len, blank and status. */
static void
packet_check(const struct netio *io, struct packet *p)
{
	const struct netif_tx_request *req = &io->held[p->slot[0]].req;
	uint32_t rest = 0;

	p->blank = (req->flags & NETTXF_csum_blank) != 0;
	p->len = req->size;
	for (uint32_t i = 1; i < p->pieces; i++) {
		const struct netif_tx_request *r = &io->held[p->slot[i]].req;

		rest += r->size;
		if (r->size == 0 || r->offset + (uint32_t)r->size > PAGE)
			p->status = NETIF_RSP_ERROR;
	}
	if (p->len < NETIO_FRAME_MIN || rest >= p->len ||
	    req->offset + (p->len - rest) > PAGE)
		p->status = NETIF_RSP_ERROR;
	else if (p->len > NETIO_FRAME_MAX && p->status == NETIF_RSP_OKAY)
		p->status = NETIF_RSP_DROPPED;
	p->first_len = (uint16_t)(p->len - rest);
}

/* Sorts COUNT held slots into packets; returns how many slots those take. */
static uint32_t
tx_parse(const struct netio *io, struct tx_round *t, uint32_t count)
{
	uint32_t at = 0;

	t->count = 0;
	t->mapped = 0;
	while (at < count) {
		struct packet *p = &t->packets[t->count];

		if (!packet_delimit(io, t, p, at, count))
			break;
		packet_check(io, p);
		p->map_first = t->mapped;
		if (p->status == NETIF_RSP_OKAY)
			for (uint32_t i = 0; i < p->pieces; i++)
				t->refs[t->mapped++] =
				    io->held[p->slot[i]].req.gref;
		at += p->slots;
		t->count++;
	}
	return at;
}

/* Sends IOV as one frame, its checksum filled in first. */
static ssize_t
send_blank(int tap, const struct iovec *iov, uint32_t count)
{
	uint8_t frame[NETIO_FRAME_MAX];
	size_t len = 0;

	for (uint32_t i = 0; i < count; i++) {
		memcpy(frame + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	if (netcsum_fill(frame, len) != 0) {
		errno = EINVAL;
		return -1;
	}
	return write(tap, frame, len);
}

static void
packet_send(struct netio *io, const struct tx_round *t, struct packet *p)
{
	struct iovec iov[XEN_NETIF_NR_SLOTS_MIN];
	ssize_t n;

	for (uint32_t i = 0; i < p->pieces; i++) {
		const struct netif_tx_request *r = &io->held[p->slot[i]].req;
		uint8_t *page = t->pages[p->map_first + i];

		if (page == NULL) {
			p->status = NETIF_RSP_ERROR;
			return;
		}
		iov[i].iov_base = page + r->offset;
		iov[i].iov_len = i == 0 ? p->first_len : r->size;
	}
	n = p->blank ? send_blank(io->tap, iov, p->pieces)
		     : writev(io->tap, iov, (int)p->pieces);
	if (n == (ssize_t)p->len) {
		io->stats.tx_frames++;
		io->stats.tx_bytes += p->len;
	} else {
		p->status = NETIF_RSP_DROPPED;
	}
}

static void
packet_answer(
    struct netio *io, const struct tx_round *t, const struct packet *p)
{
	io->stats.tx_bad += p->status == NETIF_RSP_ERROR;
	io->stats.tx_dropped += p->status == NETIF_RSP_DROPPED;
	for (uint32_t i = 0; i < p->slots; i++) {
		struct netif_tx_response rsp = {
			.id = io->held[p->first + i].req.id,
			.status = p->status,
		};

		if (t->extra[p->first + i]) {
			rsp.id = 0;
			rsp.status = NETIF_RSP_NULL;
		}
		backring_put(&io->tx, &rsp, sizeof(rsp));
	}
}

int
netio_tx(struct netio *io, int *notify_out)
{
	static struct tx_round t;
	int ready = backring_pending(&io->tx);
	uint32_t used;

	if (ready <= 0)
		return ready;
	while (ready-- > 0 && io->held_count < NETIO_SLOTS)
		backring_take(&io->tx, &io->held[io->held_count++],
		    sizeof(union netif_tx_slot));
	used = tx_parse(io, &t, io->held_count);
	if (used == 0 && io->held_count == NETIO_SLOTS)
		return -1; /* a packet larger than the ring */
	if (used == 0)
		return 0;
	if (t.mapped > 0)
		io->pages.map(io->pages.arg, t.mapped, t.refs, PAGES_READ,
		    t.pages, t.handles);
	for (uint32_t i = 0; i < t.count; i++)
		if (t.packets[i].status == NETIF_RSP_OKAY)
			packet_send(io, &t, &t.packets[i]);
	if (t.mapped > 0)
		io->pages.unmap(io->pages.arg, t.mapped, t.handles);
	for (uint32_t i = 0; i < t.count; i++)
		packet_answer(io, &t, &t.packets[i]);
	io->held_count -= used;
	memmove(
	    io->held, io->held + used, io->held_count * sizeof(io->held[0]));
	if (backring_push(&io->tx))
		*notify_out = 1;
	return (int)used;
}

/* The next frame from the tap that may be delivered; 0 if there is none. */
static size_t
rx_read(struct netio *io, uint8_t *frame)
{
	ssize_t n;

	for (;;) {
		n = read(io->tap, frame, NETIO_FRAME_MAX + 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		if (n >= (ssize_t)NETIO_FRAME_MIN &&
		    n <= (ssize_t)NETIO_FRAME_MAX)
			return (size_t)n;
		io->stats.rx_dropped++;
	}
}

int
netio_rx(struct netio *io, int *notify_out)
{
	static uint8_t frame[RX_ROUND][NETIO_FRAME_MAX + 1];
	size_t len[RX_ROUND];
	struct netif_rx_request req[RX_ROUND];
	uint32_t refs[RX_ROUND], handles[RX_ROUND];
	void *pages[RX_ROUND];
	int room = backring_pending(&io->rx);
	uint32_t n = 0;

	if (room <= 0)
		return room;
	for (; n < RX_ROUND && n < (uint32_t)room; n++) {
		len[n] = rx_read(io, frame[n]);
		if (len[n] == 0)
			break;
		backring_take(&io->rx, &req[n], sizeof(req[n]));
		refs[n] = req[n].gref;
	}
	if (n == 0)
		return 0;
	io->pages.map(io->pages.arg, n, refs, PAGES_WRITE, pages, handles);
	for (uint32_t i = 0; i < n; i++)
		if (pages[i] != NULL)
			memcpy(pages[i], frame[i], len[i]);
	io->pages.unmap(io->pages.arg, n, handles);
	for (uint32_t i = 0; i < n; i++) {
		struct netif_rx_response rsp = {
			.id = req[i].id,
			.status = pages[i] != NULL ? (int16_t)len[i]
						   : NETIF_RSP_ERROR,
		};

		io->stats.rx_bad += pages[i] == NULL;
		io->stats.rx_frames += pages[i] != NULL;
		io->stats.rx_bytes += pages[i] != NULL ? len[i] : 0;
		backring_put(&io->rx, &rsp, sizeof(rsp));
	}
	if (backring_push(&io->rx))
		*notify_out = 1;
	return (int)n;
}

void
netio_drain(const struct netio *io)
{
	uint8_t byte;

	/* A read takes a whole frame, however little of it fits. The limit is
	 * for senders faster than us. */
	for (int i = 0; i < 100000; i++)
		if (read(io->tap, &byte, 1) <= 0)
			break;
}
