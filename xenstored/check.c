/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenstored/txn.h"

/* What was found below a node on the way to where the walk is. */
struct level {
	struct weight sum;
	uint64_t text;
	uint32_t n, last_seq;
};

struct check {
	struct conn *conn; /* who asked; NULL: nobody */
	struct node *top;  /* of the tree that is looked at; a reference */
	uint64_t stamp;	   /* of the store when it began */
	struct walk walk;
	struct level level[STORE_DEPTH_MAX + 2];
};

struct check *
check_new(void)
{
	return calloc(1, sizeof(struct check));
}

static void
check_end(struct state *st)
{
	struct check *check = st->check;

	if (check->top != NULL)
		node_unref(&st->heap, check->top);
	check->top = NULL;
	check->conn = NULL;
}

void
check_forget(struct conn *conn)
{
	if (conn->st->check->conn == conn)
		check_end(conn->st);
}

/* --- nodes --- */

/* Whether NODE is known to KIDS, those of its parent. */
static bool
is_found(struct state *st, const struct kids *kids, const struct node *node)
{
	struct name name =
	    name_of(&st->heap, node_name(node), node_name_len(node));

	return kids_find(kids, &name) == node;
}

/* Whether the child of KIDS before POS is behind the one that ABOVE saw last.
 */
static bool
in_order(const struct kids *kids, struct kids_pos pos, struct level *above)
{
	const struct kid_page *page;
	const struct kid *kid;
	bool ok;

	if (pos.i == 0) {
		page = kids_page(kids, pos.page - 1);
		kid = &page->kid[page->n - 1];
	} else {
		kid = &kids_page(kids, pos.page)->kid[pos.i - 1];
	}
	ok = (above->n == 0 || kid->seq > above->last_seq) &&
	     kid->seq < kids->next_seq;
	above->last_seq = kid->seq;
	return ok;
}

/* What is wrong with the children of NODE, all of which were seen, or NULL. */
static const char *
check_kids(const struct node *node, const struct level *seen)
{
	const struct kids *kids = node->kids;

	if (kids == NULL)
		return NULL;
	if (seen->n != kids->n || seen->text != kids->text)
		return "children are miscounted";
	if (seen->sum.nodes != kids->below.nodes ||
	    seen->sum.cost != kids->below.cost ||
	    seen->sum.guest_nodes != kids->below.guest_nodes ||
	    seen->sum.guest_cost != kids->below.guest_cost ||
	    (seen->sum.owners & ~kids->below.owners) != 0)
		return "a subtree is miscounted";
	if (kids->below.guest != NULL && kids->below.guest != seen->sum.guest)
		return "a subtree has other owners";
	return NULL;
}

static void
count(struct principal *p, enum quota_id id, int64_t n)
{
	p->counted.n[id] += n;
}

/* Looks at NODE, which the walk just gave. */
static const char *
check_node(struct state *st, struct node *node)
{
	static const struct weight none;
	struct check *check = st->check;
	size_t depth = check->walk.depth;
	struct level *above = &check->level[depth];
	struct principal *owner = acl_owner(node->acl);
	const struct walk_frame *parent;
	const char *wrong = check_kids(node, &check->level[depth + 1]);
	struct weight w = node_weight(node);

	memset(&check->level[depth + 1], 0, sizeof(check->level[0]));
	if (wrong != NULL || node == check->top)
		return wrong;
	parent = &check->walk.frame[depth - 1];
	if (!is_found(st, parent->node->kids, node))
		return "a child is not found by its name";
	if (!in_order(parent->node->kids, parent->pos, above))
		return "children are out of order";
	/* the dead who could not be buried yet still have theirs */
	if (owner == NULL ||
	    (principal_dead(owner) && owner->death_stamp <= check->stamp &&
		list_empty(&owner->unburied)))
		return "a node is owned by nobody";
	weight_change(&above->sum, &none, &w);
	above->text += node_name_len(node) + 1;
	above->n++;
	count(owner, QUOTA_NODES, 1);
	count(owner, QUOTA_MEMORY, node_cost(node));
	return NULL;
}

/* --- the rest --- */

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
compare(struct principal *p)
{
	static char text[128];
	unsigned i;

	for (i = 0; i < QUOTA_COUNT; i++) {
		if (p->stated.n[i] == p->counted.n[i])
			continue;
		snprintf(text, sizeof(text),
		    "domain %u: %s is %lld in the books and %lld in fact",
		    (unsigned)p->domid, quota_name((enum quota_id)i),
		    (long long)p->stated.n[i], (long long)p->counted.n[i]);
		return text;
	}
	return NULL;
}

/* Calls FN for each principal that may have something; stops at a text. */
static const char *
for_each(struct state *st, const char *(*fn)(struct principal *p))
{
	const char *wrong = NULL;
	struct principal *p;
	struct list *link;
	uint32_t i;

	for (i = 0; i < DOMID_FIRST_RESERVED && wrong == NULL; i++) {
		p = principal_current(st->all, i);
		if (p != NULL && p->birth_stamp <= st->check->stamp)
			wrong = fn(p);
	}
	for (link = st->unburied.next; link != &st->unburied && wrong == NULL;
	     link = link->next)
		wrong = fn(list_entry(link, struct principal, unburied));
	return wrong;
}

static const char *
begin_principal(struct principal *p)
{
	memset(&p->counted, 0, sizeof(p->counted));
	p->stated = p->usage;
	return NULL;
}

static void
check_begin(struct state *st, struct conn *conn)
{
	struct check *check = st->check;
	struct list *link;

	check_end(st);
	check->conn = conn;
	check->top = node_ref(st->live);
	check->stamp = st->heap.stamp;
	memset(check->level, 0, sizeof(check->level));
	for_each(st, begin_principal);
	for (link = st->conns.next; link != &st->conns; link = link->next)
		count_conn(list_entry(link, struct conn, link));
	walk_start(&check->walk, check->top);
}

bool
check_some(
    struct state *st, struct conn *conn, size_t budget, const char **wrong_out)
{
	struct check *check = st->check;
	struct node *node = NULL;
	const char *wrong = NULL;

	if (check->top != NULL && check->conn != conn)
		return false; /* another one's comes first */
	if (check->top == NULL)
		check_begin(st, conn);
	for (; budget > 0 && wrong == NULL; budget--) {
		node = walk_next(&check->walk);
		if (node == NULL)
			break;
		wrong = check_node(st, node);
	}
	if (node != NULL && wrong == NULL)
		return false;
	if (wrong == NULL)
		wrong = for_each(st, compare);
	check_end(st);
	*wrong_out = wrong;
	return true;
}

const char *
state_check(struct state *st)
{
	const char *wrong;

	check_end(st); /* whoever was at it begins again */
	(void)check_some(st, NULL, SIZE_MAX, &wrong);
	return wrong;
}
