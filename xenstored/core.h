/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the modules of the state machine share: the machine, its connections and
 * its domains. Not for the shell, which uses state.h.
 */
#ifndef XENSTORED_CORE_H
#define XENSTORED_CORE_H

#include "xenstored/account.h"
#include "xenstored/state.h"
#include "xenstored/store.h"
#include "xenstored/watch.h"

enum {
	/* Bytes of waiting events above which they collapse. */
	GUEST_EVENT_LIMIT = 256 * 1024,
	PRIV_EVENT_LIMIT = 16 * 1024 * 1024,
	/* Bytes of replies above which a client's requests wait. */
	REPLY_LIMIT = 128 * 1024,
};

/* A domain that was introduced. */
struct domain {
	uint32_t domid;
	struct principal *self; /* a reference */
	struct conn *conn;
	bool shutdown; /* its end was told already */
};

/* Where a part of a list of names ended; STAMP tells lists apart. */
struct list_end {
	uint64_t stamp, offset; /* of the next name */
	struct kids_pos pos;
};

enum { LIST_ENDS = 8 };

struct state {
	const struct state_env *env;
	struct state_config config;
	struct heap heap;
	struct node *live;  /* the top of the tree all see */
	struct books books; /* what is charged for it */
	struct principals *all;
	struct principal *dom0;
	struct watches *watches;
	struct list conns; /* struct conn.link */
	struct table conns_by_id;
	struct domain **domain; /* by domid; memory that is touched when used */
	uint32_t next_conn;	/* the id given last */
	uint64_t last_sock;	/* the highest number of a socket yet */
	uint32_t virq_port;	/* the shell's, kept for whoever takes over */
	struct list unburied; /* struct principal.unburied, with a reference */
	uint64_t n_stuck;  /* how often there was no memory to remove theirs */
	uint64_t n_buried; /* nodes of the dead, one for each in the log */
	uint64_t last_death; /* stamp at which a principal last died */
	struct list_end list_end[LIST_ENDS]; /* by stamp */
	struct diff *diff;
	struct merge *merge;
	struct check *check;
	struct list forgotten; /* struct touched.in_order, to be freed */
	struct txn *reserved;  /* guests' changes wait for its end; or NULL */
	unsigned patience;     /* how often they will still be put off */
	struct list snapshots; /* struct txn.in_turn: guests' */
	struct former *former;
	int64_t removed; /* what went from the live tree, or was replaced, as
			  * former_whole() counts and beside heap.copied */
	uint64_t work;	 /* nanoseconds, about, of large requests */
	struct walk walk;
	char path[WIRE_PAYLOAD_MAX + 64]; /* of the request at hand */
	char text[WIRE_PAYLOAD_MAX];	  /* its reply while it is made */
	uint64_t n_commits, n_conflicts, n_replays;
	uint64_t n_weighed; /* counts of what a transaction keeps */
	uint64_t n_merged;  /* of the replays, without doing requests again */
	bool always_replay; /* for tests: no merges */
	uint16_t outcome;   /* of what was done last, for the log */
	uint64_t buried;    /* n_buried then, without what was there before */
	bool asked;	    /* the world, since the request began */
	bool trace;
	int64_t soft_memory; /* what is reported as much; set by CONTROL */
};

struct conn {
	/* what each request needs comes first, and together */
	struct state *st;
	uint32_t id;
	bool is_ring;
	bool ignored;
	bool later; /* its request is not finished, and comes again */
	uint32_t stash_at, stash_len; /* what is left is from STASH_AT on */
	char *part; /* a message that came in parts, or NULL */
	void *shell;
	struct who who; /* SELF is a reference */
	struct outq q;
	/* what is seldom needed */
	struct list link;
	struct table_link by_id;
	struct domain *domain; /* NULL: a socket, or domain 0's ring */
	uid_t uid;
	pid_t pid;
	uint64_t sock;	      /* the supervisor's number of the descriptor */
	uint32_t port;	      /* a ring's: the local port it has, or 0 */
	uint32_t remote_port; /* a ring's: as INTRODUCE said */
	struct watcher watcher;
	struct list txns; /* struct txn.link */
	uint32_t last_txn;
	unsigned n_refused; /* commits in a row that were to be tried again */
	size_t part_len;
	char *stash; /* input that was taken and not looked at yet, or NULL */
};

/* Gives CONN the id ID, which no other has. */
void conn_set_id(struct conn *conn, uint32_t id);

/* Writes a record of TYPE. */
void core_record(struct state *st, enum record_type type, uint64_t a,
    uint64_t b, const void *data, size_t len);

/* Shows a message to the world if it wants to see it. */
void core_trace(const struct conn *conn, const char *direction,
    const struct wire_header *header, const void *payload);

/* What the world says about DOMID, put into the log as an answer. */
struct domain_info core_ask_domain(struct state *st, uint32_t domid);

/*
 * The principal that DOMID is; the world is asked if none is known. XS_ENOENT:
 * there is no such domain; XS_ENOMEM.
 */
XS_MUST_CHECK enum xs_err core_principal(
    struct state *st, uint32_t domid, struct principal **p_out);

/* The same, but the world is asked in any case: a former domain with the same
 * domid, or one that is gone, is buried. */
XS_MUST_CHECK enum xs_err core_principal_now(
    struct state *st, uint32_t domid, struct principal **p_out);

#endif
