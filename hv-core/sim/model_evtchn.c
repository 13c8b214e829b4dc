#include <string.h>

#include "model.h"

/* The lowest port that is closed. */
static long
find_port(const struct model_domain *d)
{
	uint32_t port;

	if (d->state != MODEL_ALIVE)
		return -XEN_EINVAL;
	for (port = 1; port <= d->max_port; port++)
		if (d->port[port].status == EVTCHNSTAT_closed)
			return port;
	return -XEN_ENOSPC;
}

/* A port that is open, or NULL. */
static struct model_port *
open_port(struct model_domain *d, uint32_t port)
{
	if (port >= MODEL_PORTS || d->port[port].status == EVTCHNSTAT_closed)
		return NULL;
	return &d->port[port];
}

static bool
test_and_set(bool *flag)
{
	bool was = *flag;

	*flag = true;
	return was;
}

/* An unmasked port has become pending. */
static void
select_port(struct model_domain *d, uint32_t vcpu)
{
	if (!test_and_set(&d->sel[vcpu]) && !test_and_set(&d->upcall[vcpu]))
		d->upcalls++;
}

static void
model_raise(struct model_domain *d, uint32_t port)
{
	uint64_t bit = UINT64_C(1) << port;

	if (d->state != MODEL_ALIVE || (d->pending & bit) != 0)
		return;
	d->pending |= bit;
	if ((d->mask & bit) == 0)
		select_port(d, d->port[port].vcpu);
}

void
model_dom_exc(struct model *m)
{
	uint32_t port;

	for (port = 1; port < MODEL_PORTS; port++)
		if (m->d[0].port[port].status == EVTCHNSTAT_virq &&
		    m->d[0].port[port].virq == VIRQ_DOM_EXC)
			model_raise(&m->d[0], port);
}

static domid_t
self(const struct model_domain *by, domid_t domid)
{
	return domid == DOMID_SELF ? by->domid : domid;
}

long
model_alloc(struct model *m, struct model_domain *by, domid_t dom,
    domid_t remote, void *channel, uint32_t *port)
{
	struct model_domain *d = model_domain(m, self(by, dom));
	long p;

	if (d == NULL)
		return -XEN_ESRCH;
	p = find_port(d);
	if (p < 0)
		return p;
	if (d != by && by->domid != 0)
		return -XEN_EPERM;
	d->port[p].status = EVTCHNSTAT_unbound;
	d->port[p].remote_domid = self(by, remote);
	d->port[p].channel = d == by ? channel : NULL;
	*port = (uint32_t)p;
	return 0;
}

long
model_bind(struct model *m, struct model_domain *by, domid_t remote,
    uint32_t remote_port, void *channel, uint32_t *port)
{
	struct model_domain *r = model_domain(m, self(by, remote));
	struct model_port *there;
	long p;

	if (r == NULL)
		return -XEN_ESRCH;
	p = find_port(by);
	if (p < 0)
		return p;
	there = open_port(r, remote_port);
	if (there == NULL || there->status != EVTCHNSTAT_unbound ||
	    there->remote_domid != by->domid)
		return -XEN_EINVAL;
	there->status = EVTCHNSTAT_interdomain;
	there->remote_port = (uint32_t)p;
	by->port[p].status = EVTCHNSTAT_interdomain;
	by->port[p].remote_domid = r->domid;
	by->port[p].remote_port = remote_port;
	by->port[p].channel = channel;
	model_raise(by, (uint32_t)p);
	*port = (uint32_t)p;
	return 0;
}

static bool
per_vcpu(uint32_t virq)
{
	return virq == VIRQ_TIMER || virq == VIRQ_DEBUG ||
	       virq == VIRQ_XENOPROF || virq == VIRQ_XENPMU;
}

long
model_bind_virq(struct model_domain *by, uint32_t virq, uint32_t vcpu,
    void *channel, uint32_t *port)
{
	uint32_t other;
	long p;

	if (virq >= NR_VIRQS || (!per_vcpu(virq) && vcpu != 0))
		return -XEN_EINVAL;
	if (vcpu >= by->vcpus)
		return -XEN_ENOENT;
	if (!per_vcpu(virq) && virq != VIRQ_ARGO && by->domid != 0)
		return -XEN_EBUSY;
	for (other = 1; other < MODEL_PORTS; other++)
		if (by->port[other].status == EVTCHNSTAT_virq &&
		    by->port[other].virq == virq &&
		    (!per_vcpu(virq) || by->port[other].vcpu == vcpu))
			return -XEN_EEXIST;
	p = find_port(by);
	if (p < 0)
		return p;
	by->port[p].status = EVTCHNSTAT_virq;
	by->port[p].virq = virq;
	by->port[p].vcpu = vcpu;
	by->port[p].channel = channel;
	*port = (uint32_t)p;
	return 0;
}

long
model_bind_ipi(
    struct model_domain *by, uint32_t vcpu, void *channel, uint32_t *port)
{
	long p;

	if (vcpu >= by->vcpus)
		return -XEN_ENOENT;
	p = find_port(by);
	if (p < 0)
		return p;
	by->port[p].status = EVTCHNSTAT_ipi;
	by->port[p].vcpu = vcpu;
	by->port[p].channel = channel;
	*port = (uint32_t)p;
	return 0;
}

long
model_bind_vcpu(struct model_domain *by, uint32_t port, uint32_t vcpu)
{
	struct model_port *p = open_port(by, port);

	if (vcpu >= by->vcpus)
		return -XEN_ENOENT;
	if (p == NULL || p->status == EVTCHNSTAT_ipi ||
	    (p->status == EVTCHNSTAT_virq && per_vcpu(p->virq)))
		return -XEN_EINVAL;
	p->vcpu = vcpu;
	return 0;
}

long
model_close(struct model *m, struct model_domain *by, uint32_t port)
{
	struct model_port *p = open_port(by, port);

	if (p == NULL)
		return -XEN_EINVAL;
	if (p->status == EVTCHNSTAT_interdomain) {
		struct model_port *there =
		    &model_domain(m, p->remote_domid)->port[p->remote_port];

		there->status = EVTCHNSTAT_unbound;
		there->remote_domid = by->domid;
		there->remote_port = 0;
	}
	by->pending &= ~(UINT64_C(1) << port);
	memset(p, 0, sizeof(*p));
	return 0;
}

void
model_close_all(struct model *m, struct model_domain *d)
{
	uint32_t port;

	for (port = 1; port < MODEL_PORTS; port++)
		(void)model_close(m, d, port);
}

long
model_send(struct model *m, struct model_domain *by, uint32_t port)
{
	const struct model_port *p = open_port(by, port);

	if (p == NULL || p->status == EVTCHNSTAT_virq)
		return -XEN_EINVAL;
	if (p->status == EVTCHNSTAT_interdomain)
		model_raise(model_domain(m, p->remote_domid), p->remote_port);
	if (p->status == EVTCHNSTAT_ipi)
		model_raise(by, port);
	return 0;
}

long
model_unmask(struct model_domain *by, uint32_t port)
{
	uint64_t bit;

	if (port >= MODEL_PORTS)
		return -XEN_EINVAL;
	bit = UINT64_C(1) << port;
	if (open_port(by, port) == NULL || (by->mask & bit) == 0)
		return 0;
	by->mask &= ~bit;
	if ((by->pending & bit) != 0)
		select_port(by, by->port[port].vcpu);
	return 0;
}

long
model_reset(struct model *m, struct model_domain *by, domid_t dom)
{
	struct model_domain *d = model_domain(m, self(by, dom));

	if (d == NULL)
		return -XEN_ESRCH;
	if (d != by && by->domid != 0)
		return -XEN_EPERM;
	if (d != by && d->pauses == 0)
		return -XEN_EINVAL;
	model_close_all(m, d);
	return 0;
}
