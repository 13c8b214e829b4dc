/*
 * Stand-in for a guest's granted pages in test programs: reference N is page N
 * of an array. Counts what is mapped; some references can be made bad, some
 * read-only.
 */
#ifndef TEST_GUESTPAGES_H
#define TEST_GUESTPAGES_H

#include <stdint.h>
#include <string.h>

#include "hv-core/dom0/pages.h"

#define GUESTPAGES 512

static struct {
	_Alignas(4096) uint8_t page[GUESTPAGES][4096];
	uint8_t readonly[GUESTPAGES];
	int mapped;	/* now */
	int map_calls;	/* so far */
	int write_maps; /* pages mapped for writing so far */
} guest;

static inline void
guestpages_map(void *arg, uint32_t count, const uint32_t *refs,
    enum pages_access access, void **pages, uint32_t *handles)
{
	(void)arg;
	guest.map_calls++;
	for (uint32_t i = 0; i < count; i++) {
		int bad = refs[i] >= GUESTPAGES ||
			  (access == PAGES_WRITE && guest.readonly[refs[i]]);

		pages[i] = bad ? NULL : guest.page[refs[i]];
		handles[i] = bad ? UINT32_MAX : refs[i];
		guest.mapped += !bad;
		guest.write_maps += !bad && access == PAGES_WRITE;
	}
}

static inline void
guestpages_unmap(void *arg, uint32_t count, const uint32_t *handles)
{
	(void)arg;
	for (uint32_t i = 0; i < count; i++)
		guest.mapped -= handles[i] != UINT32_MAX;
}

static inline struct pages
guestpages(void)
{
	memset(&guest, 0, sizeof(guest));
	return (
	    struct pages){ .map = guestpages_map, .unmap = guestpages_unmap };
}

#endif
