/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Xenstore server that says what a test wants said: a thread that accepts one
 * connection (or some, one after the other) on a socket in a folder of its own
 * and runs a script on it.
 */
#ifndef TEST_XENSTORE_FAKE_SERVER_H
#define TEST_XENSTORE_FAKE_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/wire.h"
#include "xenstore.h"

struct request {
	struct wire_header hdr;
	char body[WIRE_PAYLOAD_MAX + 1]; /* with a NUL behind it */
};

struct fake {
	char dir[64];
	char path[80];
	int listener;
	int fd;		 /* of the connection */
	int connections; /* how many to accept */
	int connection;	 /* which one it is, from 0 */
	pthread_t thread;
	void (*script)(struct fake *f);
	struct request req; /* the last one received */
	int requests;	    /* how many were */
	/* for scripts that a test parametrises */
	uint32_t reply_type;
	const char *reply;
	size_t reply_len;
};

static inline bool
fake_read(int fd, void *buf, size_t len)
{
	char *p = buf;

	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static inline void
fake_bytes(struct fake *f, const void *data, size_t len)
{
	if (send(f->fd, data, len, MSG_NOSIGNAL) < 0)
		return; /* the client has gone: its own test says whether it may
			 */
}

static inline bool
fake_recv(struct fake *f)
{
	if (!fake_read(f->fd, &f->req.hdr, sizeof(f->req.hdr)) ||
	    f->req.hdr.len > WIRE_PAYLOAD_MAX ||
	    !fake_read(f->fd, f->req.body, f->req.hdr.len))
		return false;
	f->req.body[f->req.hdr.len] = '\0';
	f->requests++;
	return true;
}

static inline void
fake_send(struct fake *f, uint32_t type, const char *body, size_t len)
{
	struct wire_header hdr = { .type = type, .len = (uint32_t)len };

	if (type != WIRE_WATCH_EVENT) {
		hdr.req_id = f->req.hdr.req_id;
		hdr.tx_id = f->req.hdr.tx_id;
	}
	fake_bytes(f, &hdr, sizeof(hdr));
	fake_bytes(f, body, len);
}

static inline void
fake_ok(struct fake *f)
{
	fake_send(f, f->req.hdr.type, "OK", 3);
}

static inline void
fake_error(struct fake *f, const char *name)
{
	fake_send(f, WIRE_ERROR, name, strlen(name) + 1);
}

static inline void
fake_event(struct fake *f, const char *path, const char *token)
{
	char body[256];
	int n = snprintf(body, sizeof(body), "%s%c%s", path, 0, token);

	fake_send(f, WIRE_WATCH_EVENT, body, (size_t)n + 1);
}

/* A script: answers each request with reply_type (0: the same type) and
 * reply. */
static inline void
fake_answer(struct fake *f)
{
	while (fake_recv(f))
		fake_send(f,
		    f->reply_type != 0 ? f->reply_type : f->req.hdr.type,
		    f->reply, f->reply_len);
}

static inline void *
fake_thread(void *arg)
{
	struct fake *f = arg;

	for (; f->connection < f->connections; f->connection++) {
		f->fd = accept(f->listener, NULL, NULL);
		if (f->fd < 0)
			return NULL;
		f->script(f);
		close(f->fd);
	}
	return NULL;
}

static inline void
fake_start_many(struct fake *f, void (*script)(struct fake *f), int connections)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	memset(f, 0, sizeof(*f));
	f->script = script;
	f->connections = connections;
	f->fd = -1;
	f->reply = "OK";
	f->reply_len = 3;
	strcpy(f->dir, "/tmp/kernbus-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/socket", f->dir);
	memcpy(sa.sun_path, f->path, strlen(f->path) + 1);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(f->listener >= 0);
	assert_int_equal(
	    bind(f->listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(f->listener, 1), 0);
	setenv("XENSTORED_RUNDIR", f->dir, 1);
	unsetenv("XENSTORED_PATH");
	/* one that ends does not come back, unless a test is about that */
	setenv("XENSTORE_RECONNECT", connections > 1 ? "5" : "0", 1);
	assert_int_equal(pthread_create(&f->thread, NULL, fake_thread, f), 0);
}

static inline void
fake_start(struct fake *f, void (*script)(struct fake *f))
{
	fake_start_many(f, script, 1);
}

static inline struct xs_handle *
fake_open(unsigned long flags)
{
	struct xs_handle *h = xs_open(flags);

	assert_non_null(h);
	return h;
}

/* Waits for the script's end, which the client's close brings about. */
static inline void
fake_stop(struct fake *f)
{
	assert_int_equal(pthread_join(f->thread, NULL), 0);
	close(f->listener);
	unlink(f->path);
	rmdir(f->dir);
}

/* Is FD readable within MS? */
static inline bool
fake_readable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

#endif
