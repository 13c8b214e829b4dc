/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/table.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 64 };

bool
table_init(struct table *table)
{
	table->bucket = calloc(FIRST_BUCKETS, sizeof(struct table_link *));
	table->mask = FIRST_BUCKETS - 1;
	table->n = 0;
	return table->bucket != NULL;
}

void
table_end(struct table *table)
{
	free(table->bucket);
	table->bucket = NULL;
}

static void
grow(struct table *table)
{
	size_t mask = table->mask * 2 + 1, i;
	struct table_link **bucket = calloc(mask + 1, sizeof(*bucket));
	struct table_link *link, *next;

	if (bucket == NULL)
		return;
	for (i = 0; i <= table->mask; i++) {
		for (link = table->bucket[i]; link != NULL; link = next) {
			next = link->next;
			link->next = bucket[link->hash & mask];
			bucket[link->hash & mask] = link;
		}
	}
	free(table->bucket);
	table->bucket = bucket;
	table->mask = mask;
}

void
table_add(struct table *table, struct table_link *link, uint64_t hash)
{
	struct table_link **head;

	if (table->n > table->mask)
		grow(table);
	head = &table->bucket[hash & table->mask];
	link->hash = hash;
	link->next = *head;
	*head = link;
	table->n++;
}

void
table_remove(struct table *table, struct table_link *link)
{
	struct table_link **at = &table->bucket[link->hash & table->mask];

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
	return with_hash(table->bucket[hash & table->mask], hash);
}

struct table_link *
table_next(const struct table_link *link)
{
	return with_hash(link->next, link->hash);
}
