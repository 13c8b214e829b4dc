#include "p2m.h"

#include "domain.h"

#define CHUNK_BYTES (P2M_CHUNK_FRAMES * sizeof(uint32_t))

/* The word of a frame, or NULL where no frame ever was. */
static uint32_t *
word(const struct domain *d, uint64_t gfn)
{
	uint32_t *chunk;

	if (gfn >= P2M_MAX_GFN)
		return NULL;
	chunk = d->p2m.chunk[gfn / P2M_CHUNK_FRAMES];
	return chunk == NULL ? NULL : &chunk[gfn % P2M_CHUNK_FRAMES];
}

static bool
p2m_present(const struct domain *d, uint64_t gfn)
{
	const uint32_t *w = word(d, gfn);

	return w != NULL && (*w & P2M_PRESENT) != 0;
}

static void
account(struct domain *d, int64_t pages)
{
	d->p2m.pages += (uint64_t)pages;
	d->hv->pages_used += (uint64_t)pages;
}

/* The tables for gfn..gfn+nr-1. They stay if the rest fails. */
static int
reserve(struct domain *d, uint64_t gfn, uint64_t nr)
{
	uint64_t i;

	for (i = gfn / P2M_CHUNK_FRAMES; i <= (gfn + nr - 1) / P2M_CHUNK_FRAMES;
	     i++) {
		if (d->p2m.chunk[i] == NULL)
			d->p2m.chunk[i] = core_alloc(d->hv, CHUNK_BYTES);
		if (d->p2m.chunk[i] == NULL)
			return -XEN_ENOMEM;
	}
	return 0;
}

int
p2m_populate(struct domain *d, uint64_t gfn, uint64_t nr)
{
	uint64_t i;
	int err;

	if (nr == 0)
		return 0;
	if (gfn >= P2M_MAX_GFN || nr > P2M_MAX_GFN - gfn)
		return -XEN_EINVAL;
	if (d->p2m.pages + nr > d->p2m.max_pages ||
	    d->hv->pages_used + nr > d->hv->cfg.total_pages)
		return -XEN_ENOMEM;
	for (i = gfn; i < gfn + nr; i++) {
		const uint32_t *w = word(d, i);

		if (w != NULL && (*w & (P2M_PRESENT | P2M_LEAVING)) != 0)
			return -XEN_EINVAL;
	}
	err = reserve(d, gfn, nr);
	if (err < 0)
		return err;
	err = d->hv->ops->ram_populate(d->hv->world, d->domid, gfn, nr);
	if (err < 0)
		return err;

	for (i = gfn; i < gfn + nr; i++)
		*word(d, i) = P2M_PRESENT;
	if (gfn + nr - 1 > d->p2m.max_gfn)
		d->p2m.max_gfn = gfn + nr - 1;
	account(d, (int64_t)nr);
	return 0;
}

/* Gives up the frames of a run; those with pins only change their state. */
static void
release_run(struct domain *d, uint64_t gfn, uint64_t nr)
{
	uint64_t i, from = gfn;

	for (i = gfn; i < gfn + nr; i++) {
		uint32_t *w = word(d, i);

		if ((*w & P2M_PINS) == 0) {
			*w = 0;
			continue;
		}
		*w = (*w & P2M_PINS) | P2M_LEAVING;
		if (i > from) {
			d->hv->ops->ram_release(
			    d->hv->world, d->domid, from, i - from);
			account(d, -(int64_t)(i - from));
		}
		from = i + 1;
	}
	if (i > from) {
		d->hv->ops->ram_release(d->hv->world, d->domid, from, i - from);
		account(d, -(int64_t)(i - from));
	}
}

int
p2m_release(struct domain *d, uint64_t gfn, uint64_t nr)
{
	uint64_t i;

	if (nr == 0)
		return 0;
	if (gfn >= P2M_MAX_GFN || nr > P2M_MAX_GFN - gfn)
		return -XEN_EINVAL;
	for (i = gfn; i < gfn + nr; i++)
		if (!p2m_present(d, i))
			return -XEN_EINVAL;
	release_run(d, gfn, nr);
	return 0;
}

void *
p2m_frame(const struct domain *d, uint64_t gfn)
{
	return d->hv->ops->ram_frame(d->hv->world, d->domid, gfn);
}

void *
p2m_pin(struct domain *d, uint64_t gfn)
{
	uint32_t *w = word(d, gfn);
	void *frame;

	if (w == NULL || (*w & P2M_PRESENT) == 0 || (*w & P2M_PINS) == P2M_PINS)
		return NULL;
	frame = p2m_frame(d, gfn);
	if (frame == NULL)
		return NULL;
	if ((*w & P2M_PINS) == 0)
		d->p2m.pinned++;
	(*w)++;
	return frame;
}

void
p2m_unpin(struct domain *d, uint64_t gfn)
{
	uint32_t *w = word(d, gfn);

	(*w)--;
	if ((*w & P2M_PINS) != 0)
		return;
	d->p2m.pinned--;
	if ((*w & P2M_LEAVING) != 0) {
		*w = 0;
		d->hv->ops->ram_release(d->hv->world, d->domid, gfn, 1);
		account(d, -1);
	}
	domain_unpinned(d);
}

/* The frames of one chunk that are present, in runs. */
static void
release_chunk(struct domain *d, uint64_t chunk)
{
	uint64_t gfn = chunk * P2M_CHUNK_FRAMES;
	uint64_t end = gfn + P2M_CHUNK_FRAMES;

	while (gfn < end) {
		uint64_t nr = 0;

		while (gfn + nr < end && p2m_present(d, gfn + nr))
			nr++;
		if (nr > 0)
			release_run(d, gfn, nr);
		gfn += nr + 1;
	}
}

bool
p2m_relinquish(struct domain *d, uint32_t chunks)
{
	while (d->cursor < P2M_CHUNKS && chunks > 0) {
		if (d->p2m.chunk[d->cursor] != NULL) {
			release_chunk(d, d->cursor);
			chunks--;
		}
		d->cursor++;
	}
	return d->cursor >= P2M_CHUNKS;
}

void
p2m_free(struct domain *d)
{
	uint32_t i;

	account(d, -(int64_t)d->p2m.pages);
	for (i = 0; i < P2M_CHUNKS; i++)
		core_free(d->hv, d->p2m.chunk[i], CHUNK_BYTES);
}
