/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/node.h"

#include <stdlib.h>
#include <string.h>

#include "xenstored/kids.h"

enum { CHUNK_OBJECTS = 256 };

struct chunk {
	struct chunk *next;
	max_align_t objects[];
};

bool
heap_init(struct heap *heap, const struct hash_key *key)
{
	memset(heap, 0, sizeof(*heap));
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

/* CHUNK_OBJECTS objects of SIZE bytes, or NULL. */
static char *
chunk_new(struct heap *heap, size_t size)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + CHUNK_OBJECTS * size);

	if (chunk == NULL)
		return NULL;
	chunk->next = heap->chunks;
	heap->chunks = chunk;
	return (char *)chunk->objects;
}

static struct node *
node_alloc(struct heap *heap)
{
	struct node *node;
	size_t i;

	if (heap->spare_nodes == NULL) {
		node = (void *)chunk_new(heap, sizeof(*node));
		if (node == NULL)
			return NULL;
		for (i = 0; i < CHUNK_OBJECTS; i++) {
			node[i].dying = heap->spare_nodes;
			heap->spare_nodes = &node[i];
		}
	}
	node = heap->spare_nodes;
	heap->spare_nodes = node->dying;
	heap->live++;
	return node;
}

static struct ident *
ident_alloc(struct heap *heap)
{
	struct ident *id;
	size_t i;

	if (heap->spare_idents == NULL) {
		id = (void *)chunk_new(heap, sizeof(*id));
		if (id == NULL)
			return NULL;
		for (i = 0; i < CHUNK_OBJECTS; i++) {
			id[i].parent = heap->spare_idents;
			heap->spare_idents = &id[i];
		}
	}
	id = heap->spare_idents;
	heap->spare_idents = id->parent;
	return id;
}

static void
ident_unref(struct heap *heap, struct ident *id)
{
	struct ident *parent;

	while (id != NULL && --id->ref == 0) {
		parent = id->parent;
		atom_unref(heap->atoms, id->name);
		id->parent = heap->spare_idents;
		heap->spare_idents = id;
		id = parent;
	}
}

static struct ident *
ident_new(struct heap *heap, struct ident *parent, const char *name, size_t len)
{
	struct ident *id = ident_alloc(heap);

	if (id == NULL)
		return NULL;
	id->name = atom_get(heap->atoms, name, len);
	if (id->name == NULL) {
		id->parent = heap->spare_idents;
		heap->spare_idents = id;
		return NULL;
	}
	id->ref = 1;
	id->parent = parent;
	if (parent != NULL)
		parent->ref++;
	id->owner = NULL;
	list_init(&id->owned);
	return id;
}

struct blob *
blob_new(const void *data, size_t len)
{
	struct blob *blob;

	if (len == 0)
		return NULL;
	blob = malloc(sizeof(*blob) + len);
	if (blob == NULL)
		return NULL;
	blob->ref = 1;
	blob->len = (uint32_t)len;
	memcpy(blob->data, data, len);
	return blob;
}

void
blob_unref(struct blob *blob)
{
	if (blob != NULL && --blob->ref == 0)
		free(blob);
}

struct node *
node_new(struct heap *heap, struct ident *parent, const char *name, size_t len,
    struct acl *acl)
{
	struct node *node = node_alloc(heap);

	if (node == NULL)
		return NULL;
	memset(node, 0, sizeof(*node));
	node->ref = 1;
	node->id = ident_new(heap, parent, name, len);
	if (node->id == NULL) {
		node->dying = heap->spare_nodes;
		heap->spare_nodes = node;
		heap->live--;
		return NULL;
	}
	node->acl = acl_ref(acl);
	node->value_stamp = node->kids_stamp = node->acl_stamp = ++heap->stamp;
	return node;
}

struct node *
node_copy(struct heap *heap, const struct node *old)
{
	struct node *node = node_alloc(heap);

	if (node == NULL)
		return NULL;
	*node = *old;
	node->ref = 1;
	node->id->ref++;
	if (node->value != NULL)
		node->value->ref++;
	acl_ref(node->acl);
	if (node->kids != NULL)
		kids_ref(node->kids);
	return node;
}

void
node_unref(struct heap *heap, struct node *node)
{
	if (--node->ref > 0)
		return;
	node->dying = heap->dying;
	heap->dying = node;
}

bool
heap_reap(struct heap *heap, size_t budget)
{
	struct node *node;

	while ((node = heap->dying) != NULL && budget > 0) {
		budget--;
		heap->dying = node->dying;
		if (node->kids != NULL)
			kids_unref(heap, node->kids);
		blob_unref(node->value);
		acl_unref(heap->acls, node->acl);
		ident_unref(heap, node->id);
		node->dying = heap->spare_nodes;
		heap->spare_nodes = node;
		heap->live--;
	}
	return heap->dying != NULL;
}
