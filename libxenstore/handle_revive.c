/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a connection that broke to the next one: to the same socket, again and
 * again until it answers or patience is over; there all watches are registered.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/wire.h"
#include "handle.h"

enum {
	DELAY_MIN_MS = 10,
	DELAY_MAX_MS = 250,
	SHORT_LIFE_MS = 1000, /* of a connection that ends in no time */
	PIECE_MS = 1000,      /* how long a daemon may stop within a message */
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits until FD (may be -1) is readable: 1; MS are over: 0; the handle shall
 * be closed: -1. */
static int
wait_for(const struct xs_handle *h, int fd, int64_t ms)
{
	struct pollfd pfd[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = h->stop[0], .events = POLLIN },
	};

	if (ms > 0)
		while (poll(pfd, 2, (int)ms) < 0 && errno == EINTR)
			;
	if (pfd[1].revents != 0)
		return -1;
	return pfd[0].revents != 0;
}

static void
set_timeouts(int fd, long ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

/* The answer to a registration of WATCH: events before it are queued. False if
 * there is none by UNTIL. */
static bool
take_answer(struct xs_handle *h, const struct watch *watch, int64_t until)
{
	for (;;) {
		bool buffered = h->conn.have > h->conn.used;
		struct message *msg;
		bool done, ok = true;

		if (!buffered && wait_for(h, h->conn.fd, until - now_ms()) != 1)
			return false;
		msg = conn_recv(&h->conn);
		if (msg == NULL)
			return false;
		done = msg->type != WIRE_WATCH_EVENT;
		pthread_mutex_lock(&h->lock);
		if (!done) {
			ok = events_push(&h->events, msg->body, msg->len) == 0;
		} else if (msg->type == WIRE_ERROR) {
			/* it does not hold any more; its user must look */
			char body[XENSTORE_PAYLOAD_MAX + 2];
			int n = snprintf(body, sizeof(body), "%s%c%s",
			    watch->path, 0, watch->token);

			ok = events_push(&h->events, body, (size_t)n + 1) == 0;
		} else {
			ok = msg->type == WIRE_WATCH;
		}
		pthread_mutex_unlock(&h->lock);
		free(msg);
		if (done || !ok)
			return ok;
	}
}

static bool
register_watch(struct xs_handle *h, const struct watch *watch, int64_t until)
{
	uint8_t buf[sizeof(struct wire_header) + XENSTORE_PAYLOAD_MAX];
	const struct part parts[] = {
		{ watch->path, strlen(watch->path) + 1 },
		{ watch->token, strlen(watch->token) + 1 },
		{ watch->depth,
		    watch->depth != NULL ? strlen(watch->depth) + 1 : 0 },
	};
	size_t len =
	    handle_build(buf, sizeof(buf), WIRE_WATCH, XBT_NULL, parts, 3);

	return len > 0 && conn_send(&h->conn, buf, len) == 0 &&
	       take_answer(h, watch, until);
}

/* Registers all watches on the connection, which will be GENERATION. */
static bool
register_all(struct xs_handle *h, unsigned generation, int64_t until)
{
	bool ok = true;

	while (ok) {
		struct watch *watch;

		pthread_mutex_lock(&h->lock);
		watch = watches_next(&h->watches, generation);
		pthread_mutex_unlock(&h->lock);
		if (watch == NULL)
			return errno == 0;
		ok = register_watch(h, watch, until);
		free(watch);
	}
	return false;
}

/* One attempt. A daemon that is starting may take its time to answer. */
static bool
connect_once(struct xs_handle *h, unsigned generation, int64_t until)
{
	conn_close(&h->conn);
	if (conn_again(&h->conn) != 0)
		return false;
	set_timeouts(h->conn.fd, PIECE_MS);
	if (fcntl(h->conn.fd, F_SETFL, 0) != 0 ||
	    !register_all(h, generation, until))
		return false;
	set_timeouts(h->conn.fd, 0);
	return true;
}

/* A server that hangs up on everybody is not to be stormed: a new connection
 * that broke at once is followed by a growing pause. False if the handle is to
 * be closed. */
static bool
pause_first(struct xs_handle *h)
{
	if (h->generation == 0 || now_ms() - h->revived_ms > SHORT_LIFE_MS) {
		h->pause_ms = 0;
		return true;
	}
	h->pause_ms = h->pause_ms == 0 ? DELAY_MIN_MS : h->pause_ms * 2;
	if (h->pause_ms > SHORT_LIFE_MS)
		h->pause_ms = SHORT_LIFE_MS;
	return wait_for(h, -1, h->pause_ms) == 0;
}

/* Tries until it succeeds, patience is over, or the handle is to be closed. */
static bool
reconnect(struct xs_handle *h)
{
	unsigned generation = h->generation + 1;
	int64_t delay = DELAY_MIN_MS;
	int64_t until;

	if (!pause_first(h))
		return false;
	until = now_ms() + h->patience_ms;
	/* each attempt has a number: watches know to which they were told */
	while (!connect_once(h, generation, until)) {
		int64_t left = until - now_ms();

		generation++;
		if (left <= 0 ||
		    wait_for(h, -1, delay < left ? delay : left) < 0)
			return false;
		delay = delay * 2 < DELAY_MAX_MS ? delay * 2 : DELAY_MAX_MS;
	}
	pthread_mutex_lock(&h->lock);
	h->generation = generation;
	h->revived_ms = now_ms();
	pthread_mutex_unlock(&h->lock);
	return true;
}

void
handle_revive(struct xs_handle *h)
{
	bool mine = pthread_equal(pthread_self(), h->thread) || !h->threaded;
	int cancel;
	bool ok;

	if (h->reviving || !mine) {
		pthread_cond_wait(&h->changed, &h->lock);
		return;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	h->reviving = true;
	while (h->sending || h->reading)
		pthread_cond_wait(&h->changed, &h->lock);
	pthread_mutex_unlock(&h->lock);
	ok = reconnect(h);
	pthread_mutex_lock(&h->lock);
	h->lost = false;
	h->reviving = false;
	if (!ok)
		handle_die(h);
	pthread_cond_broadcast(&h->changed);
	pthread_setcancelstate(cancel, NULL);
}
