#include "evtchn.h"

#include "evtchn_2l.h"
#include "virq.h"

struct port *
evtchn_port(const struct domain *d, uint32_t port)
{
	if (port >= d->ports.nr)
		return NULL;
	return &d->ports
		    .bucket[port / PORTS_PER_BUCKET][port % PORTS_PER_BUCKET];
}

/* One bucket more. */
static int
grow(struct domain *d)
{
	struct port_table *t = &d->ports;
	struct port *bucket =
	    core_alloc(d->hv, PORTS_PER_BUCKET * sizeof(*bucket));

	if (bucket == NULL)
		return -XEN_ENOMEM;
	t->bucket[t->nr / PORTS_PER_BUCKET] = bucket;
	t->nr += PORTS_PER_BUCKET;
	return 0;
}

int
evtchn_init(struct domain *d)
{
	int err = grow(d);

	if (err < 0)
		return err;
	d->ports.bucket[0][0].state = PORT_RESERVED;
	d->ports.lowest_free = 1;
	d->ports.max = d->spec.max_evtchn_port;
	return 0;
}

long
evtchn_find_free(struct domain *d)
{
	struct port_table *t = &d->ports;
	uint32_t port = t->lowest_free;
	int err;

	if (d->state != DOMAIN_ALIVE)
		return -XEN_EINVAL;
	while (port < t->nr && evtchn_port(d, port)->state != PORT_FREE)
		port++;
	t->lowest_free = port;
	if (port > t->max || port >= HV_MAX_PORTS)
		return -XEN_ENOSPC;
	if (port >= t->nr) {
		err = grow(d);
		if (err < 0)
			return err;
	}
	return port;
}

void
evtchn_announce(struct domain *d, uint32_t port)
{
	if (d->hv->ops->port_changed != NULL)
		d->hv->ops->port_changed(d->hv->world, d->domid, port);
}

void
evtchn_take(struct domain *d, uint32_t port, const struct port *as)
{
	*evtchn_port(d, port) = *as;
	d->ports.active++;
}

void
evtchn_raise(struct domain *d, uint32_t port)
{
	struct shared_info *si = d->pages.shared_info;
	uint32_t vcpu = evtchn_port(d, port)->vcpu;

	if (d->state != DOMAIN_ALIVE)
		return;
	if (si == NULL) {
		d->hv->ops->event_post(d->hv->world, d->domid, port);
		return;
	}
	if (evtchn_2l_set_pending(si, d->vcpu[vcpu].info, port))
		d->hv->ops->upcall(d->hv->world, d->domid, vcpu);
}

bool
evtchn_is_pending(const struct domain *d, uint32_t port)
{
	return d->pages.shared_info != NULL &&
	       evtchn_2l_is_pending(d->pages.shared_info, port);
}

/* Makes a port free again; its peer, if any, has been dealt with. */
static void
set_free(struct domain *d, uint32_t port)
{
	static const struct port free_port = { .state = PORT_FREE };

	if (d->pages.shared_info != NULL)
		evtchn_2l_clear_pending(d->pages.shared_info, port);
	*evtchn_port(d, port) = free_port;
	d->ports.active--;
	if (port < d->ports.lowest_free)
		d->ports.lowest_free = port;
}

/* The other end of a closed channel waits for D to bind again. */
static void
part(struct domain *d, const struct port *p)
{
	struct domain *remote = core_domain(d->hv, p->remote_domid);
	struct port *there = evtchn_port(remote, p->remote_port);

	there->state = PORT_UNBOUND;
	there->remote_domid = d->domid;
	there->remote_port = 0;
}

int
evtchn_close(struct domain *d, uint32_t port)
{
	struct port *p = evtchn_port(d, port);
	struct port was;

	if (p == NULL || p->state == PORT_FREE || p->state == PORT_RESERVED)
		return -XEN_EINVAL;
	was = *p;

	if (was.state == PORT_VIRQ)
		d->vcpu[virq_is_per_vcpu(was.virq) ? was.vcpu : 0]
		    .virq_port[was.virq] = 0;
	if (was.state == PORT_INTERDOMAIN)
		part(d, &was);
	set_free(d, port);

	if (was.state == PORT_INTERDOMAIN)
		evtchn_announce(
		    core_domain(d->hv, was.remote_domid), was.remote_port);
	evtchn_announce(d, port);
	return 0;
}

bool
evtchn_relinquish(struct domain *d, uint32_t budget)
{
	while (d->cursor < d->ports.nr && budget-- > 0) {
		if (evtchn_port(d, d->cursor)->state > PORT_RESERVED)
			(void)evtchn_close(d, d->cursor);
		d->cursor++;
	}
	return d->cursor >= d->ports.nr;
}

void
evtchn_close_channel(struct domain *d, const void *channel)
{
	uint32_t port;

	for (port = 1; port < d->ports.nr; port++) {
		const struct port *p = evtchn_port(d, port);

		if (p->state > PORT_RESERVED && p->channel == channel)
			(void)evtchn_close(d, port);
	}
}

void
evtchn_free(struct domain *d)
{
	uint32_t i;

	for (i = 0; i < d->ports.nr / PORTS_PER_BUCKET; i++)
		core_free(d->hv, d->ports.bucket[i],
		    PORTS_PER_BUCKET * sizeof(struct port));
	d->ports.nr = 0;
}
