#include "abi/sysctl.h"

#include "console.h"
#include "info.h"
#include "ops.h"
#include "policy.h"

#define DISTANCE_HERE 10 /* of a NUMA node to itself */

static uint64_t
free_pages(const struct hv *hv)
{
	return hv->cfg.total_pages - hv->pages_used;
}

static long
do_readconsole(struct call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *rc = &op->u.readconsole;
	uint32_t index = rc->incremental ? rc->index : console_oldest(c->hv);
	uint32_t room = rc->count, done = 0;
	char piece[256];

	while (done < room) {
		uint32_t want =
		    room - done < sizeof(piece) ? room - done : sizeof(piece);
		uint32_t got = console_read(c->hv, &index, piece, want);

		if (got == 0)
			break;
		if (call_write(c, rc->buffer + done, piece, got) < 0)
			return -XEN_EFAULT;
		done += got;
	}
	if (rc->clear)
		console_forget(c->hv, index);
	rc->count = done;
	rc->index = index;
	return 0;
}

static long
do_physinfo(struct call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_physinfo *pi = &op->u.physinfo;
	const struct hv_config *cfg = &c->hv->cfg;

	memset(pi, 0, sizeof(*pi));
	pi->threads_per_core = 1;
	pi->cores_per_socket = cfg->nr_cpus;
	pi->nr_cpus = cfg->nr_cpus;
	pi->max_cpu_id = cfg->nr_cpus - 1;
	pi->nr_nodes = 1;
	pi->cpu_khz = cfg->cpu_khz;
	pi->capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap |
			   XEN_SYSCTL_PHYSCAP_gnttab_v1;
	pi->total_pages = cfg->total_pages;
	pi->free_pages = free_pages(c->hv);
	pi->max_mfn = cfg->total_pages;
	return 0;
}

static long
do_sched_id(struct call *c, struct xen_sysctl *op)
{
	(void)c;
	op->u.sched_id.sched_id = XEN_SCHEDULER_NULL;
	return 0;
}

static long
do_getdomaininfolist(struct call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	const struct domain *d = c->hv->first;
	struct xen_domctl_getdomaininfo info;
	uint32_t n = 0;

	for (; d != NULL && n < l->max_domains; d = d->next) {
		if (d->domid < l->first_domain)
			continue;
		info_domain(d, &info);
		if (call_write(c, l->buffer + n * sizeof(info), &info,
			sizeof(info)) < 0)
			return -XEN_EFAULT;
		n++;
	}
	l->num_domains = n;
	return 0;
}

static long
do_availheap(struct call *c, struct xen_sysctl *op)
{
	op->u.availheap.avail_bytes = free_pages(c->hv) << XEN_PAGE_SHIFT;
	return 0;
}

/* With buffer 0, says how many there are. */
static long
do_cputopoinfo(struct call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
	uint32_t i, nr = c->hv->cfg.nr_cpus;

	if (t->cputopo != 0 && t->num_cpus < nr)
		nr = t->num_cpus;
	for (i = 0; t->cputopo != 0 && i < nr; i++) {
		struct xen_sysctl_cputopo topo = { .core = i };

		if (call_write(c, t->cputopo + i * sizeof(topo), &topo,
			sizeof(topo)) < 0)
			return -XEN_EFAULT;
	}
	t->num_cpus = nr;
	return 0;
}

/* One node. */
static long
do_numainfo(struct call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_numainfo *n = &op->u.numainfo;
	struct xen_sysctl_meminfo mem = {
		.memsize = c->hv->cfg.total_pages << XEN_PAGE_SHIFT,
		.memfree = free_pages(c->hv) << XEN_PAGE_SHIFT,
	};
	uint32_t distance = DISTANCE_HERE;
	bool wanted = n->num_nodes != 0;

	n->num_nodes = 1;
	if (wanted && n->meminfo != 0 &&
	    call_write(c, n->meminfo, &mem, sizeof(mem)) < 0)
		return -XEN_EFAULT;
	if (wanted && n->distance != 0 &&
	    call_write(c, n->distance, &distance, sizeof(distance)) < 0)
		return -XEN_EFAULT;
	return 0;
}

/* One pool with everything in it. */
static long
do_cpupool(struct call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;
	const struct domain *d;

	if (p->op != XEN_SYSCTL_CPUPOOL_OP_INFO)
		return -XEN_EOPNOTSUPP;
	if (p->cpupool_id != 0 && p->cpupool_id != UINT32_MAX)
		return -XEN_ENOENT;
	p->cpupool_id = 0;
	p->sched_id = XEN_SCHEDULER_NULL;
	p->n_dom = 0;
	for (d = c->hv->first; d != NULL; d = d->next)
		p->n_dom++;
	return info_write_bitmap(c, &p->cpumap, c->hv->cfg.nr_cpus);
}

static long (*const ops[])(struct call *c, struct xen_sysctl *op) = {
	[XEN_SYSCTL_readconsole] = do_readconsole,
	[XEN_SYSCTL_physinfo] = do_physinfo,
	[XEN_SYSCTL_sched_id] = do_sched_id,
	[XEN_SYSCTL_getdomaininfolist] = do_getdomaininfolist,
	[XEN_SYSCTL_availheap] = do_availheap,
	[XEN_SYSCTL_cputopoinfo] = do_cputopoinfo,
	[XEN_SYSCTL_numainfo] = do_numainfo,
	[XEN_SYSCTL_cpupool_op] = do_cpupool,
};

long
sysctl_op(struct call *c)
{
	struct xen_sysctl op;
	long ret;

	if (call_read(c, &op, c->arg[0], sizeof(op)) < 0)
		return -XEN_EFAULT;
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -XEN_EACCES;
	ret = policy_check(c->d, NULL, POLICY_SYSCTL);
	if (ret < 0)
		return ret;
	if (op.cmd >= ARRAY_LEN(ops) || ops[op.cmd] == NULL)
		return -XEN_ENOSYS;
	ret = ops[op.cmd](c, &op);
	if (ret < 0)
		return ret;
	return call_write(c, c->arg[0], &op, sizeof(op));
}
