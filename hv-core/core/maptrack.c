#include "maptrack.h"

#define FRAME_BYTES (MAPTRACK_PER_FRAME * sizeof(struct maptrack))

static struct maptrack *
at(const struct domain *d, uint32_t index)
{
	return &d->maptrack.frame[index / MAPTRACK_PER_FRAME]
				 [index % MAPTRACK_PER_FRAME];
}

/* One frame of records more, all of them on the list. */
static bool
grow(struct domain *d)
{
	struct maptrack_table *t = &d->maptrack;
	uint32_t i, base = t->nr_frames * MAPTRACK_PER_FRAME;
	struct maptrack *frame;

	if (t->nr_frames >= t->max_frames)
		return false;
	frame = core_alloc(d->hv, FRAME_BYTES);
	if (frame == NULL)
		return false;
	for (i = 0; i < MAPTRACK_PER_FRAME; i++)
		frame[i].next_free = base + i + 1;
	frame[MAPTRACK_PER_FRAME - 1].next_free = t->first_free;
	t->frame[t->nr_frames++] = frame;
	t->first_free = base;
	return true;
}

struct maptrack *
maptrack_find_free(struct domain *d, grant_handle_t *handle)
{
	if (d->maptrack.first_free == MAPTRACK_NONE && !grow(d))
		return NULL;
	*handle = d->maptrack.first_free + 1;
	return at(d, d->maptrack.first_free);
}

void
maptrack_take(struct domain *d, const struct maptrack *as)
{
	struct maptrack *m = at(d, d->maptrack.first_free);

	d->maptrack.first_free = m->next_free;
	*m = *as;
	m->used = true;
	d->maptrack.used++;
}

struct maptrack *
maptrack_get(const struct domain *d, grant_handle_t handle)
{
	struct maptrack *m;

	if (handle == 0 || handle > d->maptrack.nr_frames * MAPTRACK_PER_FRAME)
		return NULL;
	m = at(d, handle - 1);
	return m->used ? m : NULL;
}

void
maptrack_put(struct domain *d, grant_handle_t handle)
{
	struct maptrack *m = at(d, handle - 1);

	m->used = false;
	m->channel = NULL;
	m->next_free = d->maptrack.first_free;
	d->maptrack.first_free = handle - 1;
	d->maptrack.used--;
}

void
maptrack_free(struct domain *d)
{
	uint32_t i;

	for (i = 0; i < d->maptrack.nr_frames; i++)
		core_free(d->hv, d->maptrack.frame[i], FRAME_BYTES);
	d->maptrack.nr_frames = 0;
}
