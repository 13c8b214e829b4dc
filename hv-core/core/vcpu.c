#include "abi/vcpu.h"

#include "evtchn.h"
#include "ops.h"
#include "p2m.h"
#include "timer.h"

/* Moves a vcpu's info to a page of the domain's own. What was pending is put
 * up again in the new place, so that nothing is lost. */
static long
op_register_info(struct call *c, struct vcpu *v, uint64_t arg)
{
	struct vcpu_register_vcpu_info op;
	struct vcpu_info *info;
	uint8_t *frame;
	int err;

	err = call_read(c, &op, arg, sizeof(op));
	if (err < 0)
		return err;
	if (v->info_registered || v->info == NULL)
		return -XEN_EINVAL;
	if (op.offset > XEN_PAGE_SIZE - sizeof(*info) || op.offset % 8 != 0)
		return -XEN_EINVAL;
	frame = p2m_pin(c->d, op.mfn);
	if (frame == NULL)
		return -XEN_EINVAL;

	info = (struct vcpu_info *)(void *)(frame + op.offset);
	*info = *v->info;
	v->info = info;
	v->info_gfn = op.mfn;
	v->info_registered = true;
	__atomic_store_n(
	    &info->evtchn_pending_sel, UINT64_MAX, __ATOMIC_SEQ_CST);
	__atomic_store_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static long
op_runstate(struct call *c, const struct vcpu *v, uint32_t id, uint64_t arg)
{
	struct hv_vcpu_times times = { .cpu_time = 0 };
	struct vcpu_runstate_info info = { .state = RUNSTATE_offline };

	if (v->up) {
		if (c->hv->ops->vcpu_times != NULL)
			c->hv->ops->vcpu_times(
			    c->hv->world, c->d->domid, id, &times);
		info.state =
		    times.running ? RUNSTATE_running : RUNSTATE_blocked;
		info.time[RUNSTATE_running] = times.cpu_time;
	}
	return call_write(c, arg, &info, sizeof(info));
}

static long
op_set_timer(struct call *c, struct vcpu *v, uint64_t arg)
{
	struct vcpu_set_singleshot_timer op;
	int err = call_read(c, &op, arg, sizeof(op));

	if (err < 0)
		return err;
	if ((op.flags & VCPU_SSHOTTMR_future) != 0 &&
	    op.timeout_abs_ns < c->hv->ops->now(c->hv->world))
		return -XEN_ETIME;
	timer_set(c->hv, &v->timer, op.timeout_abs_ns);
	return 0;
}

long
vcpu_op(struct call *c)
{
	uint32_t id = (uint32_t)c->arg[1];
	struct vcpu *v;

	if (id >= c->d->nr_vcpus)
		return -XEN_ENOENT;
	v = &c->d->vcpu[id];
	switch ((uint32_t)c->arg[0]) {
	case VCPUOP_is_up:
		return v->up;
	case VCPUOP_get_runstate_info:
		return op_runstate(c, v, id, c->arg[2]);
	case VCPUOP_stop_periodic_timer:
		return 0; /* there are none */
	case VCPUOP_set_singleshot_timer:
		return id != c->by->vcpu ? -XEN_EINVAL
					 : op_set_timer(c, v, c->arg[2]);
	case VCPUOP_stop_singleshot_timer:
		if (id != c->by->vcpu)
			return -XEN_EINVAL;
		timer_set(c->hv, &v->timer, HV_NO_DEADLINE);
		return 0;
	case VCPUOP_register_vcpu_info:
		return op_register_info(c, v, c->arg[2]);
	default:
		return -XEN_ENOSYS;
	}
}

/* set_timer_op: 0 stops the caller's timer. */
long
timer_op(struct call *c)
{
	timer_set(c->hv, &c->d->vcpu[c->by->vcpu].timer,
	    c->arg[0] == 0 ? HV_NO_DEADLINE : c->arg[0]);
	return 0;
}
