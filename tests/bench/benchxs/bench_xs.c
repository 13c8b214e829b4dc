/*
 * Requests of the store's socket protocol: round trips one by one and with
 * WINDOW requests outstanding. The raw protocol on both sides of the wire, so
 * that no client library is measured.
 *
 * bench_xs floor SOCKET            answers every request at once, by epoll
 * bench_xs read|write|txn SOCKET WINDOW COUNT
 *     WINDOW 1: the median round trip in microseconds; else requests a second.
 *     txn: TRANSACTION_START, READ, WRITE, TRANSACTION_END, one by one.
 * bench_xs many-read|many-write SOCKET CLIENTS COUNT [PID]
 *     Replies a second of CLIENTS connections with one request outstanding
 *     each, and the microseconds of CPU that process PID (who listens, if none
 *     is named) took for each.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX 200000
#define PATH "/tool/bench/node"
#define VALUE "0123456789abcdef"

enum { EVENTS = 256, FDS_MAX = 4096 };

enum { XS_READ = 2, XS_TX_START = 6, XS_TX_END = 7, XS_WRITE = 11 };
enum { XS_ERROR = 16 };

struct head {
	uint32_t type, req_id, tx_id, len;
};

static double samples[SAMPLES_MAX];

static void
die(const char *what)
{
	fprintf(stderr, "bench_xs: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* The CPU that process PID has used up. */
static double
cpu_us(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &ts) != 0)
		die("the server's clock");
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Who listens at the other end of S. */
static pid_t
listener(int s)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		die("SO_PEERCRED");
	return who.pid;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct sockaddr_un
address(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	return at;
}

/* --- the floor ---------------------------------------------------------- */

/* Whole requests in IN become answers in OUT; the bytes used up. */
static size_t
answer(const char *in, size_t len, char *out, size_t *out_len)
{
	size_t used = 0;
	struct head h;

	*out_len = 0;
	while (len - used >= sizeof(h)) {
		const char *body = "OK";

		memcpy(&h, in + used, sizeof(h));
		if (len - used - sizeof(h) < h.len)
			break;
		used += sizeof(h) + h.len;
		h.len = 3;
		if (h.type == XS_READ) {
			body = VALUE;
			h.len = sizeof(VALUE) - 1;
		}
		memcpy(out + *out_len, &h, sizeof(h));
		memcpy(out + *out_len + sizeof(h), body, h.len);
		*out_len += sizeof(h) + h.len;
	}
	return used;
}

static void
serve(int s)
{
	static char in[65536], out[2 * 65536];
	static size_t have;
	ssize_t n = read(s, in + have, sizeof(in) - have);
	size_t used, len;

	if (n <= 0) {
		close(s);
		have = 0;
		return;
	}
	have += (size_t)n;
	used = answer(in, have, out, &len);
	memmove(in, in + used, have - used);
	have -= used;
	if (len > 0 && write(s, out, len) != (ssize_t)len) {
		close(s); /* it does not wait for its last answers */
		have = 0;
	}
}

static void
run_floor(const char *path)
{
	struct sockaddr_un at = address(path);
	int l = socket(AF_UNIX, SOCK_STREAM, 0), ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = l };
	struct epoll_event got[EVENTS];
	int i, n;

	if (bind(l, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(l, 128) != 0 || epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev) != 0)
		die(path);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		n = epoll_wait(ep, got, EVENTS, -1);
		for (i = 0; i < n; i++) {
			if (got[i].data.fd != l) {
				serve(got[i].data.fd);
				continue;
			}
			ev.data.fd = accept(l, NULL, NULL);
			(void)epoll_ctl(ep, EPOLL_CTL_ADD, ev.data.fd, &ev);
		}
	}
}

/* --- the client --------------------------------------------------------- */

static void
put(int s, uint32_t type, uint32_t tx, const char *body, size_t len)
{
	struct head h = { .type = type, .tx_id = tx, .len = (uint32_t)len };
	char msg[256];

	memcpy(msg, &h, sizeof(h));
	memcpy(msg + sizeof(h), body, len);
	if (write(s, msg, sizeof(h) + len) != (ssize_t)(sizeof(h) + len))
		die("write");
}

static void
put_simple(int s, uint32_t type, uint32_t tx)
{
	static const char body[] = PATH "\0" VALUE;

	put(s, type, tx, body,
	    type == XS_READ ? sizeof(PATH) : sizeof(body) - 1);
}

/* Counts the answers that one read brings; LAST gets the body of the last. */
static int
take(int s, char *last, size_t size)
{
	static char in[65536];
	static size_t have;
	size_t used = 0;
	struct head h;
	int n = 0;
	ssize_t got = read(s, in + have, sizeof(in) - have);

	if (got <= 0)
		die("the daemon hung up");
	have += (size_t)got;
	while (have - used >= sizeof(h)) {
		memcpy(&h, in + used, sizeof(h));
		if (have - used - sizeof(h) < h.len)
			break;
		if (h.type == XS_ERROR) {
			fprintf(stderr, "bench_xs: the daemon said %.*s\n",
			    (int)h.len, in + used + sizeof(h));
			exit(1);
		}
		if (h.len < size) {
			memcpy(last, in + used + sizeof(h), h.len);
			last[h.len] = '\0';
		}
		used += sizeof(h) + h.len;
		n++;
	}
	memmove(in, in + used, have - used);
	have -= used;
	return n;
}

static void
take_one(int s, char *body, size_t size)
{
	while (take(s, body, size) == 0)
		;
}

static void
transaction(int s)
{
	char body[64];
	uint32_t tx;

	put(s, XS_TX_START, 0, "", 1);
	take_one(s, body, sizeof(body));
	tx = (uint32_t)strtoul(body, NULL, 10);
	put_simple(s, XS_READ, tx);
	take_one(s, body, sizeof(body));
	put_simple(s, XS_WRITE, tx);
	take_one(s, body, sizeof(body));
	put(s, XS_TX_END, tx, "T", 2);
	take_one(s, body, sizeof(body));
}

static void
one_by_one(int s, const char *mode, int count)
{
	char body[64];

	for (int i = 0; i < count; i++) {
		double t = now_us();

		if (strcmp(mode, "txn") == 0) {
			transaction(s);
		} else {
			put_simple(s, mode[0] == 'r' ? XS_READ : XS_WRITE, 0);
			take_one(s, body, sizeof(body));
		}
		samples[i] = now_us() - t;
	}
	qsort(samples, (size_t)count, sizeof(samples[0]), by_value);
	printf("%.2f\n", samples[count / 2]);
}

static void
pipelined(int s, const char *mode, int window, int count)
{
	uint32_t type = mode[0] == 'r' ? XS_READ : XS_WRITE;
	int sent = 0, back = 0;
	char body[64];
	double start = now_us();

	while (back < count) {
		for (; sent < count && sent - back < window; sent++)
			put_simple(s, type, 0);
		back += take(s, body, sizeof(body));
	}
	printf("%.0f\n", (double)count * 1e6 / (now_us() - start));
}

/* CLIENTS connections with one request outstanding each, COUNT in all, of the
 * server that SERVES. */
static void
many(const struct sockaddr_un *at, uint32_t type, int clients, int count,
    pid_t serves)
{
	const size_t whole =
	    sizeof(struct head) +
	    (type == XS_READ ? sizeof(VALUE) - 1 : sizeof("OK"));
	static size_t have[FDS_MAX]; /* of a reply; it may come in pieces */
	struct epoll_event ev = { .events = EPOLLIN }, got[EVENTS];
	int ep = epoll_create1(0), back = 0, i, n, s;
	char in[256];
	ssize_t len;
	double start = 0, cpu = 0, end;

	for (i = 0; i < clients; i++) {
		s = socket(AF_UNIX, SOCK_STREAM, 0);
		ev.data.fd = s;
		if (s < 0 || s >= FDS_MAX ||
		    connect(s, (const struct sockaddr *)at, sizeof(*at)) != 0 ||
		    epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev) != 0)
			die(at->sun_path);
		put_simple(s, type, 0);
	}
	/* the first answers are those of connections that are new */
	while (back < count + clients) {
		n = epoll_wait(ep, got, EVENTS, -1);
		for (i = 0; i < n; i++) {
			s = got[i].data.fd;
			len = read(s, in, sizeof(in));
			if (len <= 0)
				die("the daemon hung up");
			have[s] += (size_t)len;
			if (have[s] < whole)
				continue;
			have[s] = 0;
			if (++back == clients) {
				start = now_us();
				cpu = cpu_us(serves);
			}
			put_simple(s, type, 0);
		}
	}
	end = now_us();
	printf("%.0f %.2f\n", (double)count * 1e6 / (end - start),
	    (cpu_us(serves) - cpu) / (double)count);
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int s = socket(AF_UNIX, SOCK_STREAM, 0), window, count;
	struct sockaddr_un at;
	char body[64];

	if (strcmp(mode, "floor") == 0 && argc == 3)
		run_floor(argv[2]);
	if (argc < 5 || argc > 6 || atoi(argv[4]) < 1 ||
	    atoi(argv[4]) > SAMPLES_MAX) {
		fprintf(stderr, "usage: bench_xs floor SOCKET | "
				"read|write|txn SOCKET WINDOW COUNT | "
				"many-read|many-write SOCKET CLIENTS COUNT "
				"[PID]\n");
		return 2;
	}
	at = address(argv[2]);
	window = atoi(argv[3]);
	count = atoi(argv[4]);
	if (connect(s, (struct sockaddr *)&at, sizeof(at)) != 0)
		die(argv[2]);
	put_simple(s, XS_WRITE, 0);
	take_one(s, body, sizeof(body));
	if (strncmp(mode, "many-", 5) == 0)
		many(&at, mode[5] == 'r' ? XS_READ : XS_WRITE, window, count,
		    argc > 5 ? (pid_t)atoi(argv[5]) : listener(s));
	else if (window > 1)
		pipelined(s, mode, window, count);
	else
		one_by_one(s, mode, count);
	return 0;
}
