/*
 * Who may do what to whom: one question an operation. This policy is Xen's
 * plain one: domain 0 may do everything, the others act on themselves only,
 * except that they may use what others have offered them.
 */
#ifndef HV_CORE_POLICY_H
#define HV_CORE_POLICY_H

#include "core.h"

enum policy_op {
	POLICY_EVTCHN_ALLOC, /* a port of TARGET */
	POLICY_EVTCHN_BIND,  /* to a port that TARGET left open for us */
	POLICY_EVTCHN_SEND,
	POLICY_EVTCHN_STATUS,
	POLICY_EVTCHN_RESET,
	POLICY_GRANT_MAP, /* what TARGET granted */
	POLICY_GRANT_COPY,
	POLICY_GRANT_TABLE, /* look at or grow TARGET's table */
	POLICY_MEMORY_RESERVATION,
	POLICY_MEMORY_STAT,
	POLICY_MEMORY_PHYSMAP,
	POLICY_MEMORY_RESOURCE,
	POLICY_HVM_PARAM, /* each parameter has a rule of its own, too */
	POLICY_REMOTE_SHUTDOWN,
	POLICY_DOMCTL,
	POLICY_SYSCTL, /* TARGET is NULL */
	POLICY_CONSOLE_READ,
	POLICY_CONSOLE_WRITE,
};

/* 0 or -XEN_EPERM. */
int policy_check(const struct domain *caller, const struct domain *target,
    enum policy_op op);

#endif
