#include "grant.h"

#include "maptrack.h"
#include "p2m.h"

#define FRAME_BYTES (GRANTS_PER_FRAME * sizeof(struct grant_active))

/* How often the entry may change under our hands before we give up. */
#define ATTEMPTS 5

int
grant_init(struct domain *d)
{
	d->grants.max_frames =
	    d->pages.grant_table == NULL ? 0 : d->spec.max_grant_frames;
	return d->grants.max_frames == 0 ? 0 : grant_grow(d, 1);
}

int
grant_grow(struct domain *d, uint32_t frames)
{
	struct grant_table *t = &d->grants;

	if (frames > t->max_frames)
		return -XEN_EINVAL;
	while (t->nr_frames < frames) {
		struct grant_active *a = core_alloc(d->hv, FRAME_BYTES);

		if (a == NULL)
			return -XEN_ENOMEM;
		t->active[t->nr_frames++] = a;
	}
	return 0;
}

static struct grant_active *
entry(const struct domain *d, grant_ref_t ref)
{
	return &d->grants
		    .active[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
}

const struct grant_active *
grant_active(const struct domain *granter, grant_ref_t ref)
{
	return entry(granter, ref);
}

static bool
pinned(const struct grant_active *a)
{
	return a->pin[GRANT_PIN_READ] != 0 || a->pin[GRANT_PIN_WRITE] != 0;
}

/* An entry's first half as one word, so that it changes as one. */
union header {
	struct {
		uint16_t flags;
		domid_t domid;
	} part;
	uint32_t whole;
};

static uint32_t *
header_word(struct grant_entry_v1 *shared)
{
	return (uint32_t *)(void *)shared;
}

/* Marks the shared entry as in use by DOMID, if it offers that. */
static int16_t
set_in_use(struct grant_entry_v1 *shared, domid_t domid, enum grant_pin kind)
{
	uint32_t *word = header_word(shared);
	union header was, wanted;
	int attempt;

	was.whole = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		if ((was.part.flags & GTF_type_mask) != GTF_permit_access ||
		    was.part.domid != domid)
			return GNTST_general_error;
		wanted = was;
		wanted.part.flags |= GTF_reading;
		if (kind == GRANT_PIN_WRITE) {
			if ((was.part.flags & GTF_readonly) != 0)
				return GNTST_general_error;
			wanted.part.flags |= GTF_writing;
		}
		if (__atomic_compare_exchange_n(word, &was.whole, wanted.whole,
			false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return GNTST_okay;
	}
	return GNTST_general_error;
}

/* Takes the in-use marks off that no pin stands for any more. */
static void
clear_in_use(struct grant_entry_v1 *shared, const struct grant_active *a)
{
	uint16_t gone = 0;

	if (a->pin[GRANT_PIN_WRITE] == 0)
		gone |= GTF_writing;
	if (!pinned(a))
		gone |= GTF_reading;
	if (gone != 0)
		__atomic_fetch_and(
		    &shared->flags, (uint16_t)~gone, __ATOMIC_SEQ_CST);
}

/* The first pin of an entry: its frame. */
static int16_t
open_entry(struct domain *granter, grant_ref_t ref, const struct domain *mapper,
    void **frame_out)
{
	struct grant_entry_v1 *shared = &granter->pages.grant_table[ref];
	struct grant_active *a = entry(granter, ref);
	uint32_t gfn = __atomic_load_n(&shared->frame, __ATOMIC_SEQ_CST);

	*frame_out = p2m_pin(granter, gfn);
	if (*frame_out == NULL) {
		clear_in_use(shared, a);
		return GNTST_bad_page;
	}
	a->gfn = gfn;
	a->domid = mapper->domid;
	granter->grants.pinned++;
	return GNTST_okay;
}

int16_t
grant_pin(struct domain *granter, grant_ref_t ref, const struct domain *mapper,
    enum grant_pin kind, void **frame_out)
{
	struct grant_active *a;
	int16_t status;

	if (ref >= granter->grants.nr_frames * GRANTS_PER_FRAME)
		return GNTST_bad_gntref;
	a = entry(granter, ref);
	if (pinned(a) &&
	    (a->domid != mapper->domid || a->pin[kind] >= GRANT_PIN_MAX))
		return GNTST_general_error;

	if (!pinned(a) ||
	    (kind == GRANT_PIN_WRITE && a->pin[GRANT_PIN_WRITE] == 0)) {
		status = set_in_use(
		    &granter->pages.grant_table[ref], mapper->domid, kind);
		if (status != GNTST_okay)
			return status;
	}
	if (!pinned(a)) {
		status = open_entry(granter, ref, mapper, frame_out);
		if (status != GNTST_okay)
			return status;
	} else {
		*frame_out = p2m_frame(granter, a->gfn);
	}
	a->pin[kind]++;
	return GNTST_okay;
}

void
grant_unpin(struct domain *granter, grant_ref_t ref, enum grant_pin kind)
{
	struct grant_active *a = entry(granter, ref);

	a->pin[kind]--;
	clear_in_use(&granter->pages.grant_table[ref], a);
	if (pinned(a))
		return;
	granter->grants.pinned--;
	p2m_unpin(granter, a->gfn); /* granter may be gone now */
}

void
grant_release(struct domain *mapper, grant_handle_t handle)
{
	const struct maptrack *m = maptrack_get(mapper, handle);
	struct domain *granter = core_domain(mapper->hv, m->granter);
	enum grant_pin kind = m->readonly ? GRANT_PIN_READ : GRANT_PIN_WRITE;
	grant_ref_t ref = m->ref;
	struct hv_grant_mapping gone = {
		.mapper = mapper->domid,
		.granter = m->granter,
		.channel = m->channel,
		.gfn = entry(granter, ref)->gfn,
		.host_addr = m->host_addr,
		.handle = handle,
		.readonly = m->readonly,
	};

	maptrack_put(mapper, handle);
	if (mapper->hv->ops->grant_unmap != NULL)
		mapper->hv->ops->grant_unmap(mapper->hv->world, &gone);
	grant_unpin(granter, ref, kind);
}

bool
grant_relinquish(struct domain *mapper, uint32_t budget)
{
	uint32_t end = mapper->maptrack.nr_frames * MAPTRACK_PER_FRAME;

	while (mapper->cursor < end && budget-- > 0) {
		grant_handle_t handle = ++mapper->cursor;

		if (maptrack_get(mapper, handle) != NULL)
			grant_release(mapper, handle);
	}
	return mapper->cursor >= end;
}

void
grant_release_channel(struct domain *mapper, const void *channel)
{
	uint32_t end = mapper->maptrack.nr_frames * MAPTRACK_PER_FRAME;
	grant_handle_t handle;

	for (handle = 1; handle <= end; handle++) {
		const struct maptrack *m = maptrack_get(mapper, handle);

		if (m != NULL && m->channel == channel)
			grant_release(mapper, handle);
	}
}

void
grant_free(struct domain *d)
{
	uint32_t i;

	for (i = 0; i < d->grants.nr_frames; i++)
		core_free(d->hv, d->grants.active[i], FRAME_BYTES);
	d->grants.nr_frames = 0;
}
