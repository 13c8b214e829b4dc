/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What one connection is to be sent: replies and watch events in their order.
 * An event is kept as a reference until its bytes are taken, so that one that
 * waits already stands for later ones, and so that too many of one watch can
 * collapse into one at the watch's own path. Knows watches by their texts.
 */
#ifndef XENSTORED_OUTQ_H
#define XENSTORED_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"
#include "xenstored/hash.h"
#include "xenstored/list.h"
#include "xenstored/table.h"

/* The path of events, shared by all that one change causes. */
struct event_path {
	uint32_t ref;
	uint32_t len;
	uint64_t hash;
	char text[]; /* with a NUL */
};

/* What all queues have in common: the events that wait in any of them, by
 * source and path, and room for small replies. */
struct events {
	struct hash_key key;
	struct table waiting;
	uint64_t missed;     /* for want of memory */
	struct reply *spare; /* one at least when a request begins */
	uint32_t n_spare;
};

/* With room for one small reply. False: no memory. */
bool events_init(struct events *events, const struct hash_key *key);

/* No queue may be left. */
void events_end(struct events *events);

/* NULL: no memory. */
struct event_path *event_path_new(
    const struct events *events, const char *text, size_t len);
void event_path_unref(struct event_path *path);

struct out_item {
	struct list link;
	bool is_event;
	bool logged;   /* whoever follows the log has it, too */
	uint32_t upto; /* not LOGGED: struct outq's when it was added */
};

/* A message as bytes. */
struct reply {
	struct out_item item;
	uint32_t len;
	uint32_t room; /* for bytes */
	char bytes[];
};

struct event {
	struct out_item item;
	struct event_source *source;
	struct event_path *path; /* NULL: the source's own path */
	struct list in_source;
	struct table_link in_waiting; /* if PATH is not NULL */
};

/* The part of a watch that its events need. */
struct event_source {
	struct outq *q;
	struct list waiting;	/* its events, without COLLAPSED */
	struct event collapsed; /* in the queue iff IS_COLLAPSED */
	bool is_collapsed;
	uint32_t strip; /* of event paths: the home of a relative watch */
	uint32_t wpath_len, token_len;
	const char *wpath; /* as sent; with NULs */
	const char *token;
};

struct outq {
	struct list items;
	struct events *events;
	void (*wake)(struct outq *q); /* called when it stops being empty */
	size_t n_unlogged;
	size_t reply_bytes, n_replies;
	uint32_t kept_at, kept_len; /* those from KEPT_AT on are left */
	uint32_t upto;		    /* for replies to come */
	/* from here on what a request and its answer do not touch */
	char *kept; /* bytes that were taken and not sent, or NULL */
	size_t event_bytes;
	size_t event_limit; /* bytes of events after which they collapse */
	uint64_t collapses, drops;
};

/* EVENTS must live longer. */
void outq_init(struct outq *q, struct events *events, size_t event_limit,
    void (*wake)(struct outq *q));

/* Throws away all items and what is kept; sources have no events then. */
void outq_clear(struct outq *q);

static inline bool
outq_empty(const struct outq *q)
{
	return list_empty(&q->items);
}

/* What outq_take() took. */
struct taken {
	size_t len;	   /* bytes */
	uint32_t n_logged; /* logged items */
	uint32_t upto;	   /* the highest of the others, or 0 */
};

/*
 * Adds a message with HEADER (its len is set) and LEN bytes of payload. False:
 * no memory, nothing added. Small ones (up to an error's size) cannot fail
 * after outq_ready() said true.
 */
bool outq_reply(struct outq *q, const struct wire_header *header,
    const void *payload, size_t len);

/* Sees to it that one small reply can be added, whatever else is added before
 * it to any queue but replies; false: no memory. */
bool outq_ready(struct outq *q);

/*
 * Adds the event that PATH (NULL: no memory for it) changed for SOURCE. One
 * that waits already is enough, except for special paths; if there is too much
 * or no memory, one with the source's own path stands for all of the source.
 * What does not fit a message is dropped and counted.
 */
void outq_event(struct event_source *source, struct event_path *path);

/* Adds the event with SOURCE's own path. */
void outq_initial_event(struct event_source *source);

void event_source_init(struct event_source *source, struct outq *q);

/* Takes back all events of SOURCE. */
void event_source_end(struct event_source *source);

/*
 * Takes whole items into BUF while they fit its SIZE and fewer than ENOUGH
 * bytes were taken.
 */
void outq_take(struct outq *q, char *buf, size_t size, size_t enough,
    struct taken *taken_out);

/* Copies kept bytes and whole items while they fit SIZE; takes none. How many
 * bytes. */
size_t outq_peek(const struct outq *q, char *buf, size_t size);

/* Calls SHOW for each reply that is not logged, in order; then they are. */
void outq_settle(struct outq *q,
    void (*show)(void *ctx, const struct reply *reply), void *ctx);

/* --- following --- */

/* Adds the LEN bytes of a whole message at BYTES as a logged reply. False: no
 * memory. */
bool outq_add_reply(struct outq *q, const void *bytes, size_t len);

/* Drops the first N items; false: there are not so many, none was dropped. */
bool outq_drop(struct outq *q, uint64_t n);

/* --- what was taken and not sent --- */

/* Keeps LEN bytes behind what is kept. False: no memory. */
bool outq_keep(struct outq *q, const void *bytes, size_t len);

/* The first N kept bytes are gone; false: there are not so many. */
bool outq_sent(struct outq *q, uint64_t n);

static inline size_t
outq_kept(const struct outq *q)
{
	return q->kept_len - q->kept_at;
}

#endif
