/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * takeover RUNDIR KILLS [SEED]: clients of the daemon that serves RUNDIR/socket
 * ask without pause while its processes are killed. Each reply must be there
 * once, in order, and be what the client's own book says; each shared counter
 * must be what the commits that were answered make it; each change must be told
 * to its watcher. Says what it saw; exits 1 at the first thing that is wrong.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
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

#include "common/wire.h"

enum {
	CLIENTS = 20,
	KEYS = 8,
	WINDOW = 12, /* requests that wait for their replies */
	BUFFER = 64 * 1024,
	GRACE_US = 400000, /* in which a standby has to be there */
	STUCK_US = 10000000,
};

/* What a reply has to be. */
struct wait {
	uint32_t id, type;
	char text[48]; /* of the payload; "" any */
	bool error;    /* an error with that text */
	enum { PLAIN, BEGIN, COUNT, COMMIT } then;
};

struct client {
	int fd;
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

static struct client client[CLIENTS];
static const char *rundir;
static uint64_t random_state, clock_now, replies, events;
static bool draining;

static void __attribute__((format(printf, 1, 2), noreturn))
wrong(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("FAIL ", stdout);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

static unsigned
pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 20) % n);
}

static uint64_t
now_us(void)
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
	unsigned k = pick(KEYS);
	char path[64], value[32] = "ENOENT";

	snprintf(path, sizeof(path), "/c/%d/k%u", number(c), k);
	if (c->value[k] >= 0)
		snprintf(value, sizeof(value), "%ld", c->value[k]);
	switch (pick(4)) {
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

static const char shared[] = "/shared";

/* Keeps C busy. */
static void
ask_more(struct client *c)
{
	while (!draining && c->n < WINDOW - 4 && c->out_len < BUFFER / 2) {
		if (c->step == 0 && pick(8) == 0) {
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
	struct client *other = &client[(number(c) + 1) % CLIENTS];
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
	switch (w->then) {
	case BEGIN:
		c->txn = (uint32_t)strtoul(payload, NULL, 10);
		ask(c, WIRE_READ, c->txn, shared, sizeof(shared), "", false,
		    COUNT);
		break;
	case COUNT:
		ask_write(c, shared, strtol(payload, NULL, 10) + 1, c->txn);
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
		wrong("client %d: a reply that nobody asked for: %s", number(c),
		    payload);
	if (h->req_id != w.id || (!error && h->type != w.type))
		wrong("client %d: reply %u of type %u in place of %u of %u",
		    number(c), h->req_id, h->type, w.id, w.type);
	if (error != w.error && w.then != COMMIT)
		wrong("client %d: request %u of type %u: %s", number(c), w.id,
		    w.type, payload);
	if (error && w.then == COMMIT && strcmp(payload, "EAGAIN") != 0)
		wrong("client %d: commit: %s", number(c), payload);
	if (w.text[0] != '\0' && strcmp(payload, w.text) != 0)
		wrong("client %d: request %u of type %u: '%s', not '%s'",
		    number(c), w.id, w.type, payload, w.text);
	c->first = (c->first + 1) % WINDOW;
	c->n--;
	next_step(c, &w, payload, !error);
}

static void
receive(struct client *c)
{
	ssize_t n = recv(
	    c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);
	struct wire_header h;
	size_t at = 0;
	char payload[WIRE_PAYLOAD_MAX + 1];

	if (n == 0 || (n < 0 && errno != EAGAIN))
		wrong("client %d: was disconnected", number(c));
	if (n < 0)
		return;
	c->in_len += (size_t)n;
	while (c->in_len - at >= sizeof(h)) {
		memcpy(&h, c->in + at, sizeof(h));
		if (h.len > WIRE_PAYLOAD_MAX)
			wrong(
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
static void
send_some(struct client *c)
{
	size_t len = pick(3) == 0 ? 1 + pick((unsigned)c->out_len) : c->out_len;
	ssize_t n = send(c->fd, c->out, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		wrong("client %d: was disconnected", number(c));
	if (n <= 0)
		return;
	memmove(c->out, c->out + n, c->out_len - (size_t)n);
	c->out_len -= (size_t)n;
}

/* One round of all; at most MS. True: somebody got something. */
static bool
turn(int ms)
{
	struct pollfd p[CLIENTS];
	uint64_t before = replies;
	int i;

	for (i = 0; i < CLIENTS; i++) {
		ask_more(&client[i]);
		p[i] = (struct pollfd){ .fd = client[i].fd, .events = POLLIN };
		if (client[i].out_len > 0)
			p[i].events |= POLLOUT;
	}
	if (poll(p, CLIENTS, ms) < 0)
		wrong("poll: %s", strerror(errno));
	for (i = 0; i < CLIENTS; i++) {
		if ((p[i].revents & (POLLIN | POLLHUP)) != 0)
			receive(&client[i]);
		if ((p[i].revents & POLLOUT) != 0)
			send_some(&client[i]);
	}
	return replies != before;
}

/* Goes on until each request is answered and nothing more comes. */
static void
drain(void)
{
	uint64_t since = now_us(), seen = 0;
	int i;
	bool busy = true;

	draining = true;
	while (busy || now_us() - since < 100000) {
		turn(10);
		busy = false;
		for (i = 0; i < CLIENTS; i++)
			busy |= client[i].n > 0;
		if (replies + events != seen)
			since = now_us();
		seen = replies + events;
		if (now_us() - since > STUCK_US)
			wrong("some replies never come");
	}
	draining = false;
}

/* --- killing --- */

struct status {
	long supervisor, primary, standby;
};

static bool
read_status(struct status *s)
{
	char path[256];
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "%s/status", rundir);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	n = fscanf(file, "supervisor %ld primary %ld standby %ld",
	    &s->supervisor, &s->primary, &s->standby);
	fclose(file);
	return n == 3;
}

/* Lets the clients go on until there are a primary and, if WANTED, a standby.
 */
static struct status
wait_for_both(bool wanted)
{
	uint64_t limit = now_us() + STUCK_US;
	struct status s = { 0, 0, 0 };

	for (;;) {
		turn(1);
		if (read_status(&s) && s.primary > 0 &&
		    kill((pid_t)s.primary, 0) == 0 &&
		    (!wanted || s.standby > 0))
			return s;
		if (now_us() > limit)
			wrong("nobody %s", wanted ? "stands by" : "serves");
	}
}

static int
by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Kills somebody in the middle of it; how long nobody got a reply, in us. */
static uint64_t
kill_one(void)
{
	unsigned how = pick(10);
	struct status s = wait_for_both(how < 8);
	uint64_t until = now_us() + pick(3000), start;

	while (now_us() < until)
		turn(0);
	start = now_us();
	if (how != 0)
		kill((pid_t)s.primary, SIGKILL);
	if (how <= 1 && s.standby > 0)
		kill((pid_t)s.standby, SIGKILL);
	turn(0); /* what was sent before */
	while (!turn(1))
		if (now_us() - start > STUCK_US)
			wrong("no reply for %d s", STUCK_US / 1000000);
	return now_us() - start;
}

/* --- life --- */

static void
dial(struct client *c)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", rundir);
	if (connect(c->fd, (void *)&at, sizeof(at)) != 0)
		wrong("%s: %s", at.sun_path, strerror(errno));
}

static void
start(void)
{
	char payload[64];
	int i, k, len;

	for (i = 0; i < CLIENTS; i++) {
		dial(&client[i]);
		for (k = 0; k < KEYS; k++)
			client[i].value[k] = -1;
	}
	ask_write(&client[0], shared, 0, 0);
	for (i = 0; i < CLIENTS; i++) {
		snprintf(payload, sizeof(payload), "/c/%d", i);
		ask(&client[i], WIRE_MKDIR, 0, payload, strlen(payload) + 1,
		    "OK", false, PLAIN);
		len = snprintf(payload, sizeof(payload), "/c/%d%ctoken%c",
		    (i + 1) % CLIENTS, 0, 0);
		ask(&client[i], WIRE_WATCH, 0, payload, (size_t)len, "OK",
		    false, PLAIN);
	}
	drain();
}

/* What only shows at the end. */
static void
check_all(void)
{
	long commits = 0, refused = 0;
	char text[32];
	int i, k;

	for (i = 0; i < CLIENTS; i++) {
		commits += client[i].commits;
		refused += client[i].refused;
		for (k = 0; k < KEYS; k++)
			if (client[i].changed[k] > client[i].told[k])
				wrong("nobody was told of the last change of "
				      "/c/%d/k%d",
				    i, k);
	}
	snprintf(text, sizeof(text), "%ld", commits);
	ask(&client[0], WIRE_READ, 0, shared, sizeof(shared), text, false,
	    PLAIN);
	ask(&client[0], WIRE_CONTROL, 0, "check", 6, "OK", false, PLAIN);
	drain();
	printf("%llu replies, %llu events, %ld commits, %ld refused\n",
	    (unsigned long long)replies, (unsigned long long)events, commits,
	    refused);
}

int
main(int argc, char *argv[])
{
	unsigned long kills, i;
	uint64_t *outage;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: takeover RUNDIR KILLS [SEED]\n");
		return 2;
	}
	rundir = argv[1];
	kills = strtoul(argv[2], NULL, 10);
	random_state =
	    argc > 3 ? strtoull(argv[3], NULL, 10) | 1 : now_us() | 1;
	printf("seed %llu\n", (unsigned long long)random_state);
	setvbuf(stdout, NULL, _IOLBF, 0);
	outage = calloc(kills + 1, sizeof(*outage));
	if (outage == NULL)
		return 1;
	start();
	for (i = 0; i < kills; i++)
		outage[i] = kill_one();
	wait_for_both(true);
	drain();
	check_all();
	qsort(outage, kills, sizeof(*outage), by_value);
	if (kills > 0)
		printf("%lu kills; without a reply for (us): median %llu, p99 "
		       "%llu, most %llu\n",
		    kills, (unsigned long long)outage[kills / 2],
		    (unsigned long long)outage[kills * 99 / 100],
		    (unsigned long long)outage[kills - 1]);
	free(outage);
	return 0;
}
