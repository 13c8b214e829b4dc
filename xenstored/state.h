/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The whole of Xenstore as a machine without input and output: it is told what
 * happened (a connection, bytes of a request, a domain's fate) and holds ready
 * the bytes for each connection. The same story gives the same bytes: it knows
 * no clock, descriptor or event loop, and asks the world only what struct
 * state_env offers.
 */
#ifndef XENSTORED_STATE_H
#define XENSTORED_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/wire.h"
#include "xenstored/hash.h"
#include "xenstored/quota.h"
#include "xenstored/record.h"

struct state;
struct conn;
struct refusal;
struct taken;

/* What the hypervisor says about a domain. */
struct domain_info {
	bool exists;
	bool shutdown; /* it stopped itself */
	bool dying;    /* it is being destroyed: it counts as gone */
	uint64_t unique_id;
};

/* The world as the machine sees it. Each function gets CTX. */
struct state_env {
	void *ctx;

	/* What became of DOMID; all zero if there is no such domain. */
	struct domain_info (*domain_info)(void *ctx, uint32_t domid);

	/*
	 * Connects the ring of DOMID to CONN, or connects it anew; FEATURES is
	 * what its page shall offer. An error: CONN has no ring, or the one it
	 * had.
	 */
	enum xs_err (*ring_open)(void *ctx, struct conn *conn, uint32_t domid,
	    uint32_t port, uint32_t features);

	/* CONN, which has a ring, is about to be freed. */
	void (*ring_close)(void *ctx, struct conn *conn);

	/* CONN has bytes to send where it had none. */
	void (*wake)(void *ctx, struct conn *conn);

	/* RECORD changed the state; called before any byte that shows it can be
	 * taken. */
	void (*record)(void *ctx, const struct record *record);

	/* A message that CONN sent ("IN") or gets ("OUT"), if state_set_trace()
	 * asked for it. */
	void (*trace)(void *ctx, const struct conn *conn, const char *direction,
	    const struct wire_header *header, const void *payload);

	/*
	 * A CONTROL command that is the shell's: ARGC strings. The text for the
	 * reply into BUF (SIZE), its length to *LEN_OUT. XS_ENOSYS: unknown.
	 */
	enum xs_err (*control)(void *ctx, int argc, const char *const argv[],
	    char *buf, size_t size, size_t *len_out);

	/* The rest is for those who look on; each may be NULL. */

	/* CONN's request was answered, with ERR if that is not XS_OK. Called
	 * after its effects. */
	void (*answered)(void *ctx, const struct conn *conn,
	    const struct wire_header *header, const void *payload,
	    enum xs_err err);

	/* DOMID uses USED bytes, more than the soft limit of SOFT; said once
	 * until it uses less than nine tenths of that again. */
	void (*soft_limit)(
	    void *ctx, uint32_t domid, int64_t used, int64_t soft);

	/* CONN's transaction fails with XS_EAGAIN, as this request in it would
	 * have another reply now. Called before answered() of the commit. */
	void (*conflict)(void *ctx, const struct conn *conn,
	    const struct wire_header *header, const void *payload);
};

struct state_config {
	struct hash_key seed;
	struct quota_set quotas;
	int64_t soft_memory; /* for display */
	bool keep_orphans;   /* a dead domain's nodes go to domain 0 */
	uint32_t priv_domid; /* this domain is privileged as well; 0: none */
};

/* ENV and what it refers to must live longer. NULL: no memory. */
struct state *state_new(
    const struct state_config *config, const struct state_env *env);

void state_free(struct state *st);

/* --- connections --- */

/*
 * A new privileged connection through a socket, from a process PID of user
 * UID; SHELL is kept for conn_shell(). NULL: no memory.
 */
struct conn *state_open_socket(
    struct state *st, uid_t uid, pid_t pid, void *shell);

/* The same; SOCK is the supervisor's number of it, higher than any before. */
struct conn *state_open_sock(
    struct state *st, uid_t uid, pid_t pid, uint64_t sock, void *shell);

/* Ends CONN with its watches and transactions, and frees it. */
void state_close(struct conn *conn);

/*
 * The connection of domain 0's ring, which is told by the hypervisor and not
 * by INTRODUCE; it has the local PORT. NULL: no memory.
 */
struct conn *state_open_dom0(
    struct state *st, uint64_t unique_id, uint32_t port, void *shell);

/* CONN's ring was started anew by its guest: nothing of before is left. */
void state_reset(struct conn *conn);

/* CONN is not listened to any more, as it broke the protocol. Its domain stays
 * known. */
void state_ignore(struct conn *conn);

/* How state_input() came back. */
enum input_result {
	INPUT_MORE, /* it wants bytes that are not there */
	INPUT_BUSY, /* it did its share; there is more to do */
	INPUT_WAIT, /* it waits until enough of its output was taken */
	INPUT_BAD,  /* a header announced too long a message */
};

/*
 * Works on requests in LEN bytes at BYTES until they, or the BUDGET of about a
 * microsecond a piece, are used up. *USED_OUT bytes were consumed, whole
 * messages only; the others must come again. The beginning of a message that
 * cannot stay where it is goes to state_input_part().
 */
enum input_result state_input(struct conn *conn, const void *bytes, size_t len,
    int *budget, size_t *used_out);

/*
 * Keeps LEN bytes (at least 1) that begin a message; state_input() takes the
 * rest. They come right behind those that state_input() has used with
 * INPUT_MORE. False: no memory, nothing kept.
 */
bool state_input_part(struct conn *conn, const void *bytes, size_t len);

/*
 * Keeps LEN bytes of input for later turns, behind those that are kept already.
 * They end UPTO bytes behind the beginning of the turn's input. False: no
 * memory, nothing kept.
 */
bool state_stash(
    struct conn *conn, const void *bytes, size_t len, uint64_t upto);

/* They are to be handed to state_input() before any other, and stay valid until
 * state_unstash(): N of them are used. */
const char *state_stashed(const struct conn *conn, size_t *len_out);
bool state_unstash(struct conn *conn, uint64_t n);

/* --- output --- */

/*
 * Takes up to MAX bytes of what is to be sent; how many. What was begun is kept
 * for the next call. For those who send the bytes where they cannot be lost.
 */
size_t state_output(struct conn *conn, char *buf, size_t max);

/* Whether there is something to take or to send. */
bool state_has_output(const struct conn *conn);

/*
 * The same in steps, so that the bytes can be put where they survive between
 * the taking and the record of it.
 *
 * First state_kept(): bytes that were taken before and are to be sent first;
 * they stay valid until state_sent(), which is called after each sending.
 */
const char *state_kept(const struct conn *conn, size_t *len_out);
void state_sent(struct conn *conn, size_t n);

/* Then outq_take(). state_taken() writes the record of it. */
void state_take(struct conn *conn, char *buf, size_t size, size_t enough,
    struct taken *taken_out);
void state_taken(struct conn *conn, const struct taken *taken);

/* Keeps LEN bytes that were taken and cannot be sent now. False: no memory. */
bool state_keep(struct conn *conn, const char *bytes, size_t len);

/* Puts into the log what waits in CONN's queue and is not in it yet. */
void state_settle(struct conn *conn);

/* --- connections' properties --- */

void *conn_shell(const struct conn *conn);
void conn_set_shell(struct conn *conn, void *shell);
uint32_t conn_id(const struct conn *conn);
uint32_t conn_domid(const struct conn *conn);
uint64_t conn_sock(const struct conn *conn);
bool conn_is_ring(const struct conn *conn);
bool conn_is_ignored(const struct conn *conn);

/* The local port of a ring, told by ring_open() and kept for whoever takes
 * over; and the one that INTRODUCE named. */
uint32_t conn_port(const struct conn *conn);
void conn_set_port(struct conn *conn, uint32_t port);

/* The same, told to the log. */
void state_set_port(struct conn *conn, uint32_t port);
uint32_t conn_remote_port(const struct conn *conn);

bool conn_privileged(const struct conn *conn);

/* The features that CONN's domain is offered. */
uint32_t conn_features(const struct conn *conn);

/* The connection after CONN (NULL: the first) in the order of their making, or
 * NULL. */
struct conn *state_next_conn(struct state *st, const struct conn *conn);

/* The connection ID, or NULL. */
struct conn *state_find_conn(const struct state *st, uint64_t id);

/* The highest number of a socket that there was. */
uint64_t state_last_sock(const struct state *st);

/* --- following ---
 *
 * What another machine did, told by its records (apply.h). False: it does not
 * fit this one, in which nothing was changed, or there is no memory.
 */

/* OUTCOME: struct record's, for what was not done. */
bool state_replay(
    struct conn *conn, const void *message, size_t len, uint16_t outcome);
bool state_replay_part(struct conn *conn, const void *bytes, size_t len);
bool state_replay_take(struct conn *conn, uint64_t n);
bool state_replay_reply(struct conn *conn, const void *message, size_t len);
bool state_replay_sent(struct conn *conn, uint64_t n);

/* How the last request was answered, or what was missing for another change;
 * see struct record. */
uint16_t state_outcome(const struct state *st);

/* How many nodes of dead domains that change removed, each with all below. */
uint64_t state_buried(const struct state *st);

/* From now on the world is ENV. */
void state_set_env(struct state *st, const struct state_env *env);

/* --- world --- */

/* The port of the interrupt for domains' ends, kept for whoever takes over; 0:
 * not known. */
void state_set_virq(struct state *st, uint32_t port);
uint32_t state_virq(const struct state *st);

/* The hypervisor says that something happened to DOMID. */
void state_domain_changed(
    struct state *st, uint32_t domid, const struct domain_info *info);

/* DOMID as far as the state knows; all zero if it does not. */
struct domain_info state_known_domain(const struct state *st, uint32_t domid);

/* Whether state_domain_changed() would change something. */
bool state_domain_is_news(
    const struct state *st, uint32_t domid, const struct domain_info *info);

/* The domain after DOMID (0: the first, domain 0 is none) that something is
 * known of; 0: there is none. */
uint32_t state_next_domain(const struct state *st, uint32_t domid);

/* Whether the world wants to see all messages. */
void state_set_trace(struct state *st, bool on);

/* Does up to BUDGET pieces of work put off; true if there is more. */
bool state_step(struct state *st, size_t budget);

/* The limit that the last request met, or NULL; to be asked in answered(). */
const struct refusal *state_refused(const struct state *st);

/* --- checks --- */

/*
 * Compares all accounting with a count of the tree. NULL: it is right;
 * otherwise what is wrong, in static storage.
 */
const char *state_check(struct state *st);

#endif
