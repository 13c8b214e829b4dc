/*
 * Virtual interrupts: which port each is bound to and who handles the global
 * ones.
 */
#ifndef HV_CORE_VIRQ_H
#define HV_CORE_VIRQ_H

#include "core.h"

/* Whether there is one in the machine, not one per domain or vcpu. */
bool virq_is_global(uint32_t virq);
bool virq_is_per_vcpu(uint32_t virq);

/* Raises a per-vcpu VIRQ. */
void virq_raise_vcpu(struct domain *d, uint32_t vcpu, uint32_t virq);

/* Raises a global VIRQ at the domain that handles it. */
void virq_raise(struct hv *hv, uint32_t virq);

/* Whether D has the global VIRQ bound. */
bool virq_handled_by(const struct domain *d, uint32_t virq);

/* D has bound VIRQ: what follows from that. */
void virq_bound(struct domain *d, uint32_t virq);

/* D is to handle VIRQ. -XEN_EINVAL: not a global one; -XEN_EBUSY: the domain
 * that handles it now has it bound. */
int virq_set_handler(struct domain *d, uint32_t virq);

/* D is dying: what it handles falls back to domain 0. */
void virq_forget_handler(struct domain *d);

#endif
