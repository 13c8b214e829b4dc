/*
 * The page that a domain shares with its console daemon. Indexes run freely
 * (mod 2^32). in: daemon to domain, out: domain to daemon.
 */
#ifndef ABI_IO_CONSOLE_H
#define ABI_IO_CONSOLE_H

#include <stdint.h>

typedef uint32_t XENCONS_RING_IDX;

#define MASK_XENCONS_IDX(idx, ring) ((idx) & (sizeof(ring) - 1))

struct xencons_interface {
	char in[1024];
	char out[2048];
	XENCONS_RING_IDX in_cons, in_prod;
	XENCONS_RING_IDX out_cons, out_prod;
};

_Static_assert(sizeof(struct xencons_interface) == 3088, "console ring");

#endif
