/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The tree: nodes found, put and removed by absolute path. A tree is one
 * reference to its top; a snapshot is one more. Changing a tree copies what it
 * shares with others and changes in place what it does not. The top's children
 * are the root "/" and the special nodes "@introduceDomain", "@releaseDomain".
 *
 * Knows no permission rule, quota, connection or transaction. Paths are
 * absolute and valid (path_kind()).
 */
#ifndef XENSTORED_STORE_H
#define XENSTORED_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/wire.h"
#include "xenstored/kids.h"
#include "xenstored/node.h"

enum {
	/* the root and the components of the longest path; the top is extra */
	STORE_DEPTH_MAX = WIRE_ABS_PATH_MAX / 2 + 2,
};

/* Bytes that are not there (DATA NULL, LEN 0) are an empty value. */
struct bytes {
	const void *data;
	size_t len;
};

/*
 * A new top with a root and the two specials, all with ACL
 * (RELEASE_ACL for "@releaseDomain"); the caller has its one reference. NULL:
 * no memory.
 */
struct node *store_new_tree(
    struct heap *heap, struct acl *acl, struct acl *release_acl);

/* What is at a path and above it; no references are taken. */
struct found {
	struct node *node;    /* NULL: nothing */
	struct node *parent;  /* of NODE; NULL if NODE is a root or NULL */
	struct node *nearest; /* NODE, or the lowest that exists above it */
	size_t nearest_len;   /* length of NEAREST's path */
	size_t first_missing; /* length of the path of its child that is not
			       * there; of the whole path if all are */
	unsigned n_missing;   /* components below NEAREST */
};

void store_find(struct heap *heap, struct node *top, const char *path,
    struct found *found_out);

/* The components of a path that are still to come. "/" has one, the empty name
 * of the root; "/a" has two; "@x" has one. */
struct comps {
	const char *pos;  /* NULL: no more */
	const char *name; /* of the one at hand */
	size_t len;
};

/* The way down to the lowest node there is on a path. */
struct way {
	bool own;	    /* nothing on it is shared: it may be changed */
	bool missing;	    /* the path goes on below, from REST on */
	struct node **slot; /* of the lowest */
	struct comps rest;
	unsigned n;
	struct kids *kids[STORE_DEPTH_MAX + 1]; /* of those above it */
};

/* store_find() in the tree *TOP; *WAY_OUT is valid until that changes. */
void store_find_way(struct heap *heap, struct node **top, const char *path,
    struct found *found_out, struct way *way_out);

/* The node at PATH, or NULL. */
struct node *store_get(struct heap *heap, struct node *top, const char *path);

/*
 * Whether FIRST and SECOND, two versions of one tree, are known to be the same
 * at PATH; the two nodes there (or NULL) otherwise.
 */
bool store_same(struct heap *heap, struct node *first, struct node *second,
    const char *path, struct node **first_out, struct node **second_out);

/*
 * Gives the node at PATH of the tree *TOP the value VALUE (NULL: it keeps its
 * own). If it is not there, it and its missing parents are made with ACL, and
 * *CREATED_OUT is the topmost one made, otherwise NULL. XS_ENOMEM: the tree
 * shows nothing of it.
 */
XS_MUST_CHECK enum xs_err store_put(struct heap *heap, struct node **top,
    const char *path, const struct bytes *value, struct acl *acl,
    struct node **created_out);

/* store_put() at the end of WAY, which is valid and all its tree's own. */
XS_MUST_CHECK enum xs_err store_put_at(struct heap *heap, struct way *way,
    const struct bytes *value, struct acl *acl, struct node **created_out);

/*
 * Takes out the node at PATH, which exists and is no root, with all below. The
 * reference goes to *REMOVED_OUT. XS_ENOMEM: nothing changed.
 */
XS_MUST_CHECK enum xs_err store_remove(struct heap *heap, struct node **top,
    const char *path, struct node **removed_out);

/*
 * Gives the node at PATH, which exists, the permissions ACL (a reference is
 * taken); *NODE_OUT is the version that has them. XS_ENOMEM: nothing changed.
 */
XS_MUST_CHECK enum xs_err store_set_acl(struct heap *heap, struct node **top,
    const char *path, struct acl *acl, struct node **node_out);

/* --- walking without stack --- */

struct walk_frame {
	struct node *node;
	struct kids_pos pos;
};

/* A walk over a subtree, children in their order, each before its parent. */
struct walk {
	size_t depth; /* frames in use */
	struct walk_frame frame[STORE_DEPTH_MAX + 1];
};

/* Starts at NODE, which must live as long as the walk. */
void walk_start(struct walk *walk, struct node *node);

/* The next node, NULL after the start node was given. The ancestors of a node
 * are in frame[0..depth-1] when it is given. */
struct node *walk_next(struct walk *walk);

/* Whether to go into CHILD of the node in WALK's last frame. */
typedef bool walk_filter(void *ctx, struct walk *walk, struct node *child);

/*
 * The path of NODE, just given by WALK, with its NUL into BUF, where the walk
 * began at PATH ("" for a top). Its length, 0: no room.
 */
size_t walk_path(const struct walk *walk, const struct node *node,
    const char *path, char *buf, size_t size);

/* As walk_next(), but leaves out each subtree for which WANT says false. */
struct node *walk_next_if(struct walk *walk, walk_filter *want, void *ctx);

/* --- comparing --- */

/* Told of a node that only one of two trees has, or has in another version. */
typedef void diff_fn(void *ctx, struct node *before, struct node *after);

/* Asked of each subtree that only one has, the later (SIGN 1) or the former
 * (-1), before it is gone through: whether nothing of it is to be told. */
typedef bool diff_whole_fn(void *ctx, struct node *top, int sign);

struct diff; /* room to compare in */

struct diff *diff_new(void); /* NULL: no memory */
void diff_free(struct diff *diff);

/*
 * Tells FN of every node that differs between BEFORE and AFTER, where AFTER was
 * made from BEFORE: what was removed (AFTER NULL), made (BEFORE NULL), and what
 * changed its value or permissions or lies above something that changed. Costs
 * what was changed. Takes no memory. WHOLE, if not NULL, is asked as
 * said above, and what belonged and belongs to domain 0 is left out.
 */
void diff_trees(struct diff *diff, struct node *before, struct node *after,
    diff_whole_fn *whole, diff_fn *fn, void *ctx);

/* The path of NODE, of which DIFF just told its function, with its NUL into
 * BUF. Its length, 0: no room. */
size_t diff_path(
    const struct diff *diff, const struct node *node, char *buf, size_t size);

#endif
