/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One version of a node, as trees and snapshots share it. A version that more
 * than one holder references is never changed; who wants to change it copies
 * it. What stays the same over all versions is the ident. Knows atoms, lists of
 * permissions and kids; knows no path and no quota.
 */
#ifndef XENSTORED_NODE_H
#define XENSTORED_NODE_H

#include <stddef.h>
#include <stdint.h>

#include "xenstored/acl.h"
#include "xenstored/atom.h"
#include "xenstored/list.h"

struct kids;

/* A value; never changed. */
struct blob {
	uint32_t ref;
	uint32_t len;
	char data[];
};

/* A place in the tree from one creation to the removal. */
struct ident {
	uint32_t ref;
	struct ident *parent; /* NULL: the tree's top */
	struct atom *name;
	struct principal
	    *owner;	   /* who is charged; NULL: not in the live tree */
	struct list owned; /* in owner->owned */
};

struct node {
	uint32_t ref;
	struct ident *id;
	struct blob *value; /* NULL: empty */
	struct acl *acl;
	struct kids *kids; /* NULL: none */
	/* Store stamp of the last change of the value, the set of children, the
	 * permissions. */
	uint64_t value_stamp, kids_stamp, acl_stamp;
	struct node *dying; /* next of the nodes whose last reference went */
};

/* What nodes are made from and go back to. */
struct heap {
	struct atoms *atoms;
	struct acls *acls;
	uint64_t stamp;	    /* last one given out */
	struct node *dying; /* to be freed by heap_reap() */
	struct node *spare_nodes;
	struct ident *spare_idents;
	void *chunks; /* of memory */
	size_t live;  /* versions that exist */
};

/* False: no memory; HEAP needs no heap_end() then. */
bool heap_init(struct heap *heap, const struct hash_key *key);

/* Frees everything; nothing may reference a node any more. */
void heap_end(struct heap *heap);

/*
 * Frees up to BUDGET versions whose last reference is gone; true if there are
 * more. References go at once, memory and what it references in turns, so
 * that dropping a large tree takes no time.
 */
bool heap_reap(struct heap *heap, size_t budget);

/* NULL: no memory, or LEN is 0. */
struct blob *blob_new(const void *data, size_t len);
void blob_unref(struct blob *blob);

/*
 * A new node called by LEN bytes at NAME below PARENT (NULL: a top), without
 * value and children; takes a reference to ACL. One reference is the caller's.
 * NULL: no memory.
 */
struct node *node_new(struct heap *heap, struct ident *parent, const char *name,
    size_t len, struct acl *acl);

/* A version of its own, sharing all that OLD has; NULL: no memory. */
struct node *node_copy(struct heap *heap, const struct node *old);

static inline struct node *
node_ref(struct node *node)
{
	node->ref++;
	return node;
}

void node_unref(struct heap *heap, struct node *node);

static inline size_t
node_value_len(const struct node *node)
{
	return node->value != NULL ? node->value->len : 0;
}

#endif
