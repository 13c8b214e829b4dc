/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/takeover.h"

#include "xenstored/crash_point.h"
#include "xenstored/flight.h"
#include "xenstored/msg.h"
#include "xenstored/outq.h"
#include "xenstored/ring.h"
#include "xenstored/transport_ring.h"
#include "xenstored/transport_unix.h"

enum { CRASHES = 2 }; /* that one connection may cause */

void
tail_note(struct tail *tail, const struct log_entry *entry)
{
	const struct tail_mark mark = { entry->a, entry->seq, entry->b };

	switch (entry->type) {
	case RECORD_REQUEST:
	case RECORD_PART:
	case RECORD_REPLY:
	case RECORD_STASH:
		tail->used = mark;
		break;
	case RECORD_TAKE:
		tail->take = mark;
		break;
	case RECORD_KEEP:
		tail->keep = mark;
		break;
	case RECORD_SENT:
		tail->sent = mark;
		break;
	case RECORD_UNSTASH:
		tail->unstash = mark;
		break;
	default:
		break;
	}
}

/* Whether MARK is about CONN and from SEQ on. */
static bool
is_logged(const struct tail_mark *mark, uint64_t conn, uint64_t seq)
{
	return mark->conn == conn && mark->seq >= seq;
}

/* CONN cannot be served on, and WHY. */
static void
give_up(struct conn *conn, const char *why)
{
	msg_warnx(
	    "connection %u: %s: it is closed", (unsigned)conn_id(conn), why);
	if (conn_is_ring(conn))
		rings_fail(conn);
	else
		unix_drop(conn);
}

/* --- bytes on their way out --- */

/* Makes sure that what was on its way to CONN is there; how much of it. False:
 * that cannot be told. */
static bool
arrive(const struct flight *flight, struct conn *conn, uint64_t *sent_out)
{
	const struct flight_out *out = &flight->out;
	struct wire_ring *page;

	if (!conn_is_ring(conn))
		return flight_sent(flight, sent_out);
	page = rings_page(conn);
	if (page == NULL || out->len > WIRE_RING_SIZE)
		return false;
	ring_write_at(page, (uint32_t)out->at, flight->bytes, out->len);
	*sent_out = out->len;
	return true;
}

/* Puts what was done with ITEMS into the log, as far as it is not there. */
static bool
settle_items(const struct flight *flight, const struct tail *tail,
    struct conn *conn, uint64_t sent)
{
	const struct flight_out *out = &flight->out;
	const struct taken taken = { 0, (uint32_t)out->n_logged, 0 };

	if (out->n_logged > 0 && !crash_fault("take") &&
	    !is_logged(&tail->take, out->conn, out->seq)) {
		if (!state_replay_take(conn, out->n_logged))
			return false;
		state_taken(conn, &taken);
	}
	if (sent == out->all || is_logged(&tail->keep, out->conn, out->seq) ||
	    crash_fault("keep"))
		return true;
	return state_keep(conn, flight->bytes + sent, out->all - sent);
}

static void
settle_out(struct flight *flight, const struct tail *tail, struct state *st)
{
	const struct flight_out *out = &flight->out;
	struct conn *conn = state_find_conn(st, out->conn);
	uint64_t sent;
	bool ok;

	if (out->kind == FLIGHT_NONE)
		return;
	if (conn == NULL || out->len > sizeof(flight->bytes) ||
	    out->all > sizeof(flight->bytes)) {
		flight_out_end(flight);
		return;
	}
	ok = arrive(flight, conn, &sent);
	if (ok && out->kind == FLIGHT_ITEMS)
		ok = settle_items(flight, tail, conn, sent);
	else if (ok && !is_logged(&tail->sent, out->conn, out->seq))
		state_sent(conn, sent);
	if (!ok)
		give_up(conn, "it is not known how much it was sent");
	flight_out_end(flight);
}

/* --- input that was being worked on --- */

/* How much of the turn's input is done with. */
static uint64_t
done_with(const struct flight *flight, const struct tail *tail)
{
	const struct flight_turn *turn = &flight->turn;
	uint64_t done = turn->used;

	if (turn->total > done)
		done = turn->total;
	if (is_logged(&tail->used, turn->conn, turn->seq) &&
	    tail->used.upto > done)
		done = tail->used.upto;
	return done;
}

/* What was received and not used is kept for the next turn. */
static bool
settle_socket(const struct flight *flight, struct conn *conn, uint64_t done)
{
	size_t n;

	if (!unix_received(unix_fd(conn), flight->turn.start, &n))
		return false;
	return n <= done || crash_fault("stash") ||
	       state_stash(conn, flight->in + done, n - done, n);
}

static void
settle_turn(struct flight *flight, const struct tail *tail, struct state *st)
{
	const struct flight_turn *turn = &flight->turn;
	struct conn *conn = state_find_conn(st, turn->conn);
	uint64_t done = done_with(flight, tail);
	struct wire_ring *page;
	bool ok = true;

	if (turn->conn == 0)
		return;
	if (crash_fault("turn"))
		done = 0;
	if (conn == NULL) {
		flight_turn_end(flight);
		return;
	}
	if (turn->source == FLIGHT_RING) {
		page = rings_page(conn);
		if (page != NULL && done > 0 && done <= WIRE_RING_SIZE)
			ring_consume_at(page, (uint32_t)turn->start, done);
	} else if (turn->source == FLIGHT_SOCKET) {
		ok = settle_socket(flight, conn, done);
	} else if (!is_logged(&tail->unstash, turn->conn, turn->seq)) {
		ok = state_unstash(conn, done);
	}
	if (!ok)
		give_up(conn, "it is not known what it had asked");
	flight->turn.total = 0; /* as if nothing had been done in it */
	flight_turn_end(flight);
}

/* --- blame --- */

void
takeover_blame(struct flight *flight)
{
	uint64_t conn = flight->turn.conn;

	if (conn == 0 && flight->out.kind != FLIGHT_NONE)
		conn = flight->out.conn;
	if (conn == 0)
		return;
	flight->crashes = flight->suspect == conn ? flight->crashes + 1 : 1;
	flight->suspect = conn;
}

static void
punish(struct flight *flight, struct state *st)
{
	struct conn *conn = state_find_conn(st, flight->suspect);

	if (flight->suspect == 0 || flight->crashes < CRASHES)
		return;
	if (conn != NULL)
		give_up(conn, "its request made two processes crash in a row");
	flight->suspect = flight->crashes = 0;
}

void
takeover_finish(struct server *server, const struct tail *tail)
{
	struct flight *flight = server_flight(server);
	struct state *st = server_state(server);

	CRASH_POINT();
	settle_out(flight, tail, st);
	CRASH_POINT();
	settle_turn(flight, tail, st);
	CRASH_POINT();
	punish(flight, st);
	CRASH_POINT();
}
