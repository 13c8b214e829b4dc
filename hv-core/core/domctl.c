#include "abi/domctl.h"

#include "domain.h"
#include "grant.h"
#include "info.h"
#include "ops.h"
#include "policy.h"
#include "virq.h"

#define DEFAULT_GRANT_FRAMES HV_MAX_GRANT_FRAMES
#define DEFAULT_MAPTRACK_FRAMES HV_MAX_MAPTRACK_FRAMES

#define DEFAULT_MEMPOOL (256 * XEN_PAGE_SIZE)

/* What an operation wants of the domain it names. */
enum need {
	NEED_NOTHING, /* looks the domain up itself */
	NEED_DOMAIN,
	NEED_OTHER, /* not the caller itself: -XEN_EINVAL */
};

static long
do_createdomain(struct call *c, struct domain *unused, struct xen_domctl *op)
{
	const struct xen_domctl_createdomain *cd = &op->u.createdomain;
	struct hv_domain_spec spec = {
		.flags = cd->flags,
		.max_vcpus = cd->max_vcpus,
		.max_evtchn_port = cd->max_evtchn_port,
		.max_grant_frames = cd->max_grant_frames < 0
					? DEFAULT_GRANT_FRAMES
					: (uint32_t)cd->max_grant_frames,
	};
	uint32_t version = cd->grant_opts & XEN_DOMCTL_GRANT_version_mask;
	struct domain *d;
	int err;

	(void)unused;
	if (version < 1 || version > 2 || cd->cpupool_id != 0 ||
	    cd->flags >= XEN_DOMCTL_CDF_MAX << 1)
		return -XEN_EINVAL;
	memcpy(spec.handle, cd->handle, sizeof(spec.handle));
	err = domain_create(c->hv, op->domain, &spec,
	    cd->max_maptrack_frames < 0 ? DEFAULT_MAPTRACK_FRAMES
					: (uint32_t)cd->max_maptrack_frames,
	    &d);
	if (err < 0)
		return err;
	d->ssidref = cd->ssidref;
	d->paging_mempool = DEFAULT_MEMPOOL;
	op->domain = d->domid;
	return 0;
}

static long
do_destroydomain(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	(void)op;
	return domain_destroy(d);
}

static long
do_pausedomain(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	(void)op;
	return domain_pause(d);
}

static long
do_unpausedomain(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	(void)op;
	return domain_unpause(d);
}

static long
do_resumedomain(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	(void)op;
	domain_resume(d);
	return 0;
}

/* The domain asked for, or the next one. */
static long
do_getdomaininfo(struct call *c, struct domain *unused, struct xen_domctl *op)
{
	const struct domain *d = c->hv->first;

	(void)unused;
	while (d != NULL && d->domid < op->domain)
		d = d->next;
	if (d == NULL)
		return -XEN_ESRCH;
	info_domain(d, &op->u.getdomaininfo);
	op->domain = d->domid;
	return 0;
}

static long
do_max_mem(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	d->p2m.max_pages = op->u.max_mem.max_memkb >> (XEN_PAGE_SHIFT - 10);
	return 0;
}

/* A number of vcpus can only be raised, up to what createdomain said. */
static long
do_max_vcpus(struct call *c, struct domain *d, struct xen_domctl *op)
{
	uint32_t max = op->u.max_vcpus.max;

	(void)c;
	if (max < d->nr_vcpus || max == 0 || max > d->spec.max_vcpus)
		return -XEN_EINVAL;
	d->nr_vcpus = max;
	return 0;
}

static long
do_getvcpuinfo(struct call *c, struct domain *d, struct xen_domctl *op)
{
	uint32_t id = op->u.getvcpuinfo.vcpu;

	(void)c;
	if (id >= d->spec.max_vcpus)
		return -XEN_EINVAL;
	if (id >= d->nr_vcpus)
		return -XEN_ESRCH;
	info_vcpu(d, id, &op->u.getvcpuinfo);
	return 0;
}

/* There is no pinning: a vcpu may run everywhere. */
static long
do_setaffinity(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	(void)d;
	(void)op;
	return 0;
}

static long
do_getvcpuaffinity(struct call *c, struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	long err = 0;

	if (a->vcpu >= d->spec.max_vcpus)
		return -XEN_EINVAL;
	if (a->vcpu >= d->nr_vcpus)
		return -XEN_ESRCH;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) != 0)
		err = info_write_bitmap(c, &a->cpumap_hard, c->hv->cfg.nr_cpus);
	if (err == 0 && (a->flags & XEN_VCPUAFFINITY_SOFT) != 0)
		err = info_write_bitmap(c, &a->cpumap_soft, c->hv->cfg.nr_cpus);
	return err;
}

static long
do_getnodeaffinity(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)d;
	return info_write_bitmap(c, &op->u.nodeaffinity.nodemap, 1);
}

static long
do_setdomainhandle(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	memcpy(d->spec.handle, op->u.setdomainhandle.handle,
	    sizeof(d->spec.handle));
	return 0;
}

static long
do_set_virq_handler(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	return virq_set_handler(d, op->u.set_virq_handler.virq);
}

static long
do_get_domain_state(
    struct call *c, struct domain *unused, struct xen_domctl *op)
{
	struct domain *d;

	(void)unused;
	if (op->u.get_domain_state.pad0 != 0)
		return -XEN_EINVAL;
	if (op->domain != DOMID_INVALID) {
		d = core_domain(c->hv, op->domain);
		if (d == NULL)
			return -XEN_ESRCH;
		info_state(d, &op->u.get_domain_state);
		return 0;
	}
	if (!virq_handled_by(c->d, VIRQ_DOM_EXC))
		return -XEN_EACCES;
	return info_next_change(c->hv, &op->domain, &op->u.get_domain_state);
}

/* Nested or shadow page tables need no memory here: the number is remembered
 * and no more. */
static long
do_get_mempool(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	op->u.paging_mempool.size = d->paging_mempool;
	return 0;
}

static long
do_set_mempool(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	if (op->u.paging_mempool.size % XEN_PAGE_SIZE != 0)
		return -XEN_EINVAL;
	d->paging_mempool = op->u.paging_mempool.size;
	return 0;
}

static long
do_hosted_start(struct call *c, struct domain *d, struct xen_domctl *op)
{
	(void)c;
	if (d->started || d->state != DOMAIN_ALIVE)
		return -XEN_EINVAL;
	d->start_info = op->u.hosted_start.start_info_paddr;
	d->has_start_info = true;
	return 0;
}

struct domctl {
	long (*run)(struct call *c, struct domain *d, struct xen_domctl *op);
	enum need need;
	bool answers; /* the structure is written back */
};

/* clang-format off */
static const struct domctl ops[] = {
	[XEN_DOMCTL_createdomain] = { do_createdomain, NEED_NOTHING, true },
	[XEN_DOMCTL_destroydomain] = { do_destroydomain, NEED_OTHER, false },
	[XEN_DOMCTL_pausedomain] = { do_pausedomain, NEED_OTHER, false },
	[XEN_DOMCTL_unpausedomain] = { do_unpausedomain, NEED_DOMAIN, false },
	[XEN_DOMCTL_getdomaininfo] = { do_getdomaininfo, NEED_NOTHING, true },
	[XEN_DOMCTL_setvcpuaffinity] = { do_setaffinity, NEED_DOMAIN, false },
	[XEN_DOMCTL_max_mem] = { do_max_mem, NEED_DOMAIN, false },
	[XEN_DOMCTL_getvcpuinfo] = { do_getvcpuinfo, NEED_DOMAIN, true },
	[XEN_DOMCTL_max_vcpus] = { do_max_vcpus, NEED_OTHER, false },
	[XEN_DOMCTL_setdomainhandle] = { do_setdomainhandle, NEED_DOMAIN, false },
	[XEN_DOMCTL_getvcpuaffinity] = { do_getvcpuaffinity, NEED_DOMAIN, false },
	[XEN_DOMCTL_resumedomain] = { do_resumedomain, NEED_OTHER, false },
	[XEN_DOMCTL_set_virq_handler] = { do_set_virq_handler, NEED_DOMAIN, false },
	[XEN_DOMCTL_setnodeaffinity] = { do_setaffinity, NEED_DOMAIN, false },
	[XEN_DOMCTL_getnodeaffinity] = { do_getnodeaffinity, NEED_DOMAIN, false },
	[XEN_DOMCTL_get_paging_mempool_size] = { do_get_mempool, NEED_DOMAIN, true },
	[XEN_DOMCTL_set_paging_mempool_size] = { do_set_mempool, NEED_DOMAIN, false },
	[XEN_DOMCTL_get_domain_state] = { do_get_domain_state, NEED_NOTHING, true },
};

static const struct domctl hosted_start = {
	do_hosted_start, NEED_DOMAIN, false
};
/* clang-format on */

static const struct domctl *
find(uint32_t cmd)
{
	if (cmd == XEN_DOMCTL_hosted_start)
		return &hosted_start;
	if (cmd >= ARRAY_LEN(ops) || ops[cmd].run == NULL)
		return NULL;
	return &ops[cmd];
}

static bool
version_is_known(const struct xen_domctl *op)
{
	return op->interface_version == XEN_DOMCTL_INTERFACE_VERSION ||
	       (op->cmd == XEN_DOMCTL_get_domain_state &&
		   op->interface_version == 0);
}

/* Only createdomain has to be undone when its answer cannot be told; the rest
 * changes nothing that matters. */
static long
answer(struct call *c, const struct xen_domctl *op)
{
	if (call_write(c, c->arg[0], op, sizeof(*op)) == 0)
		return 0;
	if (op->cmd == XEN_DOMCTL_createdomain)
		domain_discard(core_domain(c->hv, op->domain));
	return -XEN_EFAULT;
}

long
domctl_op(struct call *c)
{
	const struct domctl *ctl;
	struct domain *d = NULL;
	struct xen_domctl op;
	long ret;

	if (call_read(c, &op, c->arg[0], sizeof(op)) < 0)
		return -XEN_EFAULT;
	if (!version_is_known(&op))
		return -XEN_EACCES;
	ctl = find(op.cmd);
	if (ctl != NULL && ctl->need != NEED_NOTHING) {
		d = call_domain(c, op.domain);
		if (d == NULL)
			return -XEN_ESRCH;
	}
	ret = policy_check(c->d, d, POLICY_DOMCTL);
	if (ret < 0)
		return ret;
	if (ctl == NULL)
		return -XEN_ENOSYS;
	if (ctl->need == NEED_OTHER && d == c->d)
		return -XEN_EINVAL;
	ret = ctl->run(c, d, &op);
	return ret < 0 || !ctl->answers ? ret : answer(c, &op);
}
