/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/transport_unix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <talloc.h>

#include "xenstored/crash_point.h"
#include "xenstored/flight.h"
#include "xenstored/listener.h"
#include "xenstored/msg.h"
#include "xenstored/outq.h"
#include "xenstored/priv.h"

enum {
	COUNT_FROM = 1 << 30, /* bytes received are counted down from here */
	ACCEPT_BATCH = 64,
	ACCEPT_PAUSE_MS = 100, /* when descriptors ran out */
};

struct unix_clients {
	struct server *server;
	struct list list; /* struct client.link */
	void (*closed)(void *ctx, uint64_t sock);
	void *ctx;
};

struct unix_listener {
	struct unix_clients *clients;
	struct server *server;
	char *path;
	int fd;
	struct event *event;
	struct event *retry;
};

struct client {
	struct transport transport;
	struct server *server;
	int fd;
	int count;    /* where the socket's count is; -1: it has none */
	bool blocked; /* waits until the peer can take bytes */
	bool stopped; /* waits for its output to be taken */
	struct event *readable, *writable;
	struct unix_clients *clients;
	struct list link;
};

static struct client *
as_client(struct transport *transport)
{
	return list_entry(transport, struct client, transport);
}

static void
client_free(struct client *c)
{
	server_remove(&c->transport);
	list_remove(&c->link);
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	close(c->fd);
	talloc_free(c);
}

static void
client_close(struct client *c)
{
	struct unix_clients *clients = c->clients;
	uint64_t sock = conn_sock(c->transport.conn);

	/* Another process may hold the socket, too. */
	(void)shutdown(c->fd, SHUT_RDWR);
	CRASH_POINT();
	state_close(c->transport.conn);
	client_free(c);
	if (clients->closed != NULL && sock != 0)
		clients->closed(clients->ctx, sock);
}

/*
 * The kernel counts down what is received from a socket, in what is meant for
 * peeking at it: so it can still be told when the receiver is dead. Starts that
 * count.
 */
static void
start_count(struct client *c)
{
	static const int from = COUNT_FROM;

	c->count = from;
	if (setsockopt(c->fd, SOL_SOCKET, SO_PEEK_OFF, &from, sizeof(from)) !=
	    0)
		c->count = -1;
	CRASH_POINT();
}

bool
unix_received(int fd, uint64_t start, size_t *n_out)
{
	socklen_t len = sizeof(int);
	int now;

	if (start == FLIGHT_UNKNOWN ||
	    getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &now, &len) != 0 ||
	    now < 0 || (uint64_t)now > start ||
	    start - (uint64_t)now > FLIGHT_IN_SIZE)
		return false;
	*n_out = (size_t)(start - (uint64_t)now);
	return true;
}

/* --- output --- */

static void
set_blocked(struct client *c, bool blocked)
{
	if (blocked && !c->blocked)
		event_add(c->writable, NULL);
	if (!blocked && c->blocked)
		event_del(c->writable);
	c->blocked = blocked;
}

/* Writes what is in flight; how much, or -1: the peer is gone. */
static ssize_t
send_flight(struct client *c, size_t len)
{
	ssize_t n;

	do
		n = write(c->fd, server_flight(c->server)->bytes, len);
	while (n < 0 && errno == EINTR);
	CRASH_POINT();
	if (n > 0)
		server_wrote(c->server, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	return n;
}

static void
begin_out(struct client *c, enum flight_kind kind, const struct taken *taken)
{
	struct flight_out out = {
		.kind = kind,
		.conn = conn_id(c->transport.conn),
		.seq = server_seq(c->server),
		.n_logged = taken->n_logged,
		.upto = taken->upto,
		.len = taken->len,
		.all = taken->len,
		.at = server_written(c->server),
		.pid = server_flight(c->server)->primary_pid,
	};

	flight_out_begin(server_flight(c->server), &out);
}

/* Sends what was kept. False: the peer is gone. */
static bool
send_kept(struct client *c)
{
	struct conn *conn = c->transport.conn;
	struct flight *flight = server_flight(c->server);
	struct taken piece = { 0, 0, 0 };
	const char *kept;
	ssize_t n;

	for (;;) {
		kept = state_kept(conn, &piece.len);
		if (piece.len == 0)
			return true;
		if (piece.len > sizeof(flight->bytes))
			piece.len = sizeof(flight->bytes);
		memcpy(flight->bytes, kept, piece.len);
		begin_out(c, FLIGHT_KEPT, &piece);
		n = send_flight(c, piece.len);
		if (n > 0)
			state_sent(conn, (size_t)n);
		flight_out_end(flight);
		if (n < 0)
			return false;
		if ((size_t)n < piece.len) {
			set_blocked(c, true);
			return true;
		}
	}
}

/* Sends whole items; *MORE_OUT: there are more. False: the peer is gone. */
static bool
send_items(struct client *c, bool *more_out)
{
	struct conn *conn = c->transport.conn;
	struct flight *flight = server_flight(c->server);
	struct taken taken;
	ssize_t n;
	bool ok;

	*more_out = false;
	state_take(
	    conn, flight->bytes, FLIGHT_OUT_SIZE, FLIGHT_OUT_SIZE, &taken);
	if (taken.len == 0)
		return true;
	begin_out(c, FLIGHT_ITEMS, &taken);
	state_taken(conn, &taken);
	state_settle(conn);
	n = send_flight(c, taken.len);
	ok = n >= 0;
	if (ok && (size_t)n < taken.len) {
		ok = state_keep(conn, flight->bytes + n, taken.len - (size_t)n);
		set_blocked(c, true);
	} else {
		*more_out = state_has_output(conn);
	}
	flight_out_end(flight);
	return ok;
}

/* Sends what can be sent. False: the peer is gone. */
static bool
send_out(struct client *c)
{
	bool more = true;

	set_blocked(c, false);
	if (!send_kept(c))
		return false;
	while (more && !c->blocked)
		if (!send_items(c, &more))
			return false;
	return true;
}

static void
client_flush(struct transport *transport)
{
	struct client *c = as_client(transport);

	if (c->blocked)
		return;
	if (!send_out(c)) {
		client_close(c);
		return;
	}
	if (c->stopped && !c->blocked) {
		c->stopped = false;
		event_add(c->readable, NULL);
		server_activate(c->server, transport);
	}
}

/* --- input --- */

/* Works on LEN BYTES of input; *USED_OUT of them are done with. */
static enum input_result
run_requests(struct client *c, const char *bytes, size_t len, int budget,
    size_t *used_out)
{
	struct conn *conn = c->transport.conn;
	enum input_result result;

	result = state_input(conn, bytes, len, &budget, used_out);
	if (result != INPUT_MORE || *used_out == len)
		return result;
	/* the beginning of a message */
	if (!state_input_part(conn, bytes + *used_out, len - *used_out))
		return INPUT_BAD;
	*used_out = len;
	return INPUT_MORE;
}

/* USED of LEN BYTES of input were used. False: no memory. */
static bool
settle_input(struct client *c, const char *bytes, size_t used, size_t len)
{
	struct flight *flight = server_flight(c->server);

	flight_turn_total(flight, used);
	if (flight->turn.source == FLIGHT_STASH)
		return state_unstash(c->transport.conn, used);
	return used == len ||
	       state_stash(c->transport.conn, bytes + used, len - used, len);
}

/* One turn on LEN BYTES. False: the client must be closed. */
static bool
take_turn(struct client *c, const char *bytes, size_t len, int budget,
    enum input_result *result)
{
	size_t used;

	*result = run_requests(c, bytes, len, budget, &used);
	if (*result == INPUT_BAD)
		return false;
	list_remove(&c->transport.unsent);
	if (!c->blocked && !send_out(c))
		return false;
	state_settle(c->transport.conn);
	return settle_input(c, bytes, used, len);
}

/* Receives input, counted. How much; 0: none yet; -1: the peer is gone. */
static ssize_t
receive(struct client *c, char *bytes)
{
	ssize_t n = recv(c->fd, bytes, FLIGHT_IN_SIZE, MSG_DONTWAIT);

	CRASH_POINT();
	if (n == 0)
		return -1;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (c->count >= 0)
		c->count -= (int)n;
	return n;
}

static enum turn
client_run(struct transport *transport, int budget)
{
	struct client *c = as_client(transport);
	struct flight *flight = server_flight(c->server);
	enum input_result result = INPUT_MORE;
	const char *bytes;
	size_t stashed;
	ssize_t n;

	if (c->stopped)
		return TURN_IDLE;
	bytes = state_stashed(transport->conn, &stashed);
	flight_turn_begin(flight, conn_id(transport->conn),
	    server_seq(c->server), stashed > 0 ? FLIGHT_STASH : FLIGHT_SOCKET,
	    c->count >= 0 ? (uint64_t)c->count : FLIGHT_UNKNOWN);
	n = (ssize_t)stashed;
	if (n == 0) {
		bytes = flight->in;
		n = receive(c, flight->in);
	}
	if (n < 0 ||
	    (n > 0 && !take_turn(c, bytes, (size_t)n, budget, &result))) {
		client_close(c);
		flight_turn_end(flight);
		return TURN_IDLE;
	}
	flight_turn_end(flight);
	if (c->count >= 0 && c->count < FLIGHT_IN_SIZE)
		start_count(c);
	if (result == INPUT_WAIT && c->blocked) {
		c->stopped = true;
		event_del(c->readable);
		return TURN_IDLE;
	}
	/* after what was stashed there may be more in the socket */
	return result == INPUT_MORE && stashed == 0 ? TURN_IDLE : TURN_MORE;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	server_activate(c->server, &c->transport);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	set_blocked(c, false);
	client_flush(&c->transport);
}

/* --- clients --- */

struct unix_clients *
unix_clients_new(
    struct server *server, void (*closed)(void *ctx, uint64_t sock), void *ctx)
{
	struct unix_clients *clients = talloc_zero(NULL, struct unix_clients);

	if (clients == NULL)
		fatalx("no memory");
	/* write(2), whose bytes are counted, knows no MSG_NOSIGNAL */
	signal(SIGPIPE, SIG_IGN);
	clients->server = server;
	clients->closed = closed;
	clients->ctx = ctx;
	list_init(&clients->list);
	return clients;
}

/* A client without a connection. */
static struct client *
client_new(struct unix_clients *clients, int fd)
{
	struct event_base *base = server_base(clients->server);
	struct client *c = talloc_zero(clients, struct client);

	if (c == NULL)
		return NULL;
	c->clients = clients;
	c->server = clients->server;
	c->fd = fd;
	server_add(&c->transport);
	c->transport.privileged = true;
	c->transport.run = client_run;
	c->transport.flush = client_flush;
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable =
	    event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->count = -1;
	list_append(&clients->list, &c->link);
	if (c->readable != NULL && c->writable != NULL &&
	    event_add(c->readable, NULL) == 0)
		return c;
	c->fd = -1;
	client_free(c);
	return NULL;
}

bool
unix_add(struct unix_clients *clients, int fd, uint64_t sock)
{
	struct client *c = client_new(clients, fd);
	uid_t uid;
	pid_t pid;

	if (c == NULL)
		return false;
	start_count(c);
	priv_peer(fd, &uid, &pid);
	c->transport.conn = state_open_sock(
	    server_state(c->server), uid, pid, sock, &c->transport);
	if (c->transport.conn != NULL)
		return true;
	c->fd = -1;
	client_free(c);
	return false;
}

bool
unix_adopt(struct unix_clients *clients, int fd, struct conn *conn)
{
	struct client *c = client_new(clients, fd);

	if (c == NULL)
		return false;
	c->transport.conn = conn;
	conn_set_shell(conn, &c->transport);
	return true;
}

void
unix_start(struct unix_clients *clients)
{
	struct list *link, *after;
	struct client *c;

	list_each(link, after, &clients->list)
	{
		c = list_entry(link, struct client, link);
		start_count(c);
		server_activate(c->server, &c->transport);
		if (state_has_output(c->transport.conn))
			set_blocked(c, true);
	}
}

int
unix_fd(const struct conn *conn)
{
	return as_client(conn_shell(conn))->fd;
}

void
unix_drop(struct conn *conn)
{
	client_close(as_client(conn_shell(conn)));
}

void
unix_clients_close(struct unix_clients *clients)
{
	while (!list_empty(&clients->list))
		client_close(
		    list_entry(clients->list.next, struct client, link));
	talloc_free(clients);
}

/* --- accepting --- */

static void
on_connect(evutil_socket_t listener, short what, void *arg)
{
	static const struct timeval pause = { 0, ACCEPT_PAUSE_MS * 1000 };
	struct unix_listener *l = arg;
	int i, fd;

	(void)what;
	for (i = 0; i < ACCEPT_BATCH; i++) {
		fd =
		    accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && errno == ECONNABORTED)
			continue;
		if (fd < 0)
			break;
		if (!unix_add(l->clients, fd, 0)) {
			msg_warnx("no memory for a client");
			close(fd);
		}
	}
	if (i < ACCEPT_BATCH && errno != EAGAIN && errno != EWOULDBLOCK &&
	    errno != EINTR) {
		/* Whoever waits is served when others have gone. */
		msg_warn("cannot accept a client");
		event_del(l->event);
		event_add(l->retry, &pause);
	}
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct unix_listener *l = arg;

	(void)fd;
	(void)what;
	event_add(l->event, NULL);
}

struct unix_listener *
unix_listen(struct server *server, const char *path)
{
	struct unix_listener *l = talloc_zero(NULL, struct unix_listener);

	if (l == NULL)
		fatalx("no memory");
	l->server = server;
	l->clients = unix_clients_new(server, NULL, NULL);
	l->path = talloc_strdup(l, path);
	l->fd = listener_open(path);
	l->event = event_new(
	    server_base(server), l->fd, EV_READ | EV_PERSIST, on_connect, l);
	l->retry = event_new(server_base(server), -1, 0, on_retry, l);
	if (l->path == NULL || l->event == NULL || l->retry == NULL ||
	    event_add(l->event, NULL) != 0)
		fatalx("no memory");
	return l;
}

void
unix_close(struct unix_listener *l)
{
	unix_clients_close(l->clients);
	event_free(l->event);
	event_free(l->retry);
	close(l->fd);
	unlink(l->path);
	talloc_free(l);
}
