/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash table of things that embed a link. It grows by itself, a bucket at a
 * time and without moving one, so that no addition takes long; and works on
 * when it cannot. Comparing is the caller's business: walk table_first() and
 * table_next() and look for the right one.
 */
#ifndef XENSTORED_TABLE_H
#define XENSTORED_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_link {
	struct table_link *next;
	uint64_t hash;
};

struct table {
	struct table_link **first;  /* a few buckets */
	struct table_link ***rooms; /* as many again, each; NULL: none yet */
	size_t mask;		    /* room for buckets - 1; of 2^k - 1 form */
	size_t n_buckets;
	size_t n;
};

/* An empty table; false: no memory. */
bool table_init(struct table *table);

/* Frees the buckets, not what is in them. */
void table_end(struct table *table);

void table_add(struct table *table, struct table_link *link, uint64_t hash);

/* Takes out LINK, which is in TABLE. */
void table_remove(struct table *table, struct table_link *link);

/* A first link with HASH, or NULL. */
struct table_link *table_first(const struct table *table, uint64_t hash);

/* The next one with the same hash, or NULL. */
struct table_link *table_next(const struct table_link *link);

#endif
