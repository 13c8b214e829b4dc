/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's side of a shared ring page: the only code that reads or writes
 * one. The other side may change any byte at any moment: each word is read
 * once, and only the copy is checked and used. Positions are taken from the
 * page each time, as the other side may legally start it anew. Knows no event
 * channel and no message.
 *
 * The other side need not send an event for what it does while it sees us at
 * work: for request bytes that it adds while earlier ones are not given back,
 * and for room that it makes in a ring that was not full (Linux sends none).
 * So after ring_consume() and ring_publish() the page is looked at again, and
 * no request byte that was seen is left there.
 */
#ifndef XENSTORED_RING_H
#define XENSTORED_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/* What ring_peek() saw, for ring_consume(). */
struct ring_view {
	uint32_t cons; /* where the bytes began */
	uint32_t len;  /* how many there were */
};

/*
 * Copies the request bytes that are there to BUF. False: the indexes are too
 * far apart; nothing was copied.
 */
bool ring_peek(struct wire_ring *page, char buf[WIRE_RING_SIZE],
    struct ring_view *view_out);

/* Gives back the first N (at most len) of the bytes that VIEW describes. */
void ring_consume(
    struct wire_ring *page, const struct ring_view *view, size_t n);

/* Room for reply bytes. */
struct ring_room {
	uint32_t prod; /* where they go */
	uint32_t len;
};

/* False: the indexes are too far apart. */
bool ring_room(struct wire_ring *page, struct ring_room *room_out);

/* Puts LEN bytes (at most ROOM's len) there, and takes them out of ROOM. */
void ring_write(struct wire_ring *page, struct ring_room *room,
    const void *bytes, size_t len);

/* Shows the other side all that was put. */
void ring_publish(struct wire_ring *page, const struct ring_room *room);

/* What ring_consume() and ring_publish() do, of a process that is dead: N bytes
 * that began at CONS are given back; the LEN bytes at PROD are shown. */
void ring_consume_at(struct wire_ring *page, uint32_t cons, size_t n);
void ring_write_at(
    struct wire_ring *page, uint32_t prod, const void *bytes, size_t len);

/* Whether the other side asks for a new start (the connection word). */
bool ring_wants_reset(const struct wire_ring *page);

/* Makes the page that of a new connection with FEATURES: no bytes either way.
 */
void ring_reset(struct wire_ring *page, uint32_t features);

/* What domain 0's kernel made is kept; only features and words are set. */
void ring_adopt(struct wire_ring *page, uint32_t features);

/* Tells the other side what went wrong: WIRE_RING_E*. */
void ring_set_error(struct wire_ring *page, uint32_t error);

/* The same if nothing was told yet. */
void ring_blame(struct wire_ring *page, uint32_t error);

/* The event channel that the hypervisor put into the page, or 0. */
uint32_t ring_port(const struct wire_ring *page);

#endif
