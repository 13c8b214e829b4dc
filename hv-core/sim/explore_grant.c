#include <string.h>

#include "explore_priv.h"

/* A ref, as the model's index and as a number. */
static unsigned
pick_ref(struct explore *e, grant_ref_t *ref)
{
	static const grant_ref_t none[] = { 1024, 70000, UINT32_MAX };
	unsigned i = explore_pick(e, MODEL_REFS);

	if (explore_pick(e, 20) == 0) {
		*ref = none[explore_pick(e, 3)];
		return MODEL_BAD_REF;
	}
	*ref = model_ref(i);
	return i;
}

static long
grant(struct explore *e, const struct model_domain *by, void *channel,
    unsigned cmd, void *op)
{
	return explore_call(
	    e, by, channel, __HYPERVISOR_grant_table_op, cmd, op, 1);
}

/* A frame that exists, more often than not. */
static uint32_t
pick_frame(struct explore *e, const struct model_domain *d)
{
	uint32_t gfn = explore_pick(e, MODEL_FRAMES), i;

	if (explore_pick(e, 10) == 0)
		return explore_pick(e, 2) ? 0x00ffffff : UINT32_MAX;
	for (i = 0; i < MODEL_FRAMES && !d->frame[gfn].here; i++)
		gfn = (gfn + 1) % MODEL_FRAMES;
	return gfn;
}

/* What a domain writes into its table: mostly offers, sometimes rubbish, also
 * while the entry is in use. */
static long
op_write_entry(struct explore *e)
{
	static const uint16_t kinds[] = { GTF_permit_access, GTF_permit_access,
		GTF_permit_access, GTF_permit_access | GTF_readonly, 0,
		GTF_accept_transfer, GTF_transitive,
		GTF_permit_access | GTF_reading | GTF_writing };
	struct model_domain *d = explore_domain(e);
	unsigned i = explore_pick(e, MODEL_REFS);
	struct grant_entry_v1 *m = &d->entry[i];
	struct grant_entry_v1 *s =
	    &e->s->domain[d->domid]->grants[model_ref(i)];

	if ((m->flags & (GTF_reading | GTF_writing)) != 0 &&
	    explore_pick(e, 8) != 0)
		return -1; /* a polite domain waits */
	m->domid = explore_domain(e)->domid;
	m->frame = pick_frame(e, d);
	m->flags = kinds[explore_pick(e, 8)];
	*s = *m;
	return 0;
}

/* Maps once, and checks. */
static long
map_once(struct explore *e, struct model_domain *by, void *channel,
    struct gnttab_map_grant_ref *op, unsigned ref)
{
	struct model_handle *slot = NULL;
	int16_t want = 0;
	long got;

	if (by->state == MODEL_ALIVE)
		want = model_map(&e->m, by, op, ref, channel, &slot);
	got = grant(e, by, channel, GNTTABOP_map_grant_ref, op);
	if (by->state != MODEL_ALIVE) {
		explore_same(e, "map by a dying domain", got, -XEN_ESRCH);
		return got;
	}
	if (!explore_same(e, "map", got, 0) ||
	    !explore_same(e, "map's status", op->status, want))
		return -1;
	if (want != GNTST_okay)
		return want;
	slot->handle = op->handle;
	explore_same(e, "map's frame", (long)op->dev_bus_addr,
	    (long)slot->gfn << XEN_PAGE_SHIFT);
	return 0;
}

/* Maps something that somebody offers, more often than not. */
static unsigned
find_offer(struct explore *e, const struct model_domain *by, domid_t *dom,
    grant_ref_t *ref)
{
	unsigned i, from = explore_pick(e, MODEL_DOMAINS * MODEL_REFS);

	for (i = 0; i < MODEL_DOMAINS * MODEL_REFS; i++) {
		unsigned at = (from + i) % (MODEL_DOMAINS * MODEL_REFS);
		const struct model_domain *d = &e->m.d[at / MODEL_REFS];
		unsigned n = at % MODEL_REFS;

		if (!d->exists || d->entry[n].domid != by->domid ||
		    (d->entry[n].flags & GTF_type_mask) != GTF_permit_access)
			continue;
		*dom = d->domid;
		*ref = model_ref(n);
		return n;
	}
	*dom = explore_domid(e);
	return pick_ref(e, ref);
}

static unsigned
handles_of(const struct model_domain *d)
{
	unsigned i, n = 0;

	for (i = 0; i < MODEL_HANDLES; i++)
		n += d->handle[i].used;
	return n;
}

static long
op_map(struct explore *e)
{
	static const uint32_t flags[] = { GNTMAP_host_map, GNTMAP_host_map,
		GNTMAP_host_map, GNTMAP_host_map | GNTMAP_readonly,
		GNTMAP_host_map | GNTMAP_readonly, 0, GNTMAP_device_map,
		GNTMAP_host_map | GNTMAP_contains_pte };
	struct model_domain *by = explore_domain(e);
	void *channel = explore_channel(e);
	struct gnttab_map_grant_ref op;
	unsigned ref, times = 1;
	long got = 0;

	memset(&op, 0, sizeof(op));
	op.host_addr = (uint64_t)explore_pick(e, 8) << XEN_PAGE_SHIFT;
	op.flags = flags[explore_pick(e, 8)];
	if (explore_pick(e, 6) == 0) {
		op.dom = explore_domid(e);
		ref = pick_ref(e, &op.ref);
	} else {
		ref = find_offer(e, by, &op.dom, &op.ref);
	}
	/* Now and then as often as it goes: limits are there to be met. */
	if (by->domid != 0 && explore_pick(e, 1000) == 0)
		times = MODEL_HANDLES;
	if (by->domid == 0 && handles_of(by) > 200)
		return -1;
	while (times-- > 0 && got == 0 && e->why[0] == '\0')
		got = map_once(e, by, channel, &op, ref);
	return got;
}

static const struct model_handle *
pick_handle(struct explore *e, const struct model_domain *d)
{
	unsigned i, from = explore_pick(e, MODEL_HANDLES);

	for (i = 0; i < MODEL_HANDLES; i++) {
		const struct model_handle *h =
		    &d->handle[(from + i) % MODEL_HANDLES];

		if (h->used)
			return h;
	}
	return NULL;
}

static long
op_unmap(struct explore *e)
{
	struct model_domain *by = explore_domain(e);
	const struct model_handle *h = pick_handle(e, by);
	struct gnttab_unmap_grant_ref op;
	int16_t want = 0;
	long got;

	memset(&op, 0, sizeof(op));
	op.host_addr = (uint64_t)explore_pick(e, 8) << XEN_PAGE_SHIFT;
	op.handle = explore_pick(e, 300);
	if (h != NULL && explore_pick(e, 8) != 0) {
		op.handle = h->handle;
		if (explore_pick(e, 8) != 0)
			op.host_addr = h->host_addr;
		if (explore_pick(e, 4) == 0)
			op.dev_bus_addr = (uint64_t)h->gfn << XEN_PAGE_SHIFT;
		else if (explore_pick(e, 8) == 0)
			op.dev_bus_addr = 0x1000;
	}
	if (by->state == MODEL_ALIVE)
		want = model_unmap(&e->m, by, &op);
	got = grant(e, by, NULL, GNTTABOP_unmap_grant_ref, &op);
	if (by->state != MODEL_ALIVE) {
		explore_same(e, "unmap by a dying domain", got, -XEN_ESRCH);
		return got;
	}
	explore_same(e, "unmap", got, 0);
	explore_same(e, "unmap's status", op.status, want);
	return op.status;
}

/* One side of a copy; the model's index of its ref. */
static unsigned
pick_side(struct explore *e, const struct model_domain *by, bool by_ref,
    struct gnttab_copy_ptr *p)
{
	static const uint16_t offsets[] = { 0, 1, 8, 4090, 65535 };
	grant_ref_t ref = 0;
	unsigned i = 0;

	p->offset = explore_pick(e, 4) != 0 ? offsets[explore_pick(e, 3)]
					    : offsets[explore_pick(e, 5)];
	if (by_ref) {
		i = find_offer(e, by, &p->domid, &ref);
		p->u.ref = ref;
		return i;
	}
	p->domid = explore_pick(e, 10) ? DOMID_SELF : explore_domid(e);
	p->u.gmfn = pick_frame(e, by);
	return 0;
}

static long
op_copy(struct explore *e)
{
	struct model_domain *by = explore_domain(e);
	struct gnttab_copy op;
	unsigned from, to;
	int16_t want = 0;
	long got;

	memset(&op, 0, sizeof(op));
	op.flags = (uint16_t)explore_pick(e, 4);
	op.len = (uint16_t)explore_pick(e, 9);
	from =
	    pick_side(e, by, (op.flags & GNTCOPY_source_gref) != 0, &op.source);
	to = pick_side(e, by, (op.flags & GNTCOPY_dest_gref) != 0, &op.dest);
	/* The model knows a frame's first bytes: what goes elsewhere must be
	 * too long for the frame. */
	if (op.dest.offset >= MODEL_BYTES)
		op.len += 7;
	if (by->state == MODEL_ALIVE)
		want = model_copy(&e->m, by, &op, from, to);
	got = grant(e, by, NULL, GNTTABOP_copy, &op);
	if (by->state != MODEL_ALIVE) {
		explore_same(e, "copy by a dying domain", got, -XEN_ESRCH);
		return got;
	}
	explore_same(e, "copy", got, 0);
	explore_same(e, "copy's status", op.status, want);
	return op.status;
}

static long
op_setup_table(struct explore *e)
{
	struct model_domain *d = explore_domain(e);
	uint64_t list[4];
	struct gnttab_setup_table op = {
		.dom = DOMID_SELF,
		.nr_frames = explore_pick(e, d->domid == 0 ? 3 : 4),
		.frame_list = (uintptr_t)list,
	};
	int16_t want = 0;
	long got;

	if (d->state == MODEL_ALIVE)
		want = model_setup_table(d, op.nr_frames);
	got = grant(e, d, NULL, GNTTABOP_setup_table, &op);
	if (d->state != MODEL_ALIVE) {
		explore_same(e, "setup by a dying domain", got, -XEN_ESRCH);
		return got;
	}
	explore_same(e, "setup_table's status", op.status, want);
	return op.status;
}

/* A domain writes to its memory. */
static long
op_write_frame(struct explore *e)
{
	struct model_domain *d = explore_domain(e);
	uint32_t gfn = explore_pick(e, MODEL_FRAMES);
	struct model_frame *f = &d->frame[gfn];
	unsigned i;

	if (!f->here && !f->leaving)
		return -1;
	for (i = 0; i < MODEL_BYTES; i++)
		f->bytes[i] = (uint8_t)explore_pick(e, 256);
	memcpy(e->s->domain[d->domid]->ram[gfn], f->bytes, MODEL_BYTES);
	return 0;
}

static const struct explore_op ops[] = {
	{ "write an entry", op_write_entry, 14 },
	{ "map", op_map, 16 },
	{ "unmap", op_unmap, 14 },
	{ "copy", op_copy, 10 },
	{ "setup_table", op_setup_table, 1 },
	{ "write a frame", op_write_frame, 2 },
	{ NULL, NULL, 0 },
};

const struct explore_op *
explore_grant_ops(void)
{
	return ops;
}
