/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/transport_unix.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <talloc.h>

#include "xenstored/msg.h"
#include "xenstored/priv.h"

enum {
	READ_SIZE = 32 * 1024,
	ACCEPT_BATCH = 64,
	ACCEPT_PAUSE_MS = 100, /* when descriptors ran out */
};

struct unix_listener {
	struct server *server;
	char *path;
	int fd;
	struct event *event;
	struct event *retry;
	struct list clients;
};

/* Bytes that wait: those from START on, of LEN. */
struct buffer {
	char *bytes;
	size_t start, len;
};

struct client {
	struct transport transport;
	struct server *server;
	struct list link;
	int fd;
	struct event *readable, *writable;
	struct buffer in;  /* received and not consumed */
	struct buffer out; /* taken from the queue and not sent */
	bool in_waits;	   /* IN must be worked on before more is received */
	bool stopped;	   /* waits for its output to be read */
};

static struct client *
as_client(struct transport *transport)
{
	return list_entry(transport, struct client, transport);
}

static void
client_close(struct client *c)
{
	server_remove(&c->transport);
	list_remove(&c->link);
	state_close(c->transport.conn);
	event_free(c->readable);
	event_free(c->writable);
	close(c->fd);
	talloc_free(c);
}

/* --- output --- */

/* Sends LEN bytes; how many, or -1: the peer is gone. */
static ssize_t
send_some(struct client *c, const char *bytes, size_t len)
{
	ssize_t n;

	do
		n = send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	return n;
}

/* Keeps LEN bytes that could not be sent. */
static bool
keep_out(struct client *c, const char *bytes, size_t len)
{
	c->out.bytes = talloc_memdup(c, bytes, len);
	if (c->out.bytes == NULL)
		return false;
	c->out.start = 0;
	c->out.len = len;
	event_add(c->writable, NULL);
	return true;
}

/* Sends what is left of last time; false: there is still some, or the peer is
 * gone (*GONE). */
static bool
send_kept(struct client *c, bool *gone)
{
	ssize_t n;

	if (c->out.bytes == NULL)
		return true;
	n = send_some(
	    c, c->out.bytes + c->out.start, c->out.len - c->out.start);
	*gone = n < 0;
	if (n > 0)
		c->out.start += (size_t)n;
	if (c->out.start < c->out.len)
		return false;
	talloc_free(c->out.bytes);
	c->out.bytes = NULL;
	event_del(c->writable);
	return true;
}

/* False: the peer is gone. */
static bool
send_out(struct client *c)
{
	char *scratch = server_scratch(c->server);
	bool gone = false;
	size_t len;
	ssize_t n;

	while (send_kept(c, &gone)) {
		len = state_output(c->transport.conn, scratch, SERVER_SCRATCH);
		if (len == 0)
			break;
		n = send_some(c, scratch, len);
		if (n < 0)
			return false;
		if ((size_t)n < len)
			return keep_out(c, scratch + n, len - (size_t)n);
		if (len < SERVER_SCRATCH / 2)
			break;
	}
	return !gone;
}

static void
client_flush(struct transport *transport)
{
	struct client *c = as_client(transport);

	if (!send_out(c)) {
		client_close(c);
		return;
	}
	if (c->stopped && c->out.bytes == NULL) {
		c->stopped = false;
		event_add(c->readable, NULL);
		server_activate(c->server, &c->transport);
	}
}

/* --- input --- */

/*
 * Receives behind what is kept, or into the scratch space if nothing is.
 * *BYTES_OUT and *LEN_OUT: all there is to work on. False: closed.
 */
static bool
receive(struct client *c, char **bytes_out, size_t *len_out)
{
	char *into = server_scratch(c->server);
	ssize_t n;

	if (c->in.len > 0)
		memcpy(into, c->in.bytes, c->in.len);
	n = recv(c->fd, into + c->in.len, READ_SIZE, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;
	*bytes_out = into;
	*len_out = c->in.len + (n > 0 ? (size_t)n : 0);
	return true;
}

/* Keeps LEN bytes at BYTES for the next turn. False: no memory. */
static bool
keep_in(struct client *c, const char *bytes, size_t len)
{
	char *copy = NULL;

	if (len > 0) {
		copy = talloc_memdup(c, bytes, len);
		if (copy == NULL)
			return false;
	}
	talloc_free(c->in.bytes);
	c->in.bytes = copy;
	c->in.len = len;
	return true;
}

static enum turn
client_run(struct transport *transport, int budget)
{
	struct client *c = as_client(transport);
	enum input_result result;
	char *bytes = c->in.bytes;
	size_t len = c->in.len, used;

	if (!c->in_waits && !receive(c, &bytes, &len)) {
		client_close(c);
		return TURN_IDLE;
	}
	result = state_input(transport->conn, bytes, len, &budget, &used);
	if (result == INPUT_BAD || !keep_in(c, bytes + used, len - used)) {
		client_close(c);
		return TURN_IDLE;
	}
	c->in_waits = result != INPUT_MORE;
	if (result == INPUT_WAIT) {
		c->stopped = true;
		event_del(c->readable);
		/* should it be possible to go on at once */
		if (list_empty(&transport->unsent))
			client_flush(transport);
		return TURN_IDLE;
	}
	return result == INPUT_BUSY ? TURN_MORE : TURN_IDLE;
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
	client_flush(&c->transport);
}

/* --- accepting --- */

static bool
client_new(struct unix_listener *l, int fd)
{
	struct event_base *base = server_base(l->server);
	struct client *c = talloc_zero(l, struct client);
	uid_t uid;
	pid_t pid;

	if (c == NULL)
		return false;
	c->server = l->server;
	c->fd = fd;
	server_add(&c->transport);
	list_init(&c->link);
	c->transport.privileged = true;
	c->transport.run = client_run;
	c->transport.flush = client_flush;
	priv_peer(fd, &uid, &pid);
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable =
	    event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	if (c->readable != NULL && c->writable != NULL &&
	    event_add(c->readable, NULL) == 0)
		c->transport.conn = state_open_socket(
		    server_state(l->server), uid, pid, &c->transport);
	if (c->transport.conn == NULL) {
		if (c->readable != NULL)
			event_free(c->readable);
		if (c->writable != NULL)
			event_free(c->writable);
		talloc_free(c);
		return false;
	}
	list_append(&l->clients, &c->link);
	return true;
}

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
		if (!client_new(l, fd)) {
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

/* Whether somebody answers at ADDRESS. */
static bool
is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive;

	alive = fd >= 0 &&
		connect(fd, (const void *)address, sizeof(*address)) == 0;
	if (fd >= 0)
		close(fd);
	return alive;
}

static int
bind_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, rc;

	if (strlen(path) >= sizeof(address.sun_path))
		fatalx("the socket's path %s is longer than %zu", path,
		    sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	if (is_alive(&address))
		fatalx("another xenstored serves %s", path);
	if (unlink(path) != 0 && errno != ENOENT)
		fatal("cannot remove the stale socket %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		fatal("cannot make a socket");
	mask = umask(0177);
	rc = bind(fd, (const void *)&address, sizeof(address));
	umask(mask);
	if (rc != 0)
		fatal("cannot bind to %s", path);
	if (listen(fd, 128) != 0)
		fatal("cannot listen at %s", path);
	return fd;
}

struct unix_listener *
unix_listen(struct server *server, const char *path)
{
	struct unix_listener *l = talloc_zero(NULL, struct unix_listener);

	if (l == NULL)
		fatalx("no memory");
	l->server = server;
	l->path = talloc_strdup(l, path);
	l->fd = bind_socket(path);
	list_init(&l->clients);
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
	while (!list_empty(&l->clients))
		client_close(list_entry(l->clients.next, struct client, link));
	event_free(l->event);
	event_free(l->retry);
	close(l->fd);
	unlink(l->path);
	talloc_free(l);
}
