#include "hv-core/dom0/backring.h"

static uint8_t *
journal_slot(const struct backring *r, RING_IDX idx)
{
	return r->journal->slots +
	       (size_t)(idx & (r->ring.nr - 1)) * r->ring.slot_size;
}

/*
 * How many responses the frontend may have seen. The journal's figure is older
 * than the page's if the process died right after publishing; the page's is
 * believed only within what the journal allows, since the frontend can write
 * there.
 */
static RING_IDX
published(const struct ring_shared *shared, const struct backring_journal *j)
{
	RING_IDX seen = ring_load(&shared->rsp_prod);

	return seen - j->done <= j->taken - j->done ? seen : j->done;
}

void
backring_init(struct backring *r, void *page, size_t slot_size,
    struct backring_journal *journal)
{
	RING_IDX from = published(page, journal);

	ring_back_init(&r->ring, page, BACKRING_BYTES_MAX, slot_size, from);
	ring_store(&r->ring.shared->rsp_prod, from);
	r->journal = journal;
	ring_store(&journal->done, from);
}

int
backring_pending(const struct backring *r)
{
	return ring_back_pending(&r->ring);
}

void
backring_take(struct backring *r, void *out, size_t len)
{
	RING_IDX idx = r->ring.req_cons;
	uint8_t *copy = journal_slot(r, idx);

	if (r->journal->taken - idx - 1 < r->ring.nr) {
		/* Our predecessor took it. */
		r->ring.req_cons++;
	} else {
		ring_back_take(&r->ring, copy, r->ring.slot_size);
		ring_store(&r->journal->taken, idx + 1);
	}
	ring_copy(out, copy, len);
}

void
backring_put(struct backring *r, const void *rsp, size_t len)
{
	ring_back_put(&r->ring, rsp, len);
}

bool
backring_push(struct backring *r)
{
	bool notify = ring_back_push(&r->ring);

	ring_store(&r->journal->done, r->ring.rsp_prod);
	return notify;
}

bool
backring_final_check(struct backring *r)
{
	return ring_back_final_check(&r->ring);
}
