/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches: each has a token of our own, "SLOT.GENERATION", so that an event
 * finds its watch at once, and one that comes late finds none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "async.h"

enum { TOKEN_SIZE = 24 };
#define NO_SLOT UINT32_MAX

struct xs_async_watch {
	xs_async_event *event;
	xs_async_done *done;
	void *ctx;
	uint32_t slot;
	int depth;
	struct xs_async_request *request; /* that registers it, or NULL */
	char path[];
};

static void
make_token(const struct xs_async *a, uint32_t slot, char token[TOKEN_SIZE])
{
	snprintf(token, TOKEN_SIZE, "%x.%x", slot, a->watches[slot].generation);
}

/* The watch that TOKEN means; NULL if it is gone. */
static struct xs_async_watch *
find_token(const struct xs_async *a, const char *token)
{
	char *end;
	unsigned long slot = strtoul(token, &end, 16), generation;

	if (*end != '.' || slot >= a->nwatches)
		return NULL;
	generation = strtoul(end + 1, &end, 16);
	if (*end != '\0' || generation != a->watches[slot].generation)
		return NULL;
	return a->watches[slot].watch;
}

/* Gives WATCH a place. */
static int
take_slot(struct xs_async *a, struct xs_async_watch *watch)
{
	struct async_watch_slot *slot;

	if (a->free_watch == NO_SLOT) {
		uint32_t n = a->nwatches * 2 + 8;
		struct async_watch_slot *p =
		    realloc(a->watches, n * sizeof(*p));

		if (p == NULL)
			return -1;
		a->watches = p;
		for (; a->nwatches < n; a->nwatches++) {
			p[a->nwatches] = (struct async_watch_slot){
				.next_free = a->free_watch,
			};
			a->free_watch = a->nwatches;
		}
	}
	watch->slot = a->free_watch;
	slot = &a->watches[watch->slot];
	a->free_watch = slot->next_free;
	slot->watch = watch;
	slot->generation++;
	return 0;
}

static void
drop(struct xs_async *a, struct xs_async_watch *watch)
{
	struct async_watch_slot *slot = &a->watches[watch->slot];

	slot->watch = NULL;
	slot->next_free = a->free_watch;
	a->free_watch = watch->slot;
	free(watch);
}

bool
async_watch_event(struct xs_async *a, const char *body, size_t len)
{
	struct wire_in in = wire_in(body, len);
	const char *path, *token;
	struct xs_async_watch *watch;

	if (!wire_in_string(&in, &path, NULL) ||
	    !wire_in_string(&in, &token, NULL) || in.left > 0)
		return false;
	watch = find_token(a, token);
	if (watch != NULL)
		watch->event(watch->ctx, path);
	return true;
}

/* The answer to a registration. */
static bool
registered(struct xs_async *a, struct xs_async_request *req, int *err,
    const char **data, size_t *len)
{
	struct xs_async_watch *watch = req->watch;

	(void)data;
	(void)len;
	if (req->cancelled || watch == NULL)
		return true;
	watch->request = NULL;
	if (*err == 0 || req->done == NULL)
		return true;
	drop(a, watch);
	return true;
}

/* The answer to one made again: the user knows the watch as one that holds. If
 * the server does not take it any more, the event that it would have begun with
 * comes all the same, so that nothing is missed. */
static bool
registered_again(struct xs_async *a, struct xs_async_request *req, int *err,
    const char **data, size_t *len)
{
	struct xs_async_watch *watch = req->watch;

	(void)a;
	(void)data;
	(void)len;
	if (req->cancelled)
		return true;
	watch->request = NULL;
	if (*err != 0 && *err != EBADF)
		watch->event(watch->ctx, watch->path);
	return true;
}

static struct xs_async_request *
make_request(
    const struct xs_async *a, uint32_t type, const struct xs_async_watch *watch)
{
	char token[TOKEN_SIZE], depth[16];
	struct xs_async_request *req;
	struct iovec iov[3];
	union {
		const char *in;
		char *out;
	} path = { .in = watch->path };

	make_token(a, watch->slot, token);
	snprintf(depth, sizeof(depth), "%d", watch->depth);
	iov[0] = (struct iovec){ path.out, strlen(watch->path) + 1 };
	iov[1] = (struct iovec){ token, strlen(token) + 1 };
	iov[2] = (struct iovec){ depth, strlen(depth) + 1 };
	req = async_new(type, XBT_NULL, iov,
	    type == WIRE_WATCH && watch->depth >= 0 ? 3 : 2, 0);
	return req;
}

struct xs_async_watch *
xs_async_watch(struct xs_async *a, const char *path, int depth,
    xs_async_event *event, xs_async_done *done, void *ctx)
{
	size_t len = strlen(path) + 1;
	struct xs_async_watch *watch;
	struct xs_async_request *req;

	errno = a->state == ASYNC_DEAD		   ? EBADF
		: a->conn.kind == CONN_DEVICE_SYNC ? ENOTSUP
						   : 0;
	if (errno != 0)
		return NULL;
	watch = malloc(sizeof(*watch) + len);
	if (watch == NULL)
		return NULL;
	*watch = (struct xs_async_watch){
		.event = event,
		.done = done,
		.ctx = ctx,
		.depth = depth,
	};
	memcpy(watch->path, path, len);
	if (take_slot(a, watch) != 0) {
		free(watch);
		return NULL;
	}
	req = make_request(a, WIRE_WATCH, watch);
	if (req != NULL) {
		req->done = done;
		req->ctx = ctx;
		req->hook = registered;
		req->watch = watch;
		req = async_start(a, req);
	}
	watch->request = req;
	if (req == NULL) {
		int err = errno;

		drop(a, watch);
		errno = err;
		return NULL;
	}
	return watch;
}

void
xs_async_unwatch(struct xs_async *a, struct xs_async_watch *watch)
{
	struct xs_async_request *req = NULL;
	bool known = true;

	if (watch->request != NULL) {
		uint32_t id = watch->request->wire_id;

		watch->request->watch = NULL;
		xs_async_cancel(a, watch->request);
		known = async_find(a, id) != NULL; /* it was sent */
	}
	if (known && a->state == ASYNC_UP)
		req = make_request(a, WIRE_UNWATCH, watch);
	if (req != NULL && async_push(a, req) != 0)
		async_free(a, req);
	drop(a, watch);
}

int
async_watch_again(struct xs_async *a)
{
	for (uint32_t i = 0; i < a->nwatches; i++) {
		struct xs_async_watch *watch = a->watches[i].watch;
		struct xs_async_request *req;

		if (watch == NULL || watch->request != NULL)
			continue;
		req = make_request(a, WIRE_WATCH, watch);
		if (req == NULL || async_push(a, req) != 0) {
			free(req);
			return -1;
		}
		req->hook = registered_again;
		req->watch = watch;
		watch->request = req;
	}
	return 0;
}

bool
async_watch_forget(struct xs_async *a, struct xs_async_request *req)
{
	if (req->hook != registered_again)
		return false;
	if (!req->cancelled)
		req->watch->request = NULL;
	async_free(a, req);
	return true;
}

void
async_watch_free_all(struct xs_async *a)
{
	for (uint32_t i = 0; i < a->nwatches; i++)
		free(a->watches[i].watch);
	free(a->watches);
}
