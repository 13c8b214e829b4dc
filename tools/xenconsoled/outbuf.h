/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's output that no terminal has taken yet. Bounded: when it has grown
 * to 5/4 of its limit, its oldest half (how the guest booted) and its newest
 * part stay, the middle goes.
 */
#ifndef XENCONSOLED_OUTBUF_H
#define XENCONSOLED_OUTBUF_H

#include <stdbool.h>
#include <stddef.h>

struct outbuf {
	char *data;
	size_t start; /* of what is left */
	size_t len;
	size_t size;
	size_t limit;
};

enum { OUTBUF_LIMIT_MIN = 4096, OUTBUF_LIMIT_MAX = 16 << 20 };

/* LIMIT is brought between the two above. */
void outbuf_init(struct outbuf *buf, size_t limit);
void outbuf_free(struct outbuf *buf);

/* Appends; drops what exceeds the limit. False if memory is out: DATA is lost
 * then, and nothing else. */
bool outbuf_append(struct outbuf *buf, const char *data, size_t len);

/* How many bytes it takes without dropping any. */
size_t outbuf_room(const struct outbuf *buf);

/* What is to be shown next; *LEN_OUT may be 0. */
const char *outbuf_peek(const struct outbuf *buf, size_t *len_out);

/* Forgets the first LEN bytes of it. */
void outbuf_consume(struct outbuf *buf, size_t len);

#endif
