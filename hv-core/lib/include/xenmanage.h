/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libxenmanage: which domains exist and what became of them; and, as our
 * extension, where domain 0's Xenstore ring is.
 *
 * Knows domids, states and the platform's nodes for the store ring. Knows
 * nothing of Xenstore's contents.
 *
 * A handle may be used by one thread at a time.
 */
#ifndef XENMANAGE_H
#define XENMANAGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* A domain's state; no bit set: there is no such domain. */
#define XENMANAGE_GETDOMSTATE_STATE_EXIST (1U << 0)
#define XENMANAGE_GETDOMSTATE_STATE_SHUTDOWN (1U << 1) /* shut itself down */
#define XENMANAGE_GETDOMSTATE_STATE_DYING (1U << 2)    /* being destroyed */
#define XENMANAGE_GETDOMSTATE_STATE_DEAD (1U << 3)     /* only pins are left */

/* What a domain is entitled to. */
#define XENMANAGE_GETDOMSTATE_CAP_CONTROL (1U << 0)
#define XENMANAGE_GETDOMSTATE_CAP_HARDWARE (1U << 1)
#define XENMANAGE_GETDOMSTATE_CAP_XENSTORE (1U << 2)

typedef struct xenmanage_handle xenmanage_handle;

struct xentoollog_logger;

/*
 * Open a handle. LOGGER receives the one line that says why it failed; NULL
 * sends it to stderr. OPEN_FLAGS must be 0. NULL with errno: EINVAL unknown
 * flag, ENOMEM, ENOENT no hypervisor here, EACCES, ECONNREFUSED it is not
 * running.
 */
xenmanage_handle *xenmanage_open(
    struct xentoollog_logger *logger, unsigned int open_flags);

/* Free HDL; NULL is allowed. Always 0. */
int xenmanage_close(xenmanage_handle *hdl);

/*
 * What domain DOMID is now. Each of STATE, CAPS and UNIQUE_ID may be NULL.
 * UNIQUE_ID differs between two domains that have the same DOMID one after the
 * other. 0, or -1 with errno: ESRCH no such domain, EINVAL not a DOMID of a
 * domain, EPERM or EACCES not privileged.
 */
int xenmanage_get_domain_info(xenmanage_handle *hdl, unsigned int domid,
    unsigned int *state, unsigned int *caps, uint64_t *unique_id);

/*
 * A domain whose state changed since it was last reported goes to *DOMID, its
 * present state to the others, which may be NULL. STATE 0 says that it is gone
 * (UNIQUE_ID is then 0 where the hypervisor does not tell). Call it until it
 * fails with ENOENT (no more changes), at the start and after every
 * VIRQ_DOM_EXC; the caller's domain must have that VIRQ bound. The first round
 * reports every domain. 0, or -1 with errno: ENOENT, EACCES the VIRQ is not
 * ours, EPERM.
 *
 * On a hypervisor older than this call (Xen 4.17, domctl interface 0x15) the
 * library compares a scan of all domains with the last one; unique_id is then
 * made of the domain's uuid and domid, and a domain that died and was born
 * again between two scans with the same uuid and domid is not told apart.
 */
int xenmanage_poll_changed_domain(xenmanage_handle *hdl, unsigned int *domid,
    unsigned int *state, unsigned int *caps, uint64_t *unique_id);

/* An older name of xenmanage_poll_changed_domain(). */
int xenmanage_get_changed_domain(xenmanage_handle *hdl, unsigned int *domid,
    unsigned int *state, unsigned int *caps, uint64_t *unique_id);

/* --------------------------------- Kernbus extension, node KERNBUS_1.0 ---- */

/* Domain 0's store ring, as its kernel offers it to the store daemon. */
struct xenmanage_store_ring {
	uint32_t port; /* for xenevtchn_bind_interdomain(xce, 0, port) */
	void *page;    /* 4096 bytes, shared with the kernel, writable */
};

/* Why there is no ring. */
enum xenmanage_node_fault {
	XENMANAGE_NODE_OK,
	XENMANAGE_NODE_PORT_MISSING, /* the node of the port cannot be opened */
	XENMANAGE_NODE_PORT_INVALID, /* it holds no port number */
	XENMANAGE_NODE_PAGE_MISSING, /* the node of the page cannot be opened */
	XENMANAGE_NODE_PAGE_INVALID, /* it cannot be mapped */
};

struct xenmanage_node_error {
	enum xenmanage_node_fault fault;
	int errnum;	    /* errno value */
	char node[256];	    /* path of the node at fault */
	const char *remedy; /* what makes the node; static text */
};

/*
 * Find the port and map the page of domain 0's store ring. The nodes are, by
 * provider: hosted $HV_ROOT/kern/xen/xsd_port and $HV_ROOT/dev/xsd_kva; linux
 * /proc/xen/xsd_port and /proc/xen/xsd_kva; netbsd /kern/xen/xsd_port and
 * /dev/xsd_kva. 0, or -1 with errno and *ERROR (which may be NULL) filled in;
 * nothing is logged. The mapping is the caller's: release it with
 * xenmanage_store_ring_release(); it outlives HDL.
 */
int xenmanage_store_ring(xenmanage_handle *hdl,
    struct xenmanage_store_ring *ring, struct xenmanage_node_error *error);

/* Unmap RING's page and clear RING; a cleared RING is left alone. */
void xenmanage_store_ring_release(struct xenmanage_store_ring *ring);

#define XENMANAGE_BOOT_ID_SIZE 16

/*
 * What tells this run of the hypervisor from every other one, to ID: the same
 * bytes for every process until the machine is started again. From, by
 * provider: hosted $HV_ROOT/kern/xen/boot_id; linux
 * /proc/sys/kernel/random/boot_id; netbsd the sysctl kern.boottime, which also
 * differs after the clock has been set. 0, or -1 with errno: ENOENT it cannot
 * be found out here, EINVAL it is not what it should be.
 */
int xenmanage_boot_id(
    xenmanage_handle *hdl, uint8_t id[XENMANAGE_BOOT_ID_SIZE]);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
