/*
 * guest_evtchn: this domain's event channels and their handlers.
 *
 * It knows ports and the 2-level bit maps of shared_info. A port is masked
 * while it has no handler. Handlers run in guest_wait() and everything that
 * waits; they must not wait themselves, and get the port in case several share
 * one function. Errors are negative errnos.
 */
#ifndef HV_GUEST_GUEST_EVTCHN_H
#define HV_GUEST_GUEST_EVTCHN_H

#include <stdint.h>

typedef void guest_evtchn_fn(void *arg, uint32_t port);

/*
 * A new port that domain REMOTE may bind. FN may be NULL: the port is then
 * masked until guest_evtchn_handle(). -ENOSPC, -ESRCH and so on.
 */
int guest_evtchn_alloc_unbound(
    uint16_t remote, guest_evtchn_fn *fn, void *arg, uint32_t *port_out);

/*
 * A new port joined to REMOTE's REMOTE_PORT, which it left open for this
 * domain. FN will run once at least. -EINVAL if there is no such port.
 */
int guest_evtchn_bind_interdomain(uint16_t remote, uint32_t remote_port,
    guest_evtchn_fn *fn, void *arg, uint32_t *port_out);

/* A port for a virtual interrupt. -EEXIST, -EINVAL. */
int guest_evtchn_bind_virq(
    uint32_t virq, guest_evtchn_fn *fn, void *arg, uint32_t *port_out);

/*
 * Sets (or, with FN NULL, removes) the handler of an open port. An event that
 * came in before is delivered. -EINVAL for an impossible port number.
 */
int guest_evtchn_handle(uint32_t port, guest_evtchn_fn *fn, void *arg);

/* Closes PORT and forgets its handler. -EINVAL if it is not open. */
int guest_evtchn_close(uint32_t port);

/* Signals the other side. An unbound port swallows it. -EINVAL. */
int guest_evtchn_notify(uint32_t port);

/* Runs the handlers of pending, unmasked ports; returns their number. */
int guest_evtchn_dispatch(void);

/* --- for the runtime ---------------------------------------------------- */

struct shared_info;

/* At start: takes over the bit maps of SI and masks all ports. */
void guest_evtchn_init(struct shared_info *si);

/*
 * Sets PORT pending, as the hypervisor does on a send. Impossible ports are
 * ignored.
 */
void guest_evtchn_raise(uint32_t port);

/* Non-zero if guest_evtchn_dispatch() may have something to do. */
int guest_evtchn_ready(void);

#endif
