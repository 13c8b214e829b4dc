/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An asynchronous handle on a server that says what a test wants.
 */
#ifndef TESTS_UNIT_XENSTORE_ASYNC_FIXTURE_H
#define TESTS_UNIT_XENSTORE_ASYNC_FIXTURE_H

#include "fake_server.h"

#include "async.h"

static struct fake fake;
static struct xs_async *a;

/* What a function of the user got. */
struct got {
	int calls;
	int err;
	char data[16384];
	size_t len;
	bool null; /* no data */
};

static inline void
keep(void *ctx, int err, const char *data, size_t len)
{
	struct got *g = ctx;

	g->calls++;
	g->err = err;
	g->null = data == NULL;
	assert_true(len < sizeof(g->data));
	if (data != NULL) {
		assert_int_equal(data[len], '\0');
		memcpy(g->data, data, len + 1);
	}
	g->len = len;
}

static inline void
keep_event(void *ctx, const char *path)
{
	struct got *g = ctx;

	g->calls++;
	strcpy(g->data, path);
}

static inline void
must_not_be_called(void *ctx, int err, const char *data, size_t len)
{
	(void)ctx;
	(void)err;
	(void)data;
	(void)len;
	fail();
}

static inline void
start_many(void (*script)(struct fake *f), int connections, unsigned long flags)
{
	fake_start_many(&fake, script, connections);
	a = xs_async_open(flags);
	assert_non_null(a);
}

static inline void
start(void (*script)(struct fake *f))
{
	start_many(script, 1, 0);
}

static inline void
stop(void)
{
	xs_async_close(a);
	fake_stop(&fake);
}

/* Until G was called N times. */
static inline void
wait_calls(const struct got *g, int n)
{
	while (g->calls < n)
		assert_int_equal(xs_async_wait(a, 60000), 0);
}

/* Fires for a watch when it is registered, and when it is ended. */
static inline void
fire_at_watch(struct fake *f)
{
	while (fake_recv(f)) {
		const char *token = f->req.body + strlen(f->req.body) + 1;

		if (f->req.hdr.type == WIRE_UNWATCH)
			fake_event(f, "/late", token);
		fake_ok(f);
		if (f->req.hdr.type == WIRE_WATCH)
			fake_event(f, f->req.body, token);
	}
}

#endif
