/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/table.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 64 };

bool
table_init(struct table *table)
{
	table->bucket = calloc(FIRST_BUCKETS, sizeof(struct table_link *));
	table->mask = FIRST_BUCKETS - 1;
	table->n_buckets = FIRST_BUCKETS;
	table->n = 0;
	return table->bucket != NULL;
}

void
table_end(struct table *table)
{
	free(table->bucket);
	table->bucket = NULL;
}

/* The bucket that HASH belongs to: those from half of the room on get theirs
 * one by one from the first half. */
static struct table_link **
bucket_of(const struct table *table, uint64_t hash)
{
	size_t i = hash & table->mask;

	if (i >= table->n_buckets)
		i = hash & table->mask / 2;
	return &table->bucket[i];
}

/* Room for as many buckets again; false: no memory. */
static bool
more_room(struct table *table)
{
	size_t room = (table->mask + 1) * 2;
	struct table_link **bucket;

	bucket = realloc(table->bucket, room * sizeof(*bucket));
	if (bucket == NULL)
		return false;
	table->bucket = bucket;
	table->mask = room - 1;
	return true;
}

/* One more bucket, which takes over a part of another one: no single addition
 * is slow. A table that cannot grow still works. */
static void
grow(struct table *table)
{
	struct table_link *link, *next, **from, **to;

	if (table->n_buckets > table->mask && !more_room(table))
		return;
	from = &table->bucket[table->n_buckets & table->mask / 2];
	to = &table->bucket[table->n_buckets];
	link = *from;
	*from = *to = NULL;
	table->n_buckets++;
	for (; link != NULL; link = next) {
		next = link->next;
		from = bucket_of(table, link->hash);
		link->next = *from;
		*from = link;
	}
}

void
table_add(struct table *table, struct table_link *link, uint64_t hash)
{
	struct table_link **head;

	if (table->n >= table->n_buckets)
		grow(table);
	head = bucket_of(table, hash);
	link->hash = hash;
	link->next = *head;
	*head = link;
	table->n++;
}

void
table_remove(struct table *table, struct table_link *link)
{
	struct table_link **at = bucket_of(table, link->hash);

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	table->n--;
}

static struct table_link *
with_hash(struct table_link *link, uint64_t hash)
{
	while (link != NULL && link->hash != hash)
		link = link->next;
	return link;
}

struct table_link *
table_first(const struct table *table, uint64_t hash)
{
	return with_hash(*bucket_of(table, hash), hash);
}

struct table_link *
table_next(const struct table_link *link)
{
	return with_hash(link->next, link->hash);
}
