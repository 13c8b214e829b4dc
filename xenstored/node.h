/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One version of a node, as trees and snapshots share it. A version that more
 * than one holder references is never changed; who wants to change it copies
 * it. Knows names, values, lists of permissions and kids; knows no path and no
 * quota.
 */
#ifndef XENSTORED_NODE_H
#define XENSTORED_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xenstored/acl.h"
#include "xenstored/atom.h"
#include "xenstored/list.h"

struct kids;

struct node {
	uint32_t ref;
	uint16_t name_len, value_len;
	struct acl *acl;   /* a reference */
	struct kids *kids; /* a reference; NULL: it never had any */
	union {
		uint64_t value_stamp; /* of the store, at the last change */
		struct node *dying;   /* next of those without a reference */
	};
	uint64_t acl_stamp; /* the same for the permissions */
	char text[];	    /* name, NUL, value */
};

/*
 * What a subtree amounts to. OWNERS has the bit of every owner of a node in it
 * and may have others; domain 0's is none. NODES and COST are of domain 0's
 * nodes, GUEST_NODES and GUEST_COST of all others'.
 */
struct weight {
	uint64_t owners;
	int64_t nodes, cost;
	int64_t guest_nodes, guest_cost;
	struct principal *guest; /* the owner of all those; NULL: there are
				  * none, or they may be of several */
};

enum {
	NODE_CLASSES = 32,
	NODE_CLASS_SIZE = 8,
};

/* What nodes are made from and go back to. */
struct heap {
	struct hash_key key;
	struct atoms *atoms; /* of the watches */
	struct acls *acls;
	uint64_t stamp;		   /* last one given out */
	struct node *dying;	   /* to be freed by heap_reap() */
	struct kids *dying_kids;   /* the same */
	void *spare[NODE_CLASSES]; /* room for nodes, by size */
	void *chunks;		   /* of memory */
	size_t live;		   /* versions that exist */
	size_t unsorted; /* freed since sort_free_room() had it sorted */
	int64_t copied;	 /* what the versions cost that were copied so far */
};

/* A name that is looked for, with its hash. */
struct name {
	const char *text;
	size_t len;
	uint32_t hash;
};

struct name name_of(const struct heap *heap, const char *text, size_t len);

/* False: no memory; HEAP needs no heap_end() then. */
bool heap_init(struct heap *heap, const struct hash_key *key);

/* Frees everything; nothing may reference a node any more. */
void heap_end(struct heap *heap);

/*
 * Frees about BUDGET versions whose last reference is gone; true if there are
 * more. References go at once, memory and what it references in turns, so
 * that dropping a large tree takes no time.
 */
bool heap_reap(struct heap *heap, size_t budget);

/* True if heap_reap() has something to do. */
static inline bool
heap_dirty(const struct heap *heap)
{
	return heap->dying != NULL || heap->dying_kids != NULL;
}

/*
 * A new node called by LEN bytes at NAME with VALUE_LEN bytes of VALUE, without
 * children; takes a reference to ACL. One reference is the caller's. NULL: no
 * memory.
 */
struct node *node_make(struct heap *heap, const char *name, size_t len,
    const void *value, size_t value_len, struct acl *acl);

/* A version of its own, sharing all that OLD has; NULL: no memory. */
struct node *node_copy(struct heap *heap, const struct node *old);

/*
 * Gives the node at *SLOT, which has one reference, another value; it may move.
 * False: no memory, nothing changed.
 */
bool node_set_value(
    struct heap *heap, struct node **slot, const void *value, size_t len);

static inline struct node *
node_ref(struct node *node)
{
	node->ref++;
	return node;
}

void node_unref(struct heap *heap, struct node *node);

static inline const char *
node_name(const struct node *node)
{
	return node->text;
}

static inline size_t
node_name_len(const struct node *node)
{
	return node->name_len;
}

static inline const char *
node_value(const struct node *node)
{
	return node->text + node->name_len + 1;
}

static inline size_t
node_value_len(const struct node *node)
{
	return node->value_len;
}

/* The store's stamp when the set of children changed last; 0: never. */
uint64_t node_kids_stamp(const struct node *node);

/* The bytes that NODE's owner is charged; the same on every machine. */
int64_t node_cost(const struct node *node);

/* The bytes, about, that this version of NODE takes beside others of it. */
int64_t node_version_cost(const struct node *node);

/* What NODE amounts to with all below it. */
struct weight node_weight(const struct node *node);

/* The bits of owners in NODE's subtree. */
uint64_t node_owners(const struct node *node);

/* A part that amounted to WAS amounts to NOW: SUM, of the whole, does, too. */
void weight_change(
    struct weight *sum, const struct weight *was, const struct weight *now);

#endif
