/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_guard.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/wire.h"
#include "xenstored/clock.h"
#include "xenstored/image_io.h"
#include "xenstored/plat.h"
#include "xenstored/stream_format.h"

enum {
	AGAIN_MS = 10,
	/* for an answer; then the socket may be another one */
	PATIENCE_MS = 100,
	PATIENCE_MAX_MS = 3000,
};

/* --- what to ask for --- */

/* Whether each daemon makes PATH by itself, or may. */
static bool
is_common(const char *path)
{
	return path[0] != '/' || path[1] == '\0' ||
	       strncmp(path, "/tool", 5) == 0;
}

/* The path of the node that the record's BODY tells, of the live tree; NULL. */
static const char *
path_of(struct image_in *body)
{
	uint32_t conn = get_u32(body), txn = get_u32(body);
	size_t path_len, n_perms;
	const char *path;

	path_len = get_u32(body) & 0xffff; /* and the value's */
	n_perms = get_u32(body) >> 16;	   /* and the access */
	get_bytes(body, 4 * n_perms);
	path = get_bytes(body, path_len);
	if (path == NULL || path_len == 0 || path[path_len - 1] != '\0' ||
	    conn != 0 || txn != 0)
		return NULL;
	return path;
}

/* Keeps each so many of them, as evenly as can be. */
static void
pick(struct guard_nodes *nodes, const char *path, size_t *met, size_t *each)
{
	unsigned i;

	if ((*met)++ % *each != 0)
		return;
	if (nodes->n == GUARD_NODES) {
		for (i = 0; i < GUARD_NODES / 2; i++)
			nodes->path[i] = nodes->path[2 * i];
		nodes->n = GUARD_NODES / 2;
		*each *= 2;
	}
	nodes->path[nodes->n++] = path;
}

void
guard_pick(const void *data, size_t len, struct guard_nodes *nodes)
{
	struct image_in in = { data, len, NULL }, body;
	size_t met = 0, each = 1;
	const char *path;
	uint32_t type;

	nodes->n = 0;
	get_bytes(&in, STREAM_HEADER_SIZE);
	while (in.left > 0 && in.wrong == NULL) {
		type = get_u32(&in);
		body = (struct image_in){ NULL, 0, NULL };
		body.pos =
		    (const uint8_t *)get_string(&in, in.left, &body.left);
		if (type != STREAM_NODE || body.pos == NULL)
			continue;
		path = path_of(&body);
		if (path != NULL && !is_common(path))
			pick(nodes, path, &met, &each);
	}
}

/* --- asking --- */

struct watch {
	const struct guard_case *g;
	uint64_t limit;	   /* ms */
	uint64_t patience; /* ms, until which an answer is waited for */
	char *why;
};

/* Waits for EVENTS of FD (-1: of none) at most MS. False: it is over. */
static bool
wait_for(const struct watch *w, int fd, short events, int ms)
{
	struct pollfd p[2] = { { .fd = fd, .events = events },
		{ .fd = w->g->process, .events = POLLIN } };
	uint64_t now = mono_ms();

	if (now >= w->limit) {
		snprintf(w->why, GUARD_WHY, "it did not answer in time");
		return false;
	}
	if ((uint64_t)ms > w->limit - now)
		ms = (int)(w->limit - now);
	(void)poll(p, 2, ms);
	if (plat_is_running(w->g->pid, w->g->process))
		return true;
	plat_describe_end(w->g->pid, w->why, GUARD_WHY);
	return false;
}

/* A connection to the socket, or -1: not now. */
static int
dial(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return -1;
	memcpy(at.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const void *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

enum answer {
	ANSWER_YES,
	ANSWER_NO,    /* there is no such node */
	ANSWER_NONE,  /* the connection broke */
	ANSWER_NEVER, /* it is over */
};

/* LEN bytes from FD. */
static enum answer
receive(const struct watch *w, int fd, void *buf, size_t len)
{
	uint64_t now = 0;
	ssize_t n;

	for (; len > 0; len -= (size_t)n, buf = (char *)buf + n) {
		while ((n = recv(fd, buf, len, 0)) < 0 &&
		       (errno == EAGAIN || errno == EINTR) &&
		       (now = mono_ms()) < w->patience)
			if (!wait_for(w, fd, POLLIN, (int)(w->patience - now)))
				return ANSWER_NEVER;
		if (n <= 0)
			return ANSWER_NONE;
	}
	return ANSWER_YES;
}

static enum answer
ask(const struct watch *w, int fd, const char *path)
{
	char buf[WIRE_MESSAGE_MAX];
	size_t len = strlen(path) + 1;
	struct wire_header h = { .type = WIRE_READ, .len = (uint32_t)len };
	enum answer got;

	if (len > WIRE_PAYLOAD_MAX)
		return ANSWER_NO;
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), path, len);
	len += sizeof(h);
	/* it has room for one */
	if (send(fd, buf, len, MSG_NOSIGNAL) != (ssize_t)len)
		return ANSWER_NONE;
	got = receive(w, fd, &h, sizeof(h));
	if (got == ANSWER_YES && h.len > WIRE_PAYLOAD_MAX)
		got = ANSWER_NONE;
	if (got == ANSWER_YES)
		got = receive(w, fd, buf, h.len);
	if (got != ANSWER_YES)
		return got;
	return h.type == WIRE_READ ? ANSWER_YES : ANSWER_NO;
}

/* Asks for the nodes, until one is there. */
static enum answer
ask_for_some(const struct watch *w, int fd)
{
	const struct guard_nodes *nodes = &w->g->nodes;
	enum answer got;
	unsigned i;

	if (nodes->n == 0) { /* any answer will do */
		got = ask(w, fd, "/");
		return got == ANSWER_NO ? ANSWER_YES : got;
	}
	for (i = 0; i < nodes->n; i++) {
		got = ask(w, fd, nodes->path[i]);
		if (got != ANSWER_NO)
			return got;
	}
	snprintf(w->why, GUARD_WHY,
	    "it serves a store in which nothing is that was there");
	return ANSWER_NEVER;
}

bool
guard_watch(const struct guard_case *g, char why[GUARD_WHY])
{
	struct watch w = { .g = g, .why = why };
	enum answer got = ANSWER_NONE;
	int fd, patience;

	w.limit = mono_ms() + (uint64_t)g->ms;
	for (patience = PATIENCE_MS;; patience *= 2) {
		if (patience > PATIENCE_MAX_MS)
			patience = PATIENCE_MAX_MS;
		w.patience = mono_ms() + (uint64_t)patience;
		fd = dial(g->socket);
		if (fd >= 0) {
			got = ask_for_some(&w, fd);
			close(fd);
		}
		if (got == ANSWER_YES || got == ANSWER_NEVER)
			return got == ANSWER_YES;
		if (!wait_for(&w, -1, 0, AGAIN_MS))
			return false;
	}
}
