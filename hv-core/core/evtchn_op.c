#include "evtchn.h"
#include "evtchn_2l.h"
#include "ops.h"
#include "policy.h"
#include "virq.h"

static long
op_alloc_unbound(struct call *c, uint64_t arg)
{
	struct evtchn_alloc_unbound op;
	struct port as = { .state = PORT_UNBOUND };
	struct domain *d;
	long port;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	d = call_domain(c, op.dom);
	if (d == NULL)
		return -XEN_ESRCH;
	port = evtchn_find_free(d);
	if (port < 0)
		return port;
	err = policy_check(c->d, d, POLICY_EVTCHN_ALLOC);
	if (err < 0)
		return err;
	op.port = (evtchn_port_t)port;
	err = call_write(c, arg, &op, sizeof(op));
	if (err < 0)
		return err;

	as.remote_domid =
	    op.remote_dom == DOMID_SELF ? c->d->domid : op.remote_dom;
	as.channel = call_channel(c, d);
	evtchn_take(d, (uint32_t)port, &as);
	evtchn_announce(d, (uint32_t)port);
	return 0;
}

static long
op_bind_interdomain(struct call *c, uint64_t arg)
{
	struct evtchn_bind_interdomain op;
	struct port as = { .state = PORT_INTERDOMAIN };
	struct domain *remote;
	struct port *there;
	long port;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	remote = call_domain(c, op.remote_dom);
	if (remote == NULL)
		return -XEN_ESRCH;
	port = evtchn_find_free(c->d);
	if (port < 0)
		return port;
	there = evtchn_port(remote, op.remote_port);
	if (there == NULL || there->state != PORT_UNBOUND ||
	    there->remote_domid != c->d->domid)
		return -XEN_EINVAL;
	err = policy_check(c->d, remote, POLICY_EVTCHN_BIND);
	if (err < 0)
		return err;
	op.local_port = (evtchn_port_t)port;
	err = call_write(c, arg, &op, sizeof(op));
	if (err < 0)
		return err;

	as.remote_domid = remote->domid;
	as.remote_port = op.remote_port;
	as.channel = c->by->channel;
	evtchn_take(c->d, op.local_port, &as);
	there->state = PORT_INTERDOMAIN;
	there->remote_port = op.local_port;
	evtchn_announce(remote, op.remote_port);
	evtchn_announce(c->d, op.local_port);
	evtchn_raise(c->d, op.local_port); /* for sends before the binding */
	return 0;
}

static long
op_bind_virq(struct call *c, uint64_t arg)
{
	struct evtchn_bind_virq op;
	struct port as = { .state = PORT_VIRQ };
	uint32_t *bound;
	long port;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	if (op.virq >= NR_VIRQS || (!virq_is_per_vcpu(op.virq) && op.vcpu != 0))
		return -XEN_EINVAL;
	if (op.vcpu >= c->d->nr_vcpus)
		return -XEN_ENOENT;
	if (virq_is_global(op.virq) &&
	    c->hv->virq_handler[op.virq] != c->d->domid)
		return -XEN_EBUSY;
	bound = &c->d->vcpu[op.vcpu].virq_port[op.virq];
	if (*bound != 0)
		return -XEN_EEXIST;
	port = evtchn_find_free(c->d);
	if (port < 0)
		return port;
	op.port = (evtchn_port_t)port;
	err = call_write(c, arg, &op, sizeof(op));
	if (err < 0)
		return err;

	as.virq = (uint8_t)op.virq;
	as.vcpu = op.vcpu;
	as.channel = c->by->channel;
	evtchn_take(c->d, op.port, &as);
	*bound = op.port;
	virq_bound(c->d, op.virq);
	evtchn_announce(c->d, op.port);
	return 0;
}

static long
op_bind_ipi(struct call *c, uint64_t arg)
{
	struct evtchn_bind_ipi op;
	struct port as = { .state = PORT_IPI };
	long port;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	if (op.vcpu >= c->d->nr_vcpus)
		return -XEN_ENOENT;
	port = evtchn_find_free(c->d);
	if (port < 0)
		return port;
	op.port = (evtchn_port_t)port;
	err = call_write(c, arg, &op, sizeof(op));
	if (err < 0)
		return err;

	as.vcpu = op.vcpu;
	as.channel = c->by->channel;
	evtchn_take(c->d, op.port, &as);
	evtchn_announce(c->d, op.port);
	return 0;
}

static long
op_close(struct call *c, uint64_t arg)
{
	struct evtchn_close op;
	int err = call_read(c, &op, arg, sizeof(op));

	return err < 0 ? err : evtchn_close(c->d, op.port);
}

static long
op_send(struct call *c, uint64_t arg)
{
	struct evtchn_send op;
	const struct port *p;
	struct domain *remote;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	p = evtchn_port(c->d, op.port);
	if (p == NULL)
		return -XEN_EINVAL;
	switch (p->state) {
	case PORT_INTERDOMAIN:
		remote = core_domain(c->hv, p->remote_domid);
		err = policy_check(c->d, remote, POLICY_EVTCHN_SEND);
		if (err < 0)
			return err;
		evtchn_raise(remote, p->remote_port);
		return 0;
	case PORT_IPI:
		evtchn_raise(c->d, op.port);
		return 0;
	case PORT_UNBOUND:
		return 0; /* bind_interdomain makes up for it */
	default:
		return -XEN_EINVAL;
	}
}

static void
describe(const struct port *p, struct evtchn_status *op)
{
	op->vcpu = p->vcpu;
	switch (p->state) {
	case PORT_UNBOUND:
		op->status = EVTCHNSTAT_unbound;
		op->u.unbound.dom = p->remote_domid;
		break;
	case PORT_INTERDOMAIN:
		op->status = EVTCHNSTAT_interdomain;
		op->u.interdomain.dom = p->remote_domid;
		op->u.interdomain.port = p->remote_port;
		break;
	case PORT_VIRQ:
		op->status = EVTCHNSTAT_virq;
		op->u.virq = p->virq;
		break;
	case PORT_IPI:
		op->status = EVTCHNSTAT_ipi;
		break;
	default:
		op->status = EVTCHNSTAT_closed;
		break;
	}
}

static long
op_status(struct call *c, uint64_t arg)
{
	struct evtchn_status op;
	const struct domain *d;
	const struct port *p;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	d = call_domain(c, op.dom);
	if (d == NULL)
		return -XEN_ESRCH;
	p = evtchn_port(d, op.port);
	if (p == NULL)
		return -XEN_EINVAL;
	err = policy_check(c->d, d, POLICY_EVTCHN_STATUS);
	if (err < 0)
		return err;
	describe(p, &op);
	return call_write(c, arg, &op, sizeof(op));
}

static long
op_bind_vcpu(struct call *c, uint64_t arg)
{
	struct evtchn_bind_vcpu op;
	struct port *p;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	if (op.vcpu >= c->d->nr_vcpus)
		return -XEN_ENOENT;
	p = evtchn_port(c->d, op.port);
	if (p == NULL)
		return -XEN_EINVAL;
	switch (p->state) {
	case PORT_VIRQ:
		if (virq_is_per_vcpu(p->virq))
			return -XEN_EINVAL;
		break;
	case PORT_UNBOUND:
	case PORT_INTERDOMAIN:
		break;
	default:
		return -XEN_EINVAL;
	}
	p->vcpu = op.vcpu;
	evtchn_announce(c->d, op.port);
	return 0;
}

static long
op_unmask(struct call *c, uint64_t arg)
{
	struct shared_info *si = c->d->pages.shared_info;
	struct evtchn_unmask op;
	const struct port *p;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	p = evtchn_port(c->d, op.port);
	if (p == NULL)
		return -XEN_EINVAL;
	if (si == NULL || p->state <= PORT_RESERVED)
		return 0;
	if (evtchn_2l_unmask(si, c->d->vcpu[p->vcpu].info, op.port))
		c->hv->ops->upcall(c->hv->world, c->d->domid, p->vcpu);
	return 0;
}

static long
op_reset(struct call *c, uint64_t arg)
{
	struct evtchn_reset op;
	struct domain *d;
	uint32_t port;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	d = call_domain(c, op.dom);
	if (d == NULL)
		return -XEN_ESRCH;
	err = policy_check(c->d, d, POLICY_EVTCHN_RESET);
	if (err < 0)
		return err;
	if (d != c->d && d->pause_count == 0)
		return -XEN_EINVAL;
	for (port = 1; port < d->ports.nr; port++)
		(void)evtchn_close(d, port);
	return 0;
}

static long (*const ops[])(struct call *c, uint64_t arg) = {
	[EVTCHNOP_bind_interdomain] = op_bind_interdomain,
	[EVTCHNOP_bind_virq] = op_bind_virq,
	[EVTCHNOP_close] = op_close,
	[EVTCHNOP_send] = op_send,
	[EVTCHNOP_status] = op_status,
	[EVTCHNOP_alloc_unbound] = op_alloc_unbound,
	[EVTCHNOP_bind_ipi] = op_bind_ipi,
	[EVTCHNOP_bind_vcpu] = op_bind_vcpu,
	[EVTCHNOP_unmask] = op_unmask,
	[EVTCHNOP_reset] = op_reset,
};

long
evtchn_op(struct call *c)
{
	uint32_t cmd = (uint32_t)c->arg[0];

	/* No physical interrupts, and 2-level channels only. */
	if (cmd == EVTCHNOP_bind_pirq)
		return -XEN_EOPNOTSUPP;
	if (cmd >= ARRAY_LEN(ops) || ops[cmd] == NULL)
		return -XEN_ENOSYS;
	return ops[cmd](c, c->arg[1]);
}
