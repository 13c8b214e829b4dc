#include "abi/sched.h"

#include "domain.h"
#include "evtchn.h"
#include "ops.h"
#include "policy.h"
#include "timer.h"

#define MAX_POLL_PORTS 128
#define NS_PER_S UINT64_C(1000000000)

static long
op_shutdown(struct call *c, uint64_t arg)
{
	struct sched_shutdown op;
	int err = call_read(c, &op, arg, sizeof(op));

	if (err < 0)
		return err;
	domain_shutdown(c->d, (uint8_t)op.reason);
	return 0;
}

static long
op_shutdown_code(struct call *c, uint64_t arg)
{
	struct sched_shutdown op;
	int err = call_read(c, &op, arg, sizeof(op));

	if (err < 0)
		return err;
	if (!c->d->shutdown)
		c->d->shutdown_code = (uint8_t)op.reason;
	return 0;
}

static long
op_remote_shutdown(struct call *c, uint64_t arg)
{
	struct sched_remote_shutdown op;
	struct domain *d;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	d = core_domain(c->hv, op.domain_id);
	if (d == NULL)
		return -XEN_ESRCH;
	err = policy_check(c->d, d, POLICY_REMOTE_SHUTDOWN);
	if (err < 0)
		return err;
	domain_shutdown(d, (uint8_t)op.reason);
	return 0;
}

/* Whether the vcpu has an upcall to take right now. */
static bool
upcall_due(const struct call *c)
{
	const struct vcpu_info *vi = c->d->vcpu[c->by->vcpu].info;

	return vi != NULL &&
	       __atomic_load_n(&vi->evtchn_upcall_pending, __ATOMIC_SEQ_CST) !=
		   0 &&
	       __atomic_load_n(&vi->evtchn_upcall_mask, __ATOMIC_SEQ_CST) == 0;
}

/* The core never sleeps: it answers as if the time were up, and the caller's
 * runtime waits by the world's means. The checks are those of a real poll. */
static long
op_poll(struct call *c, uint64_t arg)
{
	struct sched_poll op;
	evtchn_port_t port;
	uint32_t i;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	if (op.nr_ports > MAX_POLL_PORTS)
		return -XEN_EINVAL;
	if (upcall_due(c))
		return 0;
	for (i = 0; i < op.nr_ports; i++) {
		const struct port *p;

		err = call_read(
		    c, &port, op.ports + i * sizeof(port), sizeof(port));
		if (err < 0)
			return err;
		p = evtchn_port(c->d, port);
		if (p == NULL || p->state <= PORT_RESERVED)
			return -XEN_EINVAL;
		if (evtchn_is_pending(c->d, port))
			return 0;
	}
	return 0;
}

static long
watchdog_new(struct call *c, uint64_t deadline)
{
	uint32_t i;

	for (i = 0; i < WATCHDOGS; i++) {
		if (c->d->watchdog[i] != HV_NO_DEADLINE)
			continue;
		timer_set(c->hv, &c->d->watchdog[i], deadline);
		return i + 1;
	}
	return -XEN_ENOSPC;
}

/* Answers the id of a new watchdog, else 0. */
static long
op_watchdog(struct call *c, uint64_t arg)
{
	struct sched_watchdog op;
	uint64_t deadline = HV_NO_DEADLINE;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	if (op.timeout != 0)
		deadline =
		    c->hv->ops->now(c->hv->world) + op.timeout * NS_PER_S;
	if (op.id == 0)
		return op.timeout == 0 ? -XEN_EINVAL
				       : watchdog_new(c, deadline);
	if (op.id > WATCHDOGS || c->d->watchdog[op.id - 1] == HV_NO_DEADLINE)
		return -XEN_EINVAL;
	timer_set(c->hv, &c->d->watchdog[op.id - 1], deadline);
	return 0;
}

long
sched_op(struct call *c)
{
	uint64_t arg = c->arg[1];

	switch ((uint32_t)c->arg[0]) {
	case SCHEDOP_yield:
	case SCHEDOP_block:
		return 0;
	case SCHEDOP_shutdown:
		return op_shutdown(c, arg);
	case SCHEDOP_shutdown_code:
		return op_shutdown_code(c, arg);
	case SCHEDOP_remote_shutdown:
		return op_remote_shutdown(c, arg);
	case SCHEDOP_poll:
		return op_poll(c, arg);
	case SCHEDOP_watchdog:
		return op_watchdog(c, arg);
	default:
		return -XEN_ENOSYS;
	}
}
