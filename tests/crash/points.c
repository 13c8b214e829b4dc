/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * points [-r ROLE] [-s SCENARIO]... [-a FIRST] [-e EVERY] DAEMON DIR: plays
 * each scenario with a daemon that kills one of its processes at place 1, then
 * 2, 3
 * ... until no place is left (EVERY: only each so many). Whatever was killed,
 * every request is answered once, in order, as the scenario says, every effect
 * is there once, and every change is told. DAEMON is xenstored-crash; DIR is an
 * empty directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/crash/asker.h"
#include "xenstored/flight.h"

enum {
	POINTS_MAX = 20000,
	BIG = 4000, /* bytes of a value that is near the limit */
	MANY = 80,  /* of them are more than a socket holds */
};

static const char *daemon_path;
static const char *scenario_name = "?", *role = "primary";
static unsigned long point;
static char place[56]; /* in the source */
static bool anyone_killed(void);
static pid_t daemon_pid;
static bool supervisor_dies;

void
wrong(const char *format, ...)
{
	va_list ap;

	(void)anyone_killed();
	va_start(ap, format);
	fprintf(stderr, "FAIL %s, %s killed at place %lu (%s): ", scenario_name,
	    role, point, place);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	if (daemon_pid > 0)
		kill(daemon_pid, SIGTERM);
	exit(1);
}

static uint32_t
begin(int fd)
{
	ask(fd, WIRE_TRANSACTION_START, 0, STR(""));
	return (uint32_t)strtoul(
	    hear(fd, WIRE_TRANSACTION_START, NULL), NULL, 10);
}

/* --- scenarios --- */

static void
play_requests(void)
{
	int fd = dial();

	call(fd, WIRE_MKDIR, 0, STR("/a"), "OK");
	call(fd, WIRE_WRITE, 0, RAW("/a/b\0one"), "OK");
	call(fd, WIRE_READ, 0, STR("/a/b"), "one");
	call(fd, WIRE_RM, 0, STR("/a/b"), "OK");
	ask(fd, WIRE_RM, 0, STR("/b/b"));
	hear(fd, WIRE_ERROR, "ENOENT"); /* neither it nor its parent */
	call(fd, WIRE_WRITE, 0, RAW("/a/c\0two"), "OK");
	call(fd, WIRE_DIRECTORY, 0, STR("/a"), "c");
	call(fd, WIRE_SET_PERMS, 0, STR("/a/c\0n0\0r3"), "OK");
	call(fd, WIRE_GET_PERMS, 0, STR("/a/c"), "n0");
	silence(fd);
	close(fd);
}

static void
play_transactions(void)
{
	int fd = dial(), other = dial();
	uint32_t t, late;

	call(fd, WIRE_WRITE, 0,
	    RAW("/n\0"
		"0"),
	    "OK");
	t = begin(fd);
	call(fd, WIRE_READ, t, STR("/n"), "0");
	call(fd, WIRE_WRITE, t,
	    RAW("/n\0"
		"1"),
	    "OK");
	call(other, WIRE_READ, 0, STR("/n"), "0");
	late = begin(other);
	call(other, WIRE_READ, late, STR("/n"), "0");
	call(fd, WIRE_TRANSACTION_END, t, STR("T"), "OK");
	call(other, WIRE_READ, 0, STR("/n"), "1");
	call(other, WIRE_WRITE, late,
	    RAW("/n\0"
		"7"),
	    "OK");
	ask(other, WIRE_TRANSACTION_END, late, STR("T"));
	hear(other, WIRE_ERROR, "EAGAIN");
	t = begin(fd);
	call(fd, WIRE_WRITE, t,
	    RAW("/n\0"
		"9"),
	    "OK");
	call(fd, WIRE_TRANSACTION_END, t, STR("F"), "OK");
	call(fd, WIRE_READ, 0, STR("/n"), "1");
	silence(fd);
	silence(other);
	close(fd);
	close(other);
}

static void
hear_event(int fd, const char *path)
{
	const char *got = hear(fd, WIRE_WATCH_EVENT, path);

	if (strcmp(got + strlen(got) + 1, "tok") != 0)
		wrong("an event with the token '%s'", got + strlen(got) + 1);
}

static void
play_watches(void)
{
	int fd = dial(), other = dial(), i;
	char write[32], path[16];

	call(fd, WIRE_WATCH, 0, STR("/w\0tok"), "OK");
	hear_event(fd, "/w");
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/w/%d", i);
		memset(write, 0, sizeof(write));
		snprintf(write, sizeof(write), "/w/%d", i);
		write[strlen(path) + 1] = 'x';
		call(other, WIRE_WRITE, 0, write, strlen(path) + 2, "OK");
		hear_event(fd, path);
		/* one's own reply and event, in their order */
		ask(fd, WIRE_WRITE, 0, write, strlen(path) + 2);
		hear_event(fd, path);
		hear(fd, WIRE_WRITE, "OK");
	}
	call(other, WIRE_RM, 0, STR("/w"), "OK");
	hear_event(fd, "/w");
	call(fd, WIRE_UNWATCH, 0, STR("/w\0tok"), "OK");
	call(other, WIRE_WRITE, 0, RAW("/w\0x"), "OK");
	call(fd, WIRE_READ, 0, STR("/w"), "x");
	silence(fd);
	silence(other);
	close(fd);
	close(other);
}

/* Requests of all kinds in one piece; and one whose pieces come apart. */
static void
play_pipeline(void)
{
	int fd = dial(), other = dial(), i;
	char buf[8192], value[32];
	size_t len = 0;

	for (i = 0; i < 6; i++) {
		snprintf(value, sizeof(value), "/p%c%d", 0, i);
		len += message(buf + len, WIRE_READ, 1, 0, STR("/"));
		value[3] = (char)('0' + i);
		memcpy(value, "/p", 3);
		len += message(buf + len, WIRE_WRITE, 2, 0, value, 4);
		len += message(buf + len, WIRE_READ, 3, 0, STR("/p"));
		len += message(buf + len, WIRE_READ, 3, 0, STR("/none"));
	}
	send_all(fd, buf, len - 9);
	call(other, WIRE_WRITE, 0, RAW("/q\0x"), "OK");
	send_all(fd, buf + len - 9, 9);
	for (i = 0; i < 6; i++) {
		snprintf(value, sizeof(value), "%d", i);
		hear(fd, WIRE_READ, "");
		hear(fd, WIRE_WRITE, "OK");
		hear(fd, WIRE_READ, value);
		hear(fd, WIRE_ERROR, "ENOENT");
	}
	call(other, WIRE_READ, 0, STR("/p"), "5");
	silence(fd);
	silence(other);
	close(fd);
	close(other);
}

/* More replies than a socket holds are asked for before one is read. */
static void
play_slow(void)
{
	static char big[BIG + 8];
	int fd = dial(), other = dial(), i;

	memset(big, 'x', sizeof(big));
	memcpy(big, "/big", 5);
	call(other, WIRE_WRITE, 0, big, 5 + BIG, "OK");
	for (i = 0; i < MANY; i++) {
		ask(fd, WIRE_READ, 0, STR("/big"));
		if (i % 16 == 0)
			ask(fd, WIRE_WRITE, 0, RAW("/small\0y"));
	}
	call(other, WIRE_READ, 0, STR("/big"), NULL);
	for (i = 0; i < MANY; i++) {
		if (strlen(hear(fd, WIRE_READ, NULL)) != BIG)
			wrong("reply %d is not whole", i);
		if (i % 16 == 0)
			hear(fd, WIRE_WRITE, "OK");
	}
	silence(fd);
	close(fd);
	close(other);
}

/* Connections come and go, with something of theirs left behind. */
static void
play_lives(void)
{
	int fd, other = dial(), i;
	char buf[64];

	call(other, WIRE_WATCH, 0, STR("/l\0tok"), "OK");
	hear_event(other, "/l");
	for (i = 0; i < 3; i++) {
		fd = dial();
		call(fd, WIRE_WATCH, 0, STR("/l\0mine"), "OK");
		hear(fd, WIRE_WATCH_EVENT, "/l");
		call(fd, WIRE_WRITE, begin(fd), RAW("/l\0lost"), "OK");
		/* half a message is nothing */
		message(buf, WIRE_WRITE, 3, 0, RAW("/l\0lost"));
		send_all(fd, buf, 20);
		close(fd);
		fd = dial();
		/* sent, and gone without an answer: it may be done or not, but
		 * is told if it is */
		call(fd, WIRE_WRITE, 0, RAW("/l\0kept"), "OK");
		hear_event(other, "/l");
		close(fd);
	}
	call(other, WIRE_READ, 0, STR("/l"), "kept");
	silence(other);
	close(other);
}

static const struct scenario {
	const char *name;
	void (*play)(void);
	const char *left; /* in the root, with commas */
} scenarios[] = {
	{ "requests", play_requests, "tool,a" },
	{ "transactions", play_transactions, "tool,n" },
	{ "watches", play_watches, "tool,w" },
	{ "pipeline", play_pipeline, "tool,p,q" },
	{ "slow", play_slow, "tool,big,small" },
	{ "lives", play_lives, "tool,l" },
};

/* --- the supervisor --- */

enum { KEYS = 12 };

/* Writes key I and waits for the answer. False: the daemon went away, and it
 * may be done or not. */
static bool
write_key(int fd, int i)
{
	char buf[WIRE_MESSAGE_MAX], payload[32];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int len = snprintf(payload, sizeof(payload), "/key/%d%cx", i, 0);
	size_t at = 0, n = message(buf, WIRE_WRITE, 1, 0, payload, (size_t)len);
	ssize_t got;

	if (send(fd, buf, n, MSG_NOSIGNAL) != (ssize_t)n)
		return false;
	while (at < sizeof(struct wire_header) + 3) {
		if (poll(&p, 1, asker_wait_ms) != 1)
			wrong("no answer");
		got = recv(fd, buf + at, sizeof(buf) - at, 0);
		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	if (strcmp(buf + sizeof(struct wire_header), "OK") != 0)
		wrong("writing: %s", buf + sizeof(struct wire_header));
	return true;
}

/* The keys below N are there, N may be, those above are not. */
static void
check_keys(int n)
{
	char path[32], buf[WIRE_MESSAGE_MAX];
	struct wire_header h;
	int i, fd = dial();

	for (i = 0; i <= KEYS; i++) {
		snprintf(path, sizeof(path), "/key/%d", i);
		ask(fd, WIRE_READ, 0, path, strlen(path) + 1);
		receive_all(fd, &h, sizeof(h));
		receive_all(fd, buf, h.len);
		if (i != n && (h.type == WIRE_READ) != (i < n))
			wrong("key %d of %d was %s", i, n,
			    i < n ? "lost" : "made up");
	}
	call(fd, WIRE_CONTROL, 0, STR("check"), "OK");
	close(fd);
}

static void start(const char *die_as, unsigned long at);
static bool stop(void);
/* The next daemon goes on where the one that is dead was. */
static void
start_again(void)
{
	int status;

	if (waitpid(daemon_pid, &status, 0) != daemon_pid ||
	    !WIFSIGNALED(status))
		wrong("the supervisor was not killed: status %d", status);
	daemon_pid = 0;
	supervisor_dies = false;
	start("nobody", 0);
}

/*
 * Keys are written one by one, each by a client of its own, and the primary is
 * killed half way, so that the supervisor has work.
 */
static bool
play_supervisor(unsigned long at)
{
	bool killed = false;
	int i, fd;

	point = at;
	supervisor_dies = true;
	start("supervisor", at);
	for (i = 0; i < KEYS; i++) {
		if (i == KEYS / 2 && pid_of("primary") > 0)
			kill((pid_t)pid_of("primary"), SIGKILL);
		fd = try_dial();
		if (fd < 0 || !write_key(fd, i)) {
			if (killed)
				wrong("the second daemon went away, too");
			killed = true;
			if (fd >= 0)
				close(fd);
			start_again();
			check_keys(i);
			fd = dial();
			if (!write_key(fd, i))
				wrong("the second daemon went away, too");
		}
		close(fd);
	}
	if (killed)
		check_keys(KEYS);
	if (stop())
		return killed;
	/* on its way out: another one can begin */
	supervisor_dies = false;
	start("nobody", 0);
	close(dial());
	(void)stop();
	return true;
}

/* --- the daemon --- */

static int errors;

static void
start(const char *die_as, unsigned long at)
{
	char number[32], ready[16], byte;
	int pipe_fds[2];

	if (pipe(pipe_fds) != 0)
		wrong("pipe: %s", strerror(errno));
	errors = open("err", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	snprintf(number, sizeof(number), "%lu", at);
	snprintf(ready, sizeof(ready), "%d", pipe_fds[1]);
	daemon_pid = fork();
	if (daemon_pid == 0) {
		setenv("XENSTORED_CRASH_ROLE", die_as, 1);
		setenv("XENSTORED_CRASH_AT", number, 1);
		dup2(errors, STDERR_FILENO);
		close(pipe_fds[0]);
		execl(daemon_path, daemon_path, "-D", "-N", "--ready-fd", ready,
		    strcmp(die_as, "nobody") != 0 ? "--fresh" : NULL,
		    (char *)NULL);
		_exit(127);
	}
	close(pipe_fds[1]);
	if (read(pipe_fds[0], &byte, 1) != 1 && !supervisor_dies)
		wrong("the daemon does not start");
	close(pipe_fds[0]);
}

/* Whether a process was killed; PLACE says where. */
static bool
anyone_killed(void)
{
	struct flight *flight;
	bool killed;
	int fd = open("flight", O_RDWR | O_CLOEXEC);

	place[0] = '\0';
	if (fd < 0)
		return false;
	flight = flight_map(fd);
	close(fd);
	if (flight == NULL)
		return false;
	killed = flight->killed > 0;
	if (killed)
		snprintf(place, sizeof(place), "%s", flight->killed_at);
	flight_unmap(flight);
	return killed;
}

static void
wait_for_standby(void)
{
	int i;

	for (i = 0; i < asker_wait_ms && pid_of("standby") <= 0; i++)
		usleep(1000);
}

/* False: it was killed. */
static bool
stop(void)
{
	int status;

	kill(daemon_pid, SIGTERM);
	if (waitpid(daemon_pid, &status, 0) != daemon_pid ||
	    (status != 0 && !(supervisor_dies && WIFSIGNALED(status))))
		wrong("the daemon ended with status %d", status);
	daemon_pid = 0;
	close(errors);
	return status == 0;
}

/* The books balance, and only what should be there is. */
static void
check_store(const struct scenario *s)
{
	char list[256];
	const char *got;
	size_t i, len;
	int fd = dial();

	call(fd, WIRE_CONTROL, 0, STR("check"), "OK");
	ask(fd, WIRE_DIRECTORY, 0, STR("/"));
	got = hear(fd, WIRE_DIRECTORY, NULL);
	for (i = len = 0; len + 1 < sizeof(list); i++) {
		list[len++] = got[i] != '\0' ? got[i] : ',';
		if (got[i] == '\0' && got[i + 1] == '\0')
			break;
	}
	list[len - 1] = '\0';
	if (strcmp(list, s->left) != 0)
		wrong("the root has %s, not %s", list, s->left);
	close(fd);
}

/* Plays S with a kill of ROLE at place AT; false: it has no such place. */
static bool
play(const struct scenario *s, unsigned long at)
{
	bool killed;

	point = at;
	start(role, at);
	if (strcmp(role, "takeover") == 0) {
		wait_for_standby();
		kill((pid_t)pid_of("primary"), SIGKILL);
	} else if (strcmp(role, "standby") == 0 || at % 2 == 0) {
		wait_for_standby(); /* half of the others: cold */
	}
	s->play();
	check_store(s);
	killed = anyone_killed();
	(void)stop();
	return killed;
}

static unsigned long
play_all(const struct scenario *s, unsigned long first, unsigned long every)
{
	unsigned long at, runs = 0;

	scenario_name = s != NULL ? s->name : "keys";
	/* a place that is passed only with a standby is even */
	for (at = first; at < POINTS_MAX; at += every) {
		runs++;
		if (s == NULL ? !play_supervisor(at)
			      : !play(s, at) && !play(s, at + 1))
			return runs;
	}
	wrong("there is no end");
}

/* Scenario NAME is one of those that are wanted. */
static bool
want(bool *wanted, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (strcmp(name, scenarios[i].name) == 0)
			return wanted[i] = true;
	fprintf(stderr, "points: there is no scenario '%s'\n", name);
	exit(2);
}

static int
usage(void)
{
	fputs("usage: points [-r ROLE] [-s SCENARIO]... [-a FIRST] [-e EVERY] "
	      "DAEMON DIR\n",
	    stderr);
	return 2;
}

int
main(int argc, char *argv[])
{
	unsigned long every = 1, runs = 0, first = 1;
	bool only = false, wanted[sizeof(scenarios) / sizeof(scenarios[0])];
	size_t i;
	int c;

	memset(wanted, 0, sizeof(wanted));
	while ((c = getopt(argc, argv, "r:s:e:a:")) != -1) {
		if (c == 'r')
			role = optarg;
		else if (c == 's')
			only = want(wanted, optarg);
		else if (c == 'a')
			first = strtoul(optarg, NULL, 10);
		else if (c == 'e')
			every = strtoul(optarg, NULL, 10);
		else
			return usage();
	}
	if (argc - optind != 2 || every == 0 || first == 0)
		return usage();
	daemon_path = argv[optind];
	asker_rundir = argv[optind + 1];
	setenv("XENSTORED_RUNDIR", asker_rundir, 1);
	unsetenv("XENSTORED_PATH");
	if (chdir(asker_rundir) != 0)
		wrong("%s: %s", asker_rundir, strerror(errno));
	if (strcmp(role, "supervisor") == 0)
		runs += play_all(NULL, first, every);
	else
		for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
			if (!only || wanted[i])
				runs += play_all(&scenarios[i], first, every);
	printf(
	    "%lu runs, in each of which the %s was killed at another place\n",
	    runs, role);
	return runs > 0 ? 0 : 1;
}
