/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/txn.h"

#include <string.h>

#include "xenstored/account.h"
#include "xenstored/cost.h"
#include "xenstored/merge.h"
#include "xenstored/ops.h"
#include "xenstored/view.h"

/* --- conflicts --- */

static bool
unchanged(const struct txn *txn, const struct touched *t)
{
	struct state *st = txn->conn->st;
	struct node *then, *now;

	if (store_same(&st->heap, txn->base, st->live, t->path, &then, &now))
		return true;
	if (then == NULL || now == NULL)
		return then == now;
	return ((t->aspects & TXN_VALUE) == 0 ||
		   then->value_stamp == now->value_stamp) &&
	       ((t->aspects & TXN_CHILDREN) == 0 ||
		   node_kids_stamp(then) == node_kids_stamp(now)) &&
	       ((t->aspects & TXN_ACL) == 0 ||
		   then->acl_stamp == now->acl_stamp);
}

/* Whether all that TXN looked at is as it was. */
static bool
footprint_valid(const struct txn *txn)
{
	struct list *link;
	struct touched *t;

	/* A death changes what permissions are shown, and no stamp. */
	if (txn->conn->st->last_death > txn->stamp)
		return false;
	for (link = txn->order.next; link != &txn->order; link = link->next) {
		t = list_entry(link, struct touched, in_order);
		if (t->aspects != 0 && !unchanged(txn, t))
			return false;
	}
	return true;
}

/* Tells the world that REQ is why a transaction fails. */
static void
tell_conflict(const struct request *req)
{
	const struct state_env *env = req->st->env;

	if (env->conflict != NULL)
		env->conflict(env->ctx, req->conn, &req->header, req->payload);
}

/*
 * Runs the requests of FROM again in TO. XS_EAGAIN: a reply was another one;
 * XS_ENOSPC, XS_ENOMEM: as a quota or memory does not suffice now. VALID: what
 * was looked at is as it was, so that reads need not be done; but those behind
 * a write may be of what it made, whose rights are those of the present parent.
 */
static enum xs_err
replay(const struct txn *from, struct txn *to, bool valid)
{
	struct request req;
	struct txn_op op;
	bool wrote = false;
	enum xs_err err;
	size_t pos;

	for (pos = 0; pos < from->log_len;
	     pos += sizeof(op) + TXN_OP_ROOM(op.len)) {
		memcpy(&op, from->log + pos, sizeof(op));
		if (valid && !wrote && !txn_writes(op.type))
			continue;
		wrote |= txn_writes(op.type);
		memset(&req, 0, sizeof(req));
		req.st = from->conn->st;
		req.conn = from->conn;
		req.header.type = op.type;
		req.header.len = op.len;
		req.as_of = op.stamp;
		req.payload = from->log + pos + sizeof(op);
		err = ops_replay(&req, to);
		if (req.digest == op.digest)
			continue;
		if (err == XS_ENOSPC || err == XS_ENOMEM)
			return err;
		tell_conflict(&req);
		return XS_EAGAIN;
	}
	return XS_OK;
}

/* Whether TXN's client has room for every step on the way to TXN's tree, which
 * only went up. */
static bool
has_room(const struct txn *txn)
{
	struct list *link;

	if (txn->conn->who.privileged)
		return true;
	for (link = txn->order.next; link != &txn->order; link = link->next)
		if ((list_entry(link, struct touched, in_order)->changes &
			TXN_REMOVED) != 0)
			return false;
	return principal_may(txn->conn->who.self, QUOTA_NODES, txn->own_nodes);
}

/*
 * Adds what was done meanwhile to TXN's tree, where all that it looked at is as
 * it was: unless both did something to the same node, its requests would do
 * just the same again. What a guest's limits say of a longer list of children,
 * or of more nodes, is found by doing them. False: they have to be.
 */
static bool
merge(struct txn *txn)
{
	struct state *st = txn->conn->st;
	struct node *top;
	bool ok;

	if (!has_room(txn))
		return false;
	top = node_ref(st->live);
	ok = merge_trees(st->merge, &st->heap, txn->base, txn->top, &top,
	    !txn->conn->who.privileged);
	if (!ok) {
		node_unref(&st->heap, top);
		return false;
	}
	node_unref(&st->heap, txn->top);
	txn->top = top;
	return true;
}

/*
 * TXN done again on the present tree, with its events in the same order. NULL
 * and *ERR_OUT: XS_EAGAIN, XS_ENOSPC, XS_ENOMEM.
 */
static struct txn *
rebase(struct txn *txn, bool valid, enum xs_err *err_out)
{
	struct txn *again = txn_new(txn->conn);
	struct list *link;
	struct touched *t;

	*err_out = XS_ENOMEM;
	if (again == NULL)
		return NULL;
	again->replaying = true;
	for (link = txn->order.next; link != &txn->order; link = link->next) {
		t = list_entry(link, struct touched, in_order);
		if (t->changes != 0 &&
		    txn_note(again, t->path, strlen(t->path), 0, 0) != XS_OK) {
			txn_free(again);
			return NULL;
		}
	}
	txn->conn->st->work += again->n_touched * WORK_REPLAY;
	*err_out = replay(txn, again, valid);
	if (*err_out != XS_OK) {
		txn_free(again);
		return NULL;
	}
	return again;
}

/* --- installing --- */

struct growth {
	struct state *st;
	const struct principal *who;
	int64_t n, cost; /* nodes more of WHO, and what they cost */
	bool others;	 /* there are nodes of other guests that grew */
};

static bool
count_whole(void *ctx, struct node *top, int sign)
{
	struct growth *g = ctx;
	int64_t cost = 0;

	g->n += sign * account_owned(&g->st->walk, top, g->who, &cost);
	g->cost += sign * cost;
	return true;
}

static void
count_one(struct growth *g, const struct node *node, int sign)
{
	if (acl_owner(node->acl) != g->who)
		return;
	g->n += sign;
	g->cost += sign * node_cost(node);
}

/* Whose node it is that became AFTER, and larger; NULL: WHO's or nobody's. */
static struct principal *
other_grown(const struct principal *who, const struct node *before,
    const struct node *after, int64_t *more_out)
{
	struct principal *owner = acl_owner(after->acl);

	*more_out = node_cost(after) - node_cost(before);
	return owner != who && owner == acl_owner(before->acl) && *more_out > 0
		   ? owner
		   : NULL;
}

static void
count_growth(void *ctx, struct node *before, struct node *after)
{
	struct growth *g = ctx;
	struct principal *owner;
	int64_t more;

	/* a subtree that only one has was counted as a whole */
	owner = other_grown(g->who, before, after, &more);
	if (owner != NULL) {
		owner->growth = 0;
		g->others = true;
	}
	count_one(g, before, -1);
	count_one(g, after, 1);
}

/* Adds up what count_growth() found to be others'; OTHERS turns false when it
 * is too much for one of them. */
static void
count_others(void *ctx, struct node *before, struct node *after)
{
	struct growth *g = ctx;
	struct principal *owner;
	int64_t more;

	owner = other_grown(g->who, before, after, &more);
	if (owner == NULL || !g->others)
		return;
	owner->growth += more;
	g->others = principal_may(owner, QUOTA_MEMORY, owner->growth);
}

/*
 * Whether TXN's client may own what it makes. SPARE is the memory that it is
 * charged for TXN and all that ends with it.
 */
static enum xs_err
check_growth(const struct txn *txn, int64_t spare)
{
	struct state *st = txn->conn->st;
	struct growth g = { .st = st, .who = txn->conn->who.self };

	if (txn->conn->who.privileged)
		return XS_OK;
	diff_trees(st->diff, st->live, txn->top, count_whole, count_growth, &g);
	if (g.n > 0 && !principal_may(g.who, QUOTA_NODES, g.n))
		return quota_error(QUOTA_NODES);
	if (g.cost > 0 && !principal_may(g.who, QUOTA_MEMORY, g.cost - spare))
		return quota_error(QUOTA_MEMORY);
	if (!g.others)
		return XS_OK;
	diff_trees(st->diff, st->live, txn->top, count_whole, count_others, &g);
	return g.others ? XS_OK : quota_error(QUOTA_MEMORY);
}

static bool
account_part(void *ctx, struct node *top, int sign)
{
	(void)ctx;
	return account_whole(top, sign);
}

static void
account_diff(void *ctx, struct node *before, struct node *after)
{
	(void)ctx;
	if (before == NULL)
		account_made(after);
	else if (after == NULL)
		account_gone(before);
	else
		account_changed(
		    after, acl_owner(before->acl), node_cost(before));
}

/* Makes TXN's tree, which was made from the live one, the live one. SPARE: see
 * check_growth(). */
static enum xs_err
install(struct txn *txn, int64_t spare)
{
	struct state *st = txn->conn->st;
	struct node *before = st->live;
	enum xs_err err = check_growth(txn, spare);

	if (err != XS_OK)
		return err;
	diff_trees(
	    st->diff, before, txn->top, account_part, account_diff, NULL);
	st->live = node_ref(txn->top);
	st->removed += txn->copied + txn->removed;
	account_live(&st->books, st->live);
	view_tell_commit(txn, before, st->live);
	node_unref(&st->heap, before);
	return XS_OK;
}

enum xs_err
txn_commit(struct txn *txn)
{
	struct state *st = txn->conn->st;
	struct txn *again;
	enum xs_err err;
	bool valid;

	if (txn->failed != XS_OK)
		return txn->failed;
	st->n_commits++;
	st->work += txn->n_touched * WORK_COMMIT;
	if (!txn->changed)
		return XS_OK;
	/* Rights that went to somebody who died must be looked at again. */
	if (txn->base == st->live && st->last_death <= txn->stamp)
		return install(txn, txn->memory);
	st->n_replays++;
	valid = footprint_valid(txn);
	if (valid && !st->always_replay && merge(txn)) {
		st->n_merged++;
		return install(txn, txn->memory);
	}
	again = rebase(txn, valid, &err);
	if (again == NULL) {
		st->n_conflicts += err == XS_EAGAIN;
		return err;
	}
	err = install(again, txn->memory + again->memory);
	txn_free(again);
	return err;
}
