#include "hv.h"

#include "ops.h"

static long (*const table[])(struct call *c) = {
	[__HYPERVISOR_memory_op] = memory_op,
	[__HYPERVISOR_set_timer_op] = timer_op,
	[__HYPERVISOR_xen_version] = version_op,
	[__HYPERVISOR_console_io] = console_op,
	[__HYPERVISOR_grant_table_op] = grant_op,
	[__HYPERVISOR_vcpu_op] = vcpu_op,
	[__HYPERVISOR_sched_op] = sched_op,
	[__HYPERVISOR_event_channel_op] = evtchn_op,
	[__HYPERVISOR_hvm_op] = hvm_op,
	[__HYPERVISOR_sysctl] = sysctl_op,
	[__HYPERVISOR_domctl] = domctl_op,
};

/* Entries of a multicall done before the world gets a chance to do something
 * else. */
#define SLICE 256

/* Anything but multicall. */
static long
single(struct call *c, uint64_t nr)
{
	if (nr >= ARRAY_LEN(table) || table[nr] == NULL)
		return -XEN_ENOSYS;
	return table[nr](c);
}

/* Entry by entry; one that is to be continued ends the slice, its arguments
 * and what remains to be done in the caller's array. */
static long
multicall(struct call *c)
{
	uint64_t list = c->arg[0], left = (uint32_t)c->arg[1];
	struct multicall_entry e;
	struct call inner = *c;
	unsigned budget = SLICE;

	for (; left > 0 && budget > 0; left--, budget--, list += sizeof(e)) {
		long ret;

		if (c->d->state != DOMAIN_ALIVE)
			return -XEN_ESRCH;
		if (call_read(c, &e, list, sizeof(e)) < 0)
			return -XEN_EFAULT;
		inner.arg = e.args;
		ret = single(&inner, e.op);
		e.result = (xen_ulong_t)ret;
		if (call_write(c, list, &e, sizeof(e)) < 0)
			return -XEN_EFAULT;
		if (ret == -XEN_ERESTART)
			break;
	}
	if (left == 0)
		return 0;
	c->arg[0] = list;
	c->arg[1] = left;
	return -XEN_ERESTART;
}

long
hv_hypercall(
    struct hv *hv, const struct hv_caller *caller, unsigned nr, uint64_t arg[5])
{
	struct call c = { .hv = hv, .by = caller, .arg = arg };

	c.d = core_domain(hv, caller->domid);
	if (c.d == NULL || c.d->state != DOMAIN_ALIVE)
		return -XEN_ESRCH;
	if (caller->vcpu >= c.d->nr_vcpus)
		return -XEN_EINVAL;
	return nr == __HYPERVISOR_multicall ? multicall(&c) : single(&c, nr);
}
