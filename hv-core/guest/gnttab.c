/*
 * The free references form a list through an array of their own; the shared
 * table is never read for bookkeeping, since the hypervisor writes to it too.
 */
#include <errno.h>
#include <stdlib.h>

#include "hv-core/guest/gnttab.h"
#include "hv-core/guest/guest.h"

#include "abi/grant_table.h"

#define TAKEN UINT32_MAX     /* handed out */
#define DEFERRED 0x80000000u /* to be ended; the rest is the next one */

static struct {
	volatile struct grant_entry_v1 *table;
	uint32_t entries;
	uint32_t *next; /* per entry: the next free one, TAKEN, or deferred */
	void **page;	/* per entry: freed with a deferred one */
	uint32_t first, free;
	uint32_t deferred, deferred_count;
} gt;

int
gnttab_init(volatile struct grant_entry_v1 *table, uint32_t entries)
{
	uint32_t *next = calloc(entries + 1u, sizeof(*next));
	void **page = calloc(entries + 1u, sizeof(*page));
	uint32_t i;

	if (next == NULL || page == NULL) {
		free(next);
		free(page);
		return -ENOMEM;
	}
	free(gt.next);
	free(gt.page);
	gt.table = table;
	gt.entries = entries;
	gt.next = next;
	gt.page = page;
	gt.first = gt.free = gt.deferred = gt.deferred_count = GNTTAB_NO_REF;
	for (i = entries; i > GNTTAB_NR_RESERVED_ENTRIES; i--) {
		gt.next[i - 1] = gt.first;
		gt.first = i - 1;
		gt.free++;
	}
	return 0;
}

int
gnttab_grant(
    uint16_t domid, uint64_t gfn, enum gnttab_access access, uint32_t *ref_out)
{
	uint32_t ref = gt.first;
	uint16_t flags = GTF_permit_access;

	if (gfn > UINT32_MAX)
		return -EINVAL;
	if (ref == GNTTAB_NO_REF) {
		(void)gnttab_retry();
		ref = gt.first;
		if (ref == GNTTAB_NO_REF)
			return -ENOSPC;
	}
	gt.first = gt.next[ref];
	gt.next[ref] = TAKEN;
	gt.free--;
	if (access == GNTTAB_RO)
		flags |= GTF_readonly;
	gt.table[ref].domid = domid;
	gt.table[ref].frame = (uint32_t)gfn;
	__atomic_store_n(&gt.table[ref].flags, flags, __ATOMIC_RELEASE);
	*ref_out = ref;
	return 0;
}

/* Clears the flags unless somebody uses the entry. 0 or -EBUSY. */
static int
revoke(uint32_t ref)
{
	volatile uint16_t *word = &gt.table[ref].flags;
	uint16_t flags = __atomic_load_n(word, __ATOMIC_RELAXED);

	do {
		if (flags & (GTF_reading | GTF_writing))
			return -EBUSY;
	} while (!__atomic_compare_exchange_n(
	    word, &flags, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return 0;
}

static void
give_back(uint32_t ref)
{
	gt.next[ref] = gt.first;
	gt.first = ref;
	gt.free++;
}

int
gnttab_end(uint32_t ref)
{
	int rc;

	if (ref < GNTTAB_NR_RESERVED_ENTRIES || ref >= gt.entries ||
	    gt.next[ref] != TAKEN)
		return -EINVAL;
	rc = revoke(ref);
	if (rc == 0)
		give_back(ref);
	return rc;
}

void
gnttab_end_later(uint32_t ref, void *page)
{
	int rc = gnttab_end(ref);

	if (rc == -EBUSY) {
		gt.next[ref] = DEFERRED | gt.deferred;
		gt.page[ref] = page;
		gt.deferred = ref;
		gt.deferred_count++;
		return;
	}
	if (rc == 0)
		guest_free_pages(page, 1);
}

uint32_t
gnttab_retry(void)
{
	uint32_t ref = gt.deferred;

	gt.deferred = GNTTAB_NO_REF;
	gt.deferred_count = 0;
	while (ref != GNTTAB_NO_REF) {
		uint32_t next = gt.next[ref] & ~DEFERRED;
		void *page = gt.page[ref];

		gt.next[ref] = TAKEN;
		gt.page[ref] = NULL;
		gnttab_end_later(ref, page);
		ref = next;
	}
	return gt.deferred_count;
}

uint32_t
gnttab_free_refs(void)
{
	return gt.free;
}

uint32_t
gnttab_deferred(void)
{
	return gt.deferred_count;
}

volatile struct grant_entry_v1 *
gnttab_table(uint32_t *entries_out)
{
	if (entries_out != NULL)
		*entries_out = gt.entries;
	return gt.table;
}
