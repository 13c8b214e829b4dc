/* SPDX-License-Identifier: BSD-2-Clause */
#include "books.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	KEYS = 8,
	COUNTERS = 5,
	WINDOW = 12, /* requests that wait for their replies */
	BUFFER = 64 * 1024,
	QUIET_US = 100000, /* after which nothing more comes */
};

/* What a reply has to be. */
struct wait {
	uint32_t id, type;
	char text[48]; /* of the payload; "" any */
	bool error;    /* an error with that text */
	enum { PLAIN, BEGIN, COUNT, COMMIT } then;
};

struct client {
	int fd; /* -1: it has a ring */
	struct books_ring ring;
	bool asked; /* something since it looked for room in the ring */
	uint32_t next_id, txn;
	struct wait wait[WINDOW];
	unsigned first, n;	/* a ring of them */
	long value[KEYS];	/* -1: the key is not there */
	uint64_t changed[KEYS]; /* when its last change was asked for */
	uint64_t told[KEYS];	/* when its watcher heard of it last */
	long own, commits, refused;
	int step; /* of the shared counter's transaction; 0: none */
	char in[BUFFER], out[BUFFER];
	size_t in_len, out_len;
};

static struct client client[BOOKS_CLIENTS];
static int n_clients;
static int events_fd = -1;
static void (*events_come)(void);
const char *books_rundir;
static uint64_t random_state, clock_now, replies, events;
static bool draining;

void
books_wrong(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("FAIL ", stdout);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

unsigned
books_pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 20) % n);
}

uint64_t
books_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- asking --- */

static void
ask(struct client *c, uint32_t type, uint32_t txn, const char *payload,
    size_t len, const char *want, bool error, int then)
{
	struct wait *w = &c->wait[(c->first + c->n++) % WINDOW];
	struct wire_header header = {
		.type = type,
		.req_id = ++c->next_id,
		.tx_id = txn,
		.len = (uint32_t)len,
	};

	w->id = header.req_id;
	w->type = type;
	w->error = error;
	w->then = then;
	snprintf(w->text, sizeof(w->text), "%s", want);
	memcpy(c->out + c->out_len, &header, sizeof(header));
	memcpy(c->out + c->out_len + sizeof(header), payload, len);
	c->asked = true;
	c->out_len += sizeof(header) + len;
}

static int
number(const struct client *c)
{
	return (int)(c - client);
}

static void
ask_write(struct client *c, const char *path, long value, uint32_t txn)
{
	char payload[96];
	int len = snprintf(payload, sizeof(payload), "%s%c%ld", path, 0, value);

	ask(c, WIRE_WRITE, txn, payload, (size_t)len, "OK", false, PLAIN);
}

/* One random request on a key of its own. */
static void
ask_own(struct client *c)
{
	unsigned k = books_pick(KEYS);
	char path[64], value[32] = "ENOENT";

	snprintf(path, sizeof(path), "/c/%d/k%u", number(c), k);
	if (c->value[k] >= 0)
		snprintf(value, sizeof(value), "%ld", c->value[k]);
	switch (books_pick(4)) {
	case 0:
	case 1:
		ask(c, WIRE_READ, 0, path, strlen(path) + 1, value,
		    c->value[k] < 0, PLAIN);
		break;
	case 2:
		c->value[k] = ++c->own;
		c->changed[k] = ++clock_now;
		ask_write(c, path, c->value[k], 0);
		break;
	default: /* done twice it would fail */
		if (c->value[k] < 0)
			return;
		ask(c, WIRE_RM, 0, path, strlen(path) + 1, "OK", false, PLAIN);
		c->value[k] = -1;
		c->changed[k] = ++clock_now;
	}
}

/* The counter that client N shares with others. */
static void
counter_path(char path[32], int n)
{
	snprintf(path, 32, "/shared/%d", n % COUNTERS);
}

/* Keeps C busy. */
static void
ask_more(struct client *c)
{
	while (!draining && c->n < WINDOW - 4 && c->out_len < BUFFER / 2) {
		if (c->step == 0 && books_pick(8) == 0) {
			c->step = 1;
			ask(c, WIRE_TRANSACTION_START, 0, "", 1, "", false,
			    BEGIN);
		} else {
			ask_own(c);
		}
	}
}

/* --- hearing --- */

static void
heard_event(struct client *c, const char *payload)
{
	struct client *other = &client[(number(c) + 1) % n_clients];
	int who;
	unsigned k;

	events++;
	if (sscanf(payload, "/c/%d/k%u", &who, &k) == 2 && k < KEYS &&
	    who == number(other))
		other->told[k] = ++clock_now;
}

static void
next_step(struct client *c, const struct wait *w, const char *payload, bool ok)
{
	char path[32];

	switch (w->then) {
	case BEGIN:
		c->txn = (uint32_t)strtoul(payload, NULL, 10);
		counter_path(path, number(c));
		ask(c, WIRE_READ, c->txn, path, strlen(path) + 1, "", false,
		    COUNT);
		break;
	case COUNT:
		counter_path(path, number(c));
		ask_write(c, path, strtol(payload, NULL, 10) + 1, c->txn);
		ask(c, WIRE_TRANSACTION_END, c->txn, "T", 2, "", false, COMMIT);
		break;
	case COMMIT:
		c->commits += ok;
		c->refused += !ok;
		c->step = 0;
		break;
	case PLAIN:
		break;
	}
}

static void
heard(struct client *c, const struct wire_header *h, char *payload)
{
	const struct wait w = c->wait[c->first];
	bool error = h->type == WIRE_ERROR;

	payload[h->len] = '\0';
	if (h->type == WIRE_WATCH_EVENT) {
		heard_event(c, payload);
		return;
	}
	replies++;
	if (c->n == 0)
		books_wrong("client %d: a reply that nobody asked for: %s",
		    number(c), payload);
	if (h->req_id != w.id || (!error && h->type != w.type))
		books_wrong(
		    "client %d: reply %u of type %u in place of %u of %u",
		    number(c), h->req_id, h->type, w.id, w.type);
	if (error != w.error && w.then != COMMIT)
		books_wrong("client %d: request %u of type %u: %s", number(c),
		    w.id, w.type, payload);
	if (error && w.then == COMMIT && strcmp(payload, "EAGAIN") != 0)
		books_wrong("client %d: commit: %s", number(c), payload);
	if (w.text[0] != '\0' && strcmp(payload, w.text) != 0)
		books_wrong("client %d: request %u of type %u: '%s', not '%s'",
		    number(c), w.id, w.type, payload, w.text);
	c->first = (c->first + 1) % WINDOW;
	c->n--;
	next_step(c, &w, payload, !error);
}

/* Hears what is whole of what came in. */
static void
hear_all(struct client *c)
{
	struct wire_header h;
	size_t at = 0;
	char payload[WIRE_PAYLOAD_MAX + 1];

	while (c->in_len - at >= sizeof(h)) {
		memcpy(&h, c->in + at, sizeof(h));
		if (h.len > WIRE_PAYLOAD_MAX)
			books_wrong(
			    "client %d: the stream is out of step", number(c));
		if (c->in_len - at < sizeof(h) + h.len)
			break;
		memcpy(payload, c->in + at + sizeof(h), h.len);
		heard(c, &h, payload);
		at += sizeof(h) + h.len;
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
}

/* Odd lengths: messages come to the daemon in pieces, too. */
static size_t
some(const struct client *c)
{
	return books_pick(3) == 0 ? 1 + books_pick((unsigned)c->out_len)
				  : c->out_len;
}

static void
is_sent(struct client *c, size_t n)
{
	memmove(c->out, c->out + n, c->out_len - n);
	c->out_len -= n;
}

/* --- sockets --- */

static void
receive(struct client *c)
{
	ssize_t n = recv(
	    c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		books_wrong("client %d: was disconnected", number(c));
	if (n < 0)
		return;
	c->in_len += (size_t)n;
	hear_all(c);
}

static void
send_some(struct client *c)
{
	ssize_t n = send(c->fd, c->out, some(c), MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		books_wrong("client %d: was disconnected", number(c));
	if (n > 0)
		is_sent(c, (size_t)n);
}

/* --- rings --- */

static void
push(struct client *c)
{
	bool more;

	c->asked = false;
	if (c->out_len == 0)
		return;
	is_sent(c, ring_push(&c->ring, c->out, some(c), &more));
	/* the rest is another write, at once as far as there is room */
	c->asked = c->out_len > 0 && more;
}

void
books_event(unsigned i)
{
	struct client *c = &client[i];

	c->in_len += ring_pull(&c->ring, c->in + c->in_len);
	hear_all(c);
	push(c);
}

/* --- all of them --- */

/* One round of all; at most MS. True: somebody got something. */
bool
books_turn(int ms)
{
	struct pollfd p[BOOKS_CLIENTS + 1];
	uint64_t before = replies;
	int i;

	p[n_clients] = (struct pollfd){ .fd = events_fd, .events = POLLIN };
	for (i = 0; i < n_clients; i++) {
		ask_more(&client[i]);
		p[i] = (struct pollfd){ .fd = client[i].fd, .events = POLLIN };
		if (client[i].fd < 0 && client[i].asked)
			push(&client[i]);
		if (client[i].fd < 0 && client[i].asked)
			ms = 0;
		if (client[i].out_len > 0)
			p[i].events |= POLLOUT;
	}
	if (poll(p, (nfds_t)n_clients + 1, ms) < 0)
		books_wrong("poll: %s", strerror(errno));
	for (i = 0; i < n_clients; i++) {
		if ((p[i].revents & (POLLIN | POLLHUP)) != 0)
			receive(&client[i]);
		if ((p[i].revents & POLLOUT) != 0)
			send_some(&client[i]);
	}
	if ((p[n_clients].revents & POLLIN) != 0)
		events_come();
	return replies != before;
}

/* Goes on until each request is answered and nothing more comes. */
void
books_drain(void)
{
	uint64_t since = books_now_us(), seen = 0;
	int i;
	bool busy = true;

	draining = true;
	while (busy || books_now_us() - since < QUIET_US) {
		books_turn(10);
		busy = false;
		for (i = 0; i < n_clients; i++)
			busy |= client[i].n > 0;
		if (replies + events != seen)
			since = books_now_us();
		seen = replies + events;
		if (books_now_us() - since > BOOKS_STUCK_US)
			books_wrong("some replies never come");
	}
	draining = false;
}

/* --- life --- */

void
books_begin(const char *dir, uint64_t seed)
{
	books_rundir = dir;
	random_state = seed | 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %llu\n", (unsigned long long)random_state);
}

static struct client *
add(void)
{
	struct client *c = &client[n_clients];
	int k;

	if (n_clients == BOOKS_CLIENTS)
		books_wrong("too many clients");
	n_clients++;
	for (k = 0; k < KEYS; k++)
		c->value[k] = -1;
	return c;
}

void
books_add_socket(void)
{
	struct client *c = add();
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", books_rundir);
	if (connect(c->fd, (void *)&at, sizeof(at)) != 0)
		books_wrong("%s: %s", at.sun_path, strerror(errno));
}

unsigned
books_add_ring(const struct books_ring *ring)
{
	struct client *c = add();

	c->fd = -1;
	c->ring = *ring;
	return (unsigned)number(c);
}

void
books_events_from(int fd, void (*come)(void))
{
	events_fd = fd;
	events_come = come;
}

/* The first client asks for OP, with what FORMAT says: '|' are NULs. */
static void __attribute__((format(printf, 2, 3)))
prepare(uint32_t op, const char *format, ...)
{
	char payload[96], *p;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(payload, sizeof(payload), format, ap);
	va_end(ap);
	for (p = payload; *p != '\0'; p++)
		if (*p == '|')
			*p = '\0';
	ask(&client[0], op, 0, payload, (size_t)len, "OK", false, PLAIN);
	while (client[0].n > 0)
		books_turn(10);
}

void
books_open(void)
{
	char payload[64];
	int i, len;

	draining = true;
	prepare(WIRE_MKDIR, "/shared|");
	prepare(WIRE_SET_PERMS, "/shared|b0|");
	for (i = 0; i < COUNTERS; i++)
		prepare(WIRE_WRITE, "/shared/%d|0", i);
	for (i = 0; i < n_clients; i++) {
		prepare(WIRE_MKDIR, "/c/%d|", i);
		prepare(WIRE_SET_PERMS, "/c/%d|r%u|", i,
		    (unsigned)client[i].ring.domid);
		if (client[i].fd < 0)
			prepare(WIRE_INTRODUCE, "%u|%llu|%u|",
			    (unsigned)client[i].ring.domid,
			    (unsigned long long)client[i].ring.gfn,
			    (unsigned)client[i].ring.port);
	}
	for (i = 0; i < n_clients; i++) {
		len = snprintf(payload, sizeof(payload), "/c/%d%ctoken%c",
		    (i + 1) % n_clients, 0, 0);
		ask(&client[i], WIRE_WATCH, 0, payload, (size_t)len, "OK",
		    false, PLAIN);
	}
	books_drain();
}

/* What only shows at the end. */
void
books_check(void)
{
	long commits[COUNTERS] = { 0 }, all = 0, refused = 0;
	char path[32], text[32];
	int i, k;

	for (i = 0; i < n_clients; i++) {
		commits[i % COUNTERS] += client[i].commits;
		all += client[i].commits;
		refused += client[i].refused;
		for (k = 0; k < KEYS; k++)
			if (client[i].changed[k] > client[i].told[k])
				books_wrong("nobody was told of the last "
					    "change of /c/%d/k%d",
				    i, k);
	}
	for (i = 0; i < COUNTERS; i++) {
		counter_path(path, i);
		snprintf(text, sizeof(text), "%ld", commits[i]);
		ask(&client[0], WIRE_READ, 0, path, strlen(path) + 1, text,
		    false, PLAIN);
	}
	ask(&client[0], WIRE_CONTROL, 0, "check", 6, "OK", false, PLAIN);
	books_drain();
	printf("%llu replies, %llu events, %ld commits, %ld refused\n",
	    (unsigned long long)replies, (unsigned long long)events, all,
	    refused);
}
