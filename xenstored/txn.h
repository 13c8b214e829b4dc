/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Transactions. One is a snapshot of the tree, a tree of its own that started
 * as that, a footprint (which paths were looked at, in which respect), and a
 * log of its requests. If nothing else was committed meanwhile its tree becomes
 * the live one. Otherwise its requests run again on the live tree: the changing
 * ones if nothing in the footprint changed, else all, and every reply must be
 * the same; if one is not, the client has to start over.
 */
#ifndef XENSTORED_TXN_H
#define XENSTORED_TXN_H

#include "common/error.h"
#include "xenstored/core.h"

/* Respects in which a path was looked at. */
enum {
	TXN_EXISTS = 1,
	TXN_VALUE = 2,
	TXN_CHILDREN = 4,
	TXN_ACL = 8,
};

/* What was done to a path. */
enum {
	TXN_CHANGED = 1,
	TXN_REMOVED = 2, /* with all below */
};

/* A request in a transaction's log; its payload follows. */
struct txn_op {
	uint32_t type, len;
	uint64_t digest;
	uint64_t stamp; /* of the store, after it */
};

/* The bytes that a payload of LEN takes there. */
#define TXN_OP_ROOM(len) (((size_t)(len) + 7) / 8 * 8)

/* A path that was looked at or changed; in the order of the first time. */
struct touched {
	struct table_link link;
	struct list in_order;
	unsigned aspects, changes;
	char path[];
};

struct txn {
	struct list link;    /* in conn->txns */
	struct list in_turn; /* in state->snapshots, if a guest's */
	struct conn *conn;
	uint32_t id;
	struct node *base; /* references */
	struct node *top;
	uint64_t stamp; /* of the store when it began */
	struct table touched;
	struct list order;
	size_t n_touched;
	char *log; /* struct txn_op and payload, one after the other */
	size_t log_len, log_cap;
	int64_t own_nodes;	 /* nodes of the client that were made in it */
	int64_t memory;		 /* charged to the client */
	int64_t copied, removed; /* what its commit puts in another's place */
	/* What it kept of former trees at KNOWN_AT, a sum that only grows, and
	 * by more than that does; WEIGHED: if these are known. */
	int64_t known, known_at;
	bool weighed;
	enum xs_err failed; /* why it can only be given up */
	bool changed;
	bool replaying;
};

/* A transaction on the present tree, in no list. NULL: no memory. */
struct txn *txn_new(struct conn *conn);

/* Makes it one of its client's open ones. */
void txn_open(struct txn *txn);

/* Ends TXN. The memory of its footprint goes back in turns, by txn_reap(). */
void txn_free(struct txn *txn);

/* Frees up to BUDGET paths of transactions that have ended; true if there are
 * more. */
bool txn_reap(struct state *st, size_t budget);

/* CONN's transaction ID, or NULL. */
struct txn *txn_find(const struct conn *conn, uint32_t id);

/*
 * The same for a request in it. A guest's that is too old, or keeps more of
 * former trees than it may, is bound to fail with XS_EAGAIN; until then it sees
 * the present tree at each request.
 */
struct txn *txn_use(const struct conn *conn, uint32_t id);

/* Whether it is so: it can be taken to be on the present tree at any time. */
static inline bool
txn_given_up(const struct txn *txn)
{
	/* nothing else makes one fail like this before its commit */
	return txn->failed == XS_EAGAIN;
}

/* Takes its former tree from the next one of these, if there is one; each has
 * its turn. */
void txn_age_next(struct state *st);

/* TXN's client pays for the versions of nodes that were copied in it since
 * struct heap's sum of them was BEFORE. */
void txn_copied(struct txn *txn, int64_t before);

/*
 * TXN, just begun by a privileged client, will not be thwarted by guests again,
 * if that happened to the client too often in a row.
 */
void txn_reserve(struct txn *txn);

/* Whether CONN's request of TYPE has to wait for the end of a transaction that
 * is reserved. */
bool txn_holds_back(struct conn *conn, uint32_t type);

/*
 * Remembers that the first LEN bytes of PATH were looked at as ASPECTS and
 * changed as CHANGES. XS_ENOMEM (the client's limit, too), XS_ENOSPC (too many
 * paths).
 */
XS_MUST_CHECK enum xs_err txn_note(struct txn *txn, const char *path,
    size_t len, unsigned aspects, unsigned changes);

/* Remembers a request and the digest of its reply. XS_ENOMEM (the client's
 * limit, too). */
XS_MUST_CHECK enum xs_err txn_log(struct txn *txn, uint32_t type,
    const void *payload, size_t len, uint64_t digest);

/* Whether requests of TYPE change the tree. */
bool txn_writes(uint32_t type);

/* --- the end (txn_commit.c) --- */

/*
 * Makes the changes of TXN, which is in no list any more, those of the live
 * tree and tells the watches. XS_EAGAIN: it has to be tried again; XS_ENOSPC,
 * XS_ENOMEM: nothing was changed.
 */
XS_MUST_CHECK enum xs_err txn_commit(struct txn *txn);

#endif
