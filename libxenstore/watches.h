/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watches that a handle has registered, so that they can be registered
 * again on a new connection, in their order. Knows no connection. Callers
 * serialise.
 */
#ifndef LIBXENSTORE_WATCHES_H
#define LIBXENSTORE_WATCHES_H

#include <stdbool.h>
#include <stddef.h>

struct watch {
	struct watch *next, *prev; /* in the order of watches_next */
	struct watch *chain;	   /* of its bucket */
	unsigned generation;	   /* of the connection it was last told to */
	const char *token;	   /* behind the path */
	const char *depth;	   /* as in the request; NULL: none */
	char path[];
};

/* All zero is empty. */
struct watches {
	struct watch *first, *last;
	struct watch **bucket;
	size_t buckets; /* 0 or a power of two */
	size_t num;
};

/* Adds a watch, unless that pair of path and token is there; DEPTH may be NULL.
 * It counts as told to GENERATION. 1 if it was added, 0 if it was there, -1
 * with ENOMEM. */
int watches_add(struct watches *w, const char *path, const char *token,
    const char *depth, unsigned generation);

/* Removes it, if it is there. */
void watches_remove(struct watches *w, const char *path, const char *token);

/* A copy, the caller's to free, of the next one that was not told to GENERATION
 * before this began to be called for it; it counts as told from now on. NULL if
 * there is none, with errno 0, or with ENOMEM. */
struct watch *watches_next(struct watches *w, unsigned generation);

void watches_free(struct watches *w);

#endif
