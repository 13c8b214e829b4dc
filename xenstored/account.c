/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/account.h"

int64_t
account_node_cost(const struct node *node)
{
	return (int64_t)(sizeof(struct node) + sizeof(struct ident) +
			 sizeof(struct kid) + node->id->name->len +
			 node_value_len(node) +
			 node->acl->n * sizeof(struct acl_entry));
}

static void
attach(struct ident *id, struct principal *owner, int64_t cost)
{
	id->owner = owner;
	if (owner == NULL)
		return;
	list_append(&owner->owned, &id->owned);
	principal_charge(principal_ref(owner), QUOTA_NODES, 1);
	principal_charge(owner, QUOTA_MEMORY, cost);
}

static void
detach(struct ident *id, int64_t cost)
{
	struct principal *owner = id->owner;

	if (owner == NULL)
		return;
	list_remove(&id->owned);
	principal_charge(owner, QUOTA_NODES, -1);
	principal_charge(owner, QUOTA_MEMORY, -cost);
	id->owner = NULL;
	principal_unref(owner);
}

void
account_made(struct node *node)
{
	attach(node->id, acl_owner(node->acl), account_node_cost(node));
}

void
account_gone(struct node *node)
{
	detach(node->id, account_node_cost(node));
}

void
account_changed(struct node *node, int64_t cost_before)
{
	struct principal *owner = acl_owner(node->acl);
	int64_t cost = account_node_cost(node);

	if (node->id->owner != owner) {
		detach(node->id, cost_before);
		attach(node->id, owner, cost);
	} else if (owner != NULL && cost != cost_before) {
		principal_charge(owner, QUOTA_MEMORY, cost - cost_before);
	}
}

void
account_tree_made(struct walk *walk, struct node *top)
{
	struct node *node;

	walk_start(walk, top);
	while ((node = walk_next(walk)) != NULL)
		account_made(node);
}

void
account_tree_gone(struct walk *walk, struct node *top)
{
	struct node *node;

	walk_start(walk, top);
	while ((node = walk_next(walk)) != NULL)
		account_gone(node);
}
