/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of watch events of a handle, and the pipe that tells about it.
 * Knows nothing of connections. Callers serialise.
 */
#ifndef LIBXENSTORE_EVENTS_H
#define LIBXENSTORE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

struct event;

struct events {
	struct event *first;
	struct event **last;
	int pipe[2]; /* -1 until somebody asks; holds a byte while readable */
	bool token;  /* the byte is in it */
	bool ended;
};

void events_init(struct events *q);

/* Frees the events, closes the pipe. */
void events_destroy(struct events *q);

/* Queues the event in BODY: path and token, each NUL-terminated. 0, or -1 with
 * errno: EPROTO if that is not what BODY holds, ENOMEM. */
int events_push(struct events *q, const char *body, size_t len);

/* The oldest event as xs_check_watch returns it, or NULL. */
char **events_pop(struct events *q);

/* Drops what TOKEN's watch on PATH had queued. */
void events_drop(struct events *q, const char *path, const char *token);

/* No event comes any more: the descriptor stays readable from now on. */
void events_end(struct events *q);

/* The descriptor to poll, or -1 with pipe(2)'s errno. */
int events_fd(struct events *q);

#endif
