/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the hosted gnttab provider share. A *pin* is a grant that
 * hvd has mapped for this handle: it names the page's place in the granter's
 * memory. Memory becomes visible by a *view*, the granter's memory mapped once,
 * or by mapping single frames of it (hosted.c).
 */
#ifndef LIB_GNTTAB_HOSTED_H
#define LIB_GNTTAB_HOSTED_H

#include <sys/types.h>

#include "provider.h"

#include "../hosted/client.h"
#include "abi/grant_table.h"

#define PIN_BATCH 512u /* pins with one hypercall */
#define MAP_BUCKETS 256u

/* A domain's memory as this handle sees it. */
struct gnttab_view {
	struct gnttab_view *next;
	struct hv_window *window; /* one reference */
	uint8_t *writable;	  /* its base, NULL until somebody needs it */
	uint8_t *readonly;	  /* the same */
	uint32_t pages;		  /* handles that point into it */
};

/* kbgnttab's table of handles. */
struct gnttab_page {
	struct gnttab_view *view; /* NULL: free */
	uint32_t handle;	  /* hvd's; next free entry if free */
};

struct gnttab_hosted {
	pid_t owner; /* who opened it */
	struct hv_client *client;
	void *ops; /* PIN_BATCH operations in the arena */
	uint32_t max;
	uint32_t used; /* pages that are mapped, of either kind */
	struct gnttab_mapping *mappings[MAP_BUCKETS];
	struct gnttab_view *views;
	struct gnttab_page *pages;
	uint32_t nr_pages;
	uint32_t free_page; /* KBGNTTAB_NO_HANDLE: none */
};

struct gnttab_pin {
	uint32_t domid;
	uint32_t ref;
	bool readonly;
	int16_t status;	 /* out: GNTST_* */
	uint32_t handle; /* out, if status is GNTST_okay */
	uint64_t addr;	 /* out: guest-physical in domid's memory */
};

/*
 * Pin COUNT grants. 0, every pin having its status; or a negative errno number
 * and nothing is pinned.
 */
int hosted_pin(
    struct gnttab_hosted *g, struct gnttab_pin *pins, uint32_t count);

/* Undo hosted_pin() for those of COUNT pins whose status is GNTST_okay. */
void hosted_unpin(
    struct gnttab_hosted *g, const struct gnttab_pin *pins, uint32_t count);

/* hosted_pages.c: as the operations of their names. */
int hosted_map_pages(struct xengntdev_handle *h, uint32_t domid, uint32_t count,
    const uint32_t *refs, int prot, void **pages_out, uint32_t *handles_out);
int hosted_unmap_pages(
    struct xengntdev_handle *h, uint32_t count, const uint32_t *handles);
int hosted_copy(struct xengntdev_handle *h, uint32_t count,
    struct xengnttab_grant_copy_segment *segs);

/* Forget all views and kbgnttab's table; what is pinned stays so. */
void hosted_pages_free(struct gnttab_hosted *g);

#endif
