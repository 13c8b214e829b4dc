/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing an image: what its parts share. Each thing is written before what
 * refers to it, and gets the next number of its kind.
 */
#ifndef XENSTORED_IMAGE_OUT_H
#define XENSTORED_IMAGE_OUT_H

#include "xenstored/core.h"
#include "xenstored/image_io.h"
#include "xenstored/image_map.h"
#include "xenstored/txn.h"

/* A child to be written, or one that is told of as changed. */
struct image_kid {
	enum { KID_ADDED, KID_REPLACED, KID_REMOVED } what;
	uint32_t number; /* of the node */
	struct node *node;
	const struct node *base; /* the version before it, or NULL */
	uint32_t seq;
};

/* A node some of whose children are not yet written: KID[FIRST..END-1]. */
struct image_frame {
	const struct node *node;
	uint32_t number, place; /* of the node */
	enum image_kids mode;
	size_t first, next, end;
};

struct image_out {
	struct image *img;
	const struct state *st;
	struct image_map principals, acls, nodes, conns, sources;
	uint32_t n_places;
	struct image_kid *kid;
	size_t n_kids, kids_cap;
	size_t depth;
	struct image_frame frame[STORE_DEPTH_MAX + 1];
};

/* The number of P, which is written if it was not; IMAGE_NONE for NULL. */
uint32_t image_out_principal(struct image_out *out, const struct principal *p);

/* The number of ACL, the same. */
uint32_t image_out_acl(struct image_out *out, const struct acl *acl);

/*
 * Writes what was not yet written of the tree TOP; the number of TOP. It was
 * made from BASE (NULL: from nothing), which was written.
 */
uint32_t image_out_tree(
    struct image_out *out, struct node *top, const struct node *base);

/* Writes CONN with its watches, its queue and its transactions, whose trees
 * were written. */
void image_out_conn(struct image_out *out, const struct conn *conn);

/* The number of NODE, which was written. */
uint32_t image_out_node_number(struct image_out *out, const struct node *node);

#endif
