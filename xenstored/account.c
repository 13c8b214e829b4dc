/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/account.h"

/* Charges OWNER, which is a guest or nobody is charged here. */
static void
charge(struct principal *owner, int64_t nodes, int64_t cost)
{
	if (acl_owner_bit(owner) == 0)
		return;
	principal_charge(owner, QUOTA_NODES, nodes);
	principal_charge(owner, QUOTA_MEMORY, cost);
}

void
account_live(struct books *books, const struct node *live)
{
	const struct weight *now = &live->kids->below;

	principal_charge(books->dom0, QUOTA_NODES, now->nodes - books->nodes);
	principal_charge(books->dom0, QUOTA_MEMORY, now->cost - books->cost);
	books->nodes = now->nodes;
	books->cost = now->cost;
}

void
account_start(struct books *books, struct walk *walk, struct node *live)
{
	account_live(books, live);
	account_tree_made(walk, live);
}

void
account_made(struct node *node)
{
	charge(acl_owner(node->acl), 1, node_cost(node));
}

void
account_gone(struct node *node)
{
	charge(acl_owner(node->acl), -1, -node_cost(node));
}

void
account_changed(struct node *node, struct principal *owner, int64_t cost)
{
	struct principal *now = acl_owner(node->acl);

	if (owner != now) {
		charge(owner, -1, -cost);
		charge(now, 1, node_cost(node));
	} else if (node_cost(node) != cost) {
		charge(now, 0, node_cost(node) - cost);
	}
}

/* --- subtrees --- */

static bool
has_guests(void *ctx, struct walk *walk, struct node *child)
{
	(void)ctx;
	(void)walk;
	return node_owners(child) != 0;
}

void
account_tree_made(struct walk *walk, struct node *top)
{
	struct node *node;

	if (node_owners(top) == 0)
		return;
	walk_start(walk, top);
	while ((node = walk_next_if(walk, has_guests, NULL)) != NULL)
		account_made(node);
}

void
account_tree_gone(struct walk *walk, struct node *top)
{
	struct node *node;

	if (node_owners(top) == 0)
		return;
	walk_start(walk, top);
	while ((node = walk_next_if(walk, has_guests, NULL)) != NULL)
		account_gone(node);
}
