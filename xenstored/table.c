/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/table.h"

#include <stdlib.h>

enum {
	FIRST_BITS = 6,
	FIRST_BUCKETS = 1 << FIRST_BITS,
	ROOMS = 32,
};

bool
table_init(struct table *table)
{
	table->first = calloc(FIRST_BUCKETS, sizeof(struct table_link *));
	table->rooms = NULL;
	table->mask = FIRST_BUCKETS - 1;
	table->n_buckets = FIRST_BUCKETS;
	table->n = 0;
	return table->first != NULL;
}

void
table_end(struct table *table)
{
	size_t i;

	for (i = 0; table->rooms != NULL && i < ROOMS; i++)
		free(table->rooms[i]);
	free(table->rooms);
	free(table->first);
	table->rooms = NULL;
	table->first = NULL;
}

/* The room of the buckets from 2^(FIRST_BITS + i) on, as many as lie before
 * them, is ROOMS[i]; N is one of them. */
static size_t
room_of(size_t n)
{
	return 63 - (size_t)__builtin_clzll(n) - FIRST_BITS;
}

static struct table_link **
bucket_at(const struct table *table, size_t i)
{
	size_t room;

	if (i < FIRST_BUCKETS)
		return &table->first[i];
	room = room_of(i);
	return &table->rooms[room][i - ((size_t)FIRST_BUCKETS << room)];
}

/* The bucket that HASH belongs to: those from half of the room on get theirs
 * one by one from the first half. */
static struct table_link **
bucket_of(const struct table *table, uint64_t hash)
{
	size_t i = hash & table->mask;

	if (i >= table->n_buckets)
		i = hash & table->mask / 2;
	return bucket_at(table, i);
}

/* Room for as many buckets again, which nobody looks at yet; false: no memory.
 */
static bool
more_room(struct table *table)
{
	size_t n = table->mask + 1, room = room_of(n);

	if (room >= ROOMS)
		return false;
	if (table->rooms == NULL)
		table->rooms = calloc(ROOMS, sizeof(*table->rooms));
	if (table->rooms == NULL)
		return false;
	table->rooms[room] = malloc(n * sizeof(struct table_link *));
	if (table->rooms[room] == NULL)
		return false;
	table->mask = n * 2 - 1;
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
	from = bucket_at(table, table->n_buckets & table->mask / 2);
	to = bucket_at(table, table->n_buckets);
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
