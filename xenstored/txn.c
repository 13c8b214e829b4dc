/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/txn.h"

#include <stdlib.h>
#include <string.h>

#include "xenstored/account.h"
#include "xenstored/cost.h"
#include "xenstored/former.h"
#include "xenstored/merge.h"
#include "xenstored/ops.h"
#include "xenstored/view.h"

_Static_assert(sizeof(struct txn_op) == COST_TXN_OP, "a log is charged whole");

enum {
	/* Changes of the store after which a guest's transaction is too old. */
	AGE_MAX = 65536,
	/* Bytes of former trees that it may keep: all that are open by
	 * default together as much as the client may use by default. */
	FORMER_MAX = 256 * 1024,
	/* Commits refused in a row before a privileged client's is reserved. */
	REFUSED_MAX = 4,
	/* How often guests are put off by one reservation. */
	PATIENCE = 4096,
};

static bool
is_write(uint32_t type)
{
	return type == WIRE_WRITE || type == WIRE_MKDIR || type == WIRE_RM ||
	       type == WIRE_SET_PERMS;
}

static void
charge(struct txn *txn, int64_t bytes)
{
	txn->memory += bytes;
	principal_charge(txn->conn->who.self, QUOTA_MEMORY, bytes);
}

/* Whether the client may be charged BYTES more. What runs again at the commit
 * ends with it, and is not limited. */
static bool
affordable(const struct txn *txn, int64_t bytes)
{
	return txn->replaying ||
	       principal_may(txn->conn->who.self, QUOTA_MEMORY, bytes);
}

/* What has gone from the live tree so far, and more. */
static int64_t
all_former(const struct state *st)
{
	return st->heap.copied + st->removed;
}

/* TXN keeps KNOWN bytes of former trees now. */
static void
weighed(struct txn *txn, int64_t known)
{
	txn->weighed = true;
	txn->known = known;
	txn->known_at = all_former(txn->conn->st);
}

struct txn *
txn_new(struct conn *conn)
{
	struct txn *txn = calloc(1, sizeof(*txn));

	if (txn == NULL)
		return NULL;
	if (!table_init(&txn->touched)) {
		free(txn);
		return NULL;
	}
	txn->conn = conn;
	list_init(&txn->link);
	list_init(&txn->in_turn);
	list_init(&txn->order);
	txn->base = node_ref(conn->st->live);
	txn->top = node_ref(conn->st->live);
	txn->stamp = conn->st->heap.stamp;
	weighed(txn, 0);
	charge(txn, COST_TXN);
	return txn;
}

void
txn_open(struct txn *txn)
{
	list_append(&txn->conn->txns, &txn->link);
	if (!txn->conn->who.privileged)
		list_append(&txn->conn->st->snapshots, &txn->in_turn);
}

/* Nothing else makes one fail like this before its commit. */
static bool
is_given_up(const struct txn *txn)
{
	return txn->failed == XS_EAGAIN;
}

void
txn_copied(struct txn *txn, int64_t before)
{
	int64_t more = txn->conn->st->heap.copied - before;

	if (is_given_up(txn))
		return; /* it keeps none of it */
	txn->copied += more;
	charge(txn, more);
}

void
txn_free(struct txn *txn)
{
	struct heap *heap = &txn->conn->st->heap;

	charge(txn, -txn->memory);
	if (txn->conn->st->reserved == txn)
		txn->conn->st->reserved = NULL;
	list_remove(&txn->link);
	list_remove(&txn->in_turn);
	list_move_all(&txn->conn->st->forgotten, &txn->order);
	table_end(&txn->touched);
	node_unref(heap, txn->base);
	node_unref(heap, txn->top);
	free(txn->log);
	free(txn);
}

bool
txn_reap(struct state *st, size_t budget)
{
	struct list *link = st->forgotten.next;

	for (; budget > 0 && link != &st->forgotten; budget--) {
		list_remove(link);
		free(list_entry(link, struct touched, in_order));
		link = st->forgotten.next;
	}
	return link != &st->forgotten;
}

/* --- old ones --- */

static bool
is_old(const struct txn *txn)
{
	return !txn->conn->who.privileged &&
	       txn->conn->st->heap.stamp > txn->stamp + AGE_MAX;
}

/*
 * Whether TXN keeps more of former trees than it may. That is so for good: what
 * is in one and not in the present tree never comes back there. So who noticed
 * it sooner, and who only when it was used, have the same answer for it.
 */
static bool
keeps_too_much(struct txn *txn)
{
	struct state *st = txn->conn->st;

	if (txn->conn->who.privileged)
		return false;
	if (!txn->weighed ||
	    txn->known + all_former(st) - txn->known_at > FORMER_MAX)
		weighed(txn,
		    former_cost(st->former, txn->base, st->live, FORMER_MAX));
	return txn->known > FORMER_MAX;
}

/* When it is too much or too old is the same wherever the log is followed, and
 * so is what it answers. */
static void
renew(struct txn *txn)
{
	struct state *st = txn->conn->st;

	txn->failed = XS_EAGAIN;
	node_unref(&st->heap, txn->base);
	node_unref(&st->heap, txn->top);
	txn->base = node_ref(st->live);
	txn->top = node_ref(st->live);
	weighed(txn, 0);
}

void
txn_age_next(struct state *st)
{
	struct txn *txn;

	if (list_empty(&st->snapshots))
		return;
	txn = list_entry(st->snapshots.next, struct txn, in_turn);
	list_remove(&txn->in_turn);
	list_append(&st->snapshots, &txn->in_turn);
	if (is_given_up(txn) || is_old(txn) || keeps_too_much(txn))
		renew(txn);
}

struct txn *
txn_find(const struct conn *conn, uint32_t id)
{
	struct list *link;
	struct txn *txn;

	for (link = conn->txns.next; link != &conn->txns; link = link->next) {
		txn = list_entry(link, struct txn, link);
		if (txn->id == id)
			return txn;
	}
	return NULL;
}

struct txn *
txn_use(const struct conn *conn, uint32_t id)
{
	struct txn *txn = txn_find(conn, id);

	if (txn != NULL &&
	    (is_given_up(txn) || is_old(txn) || keeps_too_much(txn)))
		renew(txn);
	return txn;
}

/* --- reservations --- */

void
txn_reserve(struct txn *txn)
{
	struct conn *conn = txn->conn;

	if (!conn->who.privileged || conn->n_refused < REFUSED_MAX ||
	    conn->st->reserved != NULL)
		return;
	conn->st->reserved = txn;
	conn->st->patience = PATIENCE;
}

bool
txn_holds_back(struct conn *conn, uint32_t type)
{
	struct state *st = conn->st;

	if (st->reserved == NULL || conn->who.privileged ||
	    (!is_write(type) && type != WIRE_TRANSACTION_END))
		return false;
	if (st->patience-- > 0)
		return true;
	st->reserved = NULL;
	return false;
}

enum xs_err
txn_note(struct txn *txn, const char *path, size_t len, unsigned aspects,
    unsigned changes)
{
	const struct conn *conn = txn->conn;
	uint64_t hash = hash_bytes(&conn->st->config.seed, path, len);
	struct table_link *link = table_first(&txn->touched, hash);
	struct touched *t;
	int64_t cost;

	if (changes != 0 && txn->failed == XS_ENOMEM)
		return XS_ENOMEM; /* nothing more is kept for it */
	for (; link != NULL; link = table_next(link)) {
		t = list_entry(link, struct touched, link);
		if (strncmp(t->path, path, len) == 0 && t->path[len] == '\0') {
			t->aspects |= aspects;
			t->changes |= changes;
			return XS_OK;
		}
	}
	if (!principal_allows(
		conn->who.self, QUOTA_TXNODES, (int64_t)txn->n_touched + 1))
		return quota_error(QUOTA_TXNODES);
	cost = (int64_t)(COST_TOUCHED + len + 1);
	if (!affordable(txn, cost))
		return quota_error(QUOTA_MEMORY);
	t = malloc(sizeof(*t) + len + 1);
	if (t == NULL)
		return XS_ENOMEM;
	t->aspects = aspects;
	t->changes = changes;
	memcpy(t->path, path, len);
	t->path[len] = '\0';
	table_add(&txn->touched, &t->link, hash);
	list_append(&txn->order, &t->in_order);
	txn->n_touched++;
	charge(txn, cost);
	return XS_OK;
}

enum xs_err
txn_log(struct txn *txn, uint32_t type, const void *payload, size_t len,
    uint64_t digest)
{
	struct txn_op op = { .type = type, .len = (uint32_t)len };
	size_t need = sizeof(op) + TXN_OP_ROOM(len);
	size_t cap = txn->log_cap;
	char *log;

	op.digest = digest;
	op.stamp = txn->conn->st->heap.stamp;
	if (txn->log_len + need > cap) {
		cap = cap + cap / 4 + need + 256;
		if (!affordable(txn, (int64_t)(cap - txn->log_cap)))
			return quota_error(QUOTA_MEMORY);
		log = realloc(txn->log, cap);
		if (log == NULL)
			return XS_ENOMEM;
		charge(txn, (int64_t)(cap - txn->log_cap));
		txn->log = log;
		txn->log_cap = cap;
	}
	memcpy(txn->log + txn->log_len, &op, sizeof(op));
	if (len > 0)
		memcpy(txn->log + txn->log_len + sizeof(op), payload, len);
	txn->log_len += need;
	return XS_OK;
}

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
		if (valid && !wrote && !is_write(op.type))
			continue;
		wrote |= is_write(op.type);
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

static void
count_growth(void *ctx, struct node *before, struct node *after)
{
	count_one(ctx, before, -1);
	count_one(ctx, after, 1);
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
	return XS_OK;
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
