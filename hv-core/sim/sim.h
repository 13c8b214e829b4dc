/*
 * The core in a single-threaded world of plain memory: for tests. A domain is
 * a few pages and some counters; time stands still until it is told to move;
 * every rule of world.h that the core might break is asserted.
 *
 * Addresses in hypercall arguments are pointers of this process; those below
 * 4096 are bad (-XEN_EFAULT).
 *
 * Knows the core's public headers only (hv.h, world.h, evtchn_2l.h).
 */
#ifndef HV_SIM_SIM_H
#define HV_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/domctl.h"
#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "hv-core/core/hv.h"

#define SIM_MAX_FRAMES 65536 /* of a domain, from gfn 0 */
#define SIM_SHARED_INFO_GFN 0xf0000
#define SIM_GRANT_GFN 0xf1000

struct sim_domain {
	struct hv_domain_spec spec;
	struct shared_info *shared_info; /* NULL if so configured (dom 0) */
	struct grant_entry_v1 *grants;	 /* as many frames as it may have */
	uint8_t **ram;			 /* by gfn, NULL where there is none */
	uint64_t frames;		 /* populated ones */
	uint64_t start_info;
	bool started, paused, killed;
	unsigned upcalls;    /* since the test set it to 0 */
	unsigned changes;    /* port_changed calls */
	uint64_t posted[64]; /* ports of event_post, for the test to clear */
};

struct sim {
	struct hv *hv;
	struct sim_domain *domain[DOMID_FIRST_RESERVED];
	uint64_t now, wallclock; /* ns */
	size_t core_bytes;	 /* what the core has allocated */
	unsigned nr_domains;
	unsigned mappings;  /* grant_map minus grant_unmap */
	char console[4096]; /* what was written last, NUL-terminated */
	size_t console_len;
	/* Faults: the Nth call from now fails (1 = the next); 0 = none. */
	unsigned fail_alloc, fail_copy, fail_populate, fail_map, fail_start;
};

struct sim_config {
	uint64_t total_pages, dom0_pages;
	bool dom0_posts; /* domain 0 has no shared_info */
};

/* The world's functions; _posting: domain 0 has no shared_info. */
const struct hv_world *sim_world(void);
const struct hv_world *sim_world_posting(void);

/* A machine with domain 0; cfg NULL: 8192 pages, 1024 of them domain 0's.
 * Never fails (aborts). */
struct sim *sim_new(const struct sim_config *cfg);

/* Asserts that the core gives everything back. */
void sim_free(struct sim *s);

/* A hypercall by DOMID through CHANNEL (or NULL), continued until done. */
long sim_call_channel(struct sim *s, domid_t domid, void *channel, unsigned nr,
    uint64_t a0, uint64_t a1, uint64_t a2);

/* As above, a single slice: may answer -XEN_ERESTART. */
long sim_call_once(struct sim *s, domid_t domid, unsigned nr, uint64_t a0,
    uint64_t a1, uint64_t a2);

/* The usual ones, without a channel. */
long sim_evtchn(struct sim *s, domid_t domid, unsigned cmd, void *op);
long sim_grant(
    struct sim *s, domid_t domid, unsigned cmd, void *op, unsigned count);
long sim_memory(struct sim *s, domid_t domid, unsigned cmd, void *op);
long sim_sched(struct sim *s, domid_t domid, unsigned cmd, void *op);
long sim_domctl(struct sim *s, domid_t domid, struct xen_domctl *op);

/* A domctl by domain 0 that needs no more than the two ids. */
long sim_domctl_plain(struct sim *s, uint32_t cmd, domid_t target);

/* A domain with one vcpu, 64 ports, 2 grant frames and PAGES frames from gfn
 * 0, paused. */
domid_t sim_domain(struct sim *s, uint64_t pages);

/* Also told where to start, and unpaused. */
domid_t sim_domain_running(struct sim *s, uint64_t pages);

/* An unbound port of DOMID for REMOTE; a channel between two domains (*A_OUT
 * of A, *B_OUT of B), B's pending bit from binding cleared. */
uint32_t sim_unbound(struct sim *s, domid_t domid, domid_t remote);
void sim_connect(
    struct sim *s, domid_t a, domid_t b, uint32_t *a_out, uint32_t *b_out);
long sim_send(struct sim *s, domid_t domid, uint32_t port);
long sim_close(struct sim *s, domid_t domid, uint32_t port);

/* Whether the port is pending; and clear that. */
bool sim_pending(const struct sim *s, domid_t domid, uint32_t port);
void sim_consume(struct sim *s, domid_t domid, uint32_t port);

/* Offers frame GFN of DOMID as entry REF. */
void sim_offer(struct sim *s, domid_t domid, grant_ref_t ref, domid_t to,
    uint32_t gfn, uint16_t flags);

#endif
