/*
 * The least that telling many connections of a change costs: a server that
 * keeps no store and sends each connection with watches as many events as it
 * has, by one send(), whenever anybody writes anything.
 *
 * bench_fan SOCKET
 *     Serves at SOCKET until it is ended. WATCH is answered and has its first
 *     event, everything else is only answered.
 */
#include "wire.h"

#include <signal.h>
#include <sys/epoll.h>

enum { CONNS = 4096, EVENTS_MAX = 64 };

struct conn {
	char in[4096];
	size_t have;
	int watches;
};

static struct conn conns[CONNS]; /* by descriptor */
static const char event_body[] = "/bench/probe\0"
				 "100";

static size_t
put(char *at, enum op op, const char *body, size_t len)
{
	struct head h = { op, 0, 0, (uint32_t)len };

	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), body, len);
	return sizeof(h) + len;
}

static void
send_events(int fd, int n)
{
	static char out[1024 * (sizeof(struct head) + sizeof(event_body))];
	size_t len = 0;
	int i;

	for (i = 0; i < n && i < 1024; i++)
		len += put(out + len, OP_EVENT, event_body, sizeof(event_body));
	if (len > 0 && send(fd, out, len, MSG_NOSIGNAL) != (ssize_t)len)
		conns[fd].watches = 0; /* it has gone */
}

static void
answer(int fd, enum op op)
{
	char out[64];
	int i;

	if (send(fd, out, put(out, op, "OK", 3), MSG_NOSIGNAL) < 0)
		return;
	if (op == OP_WATCH) {
		conns[fd].watches++;
		send_events(fd, 1);
	}
	for (i = 0; op == OP_WRITE && i < CONNS; i++)
		if (conns[i].watches > 0)
			send_events(i, conns[i].watches);
}

static void
serve(int fd)
{
	struct conn *c = &conns[fd];
	ssize_t n = read(fd, c->in + c->have, sizeof(c->in) - c->have);
	size_t pos = 0;
	struct head h;

	if (n <= 0) {
		c->watches = 0;
		c->have = 0;
		close(fd);
		return;
	}
	c->have += (size_t)n;
	while (c->have - pos >= sizeof(h)) {
		memcpy(&h, c->in + pos, sizeof(h));
		if (c->have - pos - sizeof(h) < h.len)
			break;
		answer(fd, (enum op)h.type);
		pos += sizeof(h) + h.len;
	}
	c->have -= pos;
	memmove(c->in, c->in + pos, c->have);
}

int
main(int argc, char **argv)
{
	int l = socket(AF_UNIX, SOCK_STREAM, 0), ep = epoll_create1(0), i, n;
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = l };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct epoll_event got[EVENTS_MAX];

	if (argc != 2) {
		fprintf(stderr, "usage: bench_fan SOCKET\n");
		return 2;
	}
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[1]);
	if (bind(l, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(l, 1024) != 0 || epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev) != 0)
		die("%s: %s", argv[1], strerror(errno));
	for (;;) {
		n = epoll_wait(ep, got, EVENTS_MAX, -1);
		for (i = 0; i < n; i++) {
			if (got[i].data.fd != l) {
				serve(got[i].data.fd);
				continue;
			}
			ev.data.fd = accept(l, NULL, NULL);
			if (ev.data.fd >= CONNS)
				die("too many connections");
			(void)epoll_ctl(ep, EPOLL_CTL_ADD, ev.data.fd, &ev);
		}
	}
}
