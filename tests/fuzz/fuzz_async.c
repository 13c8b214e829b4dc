/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The asynchronous interface between a server that answers what the bytes say
 * and a user who makes, cancels and ends things at any moment, also from inside
 * the functions that are called. Each request is answered at most once, and, as
 * long as nobody closed the handle, exactly once or cancelled.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "async.h"
#include "fuzz.h"

enum {
	SLOTS = 16,   /* of the user's requests and watches */
	SEEN_MAX = 32 /* requests that the server remembers */
};

struct slot {
	struct xs_async_request *req; /* NULL: free */
	int answers;
};

static struct script script;
static struct xs_async *a;
static bool closed;
static struct slot slots[SLOTS];
static struct xs_async_watch *watches[SLOTS];
static xs_transaction_t txn;

/* The server's end, and the headers and first bytes of what came. */
static int server;
static struct {
	struct wire_header hdr;
	char body[64];
} seen[SEEN_MAX];
static size_t nseen;

static void act(int depth);

/* Inside a function of the user. */
static void
react(void)
{
	static int depth;

	if (depth < 3) {
		depth++;
		act(depth);
		depth--;
	}
}

static void
answered(void *ctx, int err, const char *data, size_t len)
{
	struct slot *slot = ctx;

	must(slot->req != NULL);
	must((err == 0) == (data != NULL));
	must(data == NULL || data[len] == '\0');
	slot->req = NULL;
	slot->answers++;
	react();
}

static void
started(void *ctx, int err, const char *data, size_t len)
{
	if (err == 0) {
		must(len > 0);
		txn = (xs_transaction_t)strtoul(data, NULL, 10);
		must(txn != 0);
	}
	answered(ctx, err, data, len);
}

static void
fired(void *ctx, const char *path)
{
	struct xs_async_watch **watch = ctx;

	must(*watch != NULL);
	must(strlen(path) <= CONN_PAYLOAD_MAX);
	react();
}

static void
watched(void *ctx, int err, const char *data, size_t len)
{
	struct xs_async_watch **watch = ctx;

	(void)data;
	(void)len;
	must(*watch != NULL);
	if (err != 0)
		*watch = NULL;
	react();
}

/* --- the user --- */

static void
submit(void)
{
	struct slot *slot = &slots[script_pick(&script, SLOTS)];
	uint8_t what = script_byte(&script);
	xs_transaction_t in = what & 0x80 ? txn : XBT_NULL;
	char path[3] = { '/', (char)('a' + what % 4), '\0' };

	if (slot->req != NULL)
		return;
	switch (what % 7) {
	case 0:
		slot->req = xs_async_read(a, in, path, answered, slot);
		break;
	case 1:
	case 2:
		slot->req = xs_async_directory(a, in, path, answered, slot);
		break;
	case 3:
		slot->req =
		    xs_async_write(a, in, path, "value", 5, answered, slot);
		break;
	case 4:
		slot->req = xs_async_transaction_start(a, started, slot);
		break;
	case 5:
		slot->req = xs_async_transaction_end(
		    a, txn, what & 0x40, answered, slot);
		break;
	default:
		slot->req = xs_async_submit(a, (enum xs_async_op)(what >> 2),
		    in, NULL, 0, answered, slot);
		break;
	}
}

static void
cancel(void)
{
	struct slot *slot = &slots[script_pick(&script, SLOTS)];

	if (slot->req == NULL)
		return;
	xs_async_cancel(a, slot->req);
	slot->req = NULL;
}

static void
toggle_watch(void)
{
	struct xs_async_watch **watch = &watches[script_pick(&script, SLOTS)];

	if (*watch != NULL) {
		xs_async_unwatch(a, *watch);
		*watch = NULL;
	} else {
		*watch = xs_async_watch(a, "/w",
		    (int)script_pick(&script, 4) - 1, fired, watched, watch);
	}
}

/* --- the server --- */

/* Notes the requests that have come, as far as they are whole. */
static void
look(void)
{
	char buf[WIRE_MESSAGE_MAX];

	while (nseen < SEEN_MAX) {
		struct wire_header hdr;
		size_t len;
		ssize_t n =
		    recv(server, buf, sizeof(hdr), MSG_DONTWAIT | MSG_PEEK);

		if (n != (ssize_t)sizeof(hdr))
			return;
		memcpy(&hdr, buf, sizeof(hdr));
		must(hdr.len <= WIRE_PAYLOAD_MAX);
		len = sizeof(hdr) + hdr.len;
		n = recv(server, buf, len, MSG_DONTWAIT | MSG_PEEK);
		if (n != (ssize_t)len)
			return;
		must(recv(server, buf, len, MSG_DONTWAIT) == n);
		seen[nseen].hdr = hdr;
		memset(seen[nseen].body, 0, sizeof(seen[nseen].body));
		len -= sizeof(hdr);
		if (len >= sizeof(seen[nseen].body))
			len = sizeof(seen[nseen].body) - 1;
		memcpy(seen[nseen++].body, buf + sizeof(hdr), len);
	}
}

static void
say(const void *data, size_t len)
{
	(void)!send(server, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A payload; how long. */
static size_t
make_body(char *to, size_t max)
{
	static const char *const texts[] = { "OK", "ENOENT", "E2BIG", "1", "2",
		"4294967295", "", "name", "generation", "ENOSYS" };
	size_t n = 0;
	uint8_t what;

	while (n + 256 < max && (what = script_byte(&script)) % 4 != 0) {
		if (what % 4 == 3) {
			n += script_bytes(&script, to + n, what >> 2);
		} else {
			const char *text =
			    texts[(what >> 2) %
				  (sizeof(texts) / sizeof(texts[0]))];

			memcpy(to + n, text, strlen(text) + 1);
			n += strlen(text) + 1;
		}
	}
	return n;
}

/* Answers one of the requests, mostly as such. */
static void
answer(void)
{
	uint8_t how = script_byte(&script);
	struct wire_header hdr;
	char body[8192];
	size_t i;

	look();
	if (nseen == 0)
		return;
	i = how & 1 ? script_pick(&script, nseen) : 0;
	hdr = seen[i].hdr;
	if ((how & 6) == 2)
		hdr.type = WIRE_ERROR;
	if (how == 0xff)
		hdr.type = script_byte(&script);
	hdr.len = (uint32_t)make_body(body, sizeof(body));
	say(&hdr, sizeof(hdr));
	say(body, hdr.len);
	nseen--;
	memmove(&seen[i], &seen[i + 1], (nseen - i) * sizeof(seen[0]));
}

/* An event, mostly with the token of a watch that was asked for. */
static void
fire(void)
{
	struct wire_header hdr = { .type = WIRE_WATCH_EVENT };
	uint8_t how = script_byte(&script);
	char body[1024] = "/w/changed";
	size_t n = strlen(body) + 1;

	if (how & 1)
		n += (size_t)snprintf(
			 body + n, 32, "%x.%x", how >> 1 & 15, how >> 5) +
		     1;
	else
		n = make_body(body, sizeof(body));
	hdr.len = (uint32_t)n;
	say(&hdr, sizeof(hdr));
	say(body, n);
}

static void
say_anything(void)
{
	char bytes[64];

	say(bytes,
	    script_bytes(&script, bytes, script_pick(&script, sizeof(bytes))));
}

/* --- together --- */

static void
act(int depth)
{
	if (closed || script.left == 0)
		return;
	switch (script_byte(&script) % 12) {
	case 0:
	case 1:
	case 2:
		submit();
		break;
	case 3:
		cancel();
		break;
	case 4:
		toggle_watch();
		break;
	case 5:
	case 6:
	case 7:
		answer();
		break;
	case 8:
		fire();
		break;
	case 9:
		if (script_byte(&script) == 0xff)
			say_anything();
		break;
	case 10:
		if (script_byte(&script) == 0xff) {
			closed = depth > 0; /* act()'s caller ends it else */
			if (closed)
				xs_async_close(a);
		} else if (script_byte(&script) == 0xfe) {
			(void)shutdown(server, SHUT_WR);
		}
		break;
	default:
		if (depth == 0)
			(void)xs_async_dispatch(a);
		break;
	}
}

static void
reset(void)
{
	memset(slots, 0, sizeof(slots));
	memset(watches, 0, sizeof(watches));
	nseen = 0;
	txn = 0;
	closed = false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conn conn = { .kind = CONN_SOCKET };
	uint8_t flags;
	int sv[2];

	script = (struct script){ data, size };
	reset();
	flags = script_byte(&script);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
	conn.fd = sv[0];
	server = sv[1];
	a = async_open(&conn, flags & 1 ? XS_ASYNC_RECONNECT : 0);
	must(a != NULL);
	while (!closed && script.left > 0)
		act(0);
	if (!closed) {
		/* the end: all is answered, or the server is waited for */
		close(server);
		for (int i = 0; i < 8 && !closed; i++)
			if (xs_async_dispatch(a) != 0 && !closed)
				break;
		for (int i = 0; i < SLOTS && !closed && !(flags & 1); i++)
			must(slots[i].req == NULL);
		if (!closed)
			xs_async_close(a);
	} else {
		close(server);
	}
	return 0;
}
