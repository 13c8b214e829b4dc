/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/node.h"

#include <stdlib.h>
#include <string.h>

#include "xenstored/cost.h"
#include "xenstored/kids.h"

enum {
	CHUNK_BYTES = 16 * 1024 - 64,
	SORT_AFTER = 256, /* pieces of work of heap_reap() */
	SORT_BYTES = 2000,
};

struct chunk {
	struct chunk *next;
	max_align_t objects[];
};

bool
heap_init(struct heap *heap, const struct hash_key *key)
{
	memset(heap, 0, sizeof(*heap));
	heap->key = *key;
	heap->atoms = atoms_new(key);
	heap->acls = acls_new(key);
	if (heap->atoms != NULL && heap->acls != NULL)
		return true;
	atoms_free(heap->atoms);
	acls_free(heap->acls);
	return false;
}

void
heap_end(struct heap *heap)
{
	struct chunk *chunk, *next;

	while (heap_reap(heap, SIZE_MAX))
		;
	for (chunk = heap->chunks; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	atoms_free(heap->atoms);
	acls_free(heap->acls);
}

struct name
name_of(const struct heap *heap, const char *text, size_t len)
{
	return (struct name){ text, len,
		(uint32_t)hash_bytes(&heap->key, text, len) };
}

/* --- room --- */

static size_t
node_size(size_t name_len, size_t value_len)
{
	return sizeof(struct node) + name_len + 1 + value_len;
}

/* The class that SIZE belongs to, beginning with 1; 0: none, malloc()'s. */
static size_t
class_of(size_t size)
{
	size_t class = (size - sizeof(struct node) + NODE_CLASS_SIZE - 1) /
		       NODE_CLASS_SIZE;

	return class < NODE_CLASSES ? class : 0;
}

/* Gives class CLASS spare room; false: no memory. */
static bool
more_room(struct heap *heap, size_t class)
{
	size_t size = sizeof(struct node) + class * NODE_CLASS_SIZE;
	struct chunk *chunk = malloc(CHUNK_BYTES);
	char *at, *end;

	if (chunk == NULL)
		return false;
	chunk->next = heap->chunks;
	heap->chunks = chunk;
	end = (char *)chunk + CHUNK_BYTES;
	for (at = (char *)chunk->objects; at + size <= end; at += size) {
		memcpy(at, &heap->spare[class], sizeof(void *));
		heap->spare[class] = at;
	}
	return true;
}

static struct node *
room_take(struct heap *heap, size_t size)
{
	size_t class = class_of(size);
	struct node *node;

	if (class == 0) {
		node = malloc(size);
	} else {
		if (heap->spare[class] == NULL && !more_room(heap, class))
			return NULL;
		node = heap->spare[class];
		memcpy(&heap->spare[class], node, sizeof(void *));
	}
	heap->live += node != NULL;
	return node;
}

static void
room_give(struct heap *heap, struct node *node)
{
	size_t class = class_of(node_size(node->name_len, node->value_len));

	heap->live--;
	if (class == 0) {
		free(node);
		return;
	}
	memcpy(node, &heap->spare[class], sizeof(void *));
	heap->spare[class] = node;
}

/* --- nodes --- */

struct node *
node_make(struct heap *heap, const char *name, size_t len, const void *value,
    size_t value_len, struct acl *acl)
{
	struct node *node = room_take(heap, node_size(len, value_len));

	if (node == NULL)
		return NULL;
	node->ref = 1;
	node->name_len = (uint16_t)len;
	node->value_len = (uint16_t)value_len;
	node->acl = acl_ref(acl);
	node->kids = NULL;
	node->value_stamp = node->acl_stamp = ++heap->stamp;
	memcpy(node->text, name, len);
	node->text[len] = '\0';
	if (value_len > 0)
		memcpy(node->text + len + 1, value, value_len);
	return node;
}

struct node *
node_copy(struct heap *heap, const struct node *old)
{
	size_t size = node_size(old->name_len, old->value_len);
	struct node *node = room_take(heap, size);

	if (node == NULL)
		return NULL;
	memcpy(node, old, size);
	node->ref = 1;
	acl_ref(node->acl);
	if (node->kids != NULL)
		kids_ref(node->kids);
	heap->copied += node_version_cost(old);
	return node;
}

bool
node_set_value(
    struct heap *heap, struct node **slot, const void *value, size_t len)
{
	struct node *old = *slot, *node = old;
	size_t size = node_size(old->name_len, len);
	size_t class = class_of(size);

	if (class == 0 ||
	    class != class_of(node_size(old->name_len, old->value_len))) {
		node = room_take(heap, size);
		if (node == NULL)
			return false;
		memcpy(node, old, node_size(old->name_len, 0));
		room_give(heap, old);
		*slot = node;
	}
	node->value_len = (uint16_t)len;
	if (len > 0)
		memcpy(node->text + node->name_len + 1, value, len);
	return true;
}

void
node_unref(struct heap *heap, struct node *node)
{
	if (--node->ref > 0)
		return;
	node->dying = heap->dying;
	heap->dying = node;
}

/*
 * The C library keeps what is freed in one list until a request that it cannot
 * serve at once has it sort all of that: who makes the first node after a large
 * tree has gone would wait for it. So it is made to sort a little at a time.
 */
static void
sort_free_room(struct heap *heap, size_t freed)
{
	void *volatile room;

	heap->unsorted += freed;
	if (heap->unsorted < SORT_AFTER)
		return;
	heap->unsorted = 0;
	room = malloc(SORT_BYTES);
	free(room);
}

bool
heap_reap(struct heap *heap, size_t budget)
{
	struct node *node;
	size_t done = 0;

	while (done < budget) {
		if (heap->dying_kids != NULL) {
			done += kids_reap(heap);
			continue;
		}
		node = heap->dying;
		if (node == NULL)
			break;
		heap->dying = node->dying;
		if (node->kids != NULL)
			kids_unref(heap, node->kids);
		acl_unref(heap->acls, node->acl);
		room_give(heap, node);
		done++;
	}
	sort_free_room(heap, done);
	return heap_dirty(heap);
}

/* --- what it amounts to --- */

uint64_t
node_kids_stamp(const struct node *node)
{
	return node->kids != NULL ? node->kids->stamp : 0;
}

int64_t
node_cost(const struct node *node)
{
	return COST_NODE + node->name_len + node->value_len +
	       (int64_t)node->acl->n * COST_PERM;
}

int64_t
node_version_cost(const struct node *node)
{
	int64_t cost = node_cost(node) + COST_VERSION;

	/* pages of 64, and an index */
	if (node->kids != NULL)
		cost += (int64_t)node->kids->n * 5 / 8;
	return cost;
}

struct weight
node_weight(const struct node *node)
{
	struct weight w = { 0 };

	if (node->kids != NULL)
		w = node->kids->below;
	if (node->acl->owner_bit == 0) {
		w.nodes++;
		w.cost += node_cost(node);
		return w;
	}
	if (w.guest_nodes == 0)
		w.guest = acl_owner(node->acl);
	else if (w.guest != acl_owner(node->acl))
		w.guest = NULL;
	w.owners |= node->acl->owner_bit;
	w.guest_nodes++;
	w.guest_cost += node_cost(node);
	return w;
}

void
weight_change(
    struct weight *sum, const struct weight *was, const struct weight *now)
{
	int64_t others = sum->guest_nodes - was->guest_nodes;

	sum->nodes += now->nodes - was->nodes;
	sum->cost += now->cost - was->cost;
	if (sum->guest_nodes == 0 && now->guest_nodes == 0)
		return;
	sum->guest_nodes = others + now->guest_nodes;
	sum->guest_cost += now->guest_cost - was->guest_cost;
	if (others == 0) {
		sum->guest = now->guest;
		sum->owners = now->owners;
		return;
	}
	if (now->guest_nodes != 0 && sum->guest != now->guest)
		sum->guest = NULL;
	sum->owners |= now->owners;
}

uint64_t
node_owners(const struct node *node)
{
	return node->acl->owner_bit |
	       (node->kids != NULL ? node->kids->below.owners : 0);
}
