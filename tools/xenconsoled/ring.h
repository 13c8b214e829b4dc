/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our side of a guest's console ring. Pure functions on the shared page, in
 * which the guest may write anything at any time: each of its indexes is read
 * once and checked, ours are kept outside the page.
 */
#ifndef XENCONSOLED_RING_H
#define XENCONSOLED_RING_H

#include <stddef.h>
#include <stdint.h>

#include "abi/io/console.h"

struct ring {
	struct xencons_interface *page;
	uint32_t out_cons;
	uint32_t in_prod;
};

enum { RING_BROKEN = -1 }; /* the guest's indexes make no sense */

/* Begins where the page says that we were. */
void ring_attach(struct ring *ring, struct xencons_interface *page);

/* Takes up to SIZE bytes that the guest has written by now. Returns how many,
 * or RING_BROKEN, and then nothing was taken. */
int ring_take(struct ring *ring, char *buf, size_t size);

/* How many bytes the guest has room for, or RING_BROKEN. */
int ring_room(const struct ring *ring);

/* Gives the guest up to LEN bytes. Returns how many it had room for, or
 * RING_BROKEN, and then it got nothing. */
int ring_give(struct ring *ring, const char *data, size_t len);

#endif
