/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Follows a commit log: makes a state machine do what another one did, record
 * by record, with the answers that the other one got. Knows the records; knows
 * no log file, descriptor or ring. Nothing in a record is trusted: what does
 * not fit is an error, and the state is then of no use any more.
 */
#ifndef XENSTORED_APPLY_H
#define XENSTORED_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "xenstored/log.h"
#include "xenstored/record.h"
#include "xenstored/state.h"

struct apply;

/*
 * What the caller wants to know while it follows. Each may be NULL, and gets
 * CTX. Connections are those of apply_state(); conn_set_shell() is the
 * caller's.
 */
struct apply_hooks {
	void *ctx;

	/* A connection came, or its ring was opened anew; its port is
	 * conn_port(). */
	void (*opened)(void *ctx, struct conn *conn);

	/* CONN is about to be freed. */
	void (*closed)(void *ctx, struct conn *conn);

	/* As in struct state_env. */
	void (*trace)(void *ctx, const struct conn *conn, const char *direction,
	    const struct wire_header *header, const void *payload);
	void (*answered)(void *ctx, const struct conn *conn,
	    const struct wire_header *header, const void *payload,
	    enum xs_err err);
	void (*conflict)(void *ctx, const struct conn *conn,
	    const struct wire_header *header, const void *payload);
};

/*
 * A follower without a state: the first record has to be START, or
 * apply_set_state() comes before. HOOKS (NULL: none) are copied. NULL: no
 * memory.
 */
struct apply *apply_new(const struct apply_hooks *hooks);

/* Frees it with its state. NULL is allowed. */
void apply_free(struct apply *apply);

/* The environment that a state for apply_set_state() must be made with. */
const struct state_env *apply_env(const struct apply *apply);

/* Gives it ST, made with apply_env(), in place of the one it has. */
void apply_set_state(struct apply *apply, struct state *st);

/* The state, or NULL before START. */
struct state *apply_state(const struct apply *apply);

/* Hands the state over to the caller, who is to set another environment. */
struct state *apply_take_state(struct apply *apply);

/*
 * Does what RECORD says. NULL, or what is wrong, in static storage: then
 * nothing can be said about the state.
 */
const char *apply_record(struct apply *apply, const struct record *record);

/*
 * Whether the state is that between two changes: not so behind an answer of the
 * world whose request was not seen yet. Only then an image of it can be what
 * somebody else starts from.
 */
bool apply_is_between(const struct apply *apply);

/*
 * Whether a request or another change had another outcome here than where the
 * log was written, as one of the two had no memory for it: the state need not
 * be the other one's any more. What was not done there for that reason is not
 * done here, either.
 */
bool apply_differs(const struct apply *apply);

/* Behind the log's end nothing comes any more that could tell the same of the
 * last record as happened here. */
void apply_end(struct apply *apply);

/* The record that ENTRY and DATA, of log_read(), are. */
struct record apply_entry(const struct log_entry *entry, const void *data);

/* The record that a log with a state of CONFIG begins with; *START is its data
 * and must stay as long. */
struct record apply_start(
    const struct state_config *config, struct record_start *start);

/* The configuration that the START record RECORD tells. False: it is no such
 * record, or one of another version. */
bool apply_start_config(
    const struct record *record, struct state_config *config_out);

#endif
