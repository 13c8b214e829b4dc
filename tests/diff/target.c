/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One daemon's connections: bytes in and out of sockets and rings. All that is
 * sent waits for its reply in one loop, so that the daemons work at the same
 * time.
 */
#include "target.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BARRIER_ID = 0x42424242 };

int target_patience_ms = 30000;

int n_targets;
struct target *targets[TARGETS];

const char *
target_name(const struct target *t)
{
	return t->name;
}

void (*target_on_death)(void);

void
target_is_dead(const struct target *t, const char *why)
{
	fprintf(stderr, "diff: %s: %s\n", t->name, why);
	if (target_on_death != NULL)
		target_on_death();
	exit(1);
}

/* ---------------------------------------------------------------- bytes -- */

static void
take_event(struct target *t, int conn, const char *payload, size_t len)
{
	struct event *e = &t->event[t->n_events];

	if (conn == CTL) {
		t->releases++;
		return;
	}
	if (t->n_events == EVENTS_MAX) {
		t->lost_events = true;
		return;
	}
	e->number = t->n_events++;
	e->conn = conn;
	e->late = t->link[conn].reply.there;
	bytes_print(payload, len, e->text, sizeof(e->text));
	e->path = strndup(payload, len);
}

/* Every whole message of IN. */
static void
take_messages(struct target *t, int conn)
{
	struct link *l = &t->link[conn];
	struct wire_header h;
	size_t used = 0;

	while (l->in_len - used >= sizeof(h)) {
		const char *payload = l->in + used + sizeof(h);

		memcpy(&h, l->in + used, sizeof(h));
		if (l->in_len - used - sizeof(h) < h.len)
			break;
		used += sizeof(h) + h.len;
		if (h.type == WIRE_WATCH_EVENT) {
			take_event(t, conn, payload, h.len);
		} else if (h.req_id == BARRIER_ID) {
			l->barriers--;
		} else if (h.req_id == l->waits_for && l->waits_for != 0) {
			l->waits_for = 0;
			l->reply.there = true;
			l->reply.type = h.type;
			l->reply.tx_id = h.tx_id;
			l->reply.len = h.len < sizeof(l->reply.payload)
					   ? h.len
					   : sizeof(l->reply.payload) - 1;
			memcpy(l->reply.payload, payload, l->reply.len);
			l->reply.payload[l->reply.len] = '\0';
		}
	}
	memmove(l->in, l->in + used, l->in_len - used);
	l->in_len -= used;
}

/* Whether something moved. */
static bool
ring_move(struct target *t, struct link *l)
{
	struct wire_ring *r = guest_ring(l->guest);
	uint32_t prod = __atomic_load_n(&r->rsp_prod, __ATOMIC_ACQUIRE);
	uint32_t cons = r->rsp_cons, i;
	bool moved = prod != cons;

	for (; cons != prod && l->in_len < IN_MAX; cons++)
		l->in[l->in_len++] = (char)r->rsp[cons % WIRE_RING_SIZE];
	__atomic_store_n(&r->rsp_cons, cons, __ATOMIC_RELEASE);
	cons = __atomic_load_n(&r->req_cons, __ATOMIC_ACQUIRE);
	prod = r->req_prod;
	for (i = 0; i < l->out_len && prod - cons < WIRE_RING_SIZE; i++)
		r->req[prod++ % WIRE_RING_SIZE] = (uint8_t)l->out[i];
	__atomic_store_n(&r->req_prod, prod, __ATOMIC_RELEASE);
	moved = moved || i > 0;
	memmove(l->out, l->out + i, l->out_len - i);
	l->out_len -= i;
	if (moved)
		guest_kick(t->machine, l->guest);
	return moved;
}

static bool
socket_move(struct target *t, int conn)
{
	struct link *l = &t->link[conn];
	bool moved = false;
	ssize_t n;

	if (l->out_len > 0) {
		n = send(
		    l->fd, l->out, l->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			memmove(l->out, l->out + n, l->out_len - (size_t)n);
			l->out_len -= (size_t)n;
			moved = true;
		}
	}
	n = recv(l->fd, l->in + l->in_len, IN_MAX - l->in_len, MSG_DONTWAIT);
	if (n > 0) {
		l->in_len += (size_t)n;
		moved = true;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		link_close(t, conn);
		t->hung_up = true;
	}
	return moved;
}

void
link_forget(struct link *l)
{
	l->in_len = l->out_len = 0;
	l->waits_for = 0;
	l->barriers = 0;
	l->reply.there = false;
}

void
link_close(struct target *t, int conn)
{
	struct link *l = &t->link[conn];

	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	link_forget(l);
}

void
link_open_socket(struct target *t, int conn)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct link *l = &t->link[conn];

	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", t->socket);
	if (l->fd < 0 || connect(l->fd, (void *)&sun, sizeof(sun)) != 0) {
		target_is_dead(t, strerror(errno));
	}
	link_forget(l);
}

/* ------------------------------------------------------------- requests -- */

bool
link_is_up(const struct link *l)
{
	return l->fd >= 0 || (l->guest != NULL && !l->released && !l->shut);
}

static void
put(struct link *l, uint32_t id, uint32_t op, uint32_t tx, const char *payload,
    size_t len)
{
	struct wire_header h = {
		.type = op, .req_id = id, .tx_id = tx, .len = (uint32_t)len
	};

	if (l->out_len + sizeof(h) + len > sizeof(l->out))
		return;
	memcpy(l->out + l->out_len, &h, sizeof(h));
	memcpy(l->out + l->out_len + sizeof(h), payload, len);
	l->out_len += sizeof(h) + len;
}

static void
put_barrier(struct link *l)
{
	if (!link_is_up(l))
		return;
	put(l, BARRIER_ID, WIRE_GET_DOMAIN_PATH, 0, "0", 2);
	l->barriers++;
}

void
target_send(struct target *t, int conn, uint32_t op, uint32_t tx,
    const char *payload, size_t len)
{
	struct link *l = &t->link[conn];

	l->reply.there = false;
	if (!link_is_up(l))
		return;
	l->last_id = (l->last_id + 1) & 0xffff;
	if (l->last_id == 0)
		l->last_id = 1;
	put(l, l->last_id, op, tx, payload, len);
	l->waits_for = l->last_id;
	/* oxenstored 4.17 answers a request without a payload when it gets the
	 * next one. */
	if (len == 0)
		put_barrier(l);
	if (conn_is_guest(conn) && conn != CTL)
		ring_move(t, l);
	else
		socket_move(t, conn);
	take_messages(t, conn);
}

static bool
link_busy(const struct link *l)
{
	return link_is_up(l) &&
	       (l->waits_for != 0 || l->barriers > 0 || l->out_len > 0);
}

/* Moves what can be moved on T; whether something is still due. */
static bool
pump(struct target *t)
{
	bool busy = false;
	int conn;

	machine_drain(t->machine);
	for (conn = 0; conn <= CTL; conn++) {
		struct link *l = &t->link[conn];

		while (l->guest != NULL && link_is_up(l) && ring_move(t, l))
			take_messages(t, conn);
		if (l->fd >= 0 && link_busy(l) && socket_move(t, conn))
			take_messages(t, conn);
		busy = busy || link_busy(l);
	}
	return busy;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* What is due on T as descriptors for poll(). */
static nfds_t
watch_for(struct target *t, struct pollfd *fds)
{
	nfds_t n = 0;
	int conn;

	fds[n++] =
	    (struct pollfd){ .fd = machine_fd(t->machine), .events = POLLIN };
	for (conn = 0; conn <= CTL; conn++)
		if (t->link[conn].fd >= 0 && link_busy(&t->link[conn]))
			fds[n++] = (struct pollfd){ .fd = t->link[conn].fd,
				.events = POLLIN };
	return n;
}

void
targets_wait(void)
{
	int64_t end = now_ms() + target_patience_ms;
	struct pollfd fds[TARGETS * (CONNS + 2)];
	int i;

	for (;;) {
		bool busy = false;
		nfds_t n = 0;

		for (i = 0; i < n_targets; i++)
			if (pump(targets[i])) {
				busy = true;
				n += watch_for(targets[i], fds + n);
			}
		if (!busy || now_ms() > end)
			break;
		poll(fds, n, 100);
	}
}

const struct reply *
target_reply(struct target *t, int conn)
{
	return &t->link[conn].reply;
}

bool
target_hung_up(const struct target *t)
{
	return t->hung_up;
}

const struct reply *
target_ctl(struct target *t, uint32_t op, const char *payload, size_t len)
{
	target_send(t, CTL, op, 0, payload, len);
	targets_wait();
	if (!t->link[CTL].reply.there) {
		target_is_dead(t, "does not answer any more");
	}
	return &t->link[CTL].reply;
}

void
targets_barrier(unsigned conns_mask)
{
	int i, conn;

	for (i = 0; i < n_targets; i++)
		for (conn = 0; conn < CONNS; conn++)
			if ((conns_mask >> conn & 1) != 0)
				put_barrier(&targets[i]->link[conn]);
	targets_wait();
}

/* --------------------------------------------------------------- events -- */

static int
by_conn_and_text(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return x->conn != y->conn ? x->conn - y->conn
				  : strcmp(x->text, y->text);
}

static int
by_all(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	int order = by_conn_and_text(a, b);

	return order != 0 ? order : x->number - y->number;
}

int
target_events(struct target *t, struct event **events_out)
{
	int i, n = 0;

	qsort(t->event, (size_t)t->n_events, sizeof(t->event[0]), by_all);
	for (i = 0; i < t->n_events; i++)
		if (n == 0 ||
		    by_conn_and_text(&t->event[n - 1], &t->event[i]) != 0) {
			if (n != i) {
				struct event e = t->event[n];

				t->event[n] = t->event[i];
				t->event[i] = e;
			}
			n++;
		}
	*events_out = t->event;
	return n;
}

void
target_clear_events(struct target *t)
{
	while (t->n_events > 0)
		free(t->event[--t->n_events].path);
	t->lost_events = false;
}
