/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenhistoryd/known.h"

#include <stdlib.h>

struct known *
known_find(const struct known_table *table, uint32_t conn)
{
	struct known *k = table->list[conn % KNOWN_LISTS];

	while (k != NULL && k->conn != conn)
		k = k->next;
	return k;
}

struct known *
known_add(
    struct known_table *table, uint32_t conn, const struct history_who *who)
{
	struct known **at = &table->list[conn % KNOWN_LISTS];
	struct known *k = malloc(sizeof(*k));

	if (k == NULL)
		return NULL;
	*k = (struct known){ .next = *at, .conn = conn, .who = *who };
	*at = k;
	return k;
}

void
known_unwrite(struct known_table *table)
{
	struct known *k;
	int i;

	for (i = 0; i < KNOWN_LISTS; i++)
		for (k = table->list[i]; k != NULL; k = k->next)
			k->id = 0;
}

void
known_forget(struct known_table *table, uint32_t conn)
{
	struct known **at = &table->list[conn % KNOWN_LISTS], *k;

	while (*at != NULL && (*at)->conn != conn)
		at = &(*at)->next;
	k = *at;
	if (k != NULL) {
		*at = k->next;
		free(k);
	}
}

void
known_forget_all(struct known_table *table)
{
	struct known *k;
	int i;

	for (i = 0; i < KNOWN_LISTS; i++)
		while ((k = table->list[i]) != NULL) {
			table->list[i] = k->next;
			free(k);
		}
}
