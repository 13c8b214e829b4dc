/*
 * Watches and the queue of their events. The queue is bounded: an event that
 * finds no place is remembered as one flag of its watch, so that none is lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/xenbus_int.h"

#include "common/path.h"

#define TOKEN_SIZE 12

/* A WATCH or UNWATCH request for W. */
static int
tell(struct xenbus *xb, uint32_t type, const struct xenbus_watch *w)
{
	char token[TOKEN_SIZE];
	struct xenbus_part parts[2] = { { w->path, strlen(w->path) + 1 },
		{ token, 0 } };

	parts[1].len =
	    (size_t)snprintf(token, sizeof(token), "%x", w->token) + 1;
	return xenbus_talk(xb, type, XENBUS_NO_TX, parts, 2, NULL);
}

static void
drop_events_of(struct xenbus *xb, const struct xenbus_watch *w)
{
	struct xenbus_event **at = &xb->events;

	while (*at != NULL) {
		struct xenbus_event *ev = *at;

		if (ev->watch != w) {
			at = &ev->next;
			continue;
		}
		*at = ev->next;
		free(ev);
		xb->event_count--;
	}
	xb->events_end = at;
}

static void
forget(struct xenbus *xb, struct xenbus_watch *w)
{
	struct xenbus_watch **at = &xb->watches;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	drop_events_of(xb, w);
	free(w);
}

int
xenbus_watch(struct xenbus *xb, const char *dir, const char *node,
    xenbus_watch_fn *fn, void *arg, struct xenbus_watch **watch_out)
{
	char path[WIRE_ABS_PATH_MAX + 1];
	struct xenbus_watch *w;
	int rc = xenbus_join(dir, node, path);

	if (rc != 0)
		return rc;
	w = calloc(1, sizeof(*w) + strlen(path) + 1);
	if (w == NULL)
		return -ENOMEM;
	memcpy(w->path, path, strlen(path) + 1);
	w->fn = fn;
	w->arg = arg;
	w->token = ++xb->last_token;
	w->next = xb->watches;
	xb->watches = w; /* the first event may come before the reply */
	rc = tell(xb, WIRE_WATCH, w);
	if (rc != 0) {
		forget(xb, w);
		return rc;
	}
	if (watch_out != NULL)
		*watch_out = w;
	return 0;
}

int
xenbus_unwatch(struct xenbus *xb, struct xenbus_watch *watch)
{
	int rc = tell(xb, WIRE_UNWATCH, watch);

	forget(xb, watch);
	return rc;
}

void
xenbus_drop_watches(struct xenbus *xb)
{
	while (xb->watches != NULL)
		forget(xb, xb->watches);
}

int
xenbus_rewatch(struct xenbus *xb)
{
	struct xenbus_watch *w;
	int rc = 0;

	for (w = xb->watches; w != NULL && rc == 0; w = w->next) {
		rc = tell(xb, WIRE_WATCH, w);
		if (rc == -EEXIST) /* the ring is fresh, the server is not */
			rc = 0;
	}
	return rc;
}

static struct xenbus_watch *
find(const struct xenbus *xb, const char *token)
{
	struct xenbus_watch *w;
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(token, &end, 16);
	if (errno != 0 || *end != '\0' || end == token)
		return NULL;
	for (w = xb->watches; w != NULL; w = w->next)
		if (w->token == n)
			return w;
	return NULL;
}

static void
enqueue(struct xenbus *xb, struct xenbus_watch *w, const char *path)
{
	struct xenbus_event *ev;

	for (ev = xb->events; ev != NULL; ev = ev->next)
		if (ev->watch == w && strcmp(ev->path, path) == 0)
			return;
	ev = NULL;
	if (xb->event_count < XENBUS_QUEUE_MAX)
		ev = malloc(sizeof(*ev) + strlen(path) + 1);
	if (ev == NULL) {
		w->collapsed = 1;
		return;
	}
	ev->next = NULL;
	ev->watch = w;
	memcpy(ev->path, path, strlen(path) + 1);
	*xb->events_end = ev;
	xb->events_end = &ev->next;
	xb->event_count++;
}

int
xenbus_queue_event(struct xenbus *xb)
{
	struct wire_in in =
	    wire_in(xb->in + WIRE_HEADER_SIZE, xb->in_len - WIRE_HEADER_SIZE);
	const char *path, *token;
	struct xenbus_watch *w;
	size_t len;

	if (!wire_in_string(&in, &path, &len) ||
	    !wire_in_string(&in, &token, NULL))
		return xenbus_break(xb, "a malformed watch event");
	w = find(xb, token);
	if (w == NULL) /* unwatched meanwhile, or of the ring's last user */
		return 0;
	if (path_kind(path, len) == PATH_BAD || !path_within(w->path, path))
		path = w->path;
	enqueue(xb, w, path);
	return 0;
}

/* The next watch to call and, in *EV_OUT, its event (NULL: its own path). */
static struct xenbus_watch *
dequeue(struct xenbus *xb, struct xenbus_event **ev_out)
{
	struct xenbus_event *ev = xb->events;
	struct xenbus_watch *w;

	*ev_out = ev;
	if (ev != NULL) {
		xb->events = ev->next;
		if (xb->events == NULL)
			xb->events_end = &xb->events;
		xb->event_count--;
		return ev->watch;
	}
	for (w = xb->watches; w != NULL; w = w->next) {
		if (w->collapsed) {
			w->collapsed = 0;
			return w;
		}
	}
	return NULL;
}

int
xenbus_poll(struct xenbus *xb)
{
	int count = 0, rc = 0;

	if (xb->polling || xb->talking)
		return 0;
	xb->polling = 1;
	while (count < XENBUS_POLL_MAX) {
		struct xenbus_event *ev;
		struct xenbus_watch *w;

		rc = xenbus_hear(xb);
		w = dequeue(xb, &ev);
		if (w == NULL)
			break;
		/* The callback may free W. */
		w->fn(w->arg, ev != NULL ? ev->path : w->path);
		free(ev);
		count++;
	}
	xb->polling = 0;
	return rc < 0 && count == 0 ? rc : count;
}

int
xenbus_pending(const struct xenbus *xb)
{
	const struct xenstore_domain_interface *page = xb->t.page;
	const struct xenbus_watch *w;

	if (xb->events != NULL)
		return 1;
	for (w = xb->watches; w != NULL; w = w->next)
		if (w->collapsed)
			return 1;
	if (xb->reason != NULL)
		return 0;
	return __atomic_load_n(&page->rsp_prod, __ATOMIC_ACQUIRE) !=
	       __atomic_load_n(&page->rsp_cons, __ATOMIC_RELAXED);
}
