#include <stdio.h>
#include <string.h>

#include "explore_priv.h"

static bool
same_port(struct explore *e, const struct model_domain *d, uint32_t port)
{
	const struct model_port *p = &d->port[port];
	struct hv_port_info i;
	char what[64];

	memset(&i, 0, sizeof(i));
	if (hv_port_info(e->s->hv, d->domid, port, &i) < 0)
		i.status = 99;
	if (i.status == p->status && i.vcpu == p->vcpu &&
	    i.channel == p->channel && i.remote_domid == p->remote_domid &&
	    i.remote_port == p->remote_port && i.virq == p->virq)
		return true;
	snprintf(
	    what, sizeof(what), "d%u's port %u (status, here)", d->domid, port);
	if (i.status == p->status)
		return explore_same(e, "a port's details", port, -1);
	return explore_same(e, what, i.status, p->status);
}

static bool
same_events(struct explore *e, const struct model_domain *d)
{
	const struct sim_domain *sd = e->s->domain[d->domid];
	const struct shared_info *si = sd->shared_info;
	uint32_t port, v;

	for (port = 0; port < MODEL_PORTS; port++)
		if (!same_port(e, d, port))
			return false;
	for (v = 0; v < d->vcpus; v++) {
		const struct vcpu_info *vi = &si->vcpu_info[v];

		if (!explore_same(e, "a selector", (long)vi->evtchn_pending_sel,
			d->sel[v]) ||
		    !explore_same(e, "upcall_pending",
			vi->evtchn_upcall_pending, d->upcall[v]))
			return false;
	}
	return explore_same(e, "pending bits", (long)si->evtchn_pending[0],
		   (long)d->pending) &&
	       explore_same(
		   e, "mask bits", (long)si->evtchn_mask[0], (long)d->mask) &&
	       explore_same(e, "upcalls", sd->upcalls, d->upcalls);
}

static bool
same_memory(struct explore *e, const struct model_domain *d)
{
	const struct sim_domain *sd = e->s->domain[d->domid];
	uint32_t i;

	for (i = 0; i < MODEL_REFS; i++) {
		const struct grant_entry_v1 *g = &sd->grants[model_ref(i)];

		if (!explore_same(e, "a grant entry's flags", g->flags,
			d->entry[i].flags) ||
		    !explore_same(e, "a grant entry's frame", g->frame,
			d->entry[i].frame))
			return false;
	}
	for (i = 0; i < MODEL_FRAMES; i++) {
		const struct model_frame *f = &d->frame[i];
		bool exists = f->here || f->leaving;

		if (!explore_same(e, "a frame", sd->ram[i] != NULL, exists))
			return false;
		if (exists && memcmp(sd->ram[i], f->bytes, MODEL_BYTES) != 0)
			return explore_same(e, "a frame's bytes", i, -1);
	}
	return true;
}

static bool
same_domain(struct explore *e, const struct model_domain *d)
{
	struct hv_domain_info i;

	memset(&i, 0, sizeof(i));
	if (hv_domain_info(e->s->hv, d->domid, &i) < 0)
		return explore_same(e, "a domain exists", 0, 1);
	if (!explore_same(e, "dying", i.dying, d->state != MODEL_ALIVE) ||
	    !explore_same(e, "shutdown", i.shutdown, d->shutdown) ||
	    !explore_same(
		e, "shutdown code", i.shutdown_code, d->shutdown_code) ||
	    !explore_same(e, "paused", i.paused, d->pauses != 0) ||
	    !explore_same(e, "grant frames", i.grant_frames, d->grant_frames))
		return false;
	if (d->domid != 0 &&
	    !explore_same(e, "pages", (long)i.pages, (long)model_pages(d)))
		return false;
	return same_events(e, d) && same_memory(e, d);
}

bool
explore_compare(struct explore *e)
{
	unsigned i, j, domains = 0, mappings = 0;

	for (i = 0; i < MODEL_DOMAINS; i++) {
		const struct model_domain *d = &e->m.d[i];

		if (!d->exists)
			continue;
		domains++;
		for (j = 0; j < MODEL_HANDLES; j++)
			mappings += d->handle[j].used;
		if (!same_domain(e, d))
			return false;
	}
	return explore_same(e, "domains", e->s->nr_domains, domains) &&
	       explore_same(e, "mappings", e->s->mappings, mappings);
}
