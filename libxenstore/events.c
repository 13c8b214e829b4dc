/* SPDX-License-Identifier: BSD-2-Clause */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xenstore.h"

/* The vector comes first: its address is what the user frees. */
struct event {
	char *vec[2];
	struct event *next;
	char text[];
};

void
events_init(struct events *q)
{
	*q = (struct events){ .pipe = { -1, -1 } };
	q->last = &q->first;
}

void
events_destroy(struct events *q)
{
	while (q->first != NULL) {
		struct event *ev = q->first;

		q->first = ev->next;
		free(ev);
	}
	if (q->pipe[0] >= 0) {
		close(q->pipe[0]);
		close(q->pipe[1]);
	}
	events_init(q);
}

/* Makes the pipe readable just when there is something to say. */
static void
signal_state(struct events *q)
{
	bool want = q->first != NULL || q->ended;
	char c = 0;

	if (q->pipe[0] < 0 || want == q->token)
		return;
	if (want)
		q->token = write(q->pipe[1], &c, 1) == 1;
	else
		q->token = read(q->pipe[0], &c, 1) != 1;
}

int
events_push(struct events *q, const char *body, size_t len)
{
	const char *end = memchr(body, '\0', len);
	size_t path_len;
	struct event *ev;

	if (end == NULL || body[len - 1] != '\0' || end + 1 == body + len) {
		errno = EPROTO;
		return -1;
	}
	ev = malloc(sizeof(*ev) + len);
	if (ev == NULL)
		return -1;
	path_len = (size_t)(end - body) + 1;
	memcpy(ev->text, body, len);
	ev->vec[XS_WATCH_PATH] = ev->text;
	ev->vec[XS_WATCH_TOKEN] = ev->text + path_len;
	ev->next = NULL;
	*q->last = ev;
	q->last = &ev->next;
	signal_state(q);
	return 0;
}

char **
events_pop(struct events *q)
{
	struct event *ev = q->first;

	if (ev == NULL)
		return NULL;
	q->first = ev->next;
	if (q->first == NULL)
		q->last = &q->first;
	signal_state(q);
	return ev->vec;
}

void
events_drop(struct events *q, const char *path, const char *token)
{
	struct event **p = &q->first;

	while (*p != NULL) {
		struct event *ev = *p;

		if (strcmp(ev->vec[XS_WATCH_TOKEN], token) == 0 &&
		    xs_path_is_subpath(path, ev->vec[XS_WATCH_PATH])) {
			*p = ev->next;
			free(ev);
		} else {
			p = &ev->next;
		}
	}
	q->last = p;
	signal_state(q);
}

void
events_end(struct events *q)
{
	q->ended = true;
	signal_state(q);
}

int
events_fd(struct events *q)
{
	if (q->pipe[0] < 0) {
		if (pipe2(q->pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
			q->pipe[0] = q->pipe[1] = -1;
			return -1;
		}
		q->token = false;
		signal_state(q);
	}
	return q->pipe[0];
}
