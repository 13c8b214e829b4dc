/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "xenstored/account.h"
#include "xenstored/core.h"
#include "xenstored/txn.h"

/* What is wrong with the children of NODE, or NULL. */
static const char *
check_kids(struct state *st, const struct node *node)
{
	const struct kids *kids = node->kids;
	struct kids_pos pos = { 0, 0 };
	struct weight sum = { 0, 0, 0 }, w;
	const struct kid *kid;
	struct name name;
	uint64_t text = 0;
	uint32_t n = 0, last = 0;

	if (kids == NULL)
		return NULL;
	for (; (kid = kids_next(kids, &pos)) != NULL; n++) {
		if ((n > 0 && kid->seq <= last) || kid->seq >= kids->next_seq)
			return "children are out of order";
		name = name_of(
		    &st->heap, node_name(kid->node), node_name_len(kid->node));
		if (kid->hash != name.hash ||
		    kids_find(kids, &name) != kid->node)
			return "a child is not found by its name";
		w = node_weight(kid->node);
		sum.owners |= w.owners;
		sum.nodes += w.nodes;
		sum.cost += w.cost;
		last = kid->seq;
		text += name.len + 1;
	}
	if (n != kids->n || text != kids->text)
		return "children are miscounted";
	if (sum.nodes != kids->below.nodes || sum.cost != kids->below.cost ||
	    (sum.owners & ~kids->below.owners) != 0)
		return "a subtree is miscounted";
	return NULL;
}

static void
count(struct principal *p, enum quota_id id, int64_t n)
{
	p->counted.n[id] += n;
}

static const char *
count_nodes(struct state *st)
{
	struct principal *owner;
	struct node *node;
	const char *wrong;

	walk_start(&st->walk, st->live);
	while ((node = walk_next(&st->walk)) != NULL) {
		wrong = check_kids(st, node);
		if (wrong != NULL)
			return wrong;
		if (node == st->live)
			continue;
		owner = acl_owner(node->acl);
		/* the dead who could not be buried yet still have theirs */
		if (owner == NULL ||
		    (principal_dead(owner) && list_empty(&owner->unburied)))
			return "a node is owned by nobody";
		count(owner, QUOTA_NODES, 1);
		count(owner, QUOTA_MEMORY, node_cost(node));
	}
	return NULL;
}

static void
count_watch(void *ctx, const char *wpath, const char *token, int depth)
{
	(void)depth;
	count(ctx, QUOTA_WATCHES, 1);
	count(ctx, QUOTA_MEMORY, (int64_t)watch_cost(wpath, token));
}

static void
count_conn(struct conn *conn)
{
	struct principal *self = conn->who.self;
	struct list *link;

	watch_list(&conn->watcher, count_watch, self);
	for (link = conn->txns.next; link != &conn->txns; link = link->next) {
		count(self, QUOTA_TXNS, 1);
		count(self, QUOTA_MEMORY,
		    list_entry(link, struct txn, link)->memory);
	}
}

static const char *
compare(const struct principal *p)
{
	static char text[128];
	unsigned i;

	for (i = 0; i < QUOTA_COUNT; i++) {
		if (p->usage.n[i] == p->counted.n[i])
			continue;
		snprintf(text, sizeof(text),
		    "domain %u: %s is %lld in the books and %lld in fact",
		    (unsigned)p->domid, quota_name((enum quota_id)i),
		    (long long)p->usage.n[i], (long long)p->counted.n[i]);
		return text;
	}
	return NULL;
}

const char *
state_check(struct state *st)
{
	struct principal *p;
	const char *wrong;
	struct list *link;
	uint32_t i;

	for (i = 0; i < DOMID_FIRST_RESERVED; i++) {
		p = principal_current(st->all, i);
		if (p != NULL)
			memset(&p->counted, 0, sizeof(p->counted));
	}
	for (link = st->unburied.next; link != &st->unburied;
	     link = link->next) {
		p = list_entry(link, struct principal, unburied);
		memset(&p->counted, 0, sizeof(p->counted));
	}
	wrong = count_nodes(st);
	for (link = st->conns.next; link != &st->conns; link = link->next)
		count_conn(list_entry(link, struct conn, link));
	for (i = 0; i < DOMID_FIRST_RESERVED && wrong == NULL; i++) {
		p = principal_current(st->all, i);
		if (p != NULL)
			wrong = compare(p);
	}
	for (link = st->unburied.next; link != &st->unburied && wrong == NULL;
	     link = link->next)
		wrong = compare(list_entry(link, struct principal, unburied));
	return wrong;
}
