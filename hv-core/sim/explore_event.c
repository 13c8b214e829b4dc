#include "abi/sched.h"
#include "explore_priv.h"

/* Ports that more often than not are open, and some that can't be. */
static uint32_t
pick_port(struct explore *e)
{
	static const uint32_t odd[] = { 0, 63, 64, 4095, 4096, UINT32_MAX };

	if (explore_pick(e, 16) == 0)
		return odd[explore_pick(e, 6)];
	return explore_pick(e, 14);
}

static uint32_t
pick_vcpu(struct explore *e)
{
	return explore_pick(e, 8) == 0 ? explore_pick(e, 40)
				       : explore_pick(e, MODEL_VCPUS);
}

static long
evtchn(struct explore *e, const struct model_domain *by, void *channel,
    unsigned cmd, void *op)
{
	return explore_call(
	    e, by, channel, __HYPERVISOR_event_channel_op, cmd, op, 0);
}

/* The model does not grow its table: domain 0, whose limit is far away, gets
 * no more when it has many. */
static bool
has_many_ports(const struct model_domain *d)
{
	uint32_t port, n = 0;

	for (port = 1; port < MODEL_PORTS; port++)
		n += d->port[port].status != EVTCHNSTAT_closed;
	return d->domid == 0 && n > 40;
}

static long
do_close(struct explore *e, struct model_domain *by, uint32_t port)
{
	struct evtchn_close op = { .port = port };
	long want = by->state != MODEL_ALIVE ? -XEN_ESRCH
					     : model_close(&e->m, by, port);
	long got = evtchn(e, by, NULL, EVTCHNOP_close, &op);

	explore_same(e, "close", got, want);
	return got;
}

static long
op_close(struct explore *e)
{
	struct model_domain *by = explore_domain(e);

	return do_close(e, by, pick_port(e));
}

static long
op_alloc(struct explore *e)
{
	struct model_domain *by = explore_domain(e);
	void *channel = explore_channel(e);
	struct evtchn_alloc_unbound op = {
		.dom = explore_pick(e, 2) ? DOMID_SELF : explore_domid(e),
		.remote_dom = explore_domid(e),
	};
	long want = -XEN_ESRCH, got;
	uint32_t port = 0;

	if (has_many_ports(&e->m.d[0]))
		return do_close(e, &e->m.d[0], 1 + explore_pick(e, 60));
	if (by->state == MODEL_ALIVE)
		want = model_alloc(
		    &e->m, by, op.dom, op.remote_dom, channel, &port);
	got = evtchn(e, by, channel, EVTCHNOP_alloc_unbound, &op);
	if (explore_same(e, "alloc_unbound", got, want) && got == 0)
		explore_same(e, "alloc_unbound's port", op.port, port);
	return got;
}

/* A port that somebody left open for BY, if there is one. */
static void
find_open(struct explore *e, const struct model_domain *by, domid_t *remote,
    uint32_t *port)
{
	struct model_domain *r = explore_domain(e);
	uint32_t from = explore_pick(e, 16), i;

	*remote = r->domid;
	for (i = 0; i < 16; i++) {
		*port = (from + i) % 16;
		if (r->port[*port].status == EVTCHNSTAT_unbound &&
		    r->port[*port].remote_domid == by->domid)
			return;
	}
}

static long
op_bind(struct explore *e)
{
	struct model_domain *by = explore_domain(e);
	void *channel = explore_channel(e);
	struct evtchn_bind_interdomain op = {
		.remote_dom = explore_domid(e),
		.remote_port = pick_port(e),
	};
	long want = -XEN_ESRCH, got;
	uint32_t port = 0;

	if (has_many_ports(&e->m.d[0]))
		return do_close(e, &e->m.d[0], 1 + explore_pick(e, 60));
	if (explore_pick(e, 4) != 0)
		find_open(e, by, &op.remote_dom, &op.remote_port);
	if (by->state == MODEL_ALIVE)
		want = model_bind(
		    &e->m, by, op.remote_dom, op.remote_port, channel, &port);
	got = evtchn(e, by, channel, EVTCHNOP_bind_interdomain, &op);
	if (explore_same(e, "bind_interdomain", got, want) && got == 0)
		explore_same(e, "bind_interdomain's port", op.local_port, port);
	return got;
}

static long
op_bind_virq(struct explore *e)
{
	static const uint32_t virqs[] = { VIRQ_TIMER, VIRQ_DEBUG, VIRQ_DOM_EXC,
		VIRQ_DOM_EXC, VIRQ_CONSOLE, VIRQ_ARGO, 24, UINT32_MAX };
	struct model_domain *by = explore_domain(e);
	void *channel = explore_channel(e);
	struct evtchn_bind_virq op = {
		.virq = virqs[explore_pick(e, 8)],
		.vcpu = pick_vcpu(e),
	};
	long want = -XEN_ESRCH, got;
	uint32_t port = 0;

	if (by->state == MODEL_ALIVE)
		want = model_bind_virq(by, op.virq, op.vcpu, channel, &port);
	got = evtchn(e, by, channel, EVTCHNOP_bind_virq, &op);
	if (explore_same(e, "bind_virq", got, want) && got == 0)
		explore_same(e, "bind_virq's port", op.port, port);
	return got;
}

static long
op_bind_ipi(struct explore *e)
{
	struct model_domain *by = explore_domain(e);
	void *channel = explore_channel(e);
	struct evtchn_bind_ipi op = { .vcpu = pick_vcpu(e) };
	long want = -XEN_ESRCH, got;
	uint32_t port = 0;

	if (has_many_ports(&e->m.d[0]))
		return do_close(e, &e->m.d[0], 1 + explore_pick(e, 60));
	if (by->state == MODEL_ALIVE)
		want = model_bind_ipi(by, op.vcpu, channel, &port);
	got = evtchn(e, by, channel, EVTCHNOP_bind_ipi, &op);
	if (explore_same(e, "bind_ipi", got, want) && got == 0)
		explore_same(e, "bind_ipi's port", op.port, port);
	return got;
}

static long
op_bind_vcpu(struct explore *e)
{
	struct model_domain *by = explore_domain(e);
	struct evtchn_bind_vcpu op = {
		.port = pick_port(e),
		.vcpu = pick_vcpu(e),
	};
	long want = by->state != MODEL_ALIVE
			? -XEN_ESRCH
			: model_bind_vcpu(by, op.port, op.vcpu);
	long got = evtchn(e, by, NULL, EVTCHNOP_bind_vcpu, &op);

	explore_same(e, "bind_vcpu", got, want);
	return got;
}

static long
op_send(struct explore *e)
{
	struct model_domain *by = explore_domain(e);
	struct evtchn_send op = { .port = pick_port(e) };
	long want = by->state != MODEL_ALIVE ? -XEN_ESRCH
					     : model_send(&e->m, by, op.port);
	long got = evtchn(e, by, NULL, EVTCHNOP_send, &op);

	explore_same(e, "send", got, want);
	return got;
}

static long
op_unmask(struct explore *e)
{
	struct model_domain *by = explore_domain(e);
	struct evtchn_unmask op = { .port = explore_pick(e, 14) };
	long want =
	    by->state != MODEL_ALIVE ? -XEN_ESRCH : model_unmask(by, op.port);
	long got = evtchn(e, by, NULL, EVTCHNOP_unmask, &op);

	explore_same(e, "unmask", got, want);
	return got;
}

static long
op_reset(struct explore *e)
{
	struct model_domain *by = explore_domain(e);
	struct evtchn_reset op = { .dom = explore_domid(e) };
	long want, got;

	if (explore_pick(e, 8) != 0)
		return -1; /* else nothing ever lasts */
	want = by->state != MODEL_ALIVE ? -XEN_ESRCH
					: model_reset(&e->m, by, op.dom);
	got = evtchn(e, by, NULL, EVTCHNOP_reset, &op);
	explore_same(e, "reset", got, want);
	return got;
}

/* What a domain does to its own page: take all events of a vcpu, mask one. */
static long
op_guest(struct explore *e)
{
	struct model_domain *d = explore_domain(e);
	struct shared_info *si = e->s->domain[d->domid]->shared_info;
	uint32_t v = explore_pick(e, d->vcpus);
	uint64_t bits;

	if (explore_pick(e, 3) == 0) {
		bits = UINT64_C(1) << explore_pick(e, 14);
		si->evtchn_mask[0] |= bits;
		d->mask |= bits;
		return 0;
	}
	si->vcpu_info[v].evtchn_upcall_pending = 0;
	si->vcpu_info[v].evtchn_pending_sel = 0;
	si->evtchn_pending[0] &= si->evtchn_mask[0];
	d->upcall[v] = d->sel[v] = false;
	d->pending &= d->mask;
	return 0;
}

/* A channel goes with all that belongs to it. */
static long
op_channel_closed(struct explore *e)
{
	struct model_domain *d = explore_domain(e);
	void *channel = &e->channel[explore_pick(e, EXPLORE_CHANNELS)];

	if (explore_pick(e, 4) != 0)
		return -1;
	model_channel_closed(&e->m, d, channel);
	hv_channel_closed(e->s->hv, d->domid, channel);
	return 0;
}

static const struct explore_op ops[] = {
	{ "alloc_unbound", op_alloc, 10 },
	{ "bind_interdomain", op_bind, 14 },
	{ "bind_virq", op_bind_virq, 3 },
	{ "bind_ipi", op_bind_ipi, 2 },
	{ "bind_vcpu", op_bind_vcpu, 3 },
	{ "close", op_close, 10 },
	{ "send", op_send, 16 },
	{ "unmask", op_unmask, 5 },
	{ "reset", op_reset, 1 },
	{ "guest's events", op_guest, 12 },
	{ "channel closed", op_channel_closed, 1 },
	{ NULL, NULL, 0 },
};

const struct explore_op *
explore_event_ops(void)
{
	return ops;
}
