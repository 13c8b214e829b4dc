#include "virq.h"

#include "domain.h"
#include "evtchn.h"

enum virq_kind {
	KIND_GLOBAL,
	KIND_DOMAIN,
	KIND_VCPU,
};

static const uint8_t kinds[NR_VIRQS] = {
	[VIRQ_TIMER] = KIND_VCPU,
	[VIRQ_DEBUG] = KIND_VCPU,
	[VIRQ_XENOPROF] = KIND_VCPU,
	[VIRQ_XENPMU] = KIND_VCPU,
	[VIRQ_ARGO] = KIND_DOMAIN,
};

bool
virq_is_global(uint32_t virq)
{
	return virq < NR_VIRQS && kinds[virq] == KIND_GLOBAL;
}

bool
virq_is_per_vcpu(uint32_t virq)
{
	return virq < NR_VIRQS && kinds[virq] == KIND_VCPU;
}

void
virq_raise_vcpu(struct domain *d, uint32_t vcpu, uint32_t virq)
{
	uint32_t port = d->vcpu[vcpu].virq_port[virq];

	if (port != 0)
		evtchn_raise(d, port);
}

void
virq_raise(struct hv *hv, uint32_t virq)
{
	struct domain *d = core_domain(hv, hv->virq_handler[virq]);

	if (d != NULL)
		virq_raise_vcpu(d, 0, virq);
}

bool
virq_handled_by(const struct domain *d, uint32_t virq)
{
	return d->hv->virq_handler[virq] == d->domid &&
	       d->vcpu[0].virq_port[virq] != 0;
}

void
virq_bound(struct domain *d, uint32_t virq)
{
	struct domain *each;

	if (virq != VIRQ_DOM_EXC)
		return;
	/* Whoever listens from now on has to hear of every domain. */
	for (each = d->hv->first; each != NULL; each = each->next)
		each->changed = true;
	memset(d->hv->gone, 0, sizeof(d->hv->gone));
}

int
virq_set_handler(struct domain *d, uint32_t virq)
{
	const struct domain *now;

	if (!virq_is_global(virq) || d->state != DOMAIN_ALIVE)
		return -XEN_EINVAL;
	now = core_domain(d->hv, d->hv->virq_handler[virq]);
	if (now == d)
		return 0;
	if (now != NULL && virq_handled_by(now, virq))
		return -XEN_EBUSY;
	d->hv->virq_handler[virq] = d->domid;
	return 0;
}

void
virq_forget_handler(struct domain *d)
{
	uint32_t virq;

	for (virq = 0; virq < NR_VIRQS; virq++)
		if (d->hv->virq_handler[virq] == d->domid)
			d->hv->virq_handler[virq] = 0;
}
