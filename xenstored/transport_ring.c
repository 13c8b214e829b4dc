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
#include "xenstored/flight.h"
#include "xenstored/msg.h"
#include "xenstored/outq.h"
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
	server_wrote_elsewhere(ring->rings->server);
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

static void
begin_out(struct ring *ring, enum flight_kind kind, const struct taken *taken,
    const struct ring_room *room)
{
	struct server *server = ring->rings->server;
	struct flight_out out = {
		.kind = kind,
		.conn = conn_id(ring->transport.conn),
		.seq = server_seq(server),
		.n_logged = taken->n_logged,
		.upto = taken->upto,
		.len = taken->len < room->len ? taken->len : room->len,
		.all = taken->len,
		.at = room->prod,
		.pid = server_flight(server)->primary_pid,
	};

	flight_out_begin(server_flight(server), &out);
}

/* Puts what is in flight into the ring. */
static void
put_flight(struct ring *ring, struct ring_room *room, size_t len)
{
	struct flight *flight = server_flight(ring->rings->server);

	ring_write(ring->page, room, flight->bytes, len);
	ring_publish(ring->page, room);
	flight_out_end(flight);
}

/* Puts what was kept into the ring; true if there was some. */
static bool
push_kept(struct ring *ring, struct ring_room *room)
{
	struct conn *conn = ring->transport.conn;
	struct taken piece = { 0, 0, 0 };
	const char *kept = state_kept(conn, &piece.len);

	if (piece.len > room->len)
		piece.len = room->len;
	if (piece.len == 0)
		return false;
	memcpy(server_flight(ring->rings->server)->bytes, kept, piece.len);
	begin_out(ring, FLIGHT_KEPT, &piece, room);
	state_sent(conn, piece.len);
	put_flight(ring, room, piece.len);
	return true;
}

/* Puts items into the ring; what is too much of the last is kept. True if there
 * was one. */
static bool
push_items(struct ring *ring, struct ring_room *room)
{
	struct conn *conn = ring->transport.conn;
	struct flight *flight = server_flight(ring->rings->server);
	struct taken taken;
	size_t len = room->len;

	state_take(conn, flight->bytes, len + WIRE_MESSAGE_MAX, len, &taken);
	if (taken.len == 0)
		return false;
	if (taken.len < len)
		len = taken.len;
	begin_out(ring, FLIGHT_ITEMS, &taken, room);
	state_taken(conn, &taken);
	if (taken.len > len &&
	    !state_keep(conn, flight->bytes + len, taken.len - len))
		fatalx("no memory for what domain %u has not read",
		    (unsigned)ring->domid);
	state_settle(conn);
	put_flight(ring, room, len);
	return true;
}

/*
 * Puts output into the ring; true if there was some. Ends with no output, or
 * with a ring that the other side has seen full.
 */
static bool
push_output(struct ring *ring)
{
	struct ring_room room;
	bool any = false, some = true;

	while (some && !ring->bad && state_has_output(ring->transport.conn)) {
		if (!ring_room(ring->page, &room)) {
			ring_fail(ring, WIRE_RING_EINDEX);
			return false;
		}
		some = room.len > 0 && push_kept(ring, &room);
		if (room.len > 0)
			some |= push_items(ring, &room);
		any |= some;
	}
	return any;
}

static void
ring_flush(struct transport *transport)
{
	struct ring *ring = as_ring(transport);

	if (ring->page != NULL && push_output(ring))
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
 * Runs requests out of BUF, which VIEW describes. *USED_OUT: bytes that are the
 * guest's again then.
 */
static enum input_result
run_requests(struct ring *ring, const char *buf, const struct ring_view *view,
    int budget, size_t *used_out)
{
	struct conn *conn = ring->transport.conn;
	enum input_result result;
	size_t rest;

	result = state_input(conn, buf, view->len, &budget, used_out);
	/* Bytes left there would have the rest come without an event. */
	rest = view->len - *used_out;
	if (result == INPUT_MORE && rest > 0 &&
	    state_input_part(conn, buf + *used_out, rest))
		*used_out = view->len;
	return result;
}

/* One turn on what BUF and VIEW show. *NOTIFY_OUT: the guest is to be told. */
static enum turn
take_turn(struct ring *ring, const char *buf, const struct ring_view *view,
    int budget, bool *notify_out)
{
	struct flight *flight = server_flight(ring->rings->server);
	struct conn *conn = ring->transport.conn;
	enum input_result result;
	bool produced;
	size_t used;

	result = run_requests(ring, buf, view, budget, &used);
	if (result == INPUT_BAD) {
		ring_fail(ring, WIRE_RING_EPROTOCOL);
		return TURN_IDLE;
	}
	list_remove(&ring->transport.unsent);
	produced = push_output(ring);
	if (ring->bad)
		return TURN_IDLE;
	state_settle(conn);
	if (used > 0) {
		flight_turn_total(flight, used);
		ring_consume(ring->page, view, used);
	}
	*notify_out |= produced || used > 0;
	if (result == INPUT_BUSY || used > 0 ||
	    (result == INPUT_WAIT && produced))
		return TURN_MORE;
	return TURN_IDLE;
}

static enum turn
ring_run(struct transport *transport, int budget)
{
	struct ring *ring = as_ring(transport);
	struct flight *flight = server_flight(ring->rings->server);
	struct ring_view view;
	char buf[WIRE_RING_SIZE];
	enum turn turn;
	bool notify;

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
	notify = push_output(ring);
	if (ring->bad)
		return TURN_IDLE;
	flight_turn_begin(flight, conn_id(transport->conn),
	    server_seq(ring->rings->server), FLIGHT_RING, view.cons);
	turn = take_turn(ring, buf, &view, budget, &notify);
	flight_turn_end(flight);
	if (notify && !ring->bad)
		ring_notify(ring);
	return turn;
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

/* Any port may be pending: look after all, and let all of them ring again. */
static void
sweep(struct rings *rings)
{
	struct table_link *link;
	struct ring *ring;
	size_t i;

	msg_warn("events were lost: every ring is looked at");
	xenevtchn_unmask(rings->evtchn, rings->virq);
	for (i = 0; i <= rings->by_port.mask; i++) {
		link = rings->by_port.bucket[i];
		for (; link != NULL; link = link->next) {
			ring = list_entry(link, struct ring, by_port);
			xenevtchn_unmask(rings->evtchn, ring->port);
			server_activate(rings->server, &ring->transport);
		}
	}
	fates_changed(rings->fates);
}

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
			if (errno == EFBIG)
				sweep(rings);
			else if (errno != EAGAIN && errno != EINTR)
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
