/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsole/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tools/common/clock.h"
#include "tools/common/log.h"
#include "tools/xenconsole/escape.h"

enum {
	ATTACH_MS = 5000, /* for the terminal to appear */
	RETURN_MS = 2000, /* for a lost one to be replaced */
	SILENCE_MS = 300, /* after a domain's last words */
	CHUNK = 4096,
	RUNNING = -1
};

/* ---- the terminal ---- */

static void
drop_events(struct session *s)
{
	char **event;

	while ((event = xs_check_watch(s->xs)) != NULL)
		free(event);
}

/* The name in the store into NAME. False if there is none (yet). */
static bool
read_name(struct session *s, char *name, size_t size)
{
	unsigned int len;
	char *value = xs_read(s->xs, XBT_NULL, s->path, &len);
	bool ok = value != NULL && len > 0 && len < size && value[0] == '/' &&
		  strlen(value) == len;

	if (ok)
		memcpy(name, value, len + 1);
	free(value);
	return ok;
}

static bool
open_tty(struct session *s, const char *name)
{
	struct termios t;
	int fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		tcsetattr(fd, TCSANOW, &t);
	}
	if (s->fd >= 0)
		close(s->fd);
	s->fd = fd;
	snprintf(s->tty, sizeof(s->tty), "%s", name);
	return true;
}

int
session_attach(struct session *s)
{
	int64_t end = clock_ms() + ATTACH_MS;
	struct pollfd pfd = { .events = POLLIN };
	char name[sizeof(s->tty)];
	bool named = false;

	s->fd = -1;
	if (!xs_watch(s->xs, s->path, "") || (pfd.fd = xs_fileno(s->xs)) < 0) {
		log_warn("cannot watch %s", s->path);
		return -1;
	}
	for (;;) {
		int64_t now = clock_ms();

		drop_events(s);
		named = read_name(s, name, sizeof(name));
		if (named && open_tty(s, name))
			return 0;
		if (now >= end)
			break;
		poll(&pfd, 1, named ? 50 : (int)(end - now));
	}
	if (named)
		log_warn("%s", name);
	else
		log_warnx("the domain has no such console (%s)", s->path);
	return -1;
}

/* ---- carrying bytes ---- */

/* What stdin gave and the terminal has not taken yet. */
struct input {
	char data[CHUNK];
	size_t start, len;
	bool ended;
};

static bool
show(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Shows what the terminal has to say. False when there is no terminal any
 * more, which is then closed. */
static bool
copy_output(struct session *s, int *code)
{
	char buf[CHUNK];
	ssize_t n = read(s->fd, buf, sizeof(buf));

	if (n > 0) {
		if (!show(buf, (size_t)n))
			*code = 1;
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	close(s->fd);
	s->fd = -1;
	return false;
}

static void
read_input(struct session *s, struct input *in, int *code)
{
	ssize_t n = read(STDIN_FILENO, in->data, sizeof(in->data));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		in->ended = true;
		/* a terminal that hangs up ends us; a pipe has said all */
		if (isatty(STDIN_FILENO))
			*code = 0;
		return;
	}
	if (escape_is(in->data, (size_t)n, s->escape)) {
		*code = 0;
		return;
	}
	in->start = 0;
	in->len = (size_t)n;
}

static void
write_input(struct session *s, struct input *in)
{
	ssize_t n = write(s->fd, in->data + in->start, in->len);

	if (n <= 0)
		return; /* full, or ended: reading will tell */
	in->start += (size_t)n;
	in->len -= (size_t)n;
}

/* The domain is gone: shows what xenconsoled still had of it. */
static void
last_words(struct session *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	char buf[CHUNK];
	ssize_t n;

	while (s->fd >= 0 && poll(&pfd, 1, SILENCE_MS) == 1) {
		n = read(s->fd, buf, sizeof(buf));
		if (n <= 0 || !show(buf, (size_t)n))
			break;
	}
}

/* The node has changed: follows it. Ends the session if it is gone. Without
 * xenstored there is nothing to follow; the terminal is as good as before. */
static void
follow_node(struct session *s, int *code)
{
	char name[sizeof(s->tty)];

	drop_events(s);
	if (errno != EAGAIN) {
		s->blind = true;
		return;
	}
	if (!read_name(s, name, sizeof(name))) {
		if (errno != ENOENT)
			return;
		last_words(s);
		*code = 0;
		return;
	}
	if (s->fd < 0 || strcmp(name, s->tty) != 0)
		open_tty(s, name);
}

static int
read_signal(const struct session *s)
{
	char sig;

	return read(s->signals, &sig, 1) == 1 ? 128 + sig : RUNNING;
}

int
session_run(struct session *s)
{
	struct input in = { .len = 0 };
	int64_t give_up = 0; /* when the terminal has not come back by then */
	int code = RUNNING;

	while (code == RUNNING) {
		bool idle = in.len == 0 && !in.ended;
		struct pollfd pfd[] = {
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = s->blind ? -1 : xs_fileno(s->xs),
			    .events = POLLIN },
			{ .fd = s->fd,
			    .events =
				(short)(POLLIN | (in.len > 0 ? POLLOUT : 0)) },
			{ .fd = idle ? STDIN_FILENO : -1, .events = POLLIN },
		};
		int64_t now = clock_ms();

		if (s->fd >= 0)
			give_up = 0;
		else if (give_up == 0)
			give_up = now + RETURN_MS;
		else if (now >= give_up)
			return 0;
		if (poll(pfd, 4, give_up != 0 ? (int)(give_up - now) : -1) <= 0)
			continue;
		if (pfd[0].revents != 0)
			code = read_signal(s);
		if (pfd[2].revents & POLLOUT)
			write_input(s, &in);
		if (pfd[2].revents & (POLLIN | POLLHUP | POLLERR))
			copy_output(s, &code);
		if (code == RUNNING && pfd[3].revents != 0)
			read_input(s, &in, &code);
		if (code == RUNNING && pfd[1].revents != 0)
			follow_node(s, &code);
	}
	return code;
}
