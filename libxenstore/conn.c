/* SPDX-License-Identifier: BSD-2-Clause */
#include "conn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/wire.h"
#include "xenstore.h"

/* A guest's own way to the store, by system. */
static const struct {
	const char *path;
	enum conn_kind kind;
} devices[] = {
	{ "/dev/xen/xenbus", CONN_DEVICE },
	{ "/proc/xen/xenbus", CONN_DEVICE },
	{ "/kern/xen/xenbus", CONN_DEVICE_SYNC },
	{ "/dev/xen/xenstore", CONN_DEVICE },
};

static enum conn_kind
device_kind(const char *path)
{
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (strcmp(devices[i].path, path) == 0)
			return devices[i].kind;
	return CONN_DEVICE;
}

/* Connects to c->address. */
static int
connect_socket(struct conn *c, int flags)
{
	c->have = c->used = 0;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (c->fd < 0)
		return -1;
	if (connect(c->fd, (struct sockaddr *)&c->address,
		sizeof(c->address)) != 0) {
		int err = errno;

		close(c->fd);
		c->fd = -1;
		errno = err;
		return -1;
	}
	return 0;
}

static int
open_socket(struct conn *c, const char *path)
{
	size_t len = strlen(path);

	if (len >= sizeof(c->address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	c->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(c->address.sun_path, path, len + 1);
	c->kind = CONN_SOCKET;
	return connect_socket(c, 0);
}

int
conn_again(struct conn *c)
{
	return connect_socket(c, SOCK_NONBLOCK);
}

int
conn_open_path(struct conn *c, const char *path)
{
	struct stat st;

	c->fd = -1;
	c->have = c->used = 0;
	if (stat(path, &st) != 0)
		return -1;
	if (S_ISSOCK(st.st_mode))
		return open_socket(c, path);
	c->kind = device_kind(path);
	c->fd = open(path, O_RDWR | O_CLOEXEC);
	return c->fd < 0 ? -1 : 0;
}

static int
open_device(struct conn *c)
{
	const char *path = getenv("XENSTORED_PATH");

	if (path != NULL)
		return conn_open_path(c, path);
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (conn_open_path(c, devices[i].path) == 0)
			return 0;
	return -1;
}

int
conn_open(struct conn *c)
{
	const char *path = xs_daemon_socket();
	int err;

	if (path == NULL)
		return -1;
	if (conn_open_path(c, path) == 0)
		return 0;
	err = errno;
	if (open_device(c) == 0)
		return 0;
	if (err != ENOENT) /* a socket that refuses says more than no device */
		errno = err;
	return -1;
}

static int
send_socket(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
conn_send(struct conn *c, const void *msg, size_t len)
{
	ssize_t n;

	if (c->kind == CONN_SOCKET)
		return send_socket(c->fd, msg, len);
	do {
		n = write(c->fd, msg, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	if ((size_t)n != len) {
		errno = EIO;
		return -1;
	}
	return 0;
}

/* One read of at least a byte. 0 is the stream's end, as an error. */
static ssize_t
read_some(const struct conn *c, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = read(c->fd, buf, len);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = EBADF;
	return n > 0 ? n : -1;
}

/* Fills buf until it holds WANT bytes that nobody took. */
static int
fill(struct conn *c, size_t want)
{
	if (c->used > 0) {
		memmove(c->buf, c->buf + c->used, c->have - c->used);
		c->have -= c->used;
		c->used = 0;
	}
	while (c->have < want) {
		ssize_t n =
		    read_some(c, c->buf + c->have, sizeof(c->buf) - c->have);

		if (n < 0)
			return -1;
		c->have += (size_t)n;
	}
	return 0;
}

/* Moves LEN bytes of payload to OUT: first those buffered, then the rest. */
static int
take(struct conn *c, char *out, size_t len)
{
	size_t n = c->have - c->used;

	if (n > len)
		n = len;
	memcpy(out, c->buf + c->used, n);
	c->used += n;
	while (n < len) {
		ssize_t r = read_some(c, out + n, len - n);

		if (r < 0)
			return -1;
		n += (size_t)r;
	}
	return 0;
}

struct message *
conn_recv(struct conn *c)
{
	struct wire_header hdr;
	struct message *msg;

	if (c->have - c->used < sizeof(hdr) && fill(c, sizeof(hdr)) != 0)
		return NULL;
	memcpy(&hdr, c->buf + c->used, sizeof(hdr));
	c->used += sizeof(hdr);
	if (hdr.len > CONN_PAYLOAD_MAX) {
		errno = EPROTO;
		return NULL;
	}
	msg = malloc(sizeof(*msg) + hdr.len + 1);
	if (msg == NULL)
		return NULL;
	if (take(c, msg->body, hdr.len) != 0) {
		int err = errno;

		free(msg);
		errno = err;
		return NULL;
	}
	msg->type = hdr.type;
	msg->req_id = hdr.req_id;
	msg->len = hdr.len;
	msg->body[hdr.len] = '\0';
	return msg;
}

int
conn_wait(const struct conn *c, int stop_fd)
{
	struct pollfd pfd[2] = {
		{ .fd = c->fd, .events = POLLIN },
		{ .fd = stop_fd, .events = POLLIN },
	};

	if (c->have > c->used)
		return 1;
	for (;;) {
		int n = poll(pfd, 2, -1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (pfd[1].revents != 0)
			return 0;
		if (pfd[0].revents != 0)
			return 1;
	}
}

void
conn_shut(struct conn *c)
{
	if (c->fd >= 0 && c->kind == CONN_SOCKET)
		shutdown(c->fd, SHUT_RDWR);
}

void
conn_close(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}
