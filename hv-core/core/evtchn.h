/*
 * Event channels: ports, their bindings, and sending.
 *
 * Knows the 2-level delivery (evtchn_2l.h). Does not know what a VIRQ means
 * (virq.c) or how a vcpu is woken (world).
 */
#ifndef HV_CORE_EVTCHN_H
#define HV_CORE_EVTCHN_H

#include "core.h"

/* Makes the table of a new domain. -XEN_ENOMEM. */
int evtchn_init(struct domain *d);

/* The port's record, or NULL if the table does not reach so far. */
struct port *evtchn_port(const struct domain *d, uint32_t port);

/* The lowest free port of D, made ready but still FREE. -XEN_EINVAL: D is
 * dying; -XEN_ENOSPC: all are taken; -XEN_ENOMEM. */
long evtchn_find_free(struct domain *d);

/* Takes a FREE port in use: *AS becomes its record. */
void evtchn_take(struct domain *d, uint32_t port, const struct port *as);

/* Tells the world that the binding of D's port has changed. */
void evtchn_announce(struct domain *d, uint32_t port);

/* Sets D's port pending, whatever it is bound to, and wakes who waits. */
void evtchn_raise(struct domain *d, uint32_t port);

/* Closes a port. -XEN_EINVAL: there is nothing to close. */
int evtchn_close(struct domain *d, uint32_t port);

/* Closes ports from d->cursor on, not more than BUDGET; true when all are
 * closed. */
bool evtchn_relinquish(struct domain *d, uint32_t budget);

/* Closes the ports that belong to CHANNEL. */
void evtchn_close_channel(struct domain *d, const void *channel);

/* Frees the table, whatever is in it. */
void evtchn_free(struct domain *d);

/* Whether PORT's pending bit is set; false for domains without shared_info. */
bool evtchn_is_pending(const struct domain *d, uint32_t port);

#endif
