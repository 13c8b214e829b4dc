/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/ring.h"

#include <string.h>

#include "xenstored/crash_point.h"

/* The one way in which a word of the page is read. */
static uint32_t
load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void
store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	CRASH_POINT();
}

/*
 * Copies N bytes that start at index FROM out of the ring BYTES. The bytes may
 * change meanwhile; only the copy is looked at.
 */
static void
copy_out(char *to, const uint8_t *bytes, uint32_t from, uint32_t n)
{
	uint32_t at = from % WIRE_RING_SIZE;
	uint32_t first = WIRE_RING_SIZE - at;

	if (first > n)
		first = n;
	memcpy(to, bytes + at, first);
	memcpy(to + first, bytes, n - first);
}

bool
ring_peek(struct wire_ring *page, char buf[WIRE_RING_SIZE],
    struct ring_view *view_out)
{
	uint32_t cons = load(&page->req_cons);
	uint32_t prod = load(&page->req_prod);
	uint32_t len = prod - cons;

	if (len > WIRE_RING_SIZE)
		return false;
	copy_out(buf, page->req, cons, len);
	view_out->cons = cons;
	view_out->len = len;
	return true;
}

void
ring_consume(struct wire_ring *page, const struct ring_view *view, size_t n)
{
	/* The copy is done before the other side may reuse the bytes. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	store(&page->req_cons, view->cons + (uint32_t)n);
	/* and what is looked at next was there when it saw that */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

bool
ring_room(struct wire_ring *page, struct ring_room *room_out)
{
	uint32_t prod = load(&page->rsp_prod);
	uint32_t cons = load(&page->rsp_cons);
	uint32_t used = prod - cons;

	if (used > WIRE_RING_SIZE)
		return false;
	room_out->prod = prod;
	room_out->len = WIRE_RING_SIZE - used;
	return true;
}

void
ring_write(struct wire_ring *page, struct ring_room *room, const void *bytes,
    size_t len)
{
	uint32_t at = room->prod % WIRE_RING_SIZE;
	size_t first = WIRE_RING_SIZE - at;

	if (first > len)
		first = len;
	memcpy((char *)page->rsp + at, bytes, first);
	CRASH_POINT();
	memcpy((char *)page->rsp, (const char *)bytes + first, len - first);
	CRASH_POINT();
	room->prod += (uint32_t)len;
	room->len -= (uint32_t)len;
}

void
ring_publish(struct wire_ring *page, const struct ring_room *room)
{
	store(&page->rsp_prod, room->prod);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void
ring_consume_at(struct wire_ring *page, uint32_t cons, size_t n)
{
	const struct ring_view view = { cons, (uint32_t)n };

	ring_consume(page, &view, n);
}

void
ring_write_at(
    struct wire_ring *page, uint32_t prod, const void *bytes, size_t len)
{
	struct ring_room room = { prod, (uint32_t)len };

	ring_write(page, &room, bytes, len);
	ring_publish(page, &room);
}

bool
ring_wants_reset(const struct wire_ring *page)
{
	return load(&page->connection) == WIRE_RECONNECT;
}

void
ring_reset(struct wire_ring *page, uint32_t features)
{
	store(&page->req_cons, 0);
	store(&page->req_prod, 0);
	store(&page->rsp_cons, 0);
	store(&page->rsp_prod, 0);
	ring_adopt(page, features);
}

void
ring_adopt(struct wire_ring *page, uint32_t features)
{
	store(&page->features, features);
	store(&page->error, WIRE_RING_OK);
	/* Last: whoever waits for it may go on at once. */
	store(&page->connection, WIRE_CONNECTED);
}

void
ring_set_error(struct wire_ring *page, uint32_t error)
{
	store(&page->error, error);
}

void
ring_blame(struct wire_ring *page, uint32_t error)
{
	if (load(&page->error) == WIRE_RING_OK)
		store(&page->error, error);
}

uint32_t
ring_port(const struct wire_ring *page)
{
	return load(&page->evtchn_port);
}
