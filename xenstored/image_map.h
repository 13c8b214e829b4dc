/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From a thing in memory to the number it has in an image. Knows addresses
 * only.
 */
#ifndef XENSTORED_IMAGE_MAP_H
#define XENSTORED_IMAGE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_map_entry {
	const void *key; /* NULL: free */
	uint32_t number;
	uint32_t extra; /* the user's */
};

struct image_map {
	struct image_map_entry *entry;
	size_t mask; /* entries - 1 */
	uint32_t n;
};

/* An empty map with room for N things before it grows. False: no memory. */
bool image_map_init(struct image_map *map, size_t n);
void image_map_end(struct image_map *map);

/*
 * The entry of KEY; *NEW_OUT: it was made now, with the next number. NULL: no
 * memory. Good until the next call.
 */
struct image_map_entry *image_map_get(
    struct image_map *map, const void *key, bool *new_out);

#endif
