/*
 * The hypercalls, one function each. They answer what the hypercall answers.
 */
#ifndef HV_CORE_OPS_H
#define HV_CORE_OPS_H

#include "core.h"

long evtchn_op(struct call *c);
long grant_op(struct call *c);
long memory_op(struct call *c);
long sched_op(struct call *c);
long vcpu_op(struct call *c);
long timer_op(struct call *c);
long version_op(struct call *c);
long console_op(struct call *c);
long hvm_op(struct call *c);
long domctl_op(struct call *c);
long sysctl_op(struct call *c);

#endif
