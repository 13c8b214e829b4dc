/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * SipHash-1-3: guests choose the names that end up in hash tables, so the hash
 * has a key.
 */
#ifndef XENSTORED_HASH_H
#define XENSTORED_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k[2];
};

uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

#endif
