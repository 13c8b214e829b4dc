/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/replace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/wire.h"

enum { POLL_US = 5000 };

static bool
failed(char why[REPLACE_WHY], const char *what)
{
	snprintf(why, REPLACE_WHY, "%s: %s", what, strerror(errno));
	return false;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), saved;

	if (fd < 0)
		return -1;
	errno = ENAMETOOLONG;
	if (strlen(path) < sizeof(sun.sun_path)) {
		strcpy(sun.sun_path, path);
		if (connect(fd, (void *)&sun, sizeof(sun)) == 0)
			return fd;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static bool
read_all(int fd, void *buf, size_t len)
{
	ssize_t n;

	for (; len > 0; len -= (size_t)n, buf = (char *)buf + n) {
		n = read(fd, buf, len);
		if (n == 0)
			errno = ECONNRESET;
		if (n <= 0)
			return false;
	}
	return true;
}

/* Sends CONTROL live-update with N words; the answer's text to ANSWER. */
static bool
ask(int fd, const char *const words[], int n, char answer[REPLACE_WHY])
{
	char bytes[WIRE_MESSAGE_MAX];
	struct wire_header header = { .type = WIRE_CONTROL };
	size_t at = sizeof(header), len;
	int i;

	for (i = 0; i < n; i++) {
		len = strlen(words[i]) + 1;
		errno = E2BIG;
		if (len > sizeof(bytes) - at)
			return failed(answer, "the command line");
		memcpy(bytes + at, words[i], len);
		at += len;
	}
	header.len = (uint32_t)(at - sizeof(header));
	memcpy(bytes, &header, sizeof(header));
	if (send(fd, bytes, at, MSG_NOSIGNAL) != (ssize_t)at ||
	    !read_all(fd, &header, sizeof(header)) ||
	    header.len > WIRE_PAYLOAD_MAX || !read_all(fd, bytes, header.len))
		return failed(answer, "the daemon does not answer");
	snprintf(answer, REPLACE_WHY, "%.*s", (int)header.len, bytes);
	return header.type == WIRE_CONTROL;
}

static bool
is(const char *answer, const char *what)
{
	return strcmp(answer, what) == 0;
}

/* The dialogue, on a connection. */
static bool
negotiate(int fd, const char *program, const char *cmdline, uint32_t seconds,
    char why[REPLACE_WHY])
{
	char number[16];
	const char *const choose[] = { "live-update", "-f", program };
	const char *const words[] = { "live-update", "-c", cmdline };
	const char *const start[] = { "live-update", "-s", "-t", number };

	snprintf(number, sizeof(number), "%u", (unsigned)seconds);
	if (!ask(fd, choose, 3, why) || !is(why, "OK"))
		return false;
	if (cmdline != NULL && (!ask(fd, words, 3, why) || !is(why, "OK")))
		return false;
	do {
		usleep(POLL_US);
		if (!ask(fd, start, 4, why))
			return false;
	} while (is(why, "BUSY"));
	return is(why, "OK");
}

bool
replace_daemon(const char *path, const char *program, const char *cmdline,
    uint32_t seconds, char why[REPLACE_WHY])
{
	int fd = connect_to(path);
	bool ok;

	if (fd < 0)
		return failed(why, path);
	ok = negotiate(fd, program, cmdline, seconds, why);
	close(fd);
	return ok;
}

char *
replace_cmdline(char *argv[], bool *bad_out)
{
	size_t len = 1, i;
	char *line;

	*bad_out = false;
	for (i = 1; argv[0] != NULL && argv[i] != NULL; i++) {
		if (strpbrk(argv[i], " \t") != NULL || argv[i][0] == '\0')
			*bad_out = true;
		len += strlen(argv[i]) + 1;
	}
	line = *bad_out ? NULL : calloc(1, len);
	for (i = 1; line != NULL && argv[i] != NULL; i++) {
		if (strcmp(argv[i], "--replace") == 0)
			continue;
		if (line[0] != '\0')
			strcat(line, " ");
		strcat(line, argv[i]);
	}
	if (line != NULL && line[0] == '\0') {
		free(line);
		line = NULL;
	}
	return line;
}
