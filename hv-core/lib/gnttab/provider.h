/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libxengnttab asks of a platform. gnttab.c and gntshr.c have the public
 * functions and check what is the same everywhere; hosted*.c, linux.c and
 * netbsd.c know one platform each.
 */
#ifndef LIB_GNTTAB_PROVIDER_H
#define LIB_GNTTAB_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

#include "../include/kbgnttab.h"
#include "../include/xengnttab.h"

#define GNTTAB_PAGE 4096u
#define GNTTAB_NO_NOTIFY UINT32_MAX

struct gnttab_ops;
struct gnttab_hosted;
struct gnttab_slots;

/* A handle of either kind, xengnttab or xengntshr. */
struct xengntdev_handle {
	const struct gnttab_ops *ops;
	struct xentoollog_logger *logger;
	int fd;			      /* what xengnttab_fd() returns, or -1 */
	struct gnttab_hosted *hosted; /* hosted only */
	struct gnttab_slots *slots; /* kbgnttab without help of the platform */
};

/* What one call maps; page i is refs[i] of domids[i * domid_step]. */
struct gnttab_request {
	uint32_t count; /* not 0 */
	const uint32_t *domids;
	unsigned domid_step; /* 0: all pages of domids[0] */
	const uint32_t *refs;
	int prot;
	uint32_t notify_offset; /* GNTTAB_NO_NOTIFY or within the page */
	uint32_t notify_port;	/* GNTTAB_NO_NOTIFY or a port */
};

/*
 * Each answers as the public function of the same name does; errors are -1 or
 * NULL with errno. open_* set fd or log why they cannot. Any may be NULL but
 * open_tab, close, map and unmap: ENOSYS for the caller. Without map_pages,
 * kbgnttab maps page by page.
 */
struct gnttab_ops {
	int (*open_tab)(struct xengntdev_handle *h);
	int (*open_shr)(struct xengntdev_handle *h);
	void (*close)(struct xengntdev_handle *h);
	int (*set_max_grants)(struct xengntdev_handle *h, uint32_t max);
	void *(*map)(
	    struct xengntdev_handle *h, const struct gnttab_request *req);
	int (*unmap)(struct xengntdev_handle *h, void *addr, uint32_t count);
	int (*copy)(struct xengntdev_handle *h, uint32_t count,
	    struct xengnttab_grant_copy_segment *segs);
	int (*map_pages)(struct xengntdev_handle *h, uint32_t domid,
	    uint32_t count, const uint32_t *refs, int prot, void **pages_out,
	    uint32_t *handles_out);
	int (*unmap_pages)(struct xengntdev_handle *h, uint32_t count,
	    const uint32_t *handles);
	void *(*share)(struct xengntdev_handle *h, uint32_t domid,
	    uint32_t count, uint32_t *refs, int writable,
	    uint32_t notify_offset, uint32_t notify_port);
	int (*unshare)(struct xengntdev_handle *h, void *addr, uint32_t count);
};

/* hvd of this project. */
const struct gnttab_ops *gnttab_hosted_ops(void);

/* Linux's /dev/xen/gntdev and /dev/xen/gntalloc. Not tried on hardware. */
const struct gnttab_ops *gnttab_linux_ops(void);

/* NetBSD's /kern/xen/privcmd. Not tried on hardware. */
const struct gnttab_ops *gnttab_netbsd_ops(void);

/* A new handle for the provider of this process, not opened; NULL and errno. */
struct xengntdev_handle *gnttab_handle_new(struct xentoollog_logger *logger);

/* Release what NAME's open left, keeping errno. Always NULL. */
struct xengntdev_handle *gnttab_handle_drop(struct xengntdev_handle *h);

/*
 * pages.c: the table behind kbgnttab where the platform has no better way. The
 * table is made at the first use; slots_free() takes NULL.
 */
int slots_map_pages(struct xengntdev_handle *h, uint32_t domid, uint32_t count,
    const uint32_t *refs, int prot, void **pages_out, uint32_t *handles_out);
int slots_unmap_pages(
    struct xengntdev_handle *h, uint32_t count, const uint32_t *handles);
void slots_free(struct gnttab_slots *slots);

#endif
