#include <string.h>

#include "model.h"

/* The first ones, the last of the first frame, and the first of the second. */
grant_ref_t
model_ref(unsigned ref)
{
	return ref < MODEL_REFS - 2 ? ref : 511 + ref - (MODEL_REFS - 2);
}

/* How many handles of anybody's are pins of an entry; and one of them. */
static unsigned
count_pins(const struct model *m, domid_t granter, unsigned ref, bool readonly,
    const struct model_domain **who, const struct model_handle **one)
{
	unsigned n = 0;
	int d, i;

	for (d = 0; d < MODEL_DOMAINS; d++) {
		for (i = 0; m->d[d].exists && i < MODEL_HANDLES; i++) {
			const struct model_handle *h = &m->d[d].handle[i];

			if (!h->used || h->granter != granter ||
			    h->ref != ref || h->readonly != readonly)
				continue;
			*who = &m->d[d];
			*one = h;
			n++;
		}
	}
	return n;
}

bool
model_frame_pinned(
    const struct model *m, const struct model_domain *d, uint64_t gfn)
{
	int o, i;

	for (o = 0; o < MODEL_DOMAINS; o++)
		for (i = 0; m->d[o].exists && i < MODEL_HANDLES; i++)
			if (m->d[o].handle[i].used &&
			    m->d[o].handle[i].granter == d->domid &&
			    m->d[o].handle[i].gfn == gfn)
				return true;
	return false;
}

/* What the pins of an entry allow one more of MAPPER's. *GFN_OUT: its frame.
 * Writes the entry's in-use bits. */
static int16_t
try_pin(struct model *m, struct model_domain *granter, unsigned ref,
    const struct model_domain *mapper, bool readonly, uint32_t *gfn_out)
{
	const struct model_domain *who = NULL;
	const struct model_handle *one = NULL;
	unsigned reads, writes;
	struct grant_entry_v1 *e;
	uint16_t before;

	if (ref >= MODEL_REFS || model_ref(ref) >= granter->grant_frames * 512)
		return GNTST_bad_gntref;
	reads = count_pins(m, granter->domid, ref, true, &who, &one);
	writes = count_pins(m, granter->domid, ref, false, &who, &one);
	if (who != NULL && who != mapper)
		return GNTST_general_error;
	if ((readonly ? reads : writes) >= MODEL_PINS)
		return GNTST_general_error;
	e = &granter->entry[ref];
	before = e->flags;
	if (who == NULL || (!readonly && writes == 0)) {
		if ((e->flags & GTF_type_mask) != GTF_permit_access ||
		    e->domid != mapper->domid)
			return GNTST_general_error;
		if (!readonly && (e->flags & GTF_readonly) != 0)
			return GNTST_general_error;
		e->flags |= GTF_reading;
		if (!readonly)
			e->flags |= GTF_writing;
	}
	*gfn_out = who != NULL ? one->gfn : e->frame;
	if (who == NULL &&
	    (e->frame >= MODEL_FRAMES || !granter->frame[e->frame].here)) {
		e->flags = before & (uint16_t) ~(GTF_reading | GTF_writing);
		return GNTST_bad_page;
	}
	return GNTST_okay;
}

/* The in-use bits after a pin has gone. */
static void
after_unpin(struct model *m, struct model_domain *granter, unsigned ref)
{
	const struct model_domain *who = NULL;
	const struct model_handle *one = NULL;
	uint16_t gone = 0;

	if (count_pins(m, granter->domid, ref, false, &who, &one) == 0)
		gone |= GTF_writing;
	if (gone != 0 &&
	    count_pins(m, granter->domid, ref, true, &who, &one) == 0)
		gone |= GTF_reading;
	granter->entry[ref].flags &= (uint16_t)~gone;
}

static void
model_unpinned(struct model *m, struct model_domain *d, uint64_t gfn)
{
	if (model_frame_pinned(m, d, gfn))
		return;
	d->frame[gfn].leaving = false;
	if (d->state != MODEL_DEAD || model_pages(d) != 0)
		return;
	d->exists = false;
	model_dom_exc(m);
}

void
model_release(struct model *m, struct model_handle *h)
{
	struct model_domain *granter = model_domain(m, h->granter);

	h->used = false;
	after_unpin(m, granter, h->ref);
	model_unpinned(m, granter, h->gfn);
}

static struct model_handle *
free_slot(struct model_domain *by)
{
	unsigned i, used = 0;
	struct model_handle *slot = NULL;

	for (i = 0; i < MODEL_HANDLES; i++) {
		used += by->handle[i].used;
		if (!by->handle[i].used)
			slot = &by->handle[i];
	}
	return used >= by->max_handles ? NULL : slot;
}

int16_t
model_map(struct model *m, struct model_domain *by,
    const struct gnttab_map_grant_ref *op, unsigned ref, void *channel,
    struct model_handle **slot_out)
{
	struct model_domain *granter = model_domain(m, op->dom);
	bool readonly = (op->flags & GNTMAP_readonly) != 0;
	struct model_handle *slot;
	uint32_t gfn = 0;
	int16_t status;

	if ((op->flags & (GNTMAP_host_map | GNTMAP_device_map)) == 0)
		return GNTST_bad_gntref;
	if ((op->flags & ~(GNTMAP_host_map | GNTMAP_readonly)) != 0)
		return GNTST_general_error;
	if (op->host_addr == 0)
		return GNTST_bad_virt_addr;
	if (granter == NULL || granter->state != MODEL_ALIVE)
		return GNTST_bad_domain;
	slot = free_slot(by);
	if (slot == NULL)
		return GNTST_no_space;
	status = try_pin(m, granter, ref, by, readonly, &gfn);
	if (status != GNTST_okay)
		return status;
	slot->used = true;
	slot->granter = granter->domid;
	slot->ref = ref;
	slot->gfn = gfn;
	slot->readonly = readonly;
	slot->host_addr = op->host_addr;
	slot->channel = channel;
	*slot_out = slot;
	return GNTST_okay;
}

int16_t
model_unmap(struct model *m, struct model_domain *by,
    const struct gnttab_unmap_grant_ref *op)
{
	struct model_handle *h = NULL;
	int i;

	for (i = 0; i < MODEL_HANDLES; i++)
		if (by->handle[i].used && by->handle[i].handle == op->handle)
			h = &by->handle[i];
	if (h == NULL)
		return GNTST_bad_handle;
	if (op->dev_bus_addr != 0 && op->dev_bus_addr != (uint64_t)h->gfn
							     << XEN_PAGE_SHIFT)
		return GNTST_bad_dev_addr;
	if (op->host_addr == 0)
		return GNTST_okay;
	if (op->host_addr != h->host_addr)
		return GNTST_general_error;
	model_release(m, h);
	return GNTST_okay;
}

/* One side of a copy, as a pin that lasts as long as the copy. */
struct side {
	struct model_domain *d;
	bool by_ref;
	unsigned ref;
	uint32_t gfn;
};

static int16_t
side_domain(struct model *m, struct model_domain *by,
    const struct gnttab_copy_ptr *p, struct side *s)
{
	if (!s->by_ref && p->domid != DOMID_SELF)
		return GNTST_permission_denied;
	s->d = p->domid == DOMID_SELF ? by : model_domain(m, p->domid);
	if (s->d == NULL || s->d->state != MODEL_ALIVE)
		return GNTST_bad_domain;
	return GNTST_okay;
}

static int16_t
side_frame(struct model *m, const struct model_domain *by,
    const struct gnttab_copy_ptr *p, struct side *s, bool readonly)
{
	if (s->by_ref)
		return try_pin(m, s->d, s->ref, by, readonly, &s->gfn);
	if (p->u.gmfn >= MODEL_FRAMES || !s->d->frame[p->u.gmfn].here)
		return GNTST_bad_page;
	s->gfn = (uint32_t)p->u.gmfn;
	return GNTST_okay;
}

static void
move_bytes(const struct gnttab_copy *op, struct side *from, struct side *to)
{
	uint8_t page[2][XEN_PAGE_SIZE] = { { 0 } };

	memcpy(page[0], from->d->frame[from->gfn].bytes, MODEL_BYTES);
	memcpy(page[1], to->d->frame[to->gfn].bytes, MODEL_BYTES);
	memcpy(page[1] + op->dest.offset, page[0] + op->source.offset, op->len);
	memcpy(to->d->frame[to->gfn].bytes, page[1], MODEL_BYTES);
}

int16_t
model_copy(struct model *m, struct model_domain *by,
    const struct gnttab_copy *op, unsigned from_ref, unsigned to_ref)
{
	struct side from = {
		.by_ref = (op->flags & GNTCOPY_source_gref) != 0,
		.ref = from_ref,
	};
	struct side to = {
		.by_ref = (op->flags & GNTCOPY_dest_gref) != 0,
		.ref = to_ref,
	};
	int16_t status;

	status = side_domain(m, by, &op->source, &from);
	if (status == GNTST_okay)
		status = side_domain(m, by, &op->dest, &to);
	if (status != GNTST_okay)
		return status;
	status = side_frame(m, by, &op->source, &from, true);
	if (status != GNTST_okay)
		return status;
	status = side_frame(m, by, &op->dest, &to, false);
	if (status == GNTST_okay) {
		if (op->source.offset + op->len > XEN_PAGE_SIZE ||
		    op->dest.offset + op->len > XEN_PAGE_SIZE)
			status = GNTST_bad_copy_arg;
		else
			move_bytes(op, &from, &to);
		if (to.by_ref)
			after_unpin(m, to.d, to.ref);
	}
	if (from.by_ref)
		after_unpin(m, from.d, from.ref);
	return status;
}

int16_t
model_setup_table(struct model_domain *d, uint32_t frames)
{
	if (frames > d->max_grant_frames)
		return GNTST_general_error;
	if (frames > d->grant_frames)
		d->grant_frames = frames;
	return GNTST_okay;
}
