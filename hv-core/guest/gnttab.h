/*
 * gnttab: the grants this domain gives out.
 *
 * It knows the shared grant table (version 1) and nothing of what is granted.
 * References 0 to 7 are reserved for the toolstack and never handed out.
 */
#ifndef HV_GUEST_GNTTAB_H
#define HV_GUEST_GNTTAB_H

#include <stddef.h>
#include <stdint.h>

struct grant_entry_v1;

#define GNTTAB_NO_REF 0u

enum gnttab_access {
	GNTTAB_RW = 0,
	GNTTAB_RO = 1,
};

/*
 * Takes over a table of ENTRIES entries; entries 8 and up become free. Called
 * by the runtime (and by tests). -ENOMEM.
 */
int gnttab_init(volatile struct grant_entry_v1 *table, uint32_t entries);

/*
 * Lets DOMID use frame GFN. *REF_OUT is the reference. -ENOSPC if the table is
 * full, -EINVAL if GFN does not fit an entry.
 */
int gnttab_grant(
    uint16_t domid, uint64_t gfn, enum gnttab_access access, uint32_t *ref_out);

/*
 * Takes the grant back. 0: DOMID has no access any more and REF is free.
 * -EBUSY: it is still mapped; the entry is unchanged and REF still taken.
 * -EINVAL: not a reference that was handed out.
 */
int gnttab_end(uint32_t ref);

/*
 * Takes it back as soon as possible: now, or, if it is busy, in a later
 * gnttab_retry(); REF belongs to this module from now on. PAGE, one page of
 * guest_alloc_pages() or NULL, is freed with it.
 */
void gnttab_end_later(uint32_t ref, void *page);

/*
 * Tries the deferred ones again; returns how many are left. Called by
 * gnttab_grant() when the table is full and by guest_step() from time to time.
 */
uint32_t gnttab_retry(void);

/* References that wait for gnttab_retry(). */
uint32_t gnttab_deferred(void);

/*
 * The shared table itself and (unless NULL) its number of entries: for a test
 * that wants to break the rules.
 */
volatile struct grant_entry_v1 *gnttab_table(uint32_t *entries_out);

/* References that gnttab_grant() could hand out now. */
uint32_t gnttab_free_refs(void);

#endif
