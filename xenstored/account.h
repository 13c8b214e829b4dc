/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who owns which node of the live tree, and what that costs the owner. Told of
 * every change of that tree; nothing here can fail.
 */
#ifndef XENSTORED_ACCOUNT_H
#define XENSTORED_ACCOUNT_H

#include "xenstored/store.h"

/* The bytes of memory that NODE's owner is charged. */
int64_t account_node_cost(const struct node *node);

/* NODE is now in the live tree. */
void account_made(struct node *node);

/* NODE is no longer in the live tree. */
void account_gone(struct node *node);

/*
 * NODE, which cost COST_BEFORE, has another value or other permissions, or is
 * another version of itself; the owner may differ.
 */
void account_changed(struct node *node, int64_t cost_before);

/* account_made() and account_gone() for all of a subtree. */
void account_tree_made(struct walk *walk, struct node *top);
void account_tree_gone(struct walk *walk, struct node *top);

#endif
