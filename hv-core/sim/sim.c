#include "sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "abi/memory.h"

#define DEFAULT_PAGES 8192
#define DEFAULT_DOM0_PAGES 1024

long
sim_call_once(struct sim *s, domid_t domid, unsigned nr, uint64_t a0,
    uint64_t a1, uint64_t a2)
{
	struct hv_caller caller = { .domid = domid };
	uint64_t arg[5] = { a0, a1, a2 };

	return hv_hypercall(s->hv, &caller, nr, arg);
}

long
sim_call_channel(struct sim *s, domid_t domid, void *channel, unsigned nr,
    uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct hv_caller caller = { .domid = domid, .channel = channel };
	uint64_t arg[5] = { a0, a1, a2 };
	long ret;

	do {
		ret = hv_hypercall(s->hv, &caller, nr, arg);
	} while (ret == -XEN_ERESTART);
	return ret;
}

long
sim_evtchn(struct sim *s, domid_t domid, unsigned cmd, void *op)
{
	return sim_call_channel(s, domid, NULL, __HYPERVISOR_event_channel_op,
	    cmd, (uintptr_t)op, 0);
}

long
sim_grant(struct sim *s, domid_t domid, unsigned cmd, void *op, unsigned count)
{
	return sim_call_channel(s, domid, NULL, __HYPERVISOR_grant_table_op,
	    cmd, (uintptr_t)op, count);
}

long
sim_memory(struct sim *s, domid_t domid, unsigned cmd, void *op)
{
	return sim_call_channel(
	    s, domid, NULL, __HYPERVISOR_memory_op, cmd, (uintptr_t)op, 0);
}

long
sim_sched(struct sim *s, domid_t domid, unsigned cmd, void *op)
{
	return sim_call_channel(
	    s, domid, NULL, __HYPERVISOR_sched_op, cmd, (uintptr_t)op, 0);
}

long
sim_domctl(struct sim *s, domid_t domid, struct xen_domctl *op)
{
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	return sim_call_channel(
	    s, domid, NULL, __HYPERVISOR_domctl, (uintptr_t)op, 0, 0);
}

long
sim_domctl_plain(struct sim *s, uint32_t cmd, domid_t target)
{
	struct xen_domctl op = { .cmd = cmd, .domain = target };

	return sim_domctl(s, 0, &op);
}

struct sim *
sim_new(const struct sim_config *cfg)
{
	static const struct sim_config usual = {
		.total_pages = DEFAULT_PAGES,
		.dom0_pages = DEFAULT_DOM0_PAGES,
	};
	struct sim *s = calloc(1, sizeof(*s));
	struct hv_config hc = {
		.dom0_vcpus = 1,
		.nr_cpus = 2,
		.cpu_khz = 1000000,
		.cmdline = "sim",
	};

	assert(s != NULL);
	if (cfg == NULL)
		cfg = &usual;
	hc.total_pages = cfg->total_pages;
	hc.dom0_pages = cfg->dom0_pages;
	s->now = 1000;
	s->wallclock = UINT64_C(1700000000000000000);
	s->hv = hv_create(
	    cfg->dom0_posts ? sim_world_posting() : sim_world(), s, &hc);
	assert(s->hv != NULL);
	return s;
}

void
sim_free(struct sim *s)
{
	hv_destroy(s->hv);
	assert(s->nr_domains == 0);
	assert(s->core_bytes == 0);
	free(s);
}

static void
populate(struct sim *s, domid_t domid, uint64_t pages)
{
	xen_pfn_t *gfns = calloc(pages + 1, sizeof(*gfns));
	struct xen_memory_reservation op = {
		.extent_start = (uintptr_t)gfns,
		.nr_extents = pages,
		.domid = domid,
	};
	uint64_t i;
	long done;

	assert(gfns != NULL);
	for (i = 0; i < pages; i++)
		gfns[i] = i;
	done = sim_memory(s, 0, XENMEM_populate_physmap, &op);
	assert(done == (long)pages);
	free(gfns);
}

domid_t
sim_domain(struct sim *s, uint64_t pages)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_createdomain,
		.u.createdomain = {
			.flags = XEN_DOMCTL_CDF_hvm,
			.max_vcpus = 1,
			.max_evtchn_port = 63,
			.max_grant_frames = 2,
			.max_maptrack_frames = 4,
			.grant_opts = 1,
		},
	};
	domid_t domid;
	long err;

	err = sim_domctl(s, 0, &op);
	assert(err == 0);
	domid = op.domain;
	op.cmd = XEN_DOMCTL_max_mem;
	op.u.max_mem.max_memkb = 4 * pages;
	err = sim_domctl(s, 0, &op);
	assert(err == 0);
	op.cmd = XEN_DOMCTL_max_vcpus;
	op.u.max_vcpus.max = 1;
	err = sim_domctl(s, 0, &op);
	assert(err == 0);
	(void)err;
	populate(s, domid, pages);
	return domid;
}

domid_t
sim_domain_running(struct sim *s, uint64_t pages)
{
	domid_t domid = sim_domain(s, pages);
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_hosted_start,
		.domain = domid,
		.u.hosted_start.start_info_paddr = 0x1000,
	};
	long err = sim_domctl(s, 0, &op);

	assert(err == 0);
	err = sim_domctl_plain(s, XEN_DOMCTL_unpausedomain, domid);
	assert(err == 0);
	(void)err;
	return domid;
}

uint32_t
sim_unbound(struct sim *s, domid_t domid, domid_t remote)
{
	struct evtchn_alloc_unbound op = {
		.dom = DOMID_SELF,
		.remote_dom = remote,
	};
	long err = sim_evtchn(s, domid, EVTCHNOP_alloc_unbound, &op);

	assert(err == 0);
	(void)err;
	return op.port;
}

void
sim_connect(
    struct sim *s, domid_t a, domid_t b, uint32_t *a_out, uint32_t *b_out)
{
	struct evtchn_bind_interdomain op = { .remote_dom = a };
	long err;

	*a_out = op.remote_port = sim_unbound(s, a, b);
	err = sim_evtchn(s, b, EVTCHNOP_bind_interdomain, &op);
	assert(err == 0);
	(void)err;
	*b_out = op.local_port;
	sim_consume(s, b, op.local_port);
}

long
sim_send(struct sim *s, domid_t domid, uint32_t port)
{
	struct evtchn_send op = { .port = port };

	return sim_evtchn(s, domid, EVTCHNOP_send, &op);
}

long
sim_close(struct sim *s, domid_t domid, uint32_t port)
{
	struct evtchn_close op = { .port = port };

	return sim_evtchn(s, domid, EVTCHNOP_close, &op);
}

bool
sim_pending(const struct sim *s, domid_t domid, uint32_t port)
{
	const struct sim_domain *d = s->domain[domid];

	return (d->shared_info == NULL
		       ? d->posted[port / 64]
		       : d->shared_info->evtchn_pending[port / 64]) >>
		   (port % 64) &
	       1;
}

void
sim_consume(struct sim *s, domid_t domid, uint32_t port)
{
	struct sim_domain *d = s->domain[domid];
	uint64_t keep = ~(UINT64_C(1) << (port % 64));

	if (d->shared_info == NULL) {
		d->posted[port / 64] &= keep;
		return;
	}
	d->shared_info->evtchn_pending[port / 64] &= keep;
	d->shared_info->vcpu_info[0].evtchn_pending_sel = 0;
	d->shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
}

void
sim_offer(struct sim *s, domid_t domid, grant_ref_t ref, domid_t to,
    uint32_t gfn, uint16_t flags)
{
	struct grant_entry_v1 *e = &s->domain[domid]->grants[ref];

	e->domid = to;
	e->frame = gfn;
	e->flags = flags;
}
