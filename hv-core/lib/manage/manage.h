/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of libxenmanage share: the handle, one way to ask a domctl,
 * and the comparison of scans for hypervisors without get_domain_state.
 */
#ifndef LIB_MANAGE_MANAGE_H
#define LIB_MANAGE_MANAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/provider.h"
#include "../include/xencall.h"
#include "../include/xenmanage.h"

/* A domain as libxenmanage tells of it. */
struct domain_state {
	unsigned domid;
	unsigned state; /* XENMANAGE_GETDOMSTATE_STATE_* */
	unsigned caps;	/* XENMANAGE_GETDOMSTATE_CAP_* */
	uint64_t unique_id;
};

/* The outcome of the last scan; both arrays are sorted by domid. */
struct domain_scan {
	struct domain_state *now;
	size_t nr_now;
	struct domain_state *changed;
	size_t nr_changed;
	size_t next_changed; /* == nr_changed: a new scan is due */
	bool round;	     /* changes of the last scan are being reported */
};

struct xenmanage_handle {
	struct xentoollog_logger *logger;
	enum provider provider;
	xencall_handle *xcall;
	struct xen_domctl *domctl; /* the argument, in a hypercall buffer */
	bool old;		   /* there is no get_domain_state */
	struct domain_scan scan;
};

/*
 * State of domain FIRST or, if there is none, of the next one with a higher id,
 * by getdomaininfo. 0, or -1 with errno ESRCH: no domain from FIRST on.
 */
int scan_next(
    struct xenmanage_handle *hdl, unsigned first, struct domain_state *out);

/*
 * The next change since the last scan; a scan is made when all changes of the
 * one before have been told. 0, or -1 with errno: ENOENT no more changes,
 * ENOMEM, or the hypervisor's.
 */
int scan_poll(struct xenmanage_handle *hdl, struct domain_state *out);

/*
 * scan_poll()'s heart: compare OLD with NOW, both sorted by domid. CHANGED has
 * room for both and gets every domain of NOW that is new or differs, and with
 * state 0 every domain that is gone; a domid with another unique_id is reported
 * once, as it is now. The number of entries.
 */
size_t scan_compare(const struct domain_state *old, size_t nr_old,
    const struct domain_state *now, size_t nr_now,
    struct domain_state *changed);

void scan_free(struct domain_scan *scan);

#endif
