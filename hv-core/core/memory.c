#include "abi/memory.h"

#include "grant.h"
#include "ops.h"
#include "p2m.h"
#include "policy.h"

/* Extents done before the world gets a chance to do something else. */
#define SLICE 4096
#define MAX_ORDER 18	  /* 1 GiB */
#define MAX_ORDER_GUEST 9 /* 2 MiB */

/* An operation that is continued carries the number of extents that are done
 * in the bits of arg[0] above the operation. */
#define DONE_SHIFT 6
#define CMD(c) ((uint32_t)(c)->arg[0] & ((1u << DONE_SHIFT) - 1))
#define MAX_EXTENTS (UINT32_MAX >> DONE_SHIFT)

/* What one extent is: p2m_populate or p2m_release. */
typedef int (*extent_fn)(struct domain *d, uint64_t gfn, uint64_t nr);

/* How many extents from AT on, not more than MOST, follow upon GFN without a
 * gap, itself included. */
static uint64_t
run_length(const struct call *c, uint64_t at, uint64_t gfn, uint64_t size,
    uint64_t most)
{
	uint64_t run = 1;
	xen_pfn_t next;

	while (
	    run < most &&
	    call_read(c, &next, at + run * sizeof(next), sizeof(next)) == 0 &&
	    next == gfn + run * size)
		run++;
	return run;
}

/* Does one run of extents: at once, or as many of them as can be done. */
static uint64_t
do_run(
    struct domain *d, uint64_t gfn, uint64_t size, uint64_t run, extent_fn fn)
{
	uint64_t done = 0;

	if (fn(d, gfn, run * size) == 0)
		return run;
	while (run > 1 && done < run && fn(d, gfn + done * size, size) == 0)
		done++;
	return done;
}

/* Works off a list of extents. Answers the number of extents done, fewer than
 * asked for at the first that fails. */
static long
for_extents(struct call *c, struct domain *d,
    const struct xen_memory_reservation *op, extent_fn fn)
{
	uint64_t done = (uint32_t)c->arg[0] >> DONE_SHIFT;
	uint64_t end = op->nr_extents;
	uint64_t size = UINT64_C(1) << op->extent_order;

	if (end - done > SLICE)
		end = done + SLICE;
	while (done < end) {
		uint64_t at = op->extent_start + done * sizeof(xen_pfn_t);
		uint64_t run, ok;
		xen_pfn_t gfn;

		if (call_read(c, &gfn, at, sizeof(gfn)) < 0)
			return (long)done;
		run = run_length(c, at, gfn, size, end - done);
		ok = do_run(d, gfn, size, run, fn);
		done += ok;
		if (ok < run)
			return (long)done;
	}
	if (done == op->nr_extents)
		return (long)done;
	c->arg[0] = (uint32_t)(done << DONE_SHIFT) | CMD(c);
	return -XEN_ERESTART;
}

static long
op_reservation(struct call *c, uint64_t arg, extent_fn fn)
{
	struct xen_memory_reservation op;
	struct domain *d;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	if (op.nr_extents > MAX_EXTENTS ||
	    op.nr_extents < (uint32_t)c->arg[0] >> DONE_SHIFT)
		return -XEN_EINVAL;
	if (op.extent_order > (c->d->privileged ? MAX_ORDER : MAX_ORDER_GUEST))
		return 0; /* none could be done */
	d = call_domain(c, op.domid);
	if (d == NULL)
		return -XEN_ESRCH;
	err = policy_check(c->d, d, POLICY_MEMORY_RESERVATION);
	if (err < 0)
		return err;
	/* Domain 0's memory is a number only. */
	if (d->domid == 0 || d->state != DOMAIN_ALIVE)
		return 0;
	return for_extents(c, d, &op, fn);
}

static long
op_stat(struct call *c, uint32_t cmd, uint64_t arg)
{
	struct xen_memory_domain op;
	const struct domain *d;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	d = call_domain(c, op.domid);
	if (d == NULL)
		return -XEN_ESRCH;
	err = policy_check(c->d, d, POLICY_MEMORY_STAT);
	if (err < 0)
		return err;
	switch (cmd) {
	case XENMEM_current_reservation:
		return (long)d->p2m.pages;
	case XENMEM_maximum_reservation:
		return (long)d->p2m.max_pages;
	default:
		return (long)d->p2m.max_gfn;
	}
}

static long
op_add_to_physmap(struct call *c, uint64_t arg)
{
	struct xen_add_to_physmap op;
	enum hv_xen_page kind = HV_XEN_PAGE_SHARED_INFO;
	struct domain *d;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	d = call_domain(c, op.domid);
	if (d == NULL)
		return -XEN_ESRCH;
	err = policy_check(c->d, d, POLICY_MEMORY_PHYSMAP);
	if (err < 0)
		return err;
	if (c->hv->ops->physmap_add == NULL)
		return -XEN_ENOSYS;
	if (op.space == XENMAPSPACE_grant_table) {
		kind = HV_XEN_PAGE_GRANT;
		if (op.idx >= d->grants.max_frames)
			return -XEN_EINVAL;
		err = grant_grow(d, (uint32_t)op.idx + 1);
		if (err < 0)
			return err;
	} else if (op.space != XENMAPSPACE_shared_info || op.idx != 0 ||
		   d->pages.shared_info == NULL) {
		return -XEN_EINVAL;
	}
	return c->hv->ops->physmap_add(
	    c->hv->world, d->domid, kind, (uint32_t)op.idx, op.gpfn);
}

int
hv_grant_frames(struct hv *hv, const struct hv_caller *caller, domid_t domid,
    uint32_t first, uint32_t nr)
{
	const struct domain *by = core_domain(hv, caller->domid);
	struct domain *d = core_domain(hv, domid);
	int err;

	if (by == NULL || d == NULL)
		return -XEN_ESRCH;
	err = policy_check(by, d, POLICY_MEMORY_RESOURCE);
	if (err < 0)
		return err;
	if (nr == 0 || first >= d->grants.max_frames ||
	    nr > d->grants.max_frames - first)
		return -XEN_EINVAL;
	return grant_grow(d, first + nr);
}

static long
list_resource(struct call *c, const struct domain *d,
    const struct xen_mem_acquire_resource *op)
{
	uint32_t i;
	int err;

	for (i = 0; i < op->nr_frames; i++) {
		xen_pfn_t gfn = d->pages.grant_table_gfn + op->frame + i;

		err = call_write(
		    c, op->frame_list + i * sizeof(gfn), &gfn, sizeof(gfn));
		if (err < 0)
			return err;
	}
	return 0;
}

static long
op_acquire_resource(struct call *c, uint64_t arg)
{
	struct xen_mem_acquire_resource op;
	const struct domain *d;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	if (op.pad != 0)
		return -XEN_EINVAL;
	d = core_domain(c->hv, op.domid);
	if (d == NULL)
		return -XEN_ESRCH;
	err = policy_check(c->d, d, POLICY_MEMORY_RESOURCE);
	if (err < 0)
		return err;
	if (op.type != XENMEM_resource_grant_table)
		return -XEN_EOPNOTSUPP;
	if (op.id != XENMEM_resource_grant_table_id_shared)
		return -XEN_EINVAL;
	if (op.frame_list == 0) {
		if (op.nr_frames != 0)
			return -XEN_EINVAL;
		op.nr_frames = d->grants.max_frames;
		return call_write(c, arg, &op, sizeof(op));
	}
	if (op.frame >= d->grants.max_frames)
		return -XEN_EINVAL;
	err = hv_grant_frames(
	    c->hv, c->by, d->domid, (uint32_t)op.frame, op.nr_frames);
	return err < 0 ? err : list_resource(c, d, &op);
}

long
memory_op(struct call *c)
{
	uint32_t cmd = CMD(c);
	uint64_t arg = c->arg[1];

	switch (cmd) {
	case XENMEM_increase_reservation:
	case XENMEM_populate_physmap:
		return op_reservation(c, arg, p2m_populate);
	case XENMEM_decrease_reservation:
		return op_reservation(c, arg, p2m_release);
	case XENMEM_maximum_ram_page:
		return (long)c->hv->cfg.total_pages;
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
	case XENMEM_maximum_gpfn:
		return op_stat(c, cmd, arg);
	case XENMEM_add_to_physmap:
		return op_add_to_physmap(c, arg);
	case XENMEM_acquire_resource:
		return op_acquire_resource(c, arg);
	default:
		return -XEN_ENOSYS;
	}
}
