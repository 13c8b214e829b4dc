/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsoled/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "tools/common/log.h"
#include "xenevtchn.h"

/* A guest may wake us EVENTS_MAX times per WINDOW_MS. */
enum { EVENTS_MAX = 30, WINDOW_MS = 200 };

struct channel {
	xenevtchn_handle *xce;
	evtchn_port_t port; /* ours */
	struct event *readable;
	struct event *window;
	bool counting; /* the window is running */
	bool masked;   /* until its end */
	int events;    /* in it */
	void (*fn)(void *arg);
	void *arg;
};

/* Counts an event. True if the channel may stay open for more. */
static bool
count_event(struct channel *ch)
{
	const struct timeval length = { .tv_usec = WINDOW_MS * 1000 };

	if (!ch->counting) {
		ch->counting = true;
		ch->events = 0;
		event_add(ch->window, &length);
	}
	return ++ch->events < EVENTS_MAX;
}

static void
on_window_end(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;

	(void)fd;
	(void)what;
	ch->counting = false;
	if (ch->masked)
		xenevtchn_unmask(ch->xce, ch->port);
	ch->masked = false;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;
	int port = xenevtchn_pending(ch->xce);

	(void)fd;
	(void)what;
	if (port < 0 && errno == EFBIG) /* lost events: treat as pending */
		port = (int)ch->port;
	if (port < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return;
		log_warn("event channel");
		event_del(ch->readable);
		return;
	}
	/* Unmask before looking: what comes from now on wakes us again. */
	if (count_event(ch))
		xenevtchn_unmask(ch->xce, ch->port);
	else
		ch->masked = true;
	ch->fn(ch->arg);
}

struct channel *
channel_open(struct event_base *base, uint32_t domid, uint32_t port,
    void (*fn)(void *arg), void *arg)
{
	struct channel *ch = calloc(1, sizeof(*ch));
	int local, fd, err;

	if (ch == NULL)
		return NULL;
	ch->fn = fn;
	ch->arg = arg;
	ch->xce = xenevtchn_open(NULL, 0);
	if (ch->xce == NULL)
		goto fail;
	local = xenevtchn_bind_interdomain(ch->xce, domid, port);
	if (local < 0)
		goto fail;
	ch->port = (evtchn_port_t)local;
	fd = xenevtchn_fd(ch->xce);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		goto fail;
	ch->readable =
	    event_new(base, fd, EV_READ | EV_PERSIST, on_readable, ch);
	ch->window = evtimer_new(base, on_window_end, ch);
	if (ch->readable == NULL || ch->window == NULL ||
	    event_add(ch->readable, NULL) != 0) {
		errno = ENOMEM;
		goto fail;
	}
	return ch;
fail:
	err = errno;
	channel_close(ch);
	errno = err;
	return NULL;
}

void
channel_notify(struct channel *ch)
{
	if (ch != NULL && xenevtchn_notify(ch->xce, ch->port) != 0)
		log_debug("event channel: cannot notify");
}

void
channel_close(struct channel *ch)
{
	if (ch == NULL)
		return;
	if (ch->readable != NULL)
		event_free(ch->readable);
	if (ch->window != NULL)
		event_free(ch->window);
	if (ch->xce != NULL)
		xenevtchn_close(ch->xce);
	free(ch);
}
