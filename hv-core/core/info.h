/*
 * What the toolstack is told about domains, in the ABI's structures.
 */
#ifndef HV_CORE_INFO_H
#define HV_CORE_INFO_H

#include "abi/domctl.h"
#include "core.h"

void info_domain(const struct domain *d, struct xen_domctl_getdomaininfo *out);
void info_vcpu(
    const struct domain *d, uint32_t vcpu, struct xen_domctl_getvcpuinfo *out);
void info_state(
    const struct domain *d, struct xen_domctl_get_domain_state *out);

/* The lowest domain that changed since it was reported last, also one that is
 * gone by now. -XEN_ENOENT: there is none. */
long info_next_change(
    struct hv *hv, domid_t *domid, struct xen_domctl_get_domain_state *out);

/* Writes NR ones, and zeros up to the length that the caller's bitmap has. */
long info_write_bitmap(
    struct call *c, const struct xenctl_bitmap *map, uint32_t nr);

#endif
