/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libxenstore against a server that answers what the bytes say. The script is
 * read twice: first the whole of what the server will ever send is put into the
 * socket, then the same calls are made.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/wire.h"
#include "fuzz.h"
#include "handle.h"

enum {
	CALLS_MAX = 24,
	STREAM_MAX = 64 * 1024, /* fits a socket's buffer */
};

enum call {
	CALL_READ,
	CALL_DIRECTORY,
	CALL_GET_PERMS,
	CALL_WRITE,
	CALL_WATCH,
	CALL_UNWATCH,
	CALL_START,
	CALL_END,
	CALL_DOMAIN_PATH,
	CALL_INTRODUCED,
	CALL_FEATURES,
	CALL_QUOTA_NAMES,
	CALL_QUOTA,
	CALL_CONTROL,
	CALL_CHECK_WATCH,
	CALL_TRY_DEPTH,
	CALL_COUNT
};

static const uint8_t type_of[CALL_COUNT] = {
	[CALL_READ] = WIRE_READ,
	[CALL_DIRECTORY] = WIRE_DIRECTORY,
	[CALL_GET_PERMS] = WIRE_GET_PERMS,
	[CALL_WRITE] = WIRE_WRITE,
	[CALL_WATCH] = WIRE_WATCH,
	[CALL_UNWATCH] = WIRE_UNWATCH,
	[CALL_START] = WIRE_TRANSACTION_START,
	[CALL_END] = WIRE_TRANSACTION_END,
	[CALL_DOMAIN_PATH] = WIRE_GET_DOMAIN_PATH,
	[CALL_INTRODUCED] = WIRE_IS_DOMAIN_INTRODUCED,
	[CALL_FEATURES] = WIRE_GET_FEATURE,
	[CALL_QUOTA_NAMES] = WIRE_GET_QUOTA,
	[CALL_QUOTA] = WIRE_GET_QUOTA,
	[CALL_CONTROL] = WIRE_CONTROL,
	[CALL_CHECK_WATCH] = WIRE_WATCH_EVENT,
	[CALL_TRY_DEPTH] = WIRE_GET_FEATURE,
};

static struct {
	char bytes[STREAM_MAX];
	size_t len;
} stream;

static void
stream_add(const void *bytes, size_t len)
{
	if (len > sizeof(stream.bytes) - stream.len)
		len = sizeof(stream.bytes) - stream.len;
	memcpy(stream.bytes + stream.len, bytes, len);
	stream.len += len;
}

/* --- the server --- */

/* Something for a payload at TO; how long. */
static size_t
make_body(struct script *s, char *to)
{
	static const char *const texts[] = { "OK", "ENOENT", "E2BIG", "EAGAIN",
		"ENOSYS", "n0", "b4294967295", "1", "15", "4294967295",
		"/local/domain/1", "token", "", "T",
		"0123456789012345678901234567890" };
	size_t n = 0, len, i;
	uint8_t what;

	while (n < 17000) {
		what = script_byte(s);
		if (what % 4 == 0)
			return n;
		if (what % 4 == 1) {
			i = (what >> 2) % (sizeof(texts) / sizeof(texts[0]));
			len = strlen(texts[i]) + 1;
			memcpy(to + n, texts[i], len);
		} else if (what % 4 == 2) {
			len = script_bytes(s, to + n, what >> 2);
		} else { /* many of a kind */
			len = (size_t)(what >> 2) * 40;
			memset(to + n, 'x', len);
			for (i = 3; i < len; i += 4)
				to[n + i] = '\0';
		}
		n += len;
	}
	return n;
}

/* One message, mostly one that answers a request of TYPE. */
static void
make_message(struct script *s, uint32_t type)
{
	static const uint32_t others[] = { WIRE_ERROR, WIRE_WATCH_EVENT,
		WIRE_DIRECTORY_PART, WIRE_TRANSACTION_START,
		WIRE_TRANSACTION_END, 99 };
	static char body[20000];
	uint8_t how = script_byte(s);
	struct wire_header header = { .type = type };

	if (how % 8 < 6)
		header.type = how % 8 < 3 ? type : others[how % 8 - 3];
	else
		header.type = others[how % 8 - 4];
	header.len = (uint32_t)make_body(s, body);
	if (how >> 3 == 1)
		header.req_id = script_word(s);
	stream_add(&header, sizeof(header));
	if (how >> 3 == 2) /* a length that is not so */
		memset(stream.bytes + stream.len - 4, script_byte(s), 4);
	if (how >> 3 == 3)
		header.len /= 2;
	stream_add(body, header.len);
}

/* A directory that is too long for one reply: its refusal and a part of it. */
static void
make_part(struct script *s)
{
	static const struct wire_header refusal = { .type = WIRE_ERROR,
		.len = 6 };

	stream_add(&refusal, sizeof(refusal));
	stream_add("E2BIG", 6);
	make_message(s, WIRE_DIRECTORY_PART);
}

static size_t
make_stream(struct script s, enum call calls[CALLS_MAX])
{
	size_t n = 0;
	uint8_t messages;

	stream.len = 0;
	while (n < CALLS_MAX && s.left > 0) {
		messages = script_byte(&s);
		calls[n] = messages % CALL_COUNT;
		if (calls[n] == CALL_DIRECTORY && messages >= 128)
			make_part(&s);
		for (messages /= CALL_COUNT; messages > 0; messages--)
			make_message(
			    &s, calls[n] == CALL_DIRECTORY && messages > 2
				    ? WIRE_DIRECTORY_PART
				    : type_of[calls[n]]);
		n++;
	}
	return n;
}

/* --- the client --- */

static void
touch_strings(char **vec, unsigned num)
{
	size_t sum = 0;

	for (unsigned i = 0; i < num; i++)
		sum += strlen(vec[i]);
	must(sum < SIZE_MAX);
}

static void
call_lists(struct xs_handle *h, enum call call)
{
	unsigned num = 0;
	struct xs_permissions *perms;
	const char **names;
	char **vec;

	if (call == CALL_GET_PERMS) {
		perms = xs_get_permissions(h, XBT_NULL, "/a", &num);
		for (unsigned i = 0; perms != NULL && i < num; i++)
			must((unsigned)perms[i].perms <= 7);
		free(perms);
		return;
	}
	if (call == CALL_QUOTA_NAMES) {
		names = xs_get_quota_names(h, &num);
		for (unsigned i = 0; names != NULL && i < num; i++)
			must(strlen(names[i]) <= STREAM_MAX);
		free(names);
		return;
	}
	vec = xs_directory(h, XBT_NULL, "/a", &num);
	if (vec != NULL)
		touch_strings(vec, num);
	free(vec);
}

static void
call_text(struct xs_handle *h, enum call call)
{
	char *text = NULL;
	unsigned len = 0;
	char arg[] = "all";

	if (call == CALL_READ) {
		text = xs_read(h, XBT_NULL, "/a", &len);
		must(text == NULL || text[len] == '\0');
	} else if (call == CALL_DOMAIN_PATH) {
		text = xs_get_domain_path(h, 1);
	} else if (call == CALL_CONTROL) {
		text = xs_control_command(h, "quota", arg, sizeof(arg));
	}
	must(text == NULL || strlen(text) <= STREAM_MAX);
	free(text);
}

static void
call_other(struct xs_handle *h, enum call call)
{
	static xs_transaction_t txn;
	unsigned value;
	char **event;

	switch (call) {
	case CALL_WRITE:
		(void)xs_write(h, XBT_NULL, "/a", "v", 1);
		break;
	case CALL_WATCH:
		(void)xs_watch(h, "/a", "token");
		break;
	case CALL_TRY_DEPTH:
		(void)xs_watch_try_depth(h, "/a", "token", 1);
		break;
	case CALL_UNWATCH:
		(void)xs_unwatch(h, "/a", "token");
		break;
	case CALL_START:
		txn = xs_transaction_start(h);
		break;
	case CALL_END:
		(void)xs_transaction_end(h, txn, false);
		break;
	case CALL_INTRODUCED:
		(void)xs_is_domain_introduced(h, 1);
		break;
	case CALL_FEATURES:
		(void)xs_get_features_domain(h, 1, &value);
		break;
	case CALL_QUOTA:
		(void)xs_get_domain_quota(h, 1, "nodes", &value);
		break;
	case CALL_CHECK_WATCH:
		event = xs_check_watch(h);
		if (event != NULL)
			touch_strings(event, 2);
		free(event);
		break;
	default:
		break;
	}
}

static void
make_call(struct xs_handle *h, enum call call, int server)
{
	char waste[8192];

	switch (call) {
	case CALL_DIRECTORY:
	case CALL_GET_PERMS:
	case CALL_QUOTA_NAMES:
		call_lists(h, call);
		break;
	case CALL_READ:
	case CALL_DOMAIN_PATH:
	case CALL_CONTROL:
		call_text(h, call);
		break;
	default:
		call_other(h, call);
		break;
	}
	while (recv(server, waste, sizeof(waste), MSG_DONTWAIT) > 0)
		;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = { data, size };
	enum call calls[CALLS_MAX];
	struct conn conn = { .kind = CONN_SOCKET };
	struct xs_handle *h;
	uint8_t flags = script_byte(&script);
	size_t n, i;
	int sv[2];

	n = make_stream(script, calls);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
	must(send(sv[1], stream.bytes, stream.len, MSG_DONTWAIT) ==
	     (ssize_t)stream.len);
	must(shutdown(sv[1], SHUT_WR) == 0);
	conn.fd = sv[0];
	h = handle_new(
	    &conn, XS_OPEN_NO_RECONNECT | (flags & 1 ? XS_UNWATCH_FILTER : 0));
	must(h != NULL);
	if (flags & 2)
		must(xs_fileno(h) >= 0);
	for (i = 0; i < n; i++)
		make_call(h, calls[i], sv[1]);
	handle_free(h);
	close(sv[1]);
	return 0;
}
