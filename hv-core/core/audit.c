/*
 * The invariants that hold between any two hv_*() calls, whatever domains do.
 * What a domain can write itself (its pending bits, its grant entries) is not
 * looked at.
 */
#include "core.h"
#include "evtchn.h"
#include "grant.h"
#include "maptrack.h"
#include "virq.h"

static const char *
audit_peer(const struct domain *d, uint32_t port, const struct port *p)
{
	const struct domain *remote = core_domain(d->hv, p->remote_domid);
	const struct port *there;

	if (remote == NULL)
		return "E1: an interdomain port's peer domain does not exist";
	there = evtchn_port(remote, p->remote_port);
	if (there == NULL || there->state != PORT_INTERDOMAIN ||
	    there->remote_domid != d->domid || there->remote_port != port)
		return "E1: an interdomain port's peer is not bound to it";
	return NULL;
}

static const char *
audit_port(const struct domain *d, uint32_t port, const struct port *p)
{
	uint32_t v;

	switch (p->state) {
	case PORT_FREE:
		if (p->vcpu != 0 || p->channel != NULL)
			return "E4: a free port is not clean";
		if (port < d->ports.lowest_free)
			return "E3: a free port lies below lowest_free";
		return NULL;
	case PORT_RESERVED:
		return port == 0 ? NULL : "E4: a reserved port other than 0";
	case PORT_INTERDOMAIN:
		return audit_peer(d, port, p);
	case PORT_VIRQ:
		v = virq_is_per_vcpu(p->virq) ? p->vcpu : 0;
		if (d->vcpu[v].virq_port[p->virq] != port)
			return "E2: a VIRQ port that its vcpu does not know";
		return NULL;
	default:
		return NULL;
	}
}

static const char *
audit_virqs(const struct domain *d)
{
	uint32_t v, q;

	for (v = 0; v < d->spec.max_vcpus; v++) {
		for (q = 0; q < NR_VIRQS; q++) {
			uint32_t port = d->vcpu[v].virq_port[q];
			const struct port *p = evtchn_port(d, port);

			if (port == 0)
				continue;
			if (p == NULL || p->state != PORT_VIRQ || p->virq != q)
				return "E2: a VIRQ's port is not bound to it";
		}
	}
	return NULL;
}

static const char *
audit_ports(const struct domain *d)
{
	uint32_t port, active = 0;
	const char *bad;

	for (port = 0; port < d->ports.nr; port++) {
		const struct port *p = evtchn_port(d, port);

		if (p->state > PORT_RESERVED)
			active++;
		if (p->vcpu >= d->spec.max_vcpus)
			return "E4: a port notifies a vcpu that does not exist";
		bad = audit_port(d, port, p);
		if (bad != NULL)
			return bad;
	}
	if (active != d->ports.active)
		return "E3: the number of active ports is wrong";
	return audit_virqs(d);
}

/* How many of MAPPER's handles stand for pins of KIND of an entry. */
static uint32_t
count_handles(const struct domain *mapper, const struct domain *granter,
    grant_ref_t ref, enum grant_pin kind)
{
	uint32_t handle, n = 0;
	uint32_t end = mapper->maptrack.nr_frames * MAPTRACK_PER_FRAME;

	for (handle = 1; handle <= end; handle++) {
		const struct maptrack *m = maptrack_get(mapper, handle);

		if (m != NULL && m->granter == granter->domid &&
		    m->ref == ref && m->readonly == (kind == GRANT_PIN_READ))
			n++;
	}
	return n;
}

static uint32_t
p2m_word(const struct domain *d, uint32_t gfn)
{
	const uint32_t *chunk = d->p2m.chunk[gfn / P2M_CHUNK_FRAMES];

	return chunk == NULL ? 0 : chunk[gfn % P2M_CHUNK_FRAMES];
}

static const char *
audit_entry(const struct domain *d, grant_ref_t ref, uint32_t *pinned)
{
	const struct grant_active *a = grant_active(d, ref);
	const struct domain *mapper;
	int kind;

	if (a->pin[GRANT_PIN_READ] == 0 && a->pin[GRANT_PIN_WRITE] == 0)
		return NULL;
	(*pinned)++;
	mapper = core_domain(d->hv, a->domid);
	if (mapper == NULL)
		return "G1: an entry is pinned by a domain that is gone";
	for (kind = 0; kind < GRANT_PINS; kind++)
		if (count_handles(mapper, d, ref, (enum grant_pin)kind) !=
		    a->pin[kind])
			return "G1: an entry's pins are not its handles";
	if ((p2m_word(d, a->gfn) & P2M_PINS) == 0)
		return "G3: a pinned entry's frame is not pinned";
	return NULL;
}

static const char *
audit_grants(const struct domain *d)
{
	uint32_t ref, pinned = 0, end = d->grants.nr_frames * GRANTS_PER_FRAME;
	const char *bad;

	for (ref = 0; ref < end; ref++) {
		bad = audit_entry(d, ref, &pinned);
		if (bad != NULL)
			return bad;
	}
	return pinned == d->grants.pinned
		   ? NULL
		   : "G1: the number of pinned entries is wrong";
}

static const char *
audit_handle(const struct domain *d, const struct maptrack *m)
{
	const struct domain *granter = core_domain(d->hv, m->granter);
	const struct grant_active *a;

	if (granter == NULL ||
	    m->ref >= granter->grants.nr_frames * GRANTS_PER_FRAME)
		return "G1: a handle's entry does not exist";
	a = grant_active(granter, m->ref);
	if (a->domid != d->domid ||
	    a->pin[m->readonly ? GRANT_PIN_READ : GRANT_PIN_WRITE] == 0)
		return "G1: a handle's entry is not pinned for it";
	return NULL;
}

static const char *
audit_maptrack(const struct domain *d)
{
	const struct maptrack_table *t = &d->maptrack;
	uint32_t i, used = 0, nr_free = 0;
	uint32_t nr = t->nr_frames * MAPTRACK_PER_FRAME;
	const char *bad;

	for (i = 0; i < nr; i++) {
		const struct maptrack *m = maptrack_get(d, i + 1);

		if (m == NULL)
			continue;
		used++;
		bad = audit_handle(d, m);
		if (bad != NULL)
			return bad;
	}
	for (i = t->first_free; i != MAPTRACK_NONE; nr_free++) {
		const struct maptrack *m;

		if (i >= nr || nr_free > nr)
			return "G6: the list of free handles is broken";
		m = &t->frame[i / MAPTRACK_PER_FRAME][i % MAPTRACK_PER_FRAME];
		if (m->used)
			return "G6: a handle in use is on the free list";
		i = m->next_free;
	}
	if (used != t->used || used + nr_free != nr)
		return "G6: free and used handles are not all there are";
	return NULL;
}

static uint32_t
registered_infos(const struct domain *d)
{
	uint32_t v, n = 0;

	for (v = 0; v < d->spec.max_vcpus; v++)
		n += d->vcpu[v].info_registered;
	return n;
}

static const char *
audit_memory(const struct domain *d)
{
	uint64_t pages = 0, pinned = 0, pins = 0;
	uint32_t c, i;

	if (d->domid == 0)
		return NULL;
	for (c = 0; c < P2M_CHUNKS; c++) {
		if (d->p2m.chunk[c] == NULL)
			continue;
		for (i = 0; i < P2M_CHUNK_FRAMES; i++) {
			uint32_t w = d->p2m.chunk[c][i];

			if (w == 0)
				continue;
			pages++;
			pins += w & P2M_PINS;
			pinned += (w & P2M_PINS) != 0;
			if ((w & P2M_PRESENT) == 0 &&
			    ((w & P2M_LEAVING) == 0 || (w & P2M_PINS) == 0))
				return "M1: a frame is neither here nor "
				       "leaving";
		}
	}
	if (pages != d->p2m.pages)
		return "M1: the number of frames is wrong";
	if (pinned != d->p2m.pinned)
		return "M1: the number of pinned frames is wrong";
	if (pins != d->grants.pinned + registered_infos(d))
		return "G3: a frame's pins are not those of its users";
	return NULL;
}

static const char *
audit_life(const struct domain *d)
{
	if (core_domain(d->hv, d->domid) != d)
		return "D3: a domain is not found under its id";
	if (d->next != NULL && d->next->domid <= d->domid)
		return "D3: the list of domains is not in order";
	if (d->unique_id >= d->hv->next_unique_id)
		return "D3: a unique id will be given out again";
	if (d->state != DOMAIN_DEAD)
		return NULL;
	if (d->ports.active != 0 || d->maptrack.used != 0)
		return "D1: a dead domain has ports or handles";
	if (d->p2m.pinned == 0 || d->p2m.pages != d->p2m.pinned)
		return "D1: a dead domain holds what nobody refers to";
	return NULL;
}

static const char *
audit_domain(const struct domain *d)
{
	static const char *(*const parts[])(const struct domain *) = {
		audit_life,
		audit_ports,
		audit_grants,
		audit_maptrack,
		audit_memory,
	};
	const char *bad = NULL;
	unsigned i;

	for (i = 0; i < ARRAY_LEN(parts) && bad == NULL; i++)
		bad = parts[i](d);
	return bad;
}

const char *
core_audit(const struct hv *hv)
{
	const struct domain *d;
	uint64_t pages = 0;
	const char *bad;
	uint32_t q;

	for (d = hv->first; d != NULL; d = d->next) {
		pages += d->p2m.pages;
		bad = audit_domain(d);
		if (bad != NULL)
			return bad;
	}
	if (pages != hv->pages_used)
		return "M1: the machine's pages in use are wrong";
	for (q = 0; q < NR_VIRQS; q++) {
		d = core_domain(hv, hv->virq_handler[q]);
		if (d == NULL || d->state != DOMAIN_ALIVE)
			return "E2: a VIRQ's handler is gone";
	}
	return NULL;
}
