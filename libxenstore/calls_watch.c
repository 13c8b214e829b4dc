/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches and their events. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/wire.h"
#include "handle.h"

bool
xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	const struct part parts[] = {
		{ path, strlen(path) + 1 },
		{ token, strlen(token) + 1 },
	};

	if (handle_start_thread(h) != 0)
		return false;
	return handle_done(handle_ask(h, WIRE_WATCH, XBT_NULL, parts, 2));
}

bool
xs_watch_depth(struct xs_handle *h, const char *path, const char *token,
    unsigned int depth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", depth);
	const struct part parts[] = {
		{ path, strlen(path) + 1 },
		{ token, strlen(token) + 1 },
		{ text, (size_t)len + 1 },
	};

	if (handle_start_thread(h) != 0)
		return false;
	return handle_done(handle_ask(h, WIRE_WATCH, XBT_NULL, parts, 3));
}

bool
xs_watch_try_depth(struct xs_handle *h, const char *path, const char *token,
    unsigned int depth)
{
	unsigned int features;

	if (xs_get_features_supported(h, &features) &&
	    (features & XENSTORE_SERVER_FEATURE_WATCHDEPTH) != 0 &&
	    xs_watch_depth(h, path, token, depth))
		return true;
	return xs_watch(h, path, token);
}

bool
xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	const struct part parts[] = {
		{ path, strlen(path) + 1 },
		{ token, strlen(token) + 1 },
	};

	if (!handle_done(handle_ask(h, WIRE_UNWATCH, XBT_NULL, parts, 2)))
		return false;
	/* Every event of the watch came before that reply. */
	if (h->flags & XS_UNWATCH_FILTER) {
		pthread_mutex_lock(&h->lock);
		events_drop(&h->events, path, token);
		pthread_mutex_unlock(&h->lock);
	}
	return true;
}

int
xs_fileno(struct xs_handle *h)
{
	int fd;

	pthread_mutex_lock(&h->lock);
	fd = events_fd(&h->events);
	pthread_mutex_unlock(&h->lock);
	return fd;
}

char **
xs_check_watch(struct xs_handle *h)
{
	char **vec;

	pthread_mutex_lock(&h->lock);
	vec = events_pop(&h->events);
	if (vec == NULL)
		errno = h->dead ? EBADF : EAGAIN;
	pthread_mutex_unlock(&h->lock);
	return vec;
}

char **
xs_read_watch(struct xs_handle *h, unsigned int *num_out)
{
	char **vec = handle_next_event(h);

	if (vec != NULL)
		*num_out = 2;
	return vec;
}
