/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/transport_ring.h"

#include <string.h>

#include <talloc.h>

#include "xenstored/flight.h"
#include "xenstored/msg.h"
#include "xenstored/outq.h"
#include "xenstored/ring.h"
#include "xenstored/rings.h"

/* Whether trouble with RING is news. A guest can make it again and again. */
static bool
is_news(struct ring *ring)
{
	bool told = ring->told;

	ring->told = true;
	return !told;
}

void
ring_notify(struct ring *ring)
{
	server_wrote_elsewhere(ring->rings->server);
	if (xenevtchn_notify(ring->rings->evtchn, ring->port) != 0 &&
	    is_news(ring))
		msg_warn("domain %u: cannot notify", (unsigned)ring->domid);
}

void
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

/* --- life --- */

struct ring *
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
	list_append(&rings->all, &ring->link);
	return ring;
}

void
rings_fail(struct conn *conn)
{
	struct transport *transport = conn_shell(conn);

	if (transport != NULL && as_ring(transport)->page != NULL)
		ring_fail(as_ring(transport), WIRE_RING_EPROTOCOL);
}

struct wire_ring *
rings_page(const struct conn *conn)
{
	struct transport *transport = conn_shell(conn);

	return transport != NULL ? as_ring(transport)->page : NULL;
}
