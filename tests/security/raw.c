/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection besides those of tests/diff: see case.h. */
#include "case.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { AT_ONCE = 50, PATIENCE_MS = 30000, NOISE_US = 300000 };

bool
raw_open(struct raw *raw)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	raw->pending = 0;
	raw->len = 0;
	raw->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", daemon_->socket);
	return raw->fd >= 0 && connect(raw->fd, (void *)&sun, sizeof(sun)) == 0;
}

void
raw_close(struct raw *raw)
{
	close(raw->fd);
}

bool
raw_send(struct raw *raw)
{
	size_t done = 0;

	while (done < raw->len) {
		ssize_t n = send(
		    raw->fd, raw->buf + done, raw->len - done, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	raw->len = 0;
	return true;
}

static bool
is_readable(struct raw *raw, int ms)
{
	struct pollfd p = { .fd = raw->fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

bool
raw_is_answered(struct raw *raw)
{
	return is_readable(raw, 0);
}

static bool
take(struct raw *raw, void *to, size_t len, int ms)
{
	char *at = to;

	while (len > 0) {
		ssize_t n = is_readable(raw, ms) ? read(raw->fd, at, len) : -1;

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

int
raw_reply(struct raw *raw, char buf[WIRE_PAYLOAD_MAX + 1], int ms)
{
	struct wire_header h;

	if (!take(raw, &h, sizeof(h), ms) || h.len > WIRE_PAYLOAD_MAX ||
	    !take(raw, buf, h.len, ms))
		return -1;
	buf[h.len] = '\0';
	raw->pending--;
	return (int)h.type;
}

int
raw_flush(struct raw *raw)
{
	char buf[WIRE_PAYLOAD_MAX + 1];
	int errors = 0;

	if (!raw_send(raw))
		return -1;
	while (raw->pending > 0) {
		int type = raw_reply(raw, buf, PATIENCE_MS);

		if (type < 0)
			return -1;
		errors += type == WIRE_ERROR;
	}
	return errors;
}

int
raw_add(struct raw *raw, unsigned op, const char *format, ...)
{
	char text[WIRE_PAYLOAD_MAX];
	va_list ap;
	int len, i;

	if ((raw->pending >= AT_ONCE ||
		raw->len > sizeof(raw->buf) - WIRE_MESSAGE_MAX) &&
	    raw_flush(raw) < 0)
		return -1;
	va_start(ap, format);
	len = vsnprintf(text, sizeof(text) - 1, format, ap);
	va_end(ap);
	for (i = 0; i < len; i++)
		if (text[i] == '|')
			text[i] = '\0';
	len += op != WIRE_WRITE;
	raw->len += message(raw->buf + raw->len, op, text, (size_t)len);
	raw->pending++;
	return 0;
}

long
raw_ping(struct raw *raw)
{
	char buf[WIRE_PAYLOAD_MAX + 1];
	long start = now_us();

	if (raw_add(raw, WIRE_GET_DOMAIN_PATH, "7") != 0 || !raw_send(raw) ||
	    raw_reply(raw, buf, PATIENCE_MS) < 0)
		return -1;
	return now_us() - start;
}

long
raw_bearable(long limit)
{
	static struct raw raw;
	long end = now_us() + NOISE_US, one, longest = 0;

	if (!raw_open(&raw))
		return limit;
	while (now_us() < end && (one = raw_ping(&raw)) >= 0)
		longest = one > longest ? one : longest;
	raw_close(&raw);
	return limit + 10 * longest;
}
