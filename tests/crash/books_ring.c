/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's side of its ring. */
#include "books.h"

static uint32_t
load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* Also orders what is looked at behind it. */
static void
store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void
kick(const struct books_ring *ring, bool needed)
{
	if (needed || !ring->quiet)
		ring->kick(ring->arg);
}

size_t
ring_pull(const struct books_ring *ring, char *buf)
{
	struct wire_ring *r = ring->ring;
	uint32_t cons = r->rsp_cons, prod = load(&r->rsp_prod), i;

	if (r->error != WIRE_RING_OK || prod - cons > WIRE_RING_SIZE)
		books_wrong("domain %u: its ring has error %u",
		    (unsigned)ring->domid, (unsigned)r->error);
	if (prod == cons)
		return 0;
	for (i = cons; i != prod; i++)
		*buf++ = (char)r->rsp[i % WIRE_RING_SIZE];
	store(&r->rsp_cons, prod);
	/* it may have waited for room */
	kick(ring, load(&r->rsp_prod) - cons >= WIRE_RING_SIZE);
	return prod - cons;
}

size_t
ring_push(const struct books_ring *ring, const char *bytes, size_t len,
    bool *more_out)
{
	struct wire_ring *r = ring->ring;
	uint32_t prod = r->req_prod, i;
	uint32_t room = WIRE_RING_SIZE - (prod - load(&r->req_cons));

	*more_out = len < room;
	if (len > room)
		len = room;
	if (len == 0)
		return 0;
	for (i = 0; i < len; i++)
		r->req[(prod + i) % WIRE_RING_SIZE] = (uint8_t)bytes[i];
	store(&r->req_prod, prod + (uint32_t)len);
	/* it may have seen the end and gone to sleep */
	kick(ring, (int32_t)(load(&r->req_cons) - prod) >= 0);
	return len;
}
