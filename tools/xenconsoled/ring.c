/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsoled/ring.h"

enum {
	OUT_SIZE = sizeof(((struct xencons_interface *)0)->out),
	IN_SIZE = sizeof(((struct xencons_interface *)0)->in),
};

void
ring_attach(struct ring *ring, struct xencons_interface *page)
{
	ring->page = page;
	ring->out_cons = __atomic_load_n(&page->out_cons, __ATOMIC_RELAXED);
	ring->in_prod = __atomic_load_n(&page->in_prod, __ATOMIC_RELAXED);
}

int
ring_take(struct ring *ring, char *buf, size_t size)
{
	uint32_t prod =
	    __atomic_load_n(&ring->page->out_prod, __ATOMIC_ACQUIRE);
	uint32_t avail = prod - ring->out_cons;

	if (avail > OUT_SIZE)
		return RING_BROKEN;
	if (avail > size)
		avail = (uint32_t)size;
	for (uint32_t i = 0; i < avail; i++)
		buf[i] = ring->page->out[MASK_XENCONS_IDX(
		    ring->out_cons + i, ring->page->out)];
	ring->out_cons += avail;
	__atomic_store_n(
	    &ring->page->out_cons, ring->out_cons, __ATOMIC_RELEASE);
	return (int)avail;
}

int
ring_room(const struct ring *ring)
{
	uint32_t cons = __atomic_load_n(&ring->page->in_cons, __ATOMIC_ACQUIRE);
	uint32_t used = ring->in_prod - cons;

	return used > IN_SIZE ? RING_BROKEN : (int)(IN_SIZE - used);
}

int
ring_give(struct ring *ring, const char *data, size_t len)
{
	int room = ring_room(ring);
	uint32_t n;

	if (room < 0)
		return RING_BROKEN;
	n = len < (size_t)room ? (uint32_t)len : (uint32_t)room;
	for (uint32_t i = 0; i < n; i++)
		ring->page
		    ->in[MASK_XENCONS_IDX(ring->in_prod + i, ring->page->in)] =
		    data[i];
	ring->in_prod += n;
	__atomic_store_n(&ring->page->in_prod, ring->in_prod, __ATOMIC_RELEASE);
	return (int)n;
}
