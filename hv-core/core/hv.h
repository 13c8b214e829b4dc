/*
 * The hypervisor core, as its world sees it.
 *
 * Knows domains, event channels, grants, memory accounting, the console ring.
 * Does not know what a domain is made of, how memory is mapped, how time is
 * measured: for that it calls the functions of struct hv_world. It knows no
 * libc, takes no locks, keeps no global state and no notion of a current
 * domain: whoever calls holds whatever lock there is and says who is calling.
 *
 * Domain ids in arguments are real ones here (no DOMID_SELF), except inside
 * the structures of hypercalls.
 */
#ifndef HV_CORE_HV_H
#define HV_CORE_HV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/errno.h"
#include "abi/xen.h"
#include "world.h"

struct hv; /* opaque */

/* Limits, also for domain 0. */
#define HV_MAX_VCPUS XEN_LEGACY_MAX_VCPUS
#define HV_MAX_PORTS EVTCHN_2L_NR_CHANNELS
#define HV_MAX_GRANT_FRAMES 64
#define HV_MAX_MAPTRACK_FRAMES 1024 /* of 256 handles each */
#define HV_CONSOLE_RING_SIZE 16384

#define HV_NO_DEADLINE UINT64_MAX

struct hv_config {
	uint64_t total_pages; /* of the machine, domain 0's included */
	uint64_t dom0_pages;  /* what domain 0 counts for */
	uint32_t dom0_vcpus;  /* 1 .. HV_MAX_VCPUS */
	uint32_t nr_cpus;
	uint32_t cpu_khz;
	const char *cmdline; /* the hypervisor's own; kept, not copied */
};

/*
 * Who makes a hypercall. The channel is an opaque name for one attachment of
 * the domain (an open file, a connection); ports and grant handles that a call
 * makes for its own domain belong to its channel and go with it. NULL: they
 * belong to the domain only.
 */
struct hv_caller {
	domid_t domid;
	uint32_t vcpu;
	void *channel;
};

/* Makes the machine with domain 0 in it. WORLD is handed to each function of
 * OPS. OPS and WORLD must outlive the result. NULL: out of memory,
 * domain_create refused domain 0, or cfg makes no sense. */
struct hv *hv_create(
    const struct hv_world *ops, void *world, const struct hv_config *cfg);

/* Frees all of it. Domains that are left are killed and freed. */
void hv_destroy(struct hv *hv);

/*
 * Makes a hypercall; what it answers (negative XEN_E*, or a result >= 0).
 * -XEN_ERESTART is for the world, not for the caller: the operation isn't
 * finished and *arg has been advanced; call again with the same caller, nr and
 * arg, after whatever else is urgent. If the caller is gone meanwhile it need
 * not be finished.
 * -XEN_ESRCH if the calling domain does not exist or is dying.
 */
long hv_hypercall(struct hv *hv, const struct hv_caller *caller, unsigned nr,
    uint64_t arg[5]);

/* A domain stopped by itself: its process died (SHUTDOWN_crash), say. Nothing
 * happens if it is shut down already. -XEN_ESRCH: no such domain, or dying. */
int hv_domain_shutdown(struct hv *hv, domid_t domid, uint8_t reason);

/* A channel of domid is gone: its ports are closed, its grant handles
 * released. */
void hv_channel_closed(struct hv *hv, domid_t domid, void *channel);

/* What a port is bound to. */
struct hv_port_info {
	uint32_t status;      /* EVTCHNSTAT_* */
	uint32_t vcpu;	      /* that it notifies */
	domid_t remote_domid; /* unbound: who may bind; interdomain: the peer */
	uint32_t remote_port; /* interdomain */
	uint32_t virq;	      /* virq */
	void *channel;	      /* whose it is, or NULL */
	void *remote_channel; /* interdomain: whose the other end is, or NULL */
};

/* -XEN_ESRCH: no such domain; -XEN_EINVAL: no such port. A closed port is no
 * error. */
int hv_port_info(const struct hv *hv, domid_t domid, uint32_t port,
    struct hv_port_info *out);

struct hv_domain_info {
	uint64_t unique_id;
	uint64_t pages; /* RAM it has */
	uint64_t max_pages;
	uint32_t vcpus;
	uint32_t max_evtchn_port;
	uint32_t grant_frames, max_grant_frames;
	uint8_t shutdown_code;
	bool shutdown, paused, dying;
	bool started; /* world's domain_start has been called */
};

/* -XEN_ESRCH: no such domain. */
int hv_domain_info(
    const struct hv *hv, domid_t domid, struct hv_domain_info *out);

/*
 * For a world that maps resources itself: CALLER wants frames first..first+nr-1
 * of domid's grant table, which grows as needed. Same rights and errors as
 * XENMEM_acquire_resource: -XEN_ESRCH, -XEN_EPERM, -XEN_EINVAL (more than its
 * maximum, or it has no table), -XEN_ENOMEM.
 */
int hv_grant_frames(struct hv *hv, const struct hv_caller *caller,
    domid_t domid, uint32_t first, uint32_t nr);

/* When hv_run_timers has something to do next (system time, ns), or
 * HV_NO_DEADLINE. Ask again after each hv_*() call. */
uint64_t hv_next_deadline(const struct hv *hv);
void hv_run_timers(struct hv *hv);

/* The console has input: raises VIRQ_CONSOLE. */
void hv_console_input(struct hv *hv);

/* Adds text of the hypervisor's own to the console ring. */
void hv_console_print(struct hv *hv, const char *text);

/* Checks the invariants of everything. NULL, or a description of the first
 * violation (static text). */
const char *core_audit(const struct hv *hv);

#endif
