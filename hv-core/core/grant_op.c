#include "grant.h"
#include "maptrack.h"
#include "ops.h"
#include "policy.h"

/* Array elements done before the world gets a chance to do something else. */
#define SLICE 512

/* Everything about a mapping but the operation's structure. */
static int16_t
map_entry(
    struct call *c, struct domain *granter, struct gnttab_map_grant_ref *op)
{
	struct hv_grant_mapping mapping = {
		.mapper = c->d->domid,
		.granter = granter->domid,
		.channel = c->by->channel,
		.host_addr = op->host_addr,
		.readonly = (op->flags & GNTMAP_readonly) != 0,
	};
	struct maptrack as = {
		.host_addr = op->host_addr,
		.channel = c->by->channel,
		.ref = op->ref,
		.granter = granter->domid,
		.readonly = mapping.readonly,
	};
	enum grant_pin kind =
	    mapping.readonly ? GRANT_PIN_READ : GRANT_PIN_WRITE;
	void *frame;
	int16_t status;

	if (maptrack_find_free(c->d, &mapping.handle) == NULL)
		return GNTST_no_space;
	status = grant_pin(granter, op->ref, c->d, kind, &frame);
	if (status != GNTST_okay)
		return status;
	mapping.gfn = grant_active(granter, op->ref)->gfn;
	if (c->hv->ops->grant_map != NULL &&
	    c->hv->ops->grant_map(c->hv->world, &mapping) < 0) {
		grant_unpin(granter, op->ref, kind);
		return GNTST_general_error;
	}
	maptrack_take(c->d, &as);
	op->handle = mapping.handle;
	op->dev_bus_addr = mapping.gfn << XEN_PAGE_SHIFT;
	return GNTST_okay;
}

static int16_t
map_one(struct call *c, struct gnttab_map_grant_ref *op)
{
	struct domain *granter;

	if ((op->flags & (GNTMAP_host_map | GNTMAP_device_map)) == 0)
		return GNTST_bad_gntref;
	if ((op->flags & (GNTMAP_device_map | GNTMAP_application_map |
			     GNTMAP_contains_pte)) != 0)
		return GNTST_general_error;
	/* 0 is how unmap says "not this one". */
	if (op->host_addr == 0)
		return GNTST_bad_virt_addr;
	granter = core_domain(c->hv, op->dom);
	if (granter == NULL || granter->state != DOMAIN_ALIVE)
		return GNTST_bad_domain;
	if (policy_check(c->d, granter, POLICY_GRANT_MAP) < 0)
		return GNTST_permission_denied;
	return map_entry(c, granter, op);
}

static int16_t
unmap_one(struct call *c, const struct gnttab_unmap_grant_ref *op)
{
	const struct maptrack *m = maptrack_get(c->d, op->handle);
	uint64_t gfn;

	if (m == NULL)
		return GNTST_bad_handle;
	gfn = grant_active(core_domain(c->hv, m->granter), m->ref)->gfn;
	if (op->dev_bus_addr != 0 && op->dev_bus_addr != gfn << XEN_PAGE_SHIFT)
		return GNTST_bad_dev_addr;
	if (op->host_addr == 0)
		return GNTST_okay;
	if (op->host_addr != m->host_addr)
		return GNTST_general_error;
	grant_release(c->d, op->handle);
	return GNTST_okay;
}

static long
op_map(struct call *c, uint64_t at)
{
	struct gnttab_map_grant_ref op;

	if (call_read(c, &op, at, sizeof(op)) < 0)
		return -XEN_EFAULT;
	op.status = map_one(c, &op);
	if (call_write(c, at, &op, sizeof(op)) == 0)
		return 0;
	/* The caller never learns of it. */
	if (op.status == GNTST_okay)
		grant_release(c->d, op.handle);
	return -XEN_EFAULT;
}

static long
op_unmap(struct call *c, uint64_t at)
{
	struct gnttab_unmap_grant_ref op;

	if (call_read(c, &op, at, sizeof(op)) < 0)
		return -XEN_EFAULT;
	op.status = unmap_one(c, &op);
	return call_write(c, at, &op, sizeof(op));
}

static long
op_copy(struct call *c, uint64_t at)
{
	struct gnttab_copy op;

	if (call_read(c, &op, at, sizeof(op)) < 0)
		return -XEN_EFAULT;
	op.status = grant_copy(c, &op);
	return call_write(c, at, &op, sizeof(op));
}

/* Writes the frame numbers of the first NR frames. */
static int16_t
list_frames(struct call *c, const struct domain *d, uint64_t list, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		xen_pfn_t gfn = d->pages.grant_table_gfn + i;

		if (call_write(c, list + i * sizeof(gfn), &gfn, sizeof(gfn)) <
		    0)
			return GNTST_bad_virt_addr;
	}
	return GNTST_okay;
}

static int16_t
setup_table(struct call *c, const struct gnttab_setup_table *op)
{
	struct domain *d = call_domain(c, op->dom);

	if (d == NULL)
		return GNTST_bad_domain;
	if (policy_check(c->d, d, POLICY_GRANT_TABLE) < 0)
		return GNTST_permission_denied;
	if (grant_grow(d, op->nr_frames) < 0)
		return GNTST_general_error;
	return list_frames(c, d, op->frame_list, op->nr_frames);
}

static long
op_setup_table(struct call *c, uint64_t at)
{
	struct gnttab_setup_table op;

	if (call_read(c, &op, at, sizeof(op)) < 0)
		return -XEN_EFAULT;
	op.status = setup_table(c, &op);
	return call_write(c, at, &op, sizeof(op));
}

static long
op_query_size(struct call *c, uint64_t at)
{
	struct gnttab_query_size op;
	const struct domain *d;

	if (call_read(c, &op, at, sizeof(op)) < 0)
		return -XEN_EFAULT;
	d = call_domain(c, op.dom);
	if (d == NULL) {
		op.status = GNTST_bad_domain;
	} else if (policy_check(c->d, d, POLICY_GRANT_TABLE) < 0) {
		op.status = GNTST_permission_denied;
	} else {
		op.nr_frames = d->grants.nr_frames;
		op.max_nr_frames = d->grants.max_frames;
		op.status = GNTST_okay;
	}
	return call_write(c, at, &op, sizeof(op));
}

/* There is version 1 and nothing else. */
static long
op_get_version(struct call *c, uint64_t at)
{
	struct gnttab_get_version op;
	const struct domain *d;
	int err;

	if (call_read(c, &op, at, sizeof(op)) < 0)
		return -XEN_EFAULT;
	d = call_domain(c, op.dom);
	if (d == NULL)
		return -XEN_ESRCH;
	err = policy_check(c->d, d, POLICY_GRANT_TABLE);
	if (err < 0)
		return err;
	op.version = 1;
	return call_write(c, at, &op, sizeof(op));
}

static long
op_set_version(struct call *c, uint64_t at)
{
	struct gnttab_set_version op;

	if (call_read(c, &op, at, sizeof(op)) < 0)
		return -XEN_EFAULT;
	if (op.version != 1)
		return op.version == 2 ? -XEN_ENOSYS : -XEN_EINVAL;
	return call_write(c, at, &op, sizeof(op));
}

struct grant_call {
	long (*run)(struct call *c, uint64_t at);
	size_t size; /* of an array element */
	bool single; /* the count must be 1 */
};

/* clang-format off */
static const struct grant_call ops[] = {
	[GNTTABOP_map_grant_ref] = { op_map, sizeof(struct gnttab_map_grant_ref), false },
	[GNTTABOP_unmap_grant_ref] = { op_unmap, sizeof(struct gnttab_unmap_grant_ref), false },
	[GNTTABOP_setup_table] = { op_setup_table, sizeof(struct gnttab_setup_table), true },
	[GNTTABOP_copy] = { op_copy, sizeof(struct gnttab_copy), false },
	[GNTTABOP_query_size] = { op_query_size, sizeof(struct gnttab_query_size), true },
	[GNTTABOP_set_version] = { op_set_version, sizeof(struct gnttab_set_version), false },
	[GNTTABOP_get_version] = { op_get_version, sizeof(struct gnttab_get_version), false },
};
/* clang-format on */

long
grant_op(struct call *c)
{
	uint32_t cmd = (uint32_t)c->arg[0];
	uint32_t left = (uint32_t)c->arg[2];
	uint32_t done;
	const struct grant_call *op;
	long ret;

	if (cmd >= ARRAY_LEN(ops) || ops[cmd].run == NULL)
		return -XEN_ENOSYS;
	op = &ops[cmd];
	if (op->single && left != 1)
		return -XEN_EINVAL;
	if (cmd == GNTTABOP_set_version || cmd == GNTTABOP_get_version)
		return op->run(c, c->arg[1]);
	for (done = 0; done < left && done < SLICE; done++) {
		ret = op->run(c, c->arg[1] + done * op->size);
		if (ret < 0)
			return ret;
	}
	if (done == left)
		return 0;
	c->arg[1] += done * op->size;
	c->arg[2] = left - done;
	return -XEN_ERESTART;
}
