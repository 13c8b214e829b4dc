/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/transport_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <event2/event.h>
#include <talloc.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenmanage.h>

#include "xenstored/fates.h"
#include "xenstored/msg.h"
#include "xenstored/ring.h"
#include "xenstored/table.h"

enum {
	VIRQ_DOM_EXC = 3,
	GRANT_XENSTORE = 1, /* the entry of a guest's table for this page */
	PORTS_AT_ONCE = 256,
};

struct rings {
	struct world world;
	struct server *server;
	xenevtchn_handle *evtchn;
	xengnttab_handle *gnttab;
	struct fates *fates;
	struct event *event;
	struct table by_port;
	evtchn_port_t virq;
	struct ring *dom0;
};

struct ring {
	struct transport transport;
	struct rings *rings;
	struct table_link by_port;
	uint32_t domid;
	evtchn_port_t port;
	struct wire_ring *page;
	bool granted; /* PAGE is a grant mapping */
	bool bad;     /* is not read any more */
	bool told;    /* the operator was told of trouble with it */
	uint32_t features;
};

static struct ring *
as_ring(struct transport *transport)
{
	return list_entry(transport, struct ring, transport);
}

static uint64_t
port_hash(evtchn_port_t port)
{
	return port * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

static struct ring *
ring_by_port(const struct rings *rings, evtchn_port_t port)
{
	struct table_link *link = table_first(&rings->by_port, port_hash(port));
	struct ring *ring;

	for (; link != NULL; link = table_next(link)) {
		ring = list_entry(link, struct ring, by_port);
		if (ring->port == port)
			return ring;
	}
	return NULL;
}

/* Whether trouble with RING is news. A guest can make it again and again. */
static bool
is_news(struct ring *ring)
{
	bool told = ring->told;

	ring->told = true;
	return !told;
}

static void
ring_notify(struct ring *ring)
{
	if (xenevtchn_notify(ring->rings->evtchn, ring->port) != 0 &&
	    is_news(ring))
		msg_warn("domain %u: cannot notify", (unsigned)ring->domid);
}

/* The peer broke the rules: it is told, and not listened to any more. */
static void
ring_fail(struct ring *ring, uint32_t error)
{
	if (is_news(ring))
		msg_warnx("domain %u: its ring is out of order (error %u) and "
			  "ignored",
		    (unsigned)ring->domid, (unsigned)error);
	ring->bad = true;
	state_ignore(ring->transport.conn);
	ring_set_error(ring->page, error);
	ring_notify(ring);
}

/* --- turns --- */

/* Puts output into the ring; true if there was some. */
static bool
push_output(struct ring *ring)
{
	struct conn *conn = ring->transport.conn;
	struct ring_room room;
	char *piece;
	size_t len, n;
	bool any = false;

	if (ring->bad || !state_has_output(conn))
		return false;
	if (!ring_room(ring->page, &room)) {
		ring_fail(ring, WIRE_RING_EINDEX);
		return false;
	}
	while (room.len > 0) {
		piece = ring_piece(ring->page, &room, &len);
		n = state_output(conn, piece, len);
		if (n == 0)
			break;
		ring_put(&room, n);
		any = true;
	}
	if (any)
		ring_publish(ring->page, &room);
	return any;
}

static void
ring_flush(struct transport *transport)
{
	struct ring *ring = as_ring(transport);

	if (push_output(ring))
		ring_notify(ring);
}

/* Starts the connection anew if the guest asks for it. */
static void
handle_reset(struct ring *ring)
{
	if (!ring_wants_reset(ring->page))
		return;
	ring->bad = false;
	state_reset(ring->transport.conn);
	ring_reset(ring->page, ring->features);
	ring_notify(ring);
}

/*
 * Runs requests out of BUF, which VIEW describes. *CONSUMED_OUT: whether bytes
 * were given back to the guest.
 */
static enum input_result
run_requests(struct ring *ring, const char *buf, const struct ring_view *view,
    int budget, bool *consumed_out)
{
	struct conn *conn = ring->transport.conn;
	enum input_result result;
	size_t used;

	result = state_input(conn, buf, view->len, &budget, &used);
	/* What begins here will never be whole in the ring: take it as it is.
	 */
	if (result == INPUT_MORE && view->len - used == WIRE_RING_SIZE &&
	    state_input_part(conn, buf + used, view->len - used))
		used = view->len;
	if (used > 0)
		ring_consume(ring->page, view, used);
	*consumed_out = used > 0;
	return result;
}

static enum turn
ring_run(struct transport *transport, int budget)
{
	struct ring *ring = as_ring(transport);
	enum input_result result;
	struct ring_view view;
	char buf[WIRE_RING_SIZE];
	bool consumed, produced;

	if (ring->page == NULL)
		return TURN_IDLE;
	handle_reset(ring);
	if (ring->bad)
		return TURN_IDLE;
	if (!ring_peek(ring->page, buf, &view)) {
		ring_fail(ring, WIRE_RING_EINDEX);
		return TURN_IDLE;
	}
	/* Room that the guest made is used before it asks for more. */
	produced = push_output(ring);
	result = run_requests(ring, buf, &view, budget, &consumed);
	if (result == INPUT_BAD) {
		ring_fail(ring, WIRE_RING_EPROTOCOL);
		return TURN_IDLE;
	}
	produced |= push_output(ring);
	if ((consumed || produced) && !ring->bad)
		ring_notify(ring);
	if (result == INPUT_BUSY || (result == INPUT_WAIT && produced))
		return TURN_MORE;
	return TURN_IDLE;
}

/* --- opening --- */

/* Lets go of what RING refers to in the world. */
static void
disconnect(struct ring *ring)
{
	struct rings *rings = ring->rings;

	if (ring->port != 0) {
		table_remove(&rings->by_port, &ring->by_port);
		xenevtchn_unbind(rings->evtchn, ring->port);
		ring->port = 0;
	}
	if (ring->page != NULL && ring->granted)
		xengnttab_unmap(rings->gnttab, ring->page, 1);
	ring->page = NULL;
}

static void
connect_port(struct ring *ring, evtchn_port_t port)
{
	ring->port = port;
	table_add(&ring->rings->by_port, &ring->by_port, port_hash(port));
}

static struct ring *
ring_new(struct rings *rings, uint32_t domid)
{
	struct ring *ring = talloc_zero(rings, struct ring);

	if (ring == NULL)
		return NULL;
	server_add(&ring->transport);
	ring->rings = rings;
	ring->domid = domid;
	ring->transport.run = ring_run;
	ring->transport.flush = ring_flush;
	return ring;
}

static enum xs_err
world_ring_open(struct world *world, struct conn *conn, uint32_t domid,
    uint32_t port, uint32_t features)
{
	struct rings *rings = list_entry(world, struct rings, world);
	struct transport *transport = conn_shell(conn);
	struct ring *ring;
	struct wire_ring *page;
	int local = -1;
	uint32_t hinted;

	page = xengnttab_map_grant_ref(
	    rings->gnttab, domid, GRANT_XENSTORE, PROT_READ | PROT_WRITE);
	if (page == NULL)
		return XS_ENOENT;
	/* The event channel of before makes way, as it may be the same. */
	ring = transport != NULL ? as_ring(transport) : ring_new(rings, domid);
	if (ring != NULL) {
		disconnect(ring);
		hinted = ring_port(page);
		if (hinted != 0)
			local = xenevtchn_bind_interdomain(
			    rings->evtchn, domid, hinted);
		if (local < 0)
			local = xenevtchn_bind_interdomain(
			    rings->evtchn, domid, port);
	}
	if (local < 0) {
		xengnttab_unmap(rings->gnttab, page, 1);
		if (ring != NULL && transport == NULL)
			talloc_free(ring);
		else if (ring != NULL)
			ring->bad = true;
		return ring != NULL ? XS_EINVAL : XS_ENOMEM;
	}
	ring->page = page;
	ring->granted = true;
	ring->bad = ring->told = false;
	ring->features = features;
	ring->transport.conn = conn;
	ring->transport.privileged = conn_privileged(conn);
	connect_port(ring, (evtchn_port_t)local);
	conn_set_shell(conn, &ring->transport);
	ring_reset(page, features);
	ring_notify(ring);
	return XS_OK;
}

static void
world_ring_close(struct world *world, struct conn *conn)
{
	struct transport *transport = conn_shell(conn);

	(void)world;
	if (transport == NULL)
		return;
	conn_set_shell(conn, NULL);
	server_remove(transport);
	disconnect(as_ring(transport));
	talloc_free(as_ring(transport));
}

static struct domain_info
world_domain_info(struct world *world, uint32_t domid)
{
	return fates_ask(list_entry(world, struct rings, world)->fates, domid);
}

/* --- events --- */

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct rings *rings = arg;
	struct ring *ring;
	int i, port;

	(void)fd;
	(void)what;
	for (i = 0; i < PORTS_AT_ONCE; i++) {
		port = xenevtchn_pending(rings->evtchn);
		if (port < 0) {
			if (errno != EAGAIN && errno != EINTR)
				fatal("the event channel device failed");
			return;
		}
		if (xenevtchn_unmask(rings->evtchn, (evtchn_port_t)port) != 0)
			msg_warn("cannot unmask port %d", port);
		if ((evtchn_port_t)port == rings->virq) {
			fates_changed(rings->fates);
			continue;
		}
		ring = ring_by_port(rings, (evtchn_port_t)port);
		if (ring != NULL)
			server_activate(rings->server, &ring->transport);
	}
}

/* --- set-up --- */

static void
open_libraries(struct rings *rings)
{
	static const char hint[] =
	    "is a hypervisor running? (-D serves sockets without one)";
	int virq, fd;

	rings->evtchn = xenevtchn_open(NULL, 0);
	if (rings->evtchn == NULL)
		fatal("cannot open event channels; %s", hint);
	/* on_event() asks until nothing is left: that must not sleep */
	fd = xenevtchn_fd(rings->evtchn);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		fatal("cannot make the event channels non-blocking");
	rings->gnttab = xengnttab_open(NULL, 0);
	if (rings->gnttab == NULL)
		fatal("cannot open grant tables; %s", hint);
	rings->fates = fates_open(rings->server, hint);
	/* as many rings as there can be domains, where that can be told */
	(void)xengnttab_set_max_grants(rings->gnttab, 32752);
	virq = xenevtchn_bind_virq(rings->evtchn, VIRQ_DOM_EXC);
	if (virq < 0)
		fatal("cannot bind the domain exception interrupt; does "
		      "another xenstored run?");
	rings->virq = (evtchn_port_t)virq;
}

static void
open_dom0(struct rings *rings, uint32_t port)
{
	struct xenmanage_store_ring found;
	struct ring *ring;
	int local;

	fates_store_ring(rings->fates, &found);
	if (port == 0)
		port = found.port;
	local = xenevtchn_bind_interdomain(rings->evtchn, 0, port);
	if (local < 0)
		fatal("cannot bind domain 0's store event channel %u",
		    (unsigned)port);
	ring = ring_new(rings, 0);
	if (ring == NULL)
		fatalx("no memory");
	ring->page = found.page;
	ring->features = WIRE_FEATURES;
	ring->transport.privileged = true;
	connect_port(ring, (evtchn_port_t)local);
	ring->transport.conn = state_open_dom0(server_state(rings->server),
	    fates_ask(rings->fates, 0).unique_id, ring->port, &ring->transport);
	if (ring->transport.conn == NULL)
		fatalx("no memory");
	ring_adopt(ring->page, ring->features);
	rings->dom0 = ring;
}

struct rings *
rings_open(struct server *server, uint32_t port)
{
	struct rings *rings = talloc_zero(NULL, struct rings);

	if (rings == NULL || !table_init(&rings->by_port))
		fatalx("no memory");
	rings->server = server;
	rings->world.domain_info = world_domain_info;
	rings->world.ring_open = world_ring_open;
	rings->world.ring_close = world_ring_close;
	open_libraries(rings);
	rings->event = event_new(server_base(server),
	    xenevtchn_fd(rings->evtchn), EV_READ | EV_PERSIST, on_event, rings);
	if (rings->event == NULL || event_add(rings->event, NULL) != 0)
		fatalx("no memory");
	open_dom0(rings, port);
	fates_changed(rings->fates);
	return rings;
}

struct world *
rings_world(struct rings *rings)
{
	return &rings->world;
}

void
rings_start(struct rings *rings)
{
	ring_notify(rings->dom0);
	server_activate(rings->server, &rings->dom0->transport);
}

void
rings_stop(struct rings *rings)
{
	event_free(rings->event);
}

void
rings_close(struct rings *rings)
{
	if (rings == NULL)
		return;
	fates_close(rings->fates);
	xengnttab_close(rings->gnttab);
	xenevtchn_close(rings->evtchn);
	table_end(&rings->by_port);
	talloc_free(rings);
}
