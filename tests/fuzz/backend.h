/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For the fuzzers of the backends: a guest that rewrites its ring's page and
 * its data pages at each access that the backend makes to an index of the ring,
 * and while its pages are mapped. Compiles backring.c with that.
 */
#ifndef TESTS_FUZZ_BACKEND_H
#define TESTS_FUZZ_BACKEND_H

#include "fuzz.h"
#include "hv-core/dom0/pages.h"

enum {
	GUEST_RINGS = 2,
	GUEST_PAGES = 64, /* references below this are granted */
};

static struct script script;
static uint8_t *guest_ring[GUEST_RINGS]; /* of 4096 bytes each; or NULL */
static void (*guest_request)(void);	 /* puts a request that may be valid */

static struct {
	uint8_t *page[GUEST_PAGES]; /* of 4096 bytes each, apart */
	bool readonly[GUEST_PAGES];
	int mapped; /* now */
} guest;

/* Word N of the header of ring I. */
static uint32_t *
guest_word(size_t i, size_t n)
{
	return (uint32_t *)(void *)guest_ring[i] + n;
}

/* What the guest does now; most often nothing. */
static void
guest_acts(void)
{
	uint8_t what = script_byte(&script), n;
	size_t i = what >> 7;

	if (guest_ring[i] == NULL)
		i = 0;
	switch (what % 16) {
	case 1: /* an index anywhere */
		*guest_word(i, what >> 4 & 3) = script_word(&script);
		break;
	case 2: /* or near where it is */
		*guest_word(i, what >> 4 & 3) +=
		    (uint32_t)(int8_t)script_byte(&script);
		break;
	case 3: /* bytes of slots */
		n = script_byte(&script);
		(void)script_bytes(
		    &script, guest_ring[i] + 64 + 16 * n % 4000, 16);
		break;
	case 4:
		memset(
		    guest.page[script_pick(&script, GUEST_PAGES)], what, 4096);
		break;
	case 5:
		guest.readonly[script_pick(&script, GUEST_PAGES)] ^= 1;
		break;
	case 6:
	case 7:
		guest_request();
		break;
	default:
		break;
	}
}

static uint32_t
guest_load(const uint32_t *word)
{
	uint32_t value;

	guest_acts();
	value = *word;
	guest_acts();
	return value;
}

static void
guest_map(void *arg, uint32_t count, const uint32_t *refs,
    enum pages_access access, void **pages, uint32_t *handles)
{
	bool bad;

	(void)arg;
	must(count > 0);
	for (uint32_t i = 0; i < count; i++) {
		bad = refs[i] >= GUEST_PAGES ||
		      (access == PAGES_WRITE && guest.readonly[refs[i]]);
		pages[i] = bad ? NULL : guest.page[refs[i]];
		handles[i] = bad ? UINT32_MAX : refs[i];
		guest.mapped += !bad;
	}
	guest_acts();
}

static void
guest_unmap(void *arg, uint32_t count, const uint32_t *handles)
{
	(void)arg;
	guest_acts();
	for (uint32_t i = 0; i < count; i++)
		guest.mapped -= handles[i] != UINT32_MAX;
}

static struct pages
guest_pages(void)
{
	return (struct pages){ .map = guest_map, .unmap = guest_unmap };
}

/* Every reference works again and holds nothing. */
static void
guest_reset(const uint8_t *data, size_t size)
{
	script = (struct script){ data, size };
	guest.mapped = 0;
	for (size_t i = 0; i < GUEST_PAGES; i++) {
		guest.readonly[i] = false;
		if (guest.page[i] == NULL)
			guest.page[i] = malloc(4096);
		must(guest.page[i] != NULL);
		memset(guest.page[i], 0, 4096);
	}
}

/* Indexes of the journal are ours: the guest does nothing when they are read,
 * and cannot reach them. */
#define __atomic_load_n(word, order) guest_load(word)
#include "hv-core/dom0/backring.c"
#undef __atomic_load_n

#endif
