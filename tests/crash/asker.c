/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/crash/asker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char *asker_rundir;
int asker_wait_ms = 60000;

long
pid_of(const char *who)
{
	char path[256], name[32];
	long pid, found = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/status", asker_rundir);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while (fscanf(file, "%31s %ld", name, &pid) == 2)
		if (strcmp(name, who) == 0)
			found = pid;
	fclose(file);
	return found;
}

int
try_dial(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", asker_rundir);
	if (fd < 0 || connect(fd, (void *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

int
dial(void)
{
	int fd = try_dial();

	if (fd < 0)
		wrong("nobody serves the socket: %s", strerror(errno));
	return fd;
}

void
send_all(int fd, const void *bytes, size_t len)
{
	const char *pos = bytes;
	ssize_t n;

	while (len > 0) {
		n = send(fd, pos, len, MSG_NOSIGNAL);
		if (n < 0)
			wrong("sending: %s", strerror(errno));
		pos += n;
		len -= (size_t)n;
	}
}

size_t
message(char *buf, uint32_t type, uint32_t id, uint32_t txn,
    const void *payload, size_t len)
{
	struct wire_header h = {
		.type = type, .req_id = id, .tx_id = txn, .len = (uint32_t)len
	};

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), payload, len);
	return sizeof(h) + len;
}

void
ask(int fd, uint32_t type, uint32_t txn, const void *payload, size_t len)
{
	char buf[WIRE_MESSAGE_MAX];

	send_all(fd, buf, message(buf, type, 7, txn, payload, len));
}

void
receive_all(int fd, void *buf, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char *pos = buf;
	ssize_t n;

	while (len > 0) {
		if (poll(&p, 1, asker_wait_ms) != 1)
			wrong("no answer");
		n = recv(fd, pos, len, 0);
		if (n <= 0)
			wrong("disconnected");
		pos += n;
		len -= (size_t)n;
	}
}

const char *
hear(int fd, uint32_t type, const char *text)
{
	static char payload[WIRE_PAYLOAD_MAX + 1];
	struct wire_header h;

	receive_all(fd, &h, sizeof(h));
	if (h.len > WIRE_PAYLOAD_MAX)
		wrong("the stream is out of step");
	receive_all(fd, payload, h.len);
	payload[h.len] = '\0';
	if (h.type != type || (text != NULL && strcmp(payload, text) != 0))
		wrong("message %u '%.60s', not %u '%.60s'", h.type, payload,
		    type, text != NULL ? text : "*");
	return payload;
}

void
silence(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, 0) != 0)
		wrong("something that nobody asked for");
}

void
call(int fd, uint32_t type, uint32_t txn, const char *payload, size_t len,
    const char *want)
{
	ask(fd, type, txn, payload, len);
	hear(fd, type, want);
}
