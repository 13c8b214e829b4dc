/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kbgnttab where the platform has no better way: each page is a mapping of its
 * own, and its handle is its place in a table of addresses.
 */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>

struct gnttab_slots {
	uint32_t size;
	uint32_t free; /* first free entry, or KBGNTTAB_NO_HANDLE */
	struct {
		void *page;    /* NULL: free */
		uint32_t next; /* free entry after this one */
	} * entry;
};

/* A free entry, or KBGNTTAB_NO_HANDLE if there is no memory for one. */
static uint32_t
slots_take(struct gnttab_slots *s)
{
	uint32_t slot = s->free;

	if (slot == KBGNTTAB_NO_HANDLE) {
		uint32_t size = s->size == 0 ? 64 : s->size * 2;
		void *p = size > s->size
			      ? realloc(s->entry, size * sizeof(*s->entry))
			      : NULL;

		if (p == NULL)
			return KBGNTTAB_NO_HANDLE;
		s->entry = p;
		for (slot = size; slot-- > s->size;) {
			s->entry[slot].page = NULL;
			s->entry[slot].next = s->free;
			s->free = slot;
		}
		s->size = size;
		slot = s->free;
	}
	s->free = s->entry[slot].next;
	return slot;
}

static void
slots_give(struct gnttab_slots *s, uint32_t slot)
{
	s->entry[slot].page = NULL;
	s->entry[slot].next = s->free;
	s->free = slot;
}

int
slots_map_pages(struct xengntdev_handle *h, uint32_t domid, uint32_t count,
    const uint32_t *refs, int prot, void **pages_out, uint32_t *handles_out)
{
	struct gnttab_slots *s = h->slots;
	int failures = 0;
	uint32_t i;

	if (s == NULL) {
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return -1;
		s->free = KBGNTTAB_NO_HANDLE;
		h->slots = s;
	}
	for (i = 0; i < count; i++) {
		uint32_t slot = slots_take(s);

		pages_out[i] =
		    slot == KBGNTTAB_NO_HANDLE
			? NULL
			: xengnttab_map_grant_ref(h, domid, refs[i], prot);
		handles_out[i] = slot;
		if (pages_out[i] != NULL) {
			s->entry[slot].page = pages_out[i];
			continue;
		}
		if (slot != KBGNTTAB_NO_HANDLE)
			slots_give(s, slot);
		handles_out[i] = KBGNTTAB_NO_HANDLE;
		failures++;
	}
	return failures;
}

int
slots_unmap_pages(
    struct xengntdev_handle *h, uint32_t count, const uint32_t *handles)
{
	struct gnttab_slots *s = h->slots;
	int ret = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint32_t slot = handles[i];

		if (slot == KBGNTTAB_NO_HANDLE)
			continue;
		if (s == NULL || slot >= s->size ||
		    s->entry[slot].page == NULL) {
			errno = EINVAL;
			ret = -1;
			continue;
		}
		if (xengnttab_unmap(h, s->entry[slot].page, 1) < 0)
			ret = -1;
		slots_give(s, slot);
	}
	return ret;
}

void
slots_free(struct gnttab_slots *slots)
{
	if (slots == NULL)
		return;
	free(slots->entry);
	free(slots);
}
