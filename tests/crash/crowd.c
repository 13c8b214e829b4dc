/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd RUNDIR CLIENTS: more clients come than the daemon has descriptors for,
 * and each asks something. Some are served, the others wait, and nobody of the
 * daemon turns a processor for them; the primary is killed, and those who were
 * served are; those go, and all the others are served.
 *
 * crowd RUNDIR flood MIB: one client writes MIB MiB; says how long the longest
 * answer took, which may not be more than 20 s: it
 * would wait for 30 if it did wait.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/crash/asker.h"

enum { MANY = 256, QUIET_MS = 400, LONGEST_MS = 20000, BIG = 4000 };

static double
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Processor time of PID, in hundredths of a second. */
static unsigned long
ticks_of(long pid)
{
	unsigned long user = 0, sys = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	file = fopen(path, "re");
	if (file == NULL ||
	    fscanf(file,
		"%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u "
		"%*u %*u %lu %lu",
		&user, &sys) != 2)
		wrong("%s cannot be read", path);
	fclose(file);
	return user + sys;
}

static int fd_of[MANY];
static bool served[MANY];

/* Until nobody is answered for a while, the first one within WAIT_MS; how many
 * were answered by now. */
static int
hear_all(int n, int wait_ms)
{
	struct pollfd p[MANY];
	int i, count = 0;

	for (;; wait_ms = QUIET_MS) {
		for (i = 0; i < n; i++)
			p[i] = (struct pollfd){
				.fd = served[i] ? -1 : fd_of[i],
				.events = POLLIN,
			};
		if (poll(p, (nfds_t)n, wait_ms) == 0)
			break;
		for (i = 0; i < n; i++)
			if (p[i].fd >= 0 && p[i].revents != 0) {
				hear(fd_of[i], WIRE_WRITE, "OK");
				served[i] = true;
			}
	}
	for (i = 0; i < n; i++)
		count += served[i];
	return count;
}

static void
crowd(int n)
{
	const long supervisor = pid_of("supervisor"),
		   primary = pid_of("primary");
	unsigned long before;
	char key[32];
	int i, len, first;

	for (i = 0; i < n; i++) {
		fd_of[i] = dial();
		len = snprintf(key, sizeof(key), "/crowd/%d%cx", i, 0);
		ask(fd_of[i], WIRE_WRITE, 0, key, (size_t)len);
	}
	first = hear_all(n, asker_wait_ms);
	if (first == 0 || first == n)
		wrong("%d of %d are served", first, n);
	before = ticks_of(supervisor) + ticks_of(primary);
	usleep(1200000);
	before = ticks_of(supervisor) + ticks_of(primary) - before;
	if (before > 10)
		wrong("%lu ms of work for nothing", before * 10);
	kill((pid_t)primary, SIGKILL);
	for (i = 0; i < n; i++)
		if (served[i])
			call(fd_of[i], WIRE_READ, 0, STR("/crowd/0"), "x");
	for (i = 0; i < n; i++)
		if (served[i])
			close(fd_of[i]);
	for (i = 0; i < n;) {
		len = hear_all(n, asker_wait_ms);
		if (len == i)
			wrong("%d of %d are never served", n - i, n);
		i = len;
	}
	printf("%d of %d were served at first\n", first, n);
}

static void
flood(unsigned mib)
{
	static char buf[BIG + 16];
	double start, took, longest = 0;
	unsigned long i, n = mib * 256UL;
	int fd = dial(), len;

	asker_wait_ms = LONGEST_MS;
	for (i = 0; i < n; i++) {
		len = snprintf(buf, 16, "/f/%lu", i % 40) + 1;
		memset(buf + len, 'x', BIG);
		start = now_ms();
		call(fd, WIRE_WRITE, 0, buf, (size_t)len + BIG, "OK");
		took = now_ms() - start;
		if (took > longest)
			longest = took;
	}
	printf("the longest answer took %.0f ms\n", longest);
}

int
main(int argc, char *argv[])
{
	if (argc < 3 || argc > 4 || atoi(argv[2]) > MANY) {
		fputs(
		    "usage: crowd RUNDIR CLIENTS | RUNDIR flood MIB\n", stderr);
		return 2;
	}
	asker_rundir = argv[1];
	if (argc == 4)
		flood((unsigned)atoi(argv[3]));
	else
		crowd(atoi(argv[2]));
	return 0;
}
