/*
 * Event endpoints: who hears which port, and the doorbells between them.
 *
 * A pair joins two endpoints that have a channel (in Xen's sense) in common. It
 * is made when first needed and lives as long as both do. hvd looks into its
 * pages only when one end has gone, so that what that end sent last is not
 * lost, and keeps its descriptors only if an end is a control client, which may
 * be succeeded by another one. Whatever fails here only means that sends go by
 * the hypercall.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/event_channel.h"
#include "hv-core/hosted/hvd.h"

struct pair_fds {
	int pages;
	int bell[2]; /* [i] is heard by end i */
};

struct pair {
	struct endpoint *end[2]; /* the same twice for a loop */
	uint32_t slot[2];	 /* what each end calls it */
	uint32_t gen[2];	 /* tells this use of the slot from others */
	bool ready[2];		 /* that end hears it */
	struct pair_page *page;	 /* two; [i] is heard by end i */
	struct pair_fds fds;	 /* kept for successors, or -1 */
};

struct endpoint {
	struct channel *channel;
	struct port_table_entry *table;
	struct pair_page *page; /* ours to the client */
	struct endpoint_fds fds;
	bool up;
	struct pair **slots; /* [0] is hvd, always NULL */
	uint32_t next_gen;
	uint32_t nr_slots;
	uint32_t announce; /* slots from here on, to a successor; 0: done */
};

/*
 * So many PAIRs are on the way to a successor at a time: they fit into the
 * socket, and its hypercalls do not wait long behind them.
 */
#define ANNOUNCE_AHEAD 64

static domid_t
endpoint_domid(const struct endpoint *e)
{
	return e->channel->domain != NULL ? e->channel->domain->domid : 0;
}

/* ----------------------------------------------------------------- table -- */

static void
entry_set_rx(struct endpoint *e, uint32_t port, uint32_t slot)
{
	__atomic_store_n(&e->table[port].rx, (uint16_t)slot, __ATOMIC_RELEASE);
}

static void
entry_set_tx(struct endpoint *e, uint32_t port, uint64_t tx)
{
	__atomic_store_n(&e->table[port].tx, tx, __ATOMIC_RELEASE);
}

static void
entry_set_state(struct endpoint *e, uint32_t port, uint8_t state, domid_t peer)
{
	__atomic_store_n(&e->table[port].peer_domid, peer, __ATOMIC_RELAXED);
	__atomic_store_n(&e->table[port].state, state, __ATOMIC_RELAXED);
}

static void
entry_clear(struct endpoint *e, uint32_t port)
{
	entry_set_tx(e, port, 0);
	entry_set_rx(e, port, 0);
	entry_set_state(e, port, HV_PORT_CLOSED, 0);
	pair_drop(e->page, port);
}

static uint8_t
port_state(uint32_t status)
{
	switch (status) {
	case EVTCHNSTAT_closed:
		return HV_PORT_CLOSED;
	case EVTCHNSTAT_unbound:
		return HV_PORT_UNBOUND;
	case EVTCHNSTAT_interdomain:
		return HV_PORT_INTERDOMAIN;
	default:
		return HV_PORT_OTHER;
	}
}

/* ----------------------------------------------------------------- pairs -- */

/* Which end of P is E (0 for a loop). */
static int
pair_side(const struct pair *p, const struct endpoint *e)
{
	return p->end[0] == e ? 0 : 1;
}

static struct pair *
pair_find(const struct endpoint *a, const struct endpoint *b)
{
	for (uint32_t i = 1; i < a->nr_slots; i++) {
		struct pair *p = a->slots[i];

		if (p != NULL && p->end[!pair_side(p, a)] == b)
			return p;
	}
	return NULL;
}

/* A free slot of E, or 0. */
static uint32_t
slot_reserve(struct endpoint *e)
{
	uint32_t i, nr = e->nr_slots == 0 ? 8 : e->nr_slots * 2;
	struct pair **slots;

	for (i = 1; i < e->nr_slots; i++)
		if (e->slots[i] == NULL)
			return i;
	if (nr > HV_SLOTS)
		return 0;
	slots = realloc(e->slots, nr * sizeof(*slots));
	if (slots == NULL)
		return 0;
	i = e->nr_slots;
	memset(slots + i, 0, (nr - i) * sizeof(*slots));
	e->slots = slots;
	e->nr_slots = nr;
	return i == 0 ? 1 : i;
}

static void
pair_announce(const struct pair *p, int side, const struct pair_fds *fds)
{
	bool loop = p->end[0] == p->end[1];
	struct endpoint *peer = p->end[!side];
	struct hv_msg m = { .type = HV_MSG_PAIR };
	int fd[3] = { fds->pages, fds->bell[side],
		fds->bell[loop ? side : !side] };

	m.u.pair.slot = p->slot[side];
	m.u.pair.peer_domid = endpoint_domid(peer);
	m.u.pair.rx_page = (uint32_t)side;
	m.u.pair.tx_page = loop ? (uint32_t)side : (uint32_t)!side;
	m.u.pair.gen = p->gen[side];
	channel_send(p->end[side]->channel, &m, fd, 3);
}

static void
pair_fds_close(struct pair_fds *fds)
{
	if (fds->pages >= 0)
		close(fds->pages);
	for (int i = 0; i < 2; i++)
		if (fds->bell[i] >= 0)
			close(fds->bell[i]);
	*fds = (struct pair_fds){ -1, { -1, -1 } };
}

/* Make the pages and doorbells of P and hand them to its ends. */
static int
pair_supply(struct pair *p)
{
	struct pair_fds *fds = &p->fds;
	void *map;

	fds->pages = ram_memfd("pair", 2 * HV_PAGE_SIZE,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, &map);
	if (fds->pages < 0)
		return -ENOMEM;
	fds->bell[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fds->bell[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fds->bell[0] < 0 || fds->bell[1] < 0) {
		munmap(map, 2 * HV_PAGE_SIZE);
		pair_fds_close(fds);
		return -ENOMEM;
	}
	pair_announce(p, 0, fds);
	if (p->end[0] != p->end[1])
		pair_announce(p, 1, fds);
	p->page = map;
	if (endpoint_domid(p->end[0]) != 0 && endpoint_domid(p->end[1]) != 0)
		pair_fds_close(fds);
	return 0;
}

/* The pair of A and B, made if need be; NULL: there is none. */
static struct pair *
pair_get(struct endpoint *a, struct endpoint *b)
{
	struct pair *p = pair_find(a, b);

	if (p != NULL)
		return p;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->fds = (struct pair_fds){ -1, { -1, -1 } };
	p->end[0] = a;
	p->end[1] = b;
	p->slot[0] = slot_reserve(a);
	p->slot[1] = a == b ? p->slot[0] : slot_reserve(b);
	p->gen[0] = a->next_gen++ % HV_GENS;
	p->gen[1] = a == b ? p->gen[0] : b->next_gen++ % HV_GENS;
	if (p->slot[0] == 0 || p->slot[1] == 0 || pair_supply(p) != 0) {
		free(p);
		return NULL;
	}
	a->slots[p->slot[0]] = p;
	b->slots[p->slot[1]] = p;
	return p;
}

/* What was sent to E by SLOT and not taken yet comes from us instead. */
struct rescue {
	struct endpoint *to;
	uint32_t slot;
};

static void
rescue_word(void *arg, uint32_t word, uint64_t bits)
{
	const struct rescue *r = arg;

	for (; bits != 0; bits &= bits - 1) {
		uint32_t port = word * 64 + (uint32_t)__builtin_ctzll(bits);

		if (r->to->table[port].rx == r->slot)
			endpoint_post(r->to->channel, port);
	}
}

/* E does not use SLOT any more: neither for sending nor for receiving. */
static void
slot_disconnect(struct endpoint *e, uint32_t slot)
{
	for (uint32_t port = 0; port < HV_PORTS; port++) {
		if (e->table[port].rx != slot)
			continue;
		entry_set_tx(e, port, 0);
		entry_set_rx(e, port, 0);
	}
	e->slots[slot] = NULL;
}

/* DYING, one of the ends, goes away. */
static void
pair_destroy(struct pair *p, const struct endpoint *dying)
{
	int side = pair_side(p, dying);
	struct endpoint *peer = p->end[!side];
	struct hv_msg m = { .type = HV_MSG_PAIR_GONE,
		.u.slot = { .slot = p->slot[!side] } };

	if (peer != dying) {
		struct rescue r = { peer, p->slot[!side] };

		pair_take(&p->page[!side], rescue_word, &r);
		slot_disconnect(peer, p->slot[!side]);
		channel_send(peer->channel, &m, NULL, 0);
	}
	munmap(p->page, 2 * HV_PAGE_SIZE);
	pair_fds_close(&p->fds);
	free(p);
}

/* ------------------------------------------------------------- endpoints -- */

/* The endpoint that hears a port of DOMID that belongs to CHANNEL, or NULL. */
static struct endpoint *
endpoint_of(struct hvd *h, domid_t domid, void *channel)
{
	struct channel *c = channel;
	struct hvd_domain *d;

	if (domid != 0) {
		d = guest_find(h, domid);
		c = d != NULL ? d->channel : NULL;
	}
	return c != NULL ? c->endpoint : NULL;
}

int
endpoint_create(struct channel *c, struct endpoint_fds *fds_out)
{
	struct endpoint *e = calloc(1, sizeof(*e));
	void *table, *page;

	if (e == NULL)
		return -ENOMEM;
	e->fds.table = ram_memfd("ports", HV_PORT_TABLE_SIZE,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE, &table);
	if (e->fds.table < 0)
		goto no_table;
	e->fds.pair = ram_memfd("hv-pair", HV_PAGE_SIZE,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, &page);
	if (e->fds.pair < 0)
		goto no_pair;
	e->fds.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->fds.bell < 0)
		goto no_bell;
	e->table = table;
	e->page = page;
	e->channel = c;
	c->endpoint = e;
	*fds_out = e->fds;
	return 0;
no_bell:
	munmap(page, HV_PAGE_SIZE);
	close(e->fds.pair);
no_pair:
	munmap(table, HV_PORT_TABLE_SIZE);
	close(e->fds.table);
no_table:
	free(e);
	return -ENOMEM;
}

/* A guest has no successor: what it has been told is mapped by us. */
static void
endpoint_close_fds(struct endpoint *e)
{
	if (e->fds.table >= 0)
		close(e->fds.table);
	if (e->fds.pair >= 0)
		close(e->fds.pair);
	e->fds.table = e->fds.pair = -1;
}

void
endpoint_destroy(struct channel *c)
{
	struct endpoint *e = c->endpoint;

	if (e == NULL)
		return;
	c->endpoint = NULL;
	for (uint32_t i = 1; i < e->nr_slots; i++)
		if (e->slots[i] != NULL)
			pair_destroy(e->slots[i], e);
	for (uint32_t port = 0; c->domain == NULL && port < HV_PORTS; port++)
		if (c->hvd->owner0[port] == e)
			c->hvd->owner0[port] = NULL;
	munmap(e->table, HV_PORT_TABLE_SIZE);
	munmap(e->page, HV_PAGE_SIZE);
	endpoint_close_fds(e);
	close(e->fds.bell);
	free(e->slots);
	free(e);
}

/*
 * Let PORT of E, bound as INFO says, use the pair with its peer if there can be
 * one. The receiving side of both ends is set before the sending side of ours.
 */
static void
port_connect(struct endpoint *e, uint32_t port, const struct hv_port_info *info)
{
	struct hvd *h = e->channel->hvd;
	struct endpoint *peer = NULL;
	struct pair *p = NULL;
	int side;

	if (info->status == EVTCHNSTAT_interdomain && !h->config->strict &&
	    e->up)
		peer = endpoint_of(h, info->remote_domid, info->remote_channel);
	if (peer != NULL && peer->up && info->remote_port < HV_PORTS)
		p = pair_get(e, peer);
	entry_set_state(e, port, port_state(info->status), info->remote_domid);
	if (p == NULL) {
		entry_set_tx(e, port, 0);
		entry_set_rx(e, port, 0);
		return;
	}
	side = pair_side(p, e);
	entry_set_rx(e, port, p->slot[side]);
	entry_set_rx(peer, info->remote_port, p->slot[!side]);
	entry_set_tx(e, port,
	    p->ready[!side]
		? HV_TX(p->slot[side], p->gen[side], info->remote_port)
		: 0);
}

void
endpoint_port_changed(struct hvd *h, domid_t domid, uint32_t port)
{
	struct endpoint *e, *old;
	struct hv_port_info info;

	if (port >= HV_PORTS || hv_port_info(h->hv, domid, port, &info) != 0)
		return;
	e = info.status != EVTCHNSTAT_closed || domid != 0
		? endpoint_of(h, domid, info.channel)
		: NULL;
	if (domid == 0) {
		old = h->owner0[port];
		h->owner0[port] = e;
		if (old != NULL && old != e)
			entry_clear(old, port);
	}
	if (e == NULL)
		return;
	if (info.status == EVTCHNSTAT_closed)
		entry_clear(e, port);
	else
		port_connect(e, port, &info);
}

void
endpoint_up(struct channel *c)
{
	struct endpoint *e = c->endpoint;
	domid_t domid = endpoint_domid(e);
	struct hv_port_info info;

	e->up = true;
	if (domid == 0)
		return; /* a new client has no ports */
	endpoint_close_fds(e);
	for (uint32_t port = 1; port < c->domain->max_ports; port++) {
		if (hv_port_info(c->hvd->hv, domid, port, &info) != 0 ||
		    info.status == EVTCHNSTAT_closed)
			continue;
		port_connect(e, port, &info);
		if (info.status == EVTCHNSTAT_interdomain)
			endpoint_port_changed(
			    c->hvd, info.remote_domid, info.remote_port);
	}
}

/* E may send by P now: fill in what waited for that. */
static void
pair_open(struct endpoint *e, const struct pair *p)
{
	uint32_t slot = p->slot[pair_side(p, e)];
	struct hv_port_info info;

	for (uint32_t port = 1; port < HV_PORTS; port++) {
		if (e->table[port].rx != slot ||
		    hv_port_info(e->channel->hvd->hv, endpoint_domid(e), port,
			&info) != 0)
			continue;
		port_connect(e, port, &info);
	}
}

/* Tell E, if it is a successor, of up to N more of the pairs there are. */
static void
announce_more(struct endpoint *e, unsigned n)
{
	while (e->announce != 0 && n > 0) {
		struct pair *p = NULL;
		int side;

		if (e->announce < e->nr_slots)
			p = e->slots[e->announce++];
		else
			e->announce = 0;
		side = p != NULL ? pair_side(p, e) : 0;
		if (p == NULL || p->ready[side])
			continue;
		pair_announce(p, side, &p->fds);
		/* Its predecessor may have been about to ring. */
		(void)eventfd_write(p->fds.bell[!side], 1);
		n--;
	}
}

void
endpoint_ready(struct channel *c, uint32_t slot, uint32_t gen)
{
	struct endpoint *e = c->endpoint;
	struct pair *p;
	int side;

	if (e == NULL || slot == 0 || slot >= e->nr_slots)
		return;
	p = e->slots[slot];
	if (p == NULL)
		return;
	side = pair_side(p, e);
	if (p->ready[side] || p->gen[side] != gen)
		return;
	p->ready[side] = true;
	if (p->end[0] == p->end[1])
		p->ready[1] = true;
	pair_open(p->end[!side], p);
	announce_more(e, 1);
}

void
endpoint_down(struct channel *c, struct endpoint_fds *fds_out)
{
	struct endpoint *e = c->endpoint;
	struct hv_port_info info;

	for (uint32_t i = 1; i < e->nr_slots; i++) {
		struct pair *p = e->slots[i];

		if (p == NULL)
			continue;
		p->ready[pair_side(p, e)] = false;
		if (p->end[0] == p->end[1])
			p->ready[1] = false;
	}
	for (uint32_t port = 1; port < HV_PORTS; port++) {
		struct endpoint *peer;

		if (e->table[port].rx == 0 ||
		    hv_port_info(c->hvd->hv, 0, port, &info) != 0 ||
		    info.status != EVTCHNSTAT_interdomain)
			continue;
		peer =
		    endpoint_of(c->hvd, info.remote_domid, info.remote_channel);
		if (peer != NULL)
			entry_set_tx(peer, info.remote_port, 0);
	}
	*fds_out = e->fds;
}

void
endpoint_up_again(struct channel *c)
{
	struct endpoint *e = c->endpoint;

	e->announce = 1;
	announce_more(e, ANNOUNCE_AHEAD);
}

void
endpoint_post(struct channel *c, uint32_t port)
{
	struct endpoint *e = c->endpoint;

	if (e != NULL && port < HV_PORTS && pair_post(e->page, port))
		(void)eventfd_write(e->fds.bell, 1);
}

void
endpoint_kick(struct channel *c)
{
	struct endpoint *e = c->endpoint;

	if (e != NULL && pair_kick(e->page))
		(void)eventfd_write(e->fds.bell, 1);
}
