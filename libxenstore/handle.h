/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A handle: one connection, its one outstanding request, its watch events, and
 * who reads. Knows what a reply and what an event is; nothing of single
 * requests. handle.c reads, handle_ask.c asks, handle_revive.c connects again.
 *
 * Reading: whoever needs something and finds nobody reading reads one message
 * for all, hands it on and wakes the others. Once there are watches a thread
 * does nothing else, so that events arrive while nobody asks.
 *
 * A connection that breaks is lost until somebody revives it: the thread if it
 * runs, otherwise whoever needs something. Meanwhile conn is his alone. What
 * was open on the old connection belongs to another generation.
 */
#ifndef LIBXENSTORE_HANDLE_H
#define LIBXENSTORE_HANDLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "conn.h"
#include "events.h"
#include "txns.h"
#include "watches.h"
#include "xenstore.h"

struct xs_handle {
	struct conn conn;
	unsigned long flags;

	pthread_mutex_t request; /* held through one request and its reply */

	pthread_mutex_t lock; /* for all below; after request */
	pthread_cond_t changed;
	bool reading;	      /* somebody is in conn_recv */
	bool sending;	      /* somebody is in conn_send */
	bool lost;	      /* the connection broke, and may come back */
	bool reviving;	      /* somebody sees to that */
	bool threaded;	      /* the thread is there and does all the reading */
	bool dead;	      /* nothing can be asked any more */
	bool expecting;	      /* a request was sent whose reply is not here */
	unsigned generation;  /* of the connection, from 0 */
	unsigned patience_ms; /* for a new one */
	int64_t revived_ms;   /* when the last one was made */
	unsigned pause_ms;    /* before the next, if that was just now */
	struct message *reply;
	struct events events;
	struct watches watches;
	struct txns txns;

	pthread_t thread;
	int stop[2]; /* readable when the thread shall end */
	bool features_known;
	unsigned int features;
};

/* A part of a request's payload. */
struct part {
	const void *data;
	size_t len;
};

/* How long a new handle waits for a daemon that is gone: $XENSTORE_RECONNECT
 * seconds, or the default; 0 with XS_OPEN_NO_RECONNECT. */
unsigned handle_patience(unsigned long flags);

/* A handle for an open connection, which it then owns. NULL with errno; CONN is
 * then closed. */
struct xs_handle *handle_new(const struct conn *conn, unsigned long flags);

/* Ends the thread, closes and frees all. */
void handle_free(struct xs_handle *h);

/* The same in a child after fork, where the thread does not exist. */
void handle_forget(struct xs_handle *h);

/* Starts the reading thread unless it runs. 0, or -1 with errno: ENOTSUP if the
 * connection cannot deliver events. */
int handle_start_thread(struct xs_handle *h);

/* Needs the connection, which is lost: sees to it, or waits for who does.
 * Called with the lock; on return the state may be any. */
void handle_revive(struct xs_handle *h);

/* The connection broke, with this errno. Called with the lock. */
void handle_lose(struct xs_handle *h, int err);

/* Nothing can be asked any more. Called with the lock. */
void handle_die(struct xs_handle *h);

/* Reads one message for all, or lets another do it. Called with the lock. */
void handle_read_or_wait(struct xs_handle *h);

/* Hands on what was read: MSG, which it takes, or NULL for a stream that broke
 * with ERR. Called with the lock. */
void handle_dispatch(struct xs_handle *h, struct message *msg, int err);

/* The generation of the connection now. */
unsigned handle_generation(struct xs_handle *h);

/* Whole messages: header and PARTS joined in BUF. Returns the length; 0 if it
 * is too long. */
size_t handle_build(uint8_t *buf, size_t size, unsigned type,
    xs_transaction_t txn, const struct part *parts, size_t nparts);

/* One request and its reply, which the caller frees. PARTS are joined to the
 * payload. NULL with errno: the server's error, or as xenstore.h says for all
 * requests. */
struct message *handle_ask(struct xs_handle *h, unsigned type,
    xs_transaction_t txn, const struct part *parts, size_t nparts);

/* handle_ask for one string, NUL included. */
struct message *handle_ask_string(
    struct xs_handle *h, unsigned type, xs_transaction_t txn, const char *arg);

/* Frees a reply that carries nothing: true if there was one. */
bool handle_done(struct message *reply);

/* The reply's payload, a NUL behind it, as a block that the caller frees.
 * LEN_OUT may be NULL. NULL if REPLY is. */
char *handle_body(struct message *reply, size_t *len_out);

/* The reply as one C string, the caller's to free. NULL (errno stays) if REPLY
 * is; or with EIO if it is not one string. */
char *handle_text(struct message *reply);

/* Waits for the next event. NULL with EBADF when none is left and none comes
 * any more. */
char **handle_next_event(struct xs_handle *h);

#endif
