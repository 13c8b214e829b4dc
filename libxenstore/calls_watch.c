/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches and their events. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/wire.h"
#include "handle.h"

/* Registers a watch; DEPTH may be NULL. It is known to the handle before it is
 * to the server: the connection may break in between. */
static bool
watch(
    struct xs_handle *h, const char *path, const char *token, const char *depth)
{
	const struct part parts[] = {
		{ path, strlen(path) + 1 },
		{ token, strlen(token) + 1 },
		{ depth, depth != NULL ? strlen(depth) + 1 : 0 },
	};
	unsigned generation;
	int added, err, cancel;
	bool ok;

	if (handle_start_thread(h) != 0)
		return false;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&h->lock);
	while (h->lost) /* else it would be told twice to the next one */
		handle_revive(h);
	generation = h->generation;
	added = watches_add(&h->watches, path, token, depth, generation);
	pthread_mutex_unlock(&h->lock);
	pthread_setcancelstate(cancel, NULL);
	if (added < 0)
		return false;
	ok = handle_done(handle_ask(h, WIRE_WATCH, XBT_NULL, parts, 3));
	if (ok || added == 0)
		return ok;
	if (errno == EEXIST && handle_generation(h) != generation) {
		errno = 0; /* it came with the new connection */
		return true;
	}
	err = errno;
	pthread_mutex_lock(&h->lock);
	watches_remove(&h->watches, path, token);
	pthread_mutex_unlock(&h->lock);
	errno = err;
	return false;
}

bool
xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	return watch(h, path, token, NULL);
}

bool
xs_watch_depth(struct xs_handle *h, const char *path, const char *token,
    unsigned int depth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", depth);
	return watch(h, path, token, text);
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

/* Ends a watch at the server. */
static bool
unwatch(struct xs_handle *h, const char *path, const char *token)
{
	const struct part parts[] = {
		{ path, strlen(path) + 1 },
		{ token, strlen(token) + 1 },
	};
	unsigned generation;

	pthread_mutex_lock(&h->lock);
	generation = h->generation;
	watches_remove(&h->watches, path, token);
	pthread_mutex_unlock(&h->lock);
	if (handle_done(handle_ask(h, WIRE_UNWATCH, XBT_NULL, parts, 2)))
		return true;
	/* it went with its connection: the next one does not have it */
	if (errno != ECONNRESET &&
	    (errno != ENOENT || handle_generation(h) == generation))
		return false;
	errno = 0;
	return true;
}

bool
xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	if (!unwatch(h, path, token))
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
