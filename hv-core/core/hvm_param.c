#include "abi/hvm.h"

#include "ops.h"
#include "policy.h"

/* What a domain may do with its own parameters. Domain 0 may set them all. */
enum own_right {
	OWN_NONE,
	OWN_GET,
	OWN_SET, /* and get */
};

static const uint8_t own_rights[HVM_NR_PARAMS] = {
	[HVM_PARAM_CALLBACK_IRQ] = OWN_SET,
	[HVM_PARAM_STORE_PFN] = OWN_GET,
	[HVM_PARAM_STORE_EVTCHN] = OWN_GET,
	[HVM_PARAM_ACPI_S_STATE] = OWN_GET,
	[HVM_PARAM_VM86_TSS] = OWN_SET,
	[HVM_PARAM_CONSOLE_PFN] = OWN_GET,
	[HVM_PARAM_CONSOLE_EVTCHN] = OWN_GET,
	[HVM_PARAM_VM_GENERATION_ID_ADDR] = OWN_SET,
};

long
hvm_op(struct call *c)
{
	uint32_t cmd = (uint32_t)c->arg[0];
	struct xen_hvm_param op;
	enum own_right need = cmd == HVMOP_set_param ? OWN_SET : OWN_GET;
	struct domain *d;
	int err;

	if (cmd != HVMOP_set_param && cmd != HVMOP_get_param)
		return -XEN_ENOSYS;
	err = call_read(c, &op, c->arg[1], sizeof(op));
	if (err < 0)
		return err;
	if (op.index >= HVM_NR_PARAMS)
		return -XEN_EINVAL;
	d = call_domain(c, op.domid);
	if (d == NULL)
		return -XEN_ESRCH;
	err = policy_check(c->d, d, POLICY_HVM_PARAM);
	if (err < 0)
		return err;
	if (!c->d->privileged && own_rights[op.index] < need)
		return -XEN_EPERM;

	if (cmd == HVMOP_set_param) {
		d->hvm_param[op.index] = op.value;
		return 0;
	}
	op.value = d->hvm_param[op.index];
	return call_write(c, c->arg[1], &op, sizeof(op));
}
