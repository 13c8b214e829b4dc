/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/image_map.h"

#include <stdlib.h>

bool
image_map_init(struct image_map *map, size_t n)
{
	size_t size = 64;

	while (size / 2 < n)
		size *= 2;
	map->n = 0;
	map->mask = size - 1;
	map->entry = calloc(size, sizeof(*map->entry));
	return map->entry != NULL;
}

void
image_map_end(struct image_map *map)
{
	free(map->entry);
	map->entry = NULL;
}

/* The entry that is KEY's or that KEY would get. */
static struct image_map_entry *
slot(const struct image_map *map, const void *key)
{
	uint64_t hash = (uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (hash >> 20) & map->mask;

	while (map->entry[i].key != NULL && map->entry[i].key != key)
		i = (i + 1) & map->mask;
	return &map->entry[i];
}

static bool
grow(struct image_map *map)
{
	struct image_map bigger;
	size_t i;

	if (!image_map_init(&bigger, map->mask + 1))
		return false;
	for (i = 0; i <= map->mask; i++)
		if (map->entry[i].key != NULL)
			*slot(&bigger, map->entry[i].key) = map->entry[i];
	bigger.n = map->n;
	free(map->entry);
	*map = bigger;
	return true;
}

struct image_map_entry *
image_map_get(struct image_map *map, const void *key, bool *new_out)
{
	struct image_map_entry *entry = slot(map, key);

	*new_out = entry->key == NULL;
	if (!*new_out)
		return entry;
	if (map->n > map->mask / 2) {
		if (!grow(map))
			return NULL;
		entry = slot(map, key);
	}
	entry->key = key;
	entry->number = map->n++;
	return entry;
}
