/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The store as one requester sees it: through its rights, its quota, and its
 * transaction if it has one. Every request for a node goes through here.
 * Changes of the live tree are accounted and told to the watches.
 *
 * A guest that lacks the right it needs on the node, or where there is none on
 * the nearest existing one above, gets XS_EACCES whatever else is wrong.
 */
#ifndef XENSTORED_VIEW_H
#define XENSTORED_VIEW_H

#include "common/error.h"
#include "xenstored/core.h"
#include "xenstored/txn.h"

struct view {
	struct state *st;
	struct conn *conn;
	struct txn *txn; /* or NULL */
};

/* The top that VIEW looks at. */
struct node *view_top(const struct view *view);

/* The store stamp as of which VIEW sees the world. */
uint64_t view_stamp(const struct view *view);

/*
 * The node at PATH, to be read in respect of ASPECT (TXN_VALUE, TXN_CHILDREN,
 * TXN_ACL); no reference is taken. XS_ENOENT, XS_EACCES, XS_ENOMEM, XS_ENOSPC.
 */
XS_MUST_CHECK enum xs_err view_read(const struct view *view, const char *path,
    unsigned aspect, struct node **node_out);

/*
 * Gives PATH the value VALUE; NULL: only makes it if there is nothing. Missing
 * parents are made. XS_EACCES, XS_ENOSPC (quota), XS_ENOMEM.
 */
XS_MUST_CHECK enum xs_err view_put(
    const struct view *view, const char *path, const struct bytes *value);

/*
 * Removes PATH with all below it; nothing happens if only PATH itself is
 * missing. XS_ENOENT: its parent is missing; XS_EINVAL: it is the root;
 * XS_EACCES, XS_ENOMEM, XS_ENOSPC.
 */
XS_MUST_CHECK enum xs_err view_remove(
    const struct view *view, const char *path);

/*
 * Gives PATH N permissions. XS_EPERM: a guest may not give a node away;
 * XS_ENOENT, XS_EACCES, XS_ENOSPC, XS_ENOMEM.
 */
XS_MUST_CHECK enum xs_err view_set_acl(const struct view *view,
    const char *path, const struct acl_entry *entry, size_t n);

/* Removes PATH, which exists and is no root, from the live tree, whoever may
 * do so. XS_ENOMEM. */
XS_MUST_CHECK enum xs_err view_purge(struct state *st, const char *path);

/* Tells the watches of each path that TXN touched, after its tree AFTER took
 * the place of BEFORE. */
void view_tell_commit(
    const struct txn *txn, struct node *before, struct node *after);

#endif
