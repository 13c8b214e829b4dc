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

bool
account_whole(const struct node *top, int sign)
{
	struct weight w = node_weight(top);

	if (w.guest_nodes == 0)
		return true;
	if (w.guest == NULL)
		return false;
	charge(w.guest, sign * w.guest_nodes, sign * w.guest_cost);
	return true;
}

/* Whether CHILD has to be gone through; it is charged for otherwise. */
static bool
not_whole(void *ctx, struct walk *walk, struct node *child)
{
	const int *sign = ctx;

	(void)walk;
	return !account_whole(child, *sign);
}

static void
charge_tree(struct walk *walk, struct node *top, int sign)
{
	struct node *node;

	if (account_whole(top, sign))
		return;
	walk_start(walk, top);
	while ((node = walk_next_if(walk, not_whole, &sign)) != NULL)
		charge(acl_owner(node->acl), sign, sign * node_cost(node));
}

void
account_tree_made(struct walk *walk, struct node *top)
{
	charge_tree(walk, top, 1);
}

void
account_tree_gone(struct walk *walk, struct node *top)
{
	charge_tree(walk, top, -1);
}

struct owned {
	const struct principal *owner;
	int64_t n, cost;
};

/* Whether TOP has to be gone through; what is known of it is counted. */
static bool
is_mixed(struct owned *owned, const struct node *top)
{
	struct weight w = node_weight(top);

	if (w.guest_nodes > 0 && w.guest == NULL)
		return true;
	if (w.guest == owned->owner) {
		owned->n += w.guest_nodes;
		owned->cost += w.guest_cost;
	}
	return false;
}

static bool
child_is_mixed(void *ctx, struct walk *walk, struct node *child)
{
	(void)walk;
	return is_mixed(ctx, child);
}

int64_t
account_owned(struct walk *walk, struct node *top,
    const struct principal *owner, int64_t *cost)
{
	struct owned owned = { .owner = owner };
	struct node *node;

	if (is_mixed(&owned, top)) {
		walk_start(walk, top);
		while ((node = walk_next_if(walk, child_is_mixed, &owned)) !=
		       NULL) {
			if (acl_owner(node->acl) != owner)
				continue;
			owned.n++;
			owned.cost += node_cost(node);
		}
	}
	*cost += owned.cost;
	return owned.n;
}
