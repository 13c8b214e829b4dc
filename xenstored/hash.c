/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/hash.h"

#include <string.h>

static inline uint64_t
rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/* The LEN bytes at P, fewer than 8, the first one lowest. */
static inline uint64_t
tail(const unsigned char *p, size_t len)
{
	uint64_t word = 0;

	switch (len) {
	case 7:
		word |= (uint64_t)p[6] << 48;
		/* fall through */
	case 6:
		word |= (uint64_t)p[5] << 40;
		/* fall through */
	case 5:
		word |= (uint64_t)p[4] << 32;
		/* fall through */
	case 4:
		word |= (uint64_t)p[3] << 24;
		/* fall through */
	case 3:
		word |= (uint64_t)p[2] << 16;
		/* fall through */
	case 2:
		word |= (uint64_t)p[1] << 8;
		/* fall through */
	case 1:
		word |= p[0];
		break;
	default:
		break;
	}
	return word;
}

uint64_t
hash_bytes(const struct hash_key *key, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t v[4] = {
		key->k[0] ^ 0x736f6d6570736575u,
		key->k[1] ^ 0x646f72616e646f6du,
		key->k[0] ^ 0x6c7967656e657261u,
		key->k[1] ^ 0x7465646279746573u,
	};
	uint64_t word, last = (uint64_t)len << 56;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	last |= tail(p, len);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
