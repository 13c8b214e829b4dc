/*
 * A ring of requests and responses in shared memory: 64 bytes of indexes,
 * then a power of two of equal slots that requests and responses take turns
 * in. The frontend produces requests and consumes responses, the backend the
 * other way round. All indexes run freely (mod 2^32).
 *
 * Neither side trusts the other: every shared word is read once and checked,
 * and what a slot holds is copied out once. A *_pending function answers
 * RING_BROKEN when the peer's index is impossible; the caller must stop using
 * the ring then.
 *
 * Typical backend: while (ring_back_pending(&r) > 0) { ring_back_take(...);
 * work; ring_back_put(...); if (ring_back_push(&r)) notify; } and before
 * sleeping loop while ring_back_final_check(&r).
 */
#ifndef ABI_IO_RING_H
#define ABI_IO_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_BROKEN (-1)
#define RING_HEADER_SIZE 64

typedef uint32_t RING_IDX;

/* The shared part, at the start of the page; the slots follow. */
struct ring_shared {
	RING_IDX req_prod, req_event;
	RING_IDX rsp_prod, rsp_event;
	uint8_t pad[48];
};

/* One side's view. Only this side reads or writes it. */
struct ring_front {
	struct ring_shared *shared;
	uint32_t slot_size, nr; /* bytes; number of slots */
	RING_IDX req_prod;	/* not yet pushed ones included */
	RING_IDX rsp_cons;
};

struct ring_back {
	struct ring_shared *shared;
	uint32_t slot_size, nr;
	RING_IDX rsp_prod; /* not yet pushed ones included */
	RING_IDX req_cons;
};

/* The number of slots in a ring of that many bytes: a power of two. */
static inline uint32_t
ring_slots(size_t bytes, size_t slot_size)
{
	size_t fit = (bytes - RING_HEADER_SIZE) / slot_size;
	uint32_t nr = 1;

	while (2 * (size_t)nr <= fit)
		nr *= 2;
	return nr;
}

static inline RING_IDX
ring_load(const RING_IDX *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void
ring_store(RING_IDX *word, RING_IDX value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* The slot of a free-running index; for filling in place. What the peer
 * wrote is to be read with *_take. */
static inline void *
ring_slot(
    struct ring_shared *shared, uint32_t slot_size, uint32_t nr, RING_IDX idx)
{
	return (uint8_t *)shared + RING_HEADER_SIZE +
	       (size_t)(idx & (nr - 1)) * slot_size;
}

/* Copies len bytes out of or into shared memory, once: afterwards the
 * compiler may not go back to the source. */
static inline void
ring_copy(void *to, const void *from, size_t len)
{
	__builtin_memcpy(to, from, len);
	__asm__ volatile("" ::: "memory");
}

/* Publishes PROD in *word; whether the peer wants an event for it. */
static inline bool
ring_publish(RING_IDX *word, RING_IDX prod, const RING_IDX *event)
{
	RING_IDX old = __atomic_load_n(word, __ATOMIC_RELAXED);

	ring_store(word, prod);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return prod - ring_load(event) < prod - old;
}

/* Frontend: clears the shared part and takes the ring in use. bytes is what
 * the granted pages hold (a multiple of 4096). */
static inline void
ring_front_init(struct ring_front *f, void *page, size_t bytes, size_t size)
{
	f->shared = page;
	f->slot_size = (uint32_t)size;
	f->nr = ring_slots(bytes, size);
	f->req_prod = 0;
	f->rsp_cons = 0;
	__builtin_memset(page, 0, RING_HEADER_SIZE);
	ring_store(&f->shared->req_event, 1);
	ring_store(&f->shared->rsp_event, 1);
}

/* Requests that may still be put. */
static inline uint32_t
ring_front_room(const struct ring_front *f)
{
	return f->nr - (f->req_prod - f->rsp_cons);
}

/* The next request's slot, to be filled in place before ring_front_push;
 * NULL if the ring is full. */
static inline void *
ring_front_next(struct ring_front *f)
{
	if (ring_front_room(f) == 0)
		return NULL;
	return ring_slot(f->shared, f->slot_size, f->nr, f->req_prod++);
}

/* Makes all requests visible; true = send the backend an event. */
static inline bool
ring_front_push(struct ring_front *f)
{
	return ring_publish(
	    &f->shared->req_prod, f->req_prod, &f->shared->req_event);
}

/* The number of responses that wait, or RING_BROKEN. */
static inline int
ring_front_pending(const struct ring_front *f)
{
	RING_IDX ready = ring_load(&f->shared->rsp_prod) - f->rsp_cons;

	if (ready > f->req_prod - f->rsp_cons)
		return RING_BROKEN;
	return (int)ready;
}

/* Copies the first len bytes of the next response and consumes it. Only
 * after ring_front_pending said that there is one. */
static inline void
ring_front_take(struct ring_front *f, void *out, size_t len)
{
	ring_copy(
	    out, ring_slot(f->shared, f->slot_size, f->nr, f->rsp_cons), len);
	f->rsp_cons++;
}

/* Asks for an event at the next response, then looks again: true = there is
 * one already (or the ring is broken), so don't sleep. */
static inline bool
ring_front_final_check(struct ring_front *f)
{
	if (ring_front_pending(f) != 0)
		return true;
	ring_store(&f->shared->rsp_event, f->rsp_cons + 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_front_pending(f) != 0;
}

/* Backend: takes a ring in use that a frontend has initialised. A backend
 * that reconnects gives the index of the last response it sent, else 0. */
static inline void
ring_back_init(
    struct ring_back *b, void *page, size_t bytes, size_t size, RING_IDX from)
{
	b->shared = page;
	b->slot_size = (uint32_t)size;
	b->nr = ring_slots(bytes, size);
	b->rsp_prod = from;
	b->req_cons = from;
}

/* The number of requests that wait, or RING_BROKEN. */
static inline int
ring_back_pending(const struct ring_back *b)
{
	RING_IDX prod = ring_load(&b->shared->req_prod);

	if (prod - b->rsp_prod > b->nr || prod - b->req_cons > b->nr)
		return RING_BROKEN;
	return (int)(prod - b->req_cons);
}

/* Copies the first len bytes of the next request and consumes it. Only after
 * ring_back_pending said that there is one. */
static inline void
ring_back_take(struct ring_back *b, void *out, size_t len)
{
	ring_copy(
	    out, ring_slot(b->shared, b->slot_size, b->nr, b->req_cons), len);
	b->req_cons++;
}

/* Writes a response. There is room for one per consumed request. */
static inline void
ring_back_put(struct ring_back *b, const void *rsp, size_t len)
{
	ring_copy(
	    ring_slot(b->shared, b->slot_size, b->nr, b->rsp_prod), rsp, len);
	b->rsp_prod++;
}

/* Makes all responses visible; true = send the frontend an event. */
static inline bool
ring_back_push(struct ring_back *b)
{
	return ring_publish(
	    &b->shared->rsp_prod, b->rsp_prod, &b->shared->rsp_event);
}

/* As ring_front_final_check, for requests. */
static inline bool
ring_back_final_check(struct ring_back *b)
{
	if (ring_back_pending(b) != 0)
		return true;
	ring_store(&b->shared->req_event, b->req_cons + 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_back_pending(b) != 0;
}

_Static_assert(sizeof(struct ring_shared) == RING_HEADER_SIZE, "ring header");

#endif
