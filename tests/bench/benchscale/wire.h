/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A client of the store's socket protocol for measuring: requests go out in
 * bulk, replies are counted. No client library, so that none is measured.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { OUT_SIZE = 64 * 1024, IN_SIZE = 256 * 1024, OUTSTANDING = 256 };

enum op {
	OP_CONTROL = 0,
	OP_READ = 2,
	OP_WATCH = 4,
	OP_TX_START = 6,
	OP_TX_END = 7,
	OP_WRITE = 11,
	OP_MKDIR = 12,
	OP_RM = 13,
	OP_SET_PERMS = 14,
	OP_EVENT = 15,
	OP_ERROR = 16,
	OP_RESET_WATCHES = 21,
	OP_PART = 22,
};

struct client {
	int fd;
	char *out; /* not yet sent */
	size_t out_len;
	char *in;
	size_t in_len, in_pos;
	long waiting;	  /* replies that will come */
	long events;	  /* that came */
	long errors;	  /* replies that were one */
	char reply[4100]; /* the last one, with a NUL behind it */
	size_t reply_len;
};

struct head {
	uint32_t type, req, tx, len;
};

/* Ends the program with a message. */
static inline void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "bench_scale: ");
	vfprintf(stderr, format, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

static inline double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static inline struct client *
client_open(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->out = malloc(OUT_SIZE)) == NULL ||
	    (c->in = malloc(IN_SIZE)) == NULL)
		die("no memory");
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(c->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		die("%s: %s", path, strerror(errno));
	return c;
}

static inline void
client_close(struct client *c)
{
	close(c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

static inline void
note(struct client *c, const struct head *h, const char *body)
{
	if (h->type == OP_EVENT) {
		c->events++;
		return;
	}
	c->waiting--;
	c->errors += h->type == OP_ERROR;
	c->reply_len = h->len < sizeof(c->reply) ? h->len : 0;
	memcpy(c->reply, body, c->reply_len);
	c->reply[c->reply_len] = '\0';
}

/* Takes what one read brings. */
static inline void
take(struct client *c)
{
	ssize_t n = read(c->fd, c->in + c->in_len, IN_SIZE - c->in_len);
	size_t pos = 0;
	struct head h;

	if (n <= 0)
		die("the daemon hung up");
	c->in_len += (size_t)n;
	while (c->in_len - pos >= sizeof(h)) {
		memcpy(&h, c->in + pos, sizeof(h));
		if (c->in_len - pos - sizeof(h) < h.len)
			break;
		note(c, &h, c->in + pos + sizeof(h));
		pos += sizeof(h) + h.len;
	}
	c->in_len -= pos;
	memmove(c->in, c->in + pos, c->in_len);
}

/* Sends all, taking what comes meanwhile. */
static inline void
flush(struct client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN | POLLOUT };
	size_t pos = 0;
	ssize_t n;

	while (pos < c->out_len) {
		n = send(c->fd, c->out + pos, c->out_len - pos, MSG_DONTWAIT);
		if (n > 0) {
			pos += (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN)
			die("send: %s", strerror(errno));
		poll(&p, 1, -1);
		if ((p.revents & POLLIN) != 0)
			take(c);
	}
	c->out_len = 0;
}

/* Adds a request with LEN bytes at BODY; sends and receives as need be, so that
 * at most 256 replies are waited for. */
static inline void
client_put(
    struct client *c, enum op op, uint32_t tx, const void *body, size_t len)
{
	struct head h = { op, 0, tx, (uint32_t)len };

	if (c->out_len + sizeof(h) + len > OUT_SIZE)
		flush(c);
	memcpy(c->out + c->out_len, &h, sizeof(h));
	memcpy(c->out + c->out_len + sizeof(h), body, len);
	c->out_len += sizeof(h) + len;
	c->waiting++;
	if (c->waiting % 64 == 0)
		flush(c);
	if (c->waiting < OUTSTANDING)
		return;
	flush(c);
	while (c->waiting > OUTSTANDING / 2)
		take(c);
}

/* The same with strings, each with its NUL; the last is NULL. */
static inline void
client_ask(struct client *c, enum op op, uint32_t tx, ...)
{
	char body[4096];
	const char *arg;
	size_t len = 0;
	va_list ap;

	va_start(ap, tx);
	while ((arg = va_arg(ap, const char *)) != NULL) {
		memcpy(body + len, arg, strlen(arg) + 1);
		len += strlen(arg) + 1;
	}
	va_end(ap);
	client_put(c, op, tx, body, len);
}

/* A path and a value. */
static inline void
client_write(struct client *c, uint32_t tx, const char *path, const char *value)
{
	size_t path_len = strlen(path) + 1, len = strlen(value);
	char body[4096];

	memcpy(body, path, path_len);
	memcpy(body + path_len, value, len);
	client_put(c, OP_WRITE, tx, body, path_len + len);
}

/* Sends all and waits for all replies. */
static inline void
client_sync(struct client *c)
{
	flush(c);
	while (c->waiting > 0)
		take(c);
}

/* client_sync() after one request: false if the reply is an error. */
static inline bool
client_ok(struct client *c)
{
	long errors = c->errors;

	client_sync(c);
	return c->errors == errors;
}

/* Waits until there were N events. */
static inline void
client_await_events(struct client *c, long n)
{
	flush(c);
	while (c->events < n)
		take(c);
}

/* --- the daemon --- */

/* The processes that belong to the peer of a client. */
struct family {
	int n, pid[16];
	int serves;	/* which of them */
	double cpu[16]; /* at the beginning, us */
};

static inline double
cpu_of(int pid)
{
	char path[64];
	double ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%lf", &ns) != 1)
		ns = 0;
	fclose(f);
	return ns / 1e3;
}

static inline void
family_start(struct family *f)
{
	int i;

	for (i = 0; i < f->n; i++)
		f->cpu[i] = cpu_of(f->pid[i]);
}

/* Microseconds of CPU that the one who serves took since family_start(). */
static inline double
family_cpu(const struct family *f)
{
	return cpu_of(f->pid[f->serves]) - f->cpu[f->serves];
}

/* Whom READs of C make work most. */
static inline void
family_find_server(struct family *f, struct client *c)
{
	double most = 0;
	int i, k;

	f->serves = 0;
	for (i = 0; i < 5 && f->n > 1; i++) {
		family_start(f);
		for (k = 0; k < 100; k++)
			client_ask(c, OP_READ, 0, "/tool", NULL);
		client_sync(c);
		for (k = 0; k < f->n; k++) {
			if (cpu_of(f->pid[k]) - f->cpu[k] <= most)
				continue;
			most = cpu_of(f->pid[k]) - f->cpu[k];
			f->serves = k;
		}
	}
}

static inline struct family
family_of(struct client *c)
{
	struct family f = { .n = 0 };
	struct ucred cred;
	socklen_t len = sizeof(cred);
	char path[64];
	FILE *file;

	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		die("SO_PEERCRED: %s", strerror(errno));
	f.pid[f.n++] = cred.pid;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", cred.pid,
	    cred.pid);
	file = fopen(path, "re");
	while (file != NULL && f.n < 16 && fscanf(file, "%d", &f.pid[f.n]) == 1)
		f.n++;
	if (file != NULL)
		fclose(file);
	family_find_server(&f, c);
	family_start(&f);
	return f;
}

/* Resident bytes of the one who serves that are no file's: of ours, not its
 * log. */
static inline double
family_rss(const struct family *f)
{
	char text[128];
	double kib = 0;
	FILE *file;

	snprintf(text, sizeof(text), "/proc/%d/status", f->pid[f->serves]);
	file = fopen(text, "re");
	while (file != NULL && fgets(text, sizeof(text), file) != NULL)
		if (sscanf(text, "RssAnon: %lf", &kib) == 1)
			break;
	if (file != NULL)
		fclose(file);
	return kib * 1024;
}

#endif
