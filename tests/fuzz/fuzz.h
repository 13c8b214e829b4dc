/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the fuzzers share: an input's bytes read as a script. A script that has
 * ended gives zeroes.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold; says which if it does not. */
#define must(cond)                                                             \
	do {                                                                   \
		if (!(cond)) {                                                 \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
			    __LINE__, #cond);                                  \
			abort();                                               \
		}                                                              \
	} while (0)

struct script {
	const uint8_t *pos;
	size_t left;
};

static inline uint8_t
script_byte(struct script *s)
{
	if (s->left == 0)
		return 0;
	s->left--;
	return *s->pos++;
}

static inline uint32_t
script_word(struct script *s)
{
	uint32_t value = script_byte(s);

	value |= (uint32_t)script_byte(s) << 8;
	value |= (uint32_t)script_byte(s) << 16;
	return value | (uint32_t)script_byte(s) << 24;
}

static inline uint32_t
script_short(struct script *s)
{
	uint32_t value = script_byte(s);

	return value | (uint32_t)script_byte(s) << 8;
}

/* Up to MAX bytes to TO; how many. */
static inline size_t
script_bytes(struct script *s, void *to, size_t max)
{
	size_t n = s->left < max ? s->left : max;

	if (n > 0)
		memcpy(to, s->pos, n);
	s->pos += n;
	s->left -= n;
	return n;
}

/* An index below N. */
static inline size_t
script_pick(struct script *s, size_t n)
{
	return script_byte(s) % n;
}

#endif
