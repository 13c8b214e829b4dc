#include "hv.h"

#include "console.h"
#include "domain.h"
#include "evtchn.h"
#include "grant.h"
#include "timer.h"
#include "virq.h"

struct hv *
hv_create(const struct hv_world *ops, void *world, const struct hv_config *cfg)
{
	struct hv *hv;

	if (cfg->dom0_vcpus < 1 || cfg->dom0_vcpus > HV_MAX_VCPUS ||
	    cfg->nr_cpus < 1 || cfg->dom0_pages > cfg->total_pages)
		return NULL;
	hv = ops->alloc(world, sizeof(*hv));
	if (hv == NULL)
		return NULL;
	hv->ops = ops;
	hv->world = world;
	hv->cfg = *cfg;
	hv->next_unique_id = 1;
	hv->deadline = HV_NO_DEADLINE;
	if (domain_create_first(hv) < 0) {
		ops->free(world, hv, sizeof(*hv));
		return NULL;
	}
	return hv;
}

void
hv_destroy(struct hv *hv)
{
	while (hv->first != NULL)
		domain_discard(hv->first);
	hv->ops->free(hv->world, hv, sizeof(*hv));
}

int
hv_domain_shutdown(struct hv *hv, domid_t domid, uint8_t reason)
{
	struct domain *d = core_domain(hv, domid);

	if (d == NULL || d->state != DOMAIN_ALIVE)
		return -XEN_ESRCH;
	domain_shutdown(d, reason);
	return 0;
}

void
hv_channel_closed(struct hv *hv, domid_t domid, void *channel)
{
	struct domain *d = core_domain(hv, domid);

	if (d == NULL || d->state != DOMAIN_ALIVE || channel == NULL)
		return;
	evtchn_close_channel(d, channel);
	grant_release_channel(d, channel);
}

int
hv_port_info(
    const struct hv *hv, domid_t domid, uint32_t port, struct hv_port_info *out)
{
	static const uint8_t status[] = {
		[PORT_FREE] = EVTCHNSTAT_closed,
		[PORT_RESERVED] = EVTCHNSTAT_closed,
		[PORT_UNBOUND] = EVTCHNSTAT_unbound,
		[PORT_INTERDOMAIN] = EVTCHNSTAT_interdomain,
		[PORT_VIRQ] = EVTCHNSTAT_virq,
		[PORT_IPI] = EVTCHNSTAT_ipi,
	};
	const struct domain *d = core_domain(hv, domid);
	const struct port *p;

	if (d == NULL)
		return -XEN_ESRCH;
	p = evtchn_port(d, port);
	if (p == NULL)
		return -XEN_EINVAL;
	memset(out, 0, sizeof(*out));
	out->status = status[p->state];
	out->vcpu = p->vcpu;
	out->channel = p->channel;
	out->remote_domid = p->remote_domid;
	if (p->state == PORT_VIRQ)
		out->virq = p->virq;
	if (p->state == PORT_INTERDOMAIN) {
		out->remote_port = p->remote_port;
		out->remote_channel = evtchn_port(
		    core_domain(hv, p->remote_domid), p->remote_port)
					  ->channel;
	}
	return 0;
}

int
hv_domain_info(const struct hv *hv, domid_t domid, struct hv_domain_info *out)
{
	const struct domain *d = core_domain(hv, domid);

	if (d == NULL)
		return -XEN_ESRCH;
	out->unique_id = d->unique_id;
	out->pages = d->p2m.pages;
	out->max_pages = d->p2m.max_pages;
	out->vcpus = d->nr_vcpus;
	out->max_evtchn_port = d->ports.max;
	out->grant_frames = d->grants.nr_frames;
	out->max_grant_frames = d->grants.max_frames;
	out->shutdown_code = d->shutdown_code;
	out->shutdown = d->shutdown;
	out->paused = d->pause_count != 0;
	out->dying = d->state != DOMAIN_ALIVE;
	out->started = d->started;
	return 0;
}

uint64_t
hv_next_deadline(const struct hv *hv)
{
	return hv->deadline;
}

void
hv_run_timers(struct hv *hv)
{
	timer_run(hv);
}

void
hv_console_input(struct hv *hv)
{
	virq_raise(hv, VIRQ_CONSOLE);
}

void
hv_console_print(struct hv *hv, const char *text)
{
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	console_put(hv, text, len);
}
