/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flood PROCESSES SECONDS: in a guest, processes write requests to the store
 * device without waiting for the answers; at the end they read them all. Says
 * how many. Exit 0 if each request was answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/wire.h"

enum { AHEAD = 256, PROCESSES_MAX = 64 };

/* READ, WRITE and DIRECTORY in turns */
static size_t
make_request(char *buf, uint32_t n)
{
	static const struct {
		uint32_t type;
		const char *payload;
		uint32_t len;
	} kinds[] = {
		{ WIRE_READ, "name", 5 },
		{ WIRE_WRITE, "data/flood\0some value", 21 },
		{ WIRE_DIRECTORY, "device", 7 },
	};
	struct wire_header header = { .req_id = n };

	header.type = kinds[n % 3].type;
	header.len = kinds[n % 3].len;
	memcpy(buf, &header, sizeof(header));
	memcpy(buf + sizeof(header), kinds[n % 3].payload, header.len);
	return sizeof(header) + header.len;
}

/* Reads LEN bytes. 0 or -1 */
static int
read_all(int fd, char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, buf, len);

		if (n <= 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
read_answer(int fd)
{
	struct wire_header header;
	char payload[WIRE_PAYLOAD_MAX];

	if (read_all(fd, (char *)&header, sizeof(header)) != 0 ||
	    header.len > sizeof(payload))
		return -1;
	return read_all(fd, payload, header.len);
}

/* One process's part; how many requests, or it ends with 1. */
static uint32_t
run(int seconds)
{
	time_t end = time(NULL) + seconds;
	int fd = open("/dev/xen/xenbus", O_RDWR);
	uint32_t sent = 0, answered = 0;
	char buf[128];

	if (fd < 0)
		exit(1);
	while (time(NULL) < end) {
		for (; sent - answered < AHEAD; sent++) {
			size_t len = make_request(buf, sent);

			if (write(fd, buf, len) != (ssize_t)len)
				exit(1);
		}
		for (; sent - answered > AHEAD / 2; answered++)
			if (read_answer(fd) != 0)
				exit(1);
	}
	for (; answered < sent; answered++)
		if (read_answer(fd) != 0)
			exit(1);
	close(fd);
	return sent;
}

int
main(int argc, char **argv)
{
	int processes = argc == 3 ? atoi(argv[1]) : 0, status, failed = 0;
	int seconds = argc == 3 ? atoi(argv[2]) : 0, i;
	uint32_t count, all = 0;
	int fds[2];

	if (processes < 1 || processes > PROCESSES_MAX || seconds < 1) {
		fputs("usage: flood processes seconds\n", stderr);
		return 2;
	}
	if (pipe(fds) != 0)
		return 1;
	for (i = 0; i < processes; i++) {
		if (fork() == 0) {
			count = run(seconds);
			_exit(write(fds[1], &count, sizeof(count)) !=
			      sizeof(count));
		}
	}
	close(fds[1]);
	while (read(fds[0], &count, sizeof(count)) == sizeof(count))
		all += count;
	while (wait(&status) > 0)
		failed += status != 0;
	printf("%u requests by %d processes, %d failed\n", (unsigned)all,
	    processes, failed);
	return failed != 0;
}
