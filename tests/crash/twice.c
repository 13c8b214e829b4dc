/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * twice RUNDIR: asks a daemon with abort_preload.so for what it cannot survive.
 * The connection that asked must be closed, and another one go on.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/wire.h"

static int
dial(const char *rundir)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", rundir);
	return connect(fd, (void *)&at, sizeof(at)) == 0 ? fd : -1;
}

/* Sends a request; the type of the reply, or 0: the connection was closed. */
static uint32_t
ask(int fd, uint32_t type, const char *payload, size_t len)
{
	struct wire_header h = { .type = type, .len = (uint32_t)len };
	char bytes[sizeof(h) + 256];

	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), payload, len);
	if (write(fd, bytes, sizeof(h) + len) != (ssize_t)(sizeof(h) + len) ||
	    recv(fd, &h, sizeof(h), MSG_WAITALL) != (ssize_t)sizeof(h) ||
	    h.len > sizeof(bytes) ||
	    recv(fd, bytes, h.len, MSG_WAITALL) != (ssize_t)h.len)
		return 0;
	return h.type;
}

int
main(int argc, char *argv[])
{
	static const char deadly[] = "/deadly\0CRASH-ME";
	int evil, good;

	if (argc != 2)
		return 2;
	evil = dial(argv[1]);
	good = dial(argv[1]);
	if (ask(good, WIRE_WRITE, "/good\0yes", 9) != WIRE_WRITE ||
	    ask(evil, WIRE_WRITE, deadly, sizeof(deadly) - 1) != WIRE_WRITE)
		return 1;
	if (ask(evil, WIRE_READ, "/deadly", 8) != 0) {
		puts("it was answered");
		return 1;
	}
	if (ask(good, WIRE_READ, "/good", 6) != WIRE_READ) {
		puts("the other one suffers");
		return 1;
	}
	return 0;
}
