/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checkpoints [-r ROLE] [-e EVERY] DAEMON DIR: writes without pause, so that
 * checkpoint after checkpoint is written. At the first one that ROLE
 * (checkpoint: who writes it, or supervisor) writes it is killed at place 1, at
 * the next at place 2 ... until no place is left (EVERY: only each so many);
 * then all of the daemon is killed, and the next one must have all that was
 * answered. DAEMON is xenstored-crash; DIR is an empty directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/asker.h"
#include "xenstored/checkpoint.h"
#include "xenstored/flight.h"

enum {
	KEYS = 40, /* together more than one piece of a checkpoint */
	BIG = 4000,
	WRITES_MAX = 20000, /* by which a checkpoint has to be there */
	POINTS_MAX = 2000,
};

static const char *daemon_path, *role = "checkpoint";
static unsigned long point;
static struct flight *flight;
static pid_t daemon_pid;
static unsigned version[KEYS]; /* that was answered last */
static unsigned turn;
static int fd;

void
wrong(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "FAIL %s killed at place %lu (%s): ", role, point,
	    flight != NULL ? flight->killed_at : "");
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	if (daemon_pid > 0)
		kill(daemon_pid, SIGTERM);
	exit(1);
}

/* --- the daemon --- */

static void
start(bool fresh)
{
	char ready[16], byte;
	int ends[2], flight_fd;

	if (pipe(ends) != 0)
		wrong("pipe: %s", strerror(errno));
	snprintf(ready, sizeof(ready), "%d", ends[1]);
	daemon_pid = fork();
	if (daemon_pid == 0) {
		setenv("XENSTORED_CRASH_ROLE", role, 1);
		if (freopen("err", "a", stderr) == NULL)
			_exit(127);
		close(ends[0]);
		execl(daemon_path, daemon_path, "-D", "-N", "--ready-fd", ready,
		    fresh ? "--fresh" : NULL, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		wrong("the daemon does not start");
	close(ends[0]);
	flight_fd = open("flight", O_RDWR | O_CLOEXEC);
	if (flight_fd < 0 || (flight = flight_map(flight_fd)) == NULL)
		wrong("flight: %s", strerror(errno));
	close(flight_fd);
	fd = dial();
}

static void
kill_all(void)
{
	kill(daemon_pid, SIGKILL);
	if (waitpid(daemon_pid, NULL, 0) != daemon_pid)
		wrong("the daemon was not there");
	daemon_pid = 0;
	close(fd);
	flight_unmap(flight);
	flight = NULL;
}

/* --- what it is asked --- */

/* Key I's value at VERSION of it, into BUF; how long the path is. */
static size_t
make_key(char buf[BIG + 64], unsigned i, unsigned of_version)
{
	size_t len = (size_t)snprintf(buf, 64, "/k/%u", i) + 1;

	memset(buf + len, 'a' + (int)(of_version % 26), BIG);
	snprintf(buf + len, 16, "%010u", of_version);
	buf[len + 10] = ' ';
	return len;
}

/* Writes the next key. False: the daemon is gone, and it may be done. */
static bool
write_next(void)
{
	char buf[BIG + 64], msg[WIRE_MESSAGE_MAX],
	    reply[sizeof(struct wire_header) + 3];
	unsigned i = turn++ % KEYS;
	size_t len = make_key(buf, i, version[i] + 1) + BIG, at = 0;
	ssize_t n;

	len = message(msg, WIRE_WRITE, 1, 0, buf, len);
	if (send(fd, msg, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	for (; at < sizeof(reply); at += (size_t)n) {
		n = recv(fd, reply + at, sizeof(reply) - at, 0);
		if (n <= 0)
			return false;
	}
	if (strcmp(reply + sizeof(struct wire_header), "OK") != 0)
		wrong("writing: %s", reply + sizeof(struct wire_header));
	version[i]++;
	return true;
}

/* All is there that was answered; one more may be: the one that was not. */
static void
check(void)
{
	char path[32], key[BIG + 64];
	unsigned i, last = (turn - 1) % KEYS;
	const char *got;
	size_t len;

	for (i = 0; i < KEYS; i++) {
		snprintf(path, sizeof(path), "/k/%u", i);
		ask(fd, WIRE_READ, 0, path, strlen(path) + 1);
		got = hear(fd, WIRE_READ, NULL);
		if (i == last && (unsigned)atoi(got) == version[i] + 1)
			version[i]++;
		len = make_key(key, i, version[i]);
		if (strlen(got) != BIG || memcmp(got, key + len, BIG) != 0)
			wrong("key %u is not that of version %u, but '%.20s'",
			    i, version[i], got);
	}
	call(fd, WIRE_CONTROL, 0, STR("check"), "OK");
}

/* Writes until a checkpoint was written, or somebody was killed: then true. */
static bool
write_checkpoint(void)
{
	uint64_t from = flight->keep_from, killed = flight->killed;
	unsigned long i;

	for (i = 0; i < WRITES_MAX; i++) {
		if (!write_next() || flight->killed != killed)
			return true;
		if (flight->keep_from != from)
			return false;
	}
	wrong("no checkpoint is written");
}

/* The log is kept from the checkpoint on that there is, which need not be the
 * newest that was begun. */
static void
check_guard(void)
{
	uint64_t keep = flight->keep_from; /* the file may be renewed now */
	struct image_mark mark = { 0, { 0, 0 } };
	struct image image;
	char why[IMAGE_WHY_SIZE];

	if (checkpoint_load("checkpoint", NULL, &image, why) == CHECKPOINT_OK) {
		if (!image_whole(image.data, image.len, &mark, why))
			wrong("%s", why);
		image_free(&image);
	}
	if (keep > mark.pos.offset)
		wrong("the checkpoint is of %llu, and the log is kept from "
		      "%llu on",
		    (unsigned long long)mark.pos.offset,
		    (unsigned long long)keep);
}

/* False: there is no place AT. */
static bool
play(unsigned long at)
{
	bool killed;

	__atomic_store_n(&flight->kill_in, at, __ATOMIC_RELEASE);
	killed = write_checkpoint();
	__atomic_store_n(&flight->kill_in, 0, __ATOMIC_RELEASE);
	kill_all();
	start(false);
	check_guard();
	check();
	if (write_checkpoint()) /* so that next time it is the other file */
		wrong("it is killed again");
	return killed;
}

int
main(int argc, char *argv[])
{
	unsigned long every = 1, runs = 0;
	unsigned i;
	int c;

	while ((c = getopt(argc, argv, "r:e:")) != -1) {
		if (c == 'r')
			role = optarg;
		else if (c == 'e')
			every = strtoul(optarg, NULL, 10);
		else
			optind = argc + 1;
	}
	if (argc - optind != 2 || every == 0) {
		fprintf(stderr,
		    "usage: checkpoints [-r ROLE] [-e EVERY] DAEMON DIR\n");
		return 2;
	}
	daemon_path = argv[optind];
	asker_rundir = argv[optind + 1];
	setenv("XENSTORED_RUNDIR", asker_rundir, 1);
	unsetenv("XENSTORED_PATH");
	if (chdir(asker_rundir) != 0)
		wrong("%s: %s", asker_rundir, strerror(errno));
	start(true);
	for (i = 0; i < KEYS; i++)
		if (!write_next())
			wrong("the daemon went away");
	for (point = 1; point < POINTS_MAX && play(point); point += every)
		runs++;
	kill(daemon_pid, SIGTERM);
	printf(
	    "%lu times the %s was killed, each at another place\n", runs, role);
	return runs > 0 ? 0 : 1;
}
