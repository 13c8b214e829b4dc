#include "abi/memory.h"
#include "abi/sched.h"
#include "explore_priv.h"

static long
domctl(struct explore *e, uint32_t cmd, domid_t domid)
{
	return sim_domctl_plain(e->s, cmd, domid);
}

static unsigned
domains(const struct explore *e)
{
	unsigned i, n = 0;

	for (i = 0; i < MODEL_DOMAINS; i++)
		n += e->m.d[i].exists;
	return n;
}

/* Tells a new domain what the model takes for granted. */
static void
furnish(struct explore *e, domid_t domid)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_max_mem,
		.domain = domid,
		.u.max_mem.max_memkb = 4 * MODEL_FRAMES,
	};

	explore_same(e, "max_mem", sim_domctl(e->s, 0, &op), 0);
	op.cmd = XEN_DOMCTL_max_vcpus;
	op.u.max_vcpus.max = MODEL_VCPUS;
	explore_same(e, "max_vcpus", sim_domctl(e->s, 0, &op), 0);
	op.cmd = XEN_DOMCTL_hosted_start;
	op.u.hosted_start.start_info_paddr = 0;
	explore_same(e, "hosted_start", sim_domctl(e->s, 0, &op), 0);
}

static long
op_create(struct explore *e)
{
	uint32_t frames = explore_pick(e, 8) == 0 ? 0 : 1;
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_createdomain,
		.u.createdomain = {
			.max_vcpus = MODEL_VCPUS,
			.max_evtchn_port = 6 + explore_pick(e, 8),
			.max_grant_frames = 2,
			.max_maptrack_frames = (int32_t)frames,
			.grant_opts = 1,
		},
	};
	long got;

	if (domains(e) == MODEL_DOMAINS)
		return -1;
	/* Out of memory first: nothing may be left of that. */
	e->s->fail_alloc = explore_pick(e, 8);
	got = sim_domctl(e->s, 0, &op);
	if (e->s->fail_alloc == 0 && got == -XEN_ENOMEM)
		return got;
	e->s->fail_alloc = 0;
	explore_same(e, "createdomain", got, 0);
	explore_same(e, "the new domain's id", op.domain,
	    model_create(
		&e->m, op.u.createdomain.max_evtchn_port, frames * 256));
	furnish(e, op.domain);
	return 0;
}

/* One slice of it; other things happen in between. */
static long
op_destroy(struct explore *e)
{
	struct model_domain *d = explore_domain(e);
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_destroydomain,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.domain = d->domid,
	};
	long want, got;

	if (d->state == MODEL_ALIVE && explore_pick(e, 40) != 0)
		return -1; /* let it live for a while */
	want =
	    d->domid == 0 ? -XEN_EINVAL : model_destroy_step(&e->m, d->domid);
	got = sim_call_once(e->s, 0, __HYPERVISOR_domctl, (uintptr_t)&op, 0, 0);
	explore_same(e, "destroydomain", got, want);
	return got == -XEN_ERESTART ? 0 : got;
}

static long
op_shutdown(struct explore *e)
{
	struct model_domain *d = explore_domain(e);
	uint8_t code = (uint8_t)explore_pick(e, SHUTDOWN_MAX + 1);
	long want = d->state == MODEL_ALIVE ? 0 : -XEN_ESRCH;
	long got;

	if (d->domid == 0)
		return -1;
	model_shutdown(&e->m, d, code);
	got = hv_domain_shutdown(e->s->hv, d->domid, code);
	explore_same(e, "shutdown", got, want);
	return got;
}

static long
op_resume(struct explore *e)
{
	struct model_domain *d = explore_domain(e);
	long got = domctl(e, XEN_DOMCTL_resumedomain, d->domid);

	explore_same(e, "resumedomain", got, d->domid == 0 ? -XEN_EINVAL : 0);
	if (d->domid != 0 && d->state == MODEL_ALIVE) {
		d->shutdown = false;
		d->shutdown_code = 255;
	}
	return got;
}

static long
op_pause(struct explore *e)
{
	struct model_domain *d = explore_domain(e);
	bool more = explore_pick(e, 2) != 0;
	long want, got;

	if (d->domid == 0)
		return -1;
	want = more ? model_pause(d) : model_unpause(d);
	got = domctl(e,
	    more ? XEN_DOMCTL_pausedomain : XEN_DOMCTL_unpausedomain, d->domid);
	explore_same(e, "pause or unpause", got, want);
	return got;
}

static long
op_memory(struct explore *e)
{
	struct model_domain *d = explore_domain(e);
	bool more = explore_pick(e, 3) != 0;
	xen_pfn_t gfn = explore_pick(e, MODEL_FRAMES);
	struct xen_memory_reservation op = {
		.extent_start = (uintptr_t)&gfn,
		.nr_extents = 1,
		.domid = d->domid,
	};
	long want, got;

	want = more ? model_populate(&e->m, d, gfn)
		    : model_decrease(&e->m, d, gfn);
	got = sim_memory(e->s, 0,
	    more ? XENMEM_populate_physmap : XENMEM_decrease_reservation, &op);
	explore_same(e, more ? "populate" : "decrease", got, want);
	return got == 0 ? -1 : got;
}

static const struct explore_op ops[] = {
	{ "create", op_create, 2 },
	{ "destroy (slices)", op_destroy, 4 },
	{ "shutdown", op_shutdown, 1 },
	{ "resume", op_resume, 1 },
	{ "pause", op_pause, 2 },
	{ "memory", op_memory, 12 },
	{ NULL, NULL, 0 },
};

const struct explore_op *
explore_life_ops(void)
{
	return ops;
}
