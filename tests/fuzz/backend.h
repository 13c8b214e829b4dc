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
#include "tests/unit/dom0/guestpages.h"

enum { GUEST_RINGS = 2 };

static struct script script;
static uint8_t *guest_ring[GUEST_RINGS]; /* of 4096 bytes each; or NULL */
static void (*guest_request)(void);	 /* puts a request that may be valid */

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
		memset(guest.page[script_byte(&script)], what, 4096);
		break;
	case 5:
		guest.readonly[script_byte(&script)] ^= 1;
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
acting_map(void *arg, uint32_t count, const uint32_t *refs,
    enum pages_access access, void **pages, uint32_t *handles)
{
	must(count > 0);
	guestpages_map(arg, count, refs, access, pages, handles);
	guest_acts();
}

static void
acting_unmap(void *arg, uint32_t count, const uint32_t *handles)
{
	guest_acts();
	guestpages_unmap(arg, count, handles);
}

static struct pages
acting_pages(void)
{
	(void)guestpages;
	return (struct pages){ .map = acting_map, .unmap = acting_unmap };
}

/* Every reference works again and holds nothing. */
static void
guest_reset(const uint8_t *data, size_t size)
{
	script = (struct script){ data, size };
	memset(guest.readonly, 0, sizeof(guest.readonly));
	guest.mapped = guest.map_calls = guest.write_maps = 0;
}

/* Indexes of the journal are ours: the guest does nothing when they are read,
 * and cannot reach them. */
#define __atomic_load_n(word, order) guest_load(word)
#include "hv-core/dom0/backring.c"
#undef __atomic_load_n

#endif
