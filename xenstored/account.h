/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What each principal is charged for its nodes of the live tree. Told of every
 * change of that tree; nothing here can fail. Domain 0, which may own nearly
 * everything, is charged by the sum that trees keep, all others node by node.
 */
#ifndef XENSTORED_ACCOUNT_H
#define XENSTORED_ACCOUNT_H

#include "xenstored/store.h"

/* Charges nobody yet; LIVE is the tree. */
struct books {
	struct principal *dom0;
	int64_t nodes, cost; /* that domain 0 is charged */
};

/* Charges everybody for LIVE, a tree that nobody was charged for yet. */
void account_start(struct books *books, struct walk *walk, struct node *live);

/* LIVE is the tree now: charges domain 0. */
void account_live(struct books *books, const struct node *live);

/* NODE is now in the live tree, or not any more; for guests' nodes. */
void account_made(struct node *node);
void account_gone(struct node *node);

/*
 * NODE belonged to OWNER and cost COST before it got another value or other
 * permissions or became another version of itself.
 */
void account_changed(struct node *node, struct principal *owner, int64_t cost);

/* All of the subtree TOP is now in the live tree (SIGN 1) or not any more (-1).
 * False: nobody is charged, as it is of several guests. */
bool account_whole(const struct node *top, int sign);

/* account_made() and account_gone() for all of a subtree. */
void account_tree_made(struct walk *walk, struct node *top);
void account_tree_gone(struct walk *walk, struct node *top);

/* How many nodes of the subtree TOP belong to OWNER, a guest; what they cost is
 * added to *COST. */
int64_t account_owned(struct walk *walk, struct node *top,
    const struct principal *owner, int64_t *cost);

#endif
