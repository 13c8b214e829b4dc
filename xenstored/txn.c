/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/txn.h"

#include <stdlib.h>
#include <string.h>

#include "xenstored/cost.h"
#include "xenstored/former.h"
#include "xenstored/ops.h"

_Static_assert(sizeof(struct txn_op) == COST_TXN_OP, "a log is charged whole");

enum {
	/* Changes of the store after which a guest's transaction is too old. */
	AGE_MAX = 65536,
	/* Bytes of former trees that it may keep: all that are open by
	 * default together as much as the client may use by default. */
	FORMER_MAX = 256 * 1024,
	FORMER_SLACK = FORMER_MAX / 4,
	/* Commits refused in a row before a privileged client's is reserved. */
	REFUSED_MAX = 4,
	/* How often guests are put off by one reservation. */
	PATIENCE = 4096,
};

bool
txn_writes(uint32_t type)
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

void
txn_copied(struct txn *txn, int64_t before)
{
	int64_t more = txn->conn->st->heap.copied - before;

	if (txn_given_up(txn))
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
 * it sooner, and who only when it was used, have the same answer for it. Who
 * does not need one now looks again when there is SLACK more.
 */
static bool
keeps_too_much(struct txn *txn, int64_t slack)
{
	struct state *st = txn->conn->st;
	int64_t more;

	if (txn->conn->who.privileged)
		return false;
	more = txn->weighed ? all_former(st) - txn->known_at : FORMER_MAX + 1;
	if (more > slack && txn->known + more > FORMER_MAX) {
		weighed(txn,
		    former_cost(st->former, txn->base, st->live, FORMER_MAX));
		if (slack == 0) /* it is its client's turn */
			st->work +=
			    (uint64_t)(txn->known / COST_NODE * WORK_COMMIT);
		st->n_weighed++;
	}
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
	/* not more often: whoever writes next copies what it shares */
	if (keeps_too_much(txn, FORMER_SLACK) ||
	    (is_old(txn) && !txn_given_up(txn)))
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
	    (txn_given_up(txn) || is_old(txn) || keeps_too_much(txn, 0)))
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
	    (!txn_writes(type) && type != WIRE_TRANSACTION_END))
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
