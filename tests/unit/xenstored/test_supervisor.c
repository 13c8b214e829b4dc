/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The supervisor with children that are played here: the first that serves does
 * what one could do whom a client has taken over, those after it what they
 * should. A client of the socket is told by whoever serves who that is.
 */
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/files.h"
#include "xenstored/flight.h"
#include "xenstored/msg.h"
#include "xenstored/options.h"
#include "xenstored/plat.h"
#include "xenstored/sup_child.h"
#include "xenstored/supervisor.h"
#include "xenstored/supmsg.h"
#include "xenstored/update_program.h"

enum {
	STUCK = 300, /* s: a test that takes longer has failed */
	MANY = 200,
	CLIENTS = 20,
	FEW_FILES = 60,
	WATCH_MS = 300,
	GONE_MS = 60000, /* who was killed is gone by then */
	FEW_TICKS = 8,	 /* of the 30 in that time */
};

static char dir[64];

/* --- a child --- */

struct child {
	int sup, files;
	int sock[512];
	unsigned n_socks;
	bool serving;
};

/* Sends what waits nowhere but in the kernel: there may be no room. */
static bool
shout(int sock, const struct supmsg *msg, const int *fds, unsigned n)
{
	struct pollfd p = { .fd = sock, .events = POLLOUT };

	while (!supmsg_send(sock, msg, fds, n)) {
		if (errno != EAGAIN && errno != ETOOMANYREFS)
			return false;
		(void)poll(&p, 1, 10);
	}
	return true;
}

static void
say(struct child *c, enum supmsg_type type, uint64_t a)
{
	const struct supmsg msg = { .type = type, .a = a };

	(void)shout(c->sup, &msg, NULL, 0);
}

/* Another process, which goes on until nobody listens. */
static void
flood(int fd, const void *bytes, size_t len)
{
	if (fork() != 0)
		return;
	while (send(fd, bytes, len, MSG_NOSIGNAL) >= 0 || errno == ENOBUFS)
		;
	_exit(0);
}

static void
ask_with_full_pipe(struct child *c)
{
	struct live_update_request request = { .binary = "/nowhere" };
	const struct supmsg msg = { .type = SUPMSG_UPDATE_CHECK };
	int fds[2], answer[2];

	fds[0] = update_pack(&request);
	if (pipe(answer) != 0)
		_exit(1);
	(void)fcntl(answer[1], F_SETFL, O_NONBLOCK);
	while (write(answer[1], "x", 1) == 1)
		;
	(void)fcntl(answer[1], F_SETFL, 0);
	fds[1] = answer[1];
	(void)shout(c->sup, &msg, fds, 2);
}

/* The request is a pipe in which nothing is. */
static void
ask_with_empty_pipe(struct child *c)
{
	const struct supmsg msg = { .type = SUPMSG_UPDATE };
	int pair[2];

	if (pipe(pair) != 0)
		_exit(1);
	(void)shout(c->sup, &msg, pair, 1);
}

static void
send_many_files(struct child *c)
{
	static const enum supmsg_type types[] = { SUPMSG_IMAGE_IS,
		SUPMSG_CLOSED, SUPMSG_UPDATE, SUPMSG_UPDATE_CHECK,
		SUPMSG_STREAM_IS, SUPMSG_READY };
	int fds[SUPMSG_FDS], null = open("/dev/null", O_RDWR);
	struct supmsg msg = { .type = 0 };
	unsigned i;

	for (i = 0; i < SUPMSG_FDS; i++)
		fds[i] = null;
	for (i = 0; i < MANY; i++) {
		msg.type = types[i % 6];
		(void)shout(c->sup, &msg, fds, SUPMSG_FDS);
	}
}

/* What only others, or nobody who serves already, may say. */
static void
claim(struct child *c)
{
	static const enum supmsg_type types[] = { SUPMSG_SERVING, SUPMSG_READY,
		SUPMSG_LOST, SUPMSG_DIFFERS, SUPMSG_AUDITED, SUPMSG_STREAM_IS,
		SUPMSG_PROMOTE, (enum supmsg_type)999 };
	unsigned i;

	for (i = 0; i < MANY; i++)
		say(c, types[i % 8], 1);
}

/* This program as PATH, where nobody else can have put it. */
static bool
copy_program(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL, 0700);
	char bytes[65536];
	ssize_t n = -1;

	while (from >= 0 && to >= 0 &&
	       (n = read(from, bytes, sizeof(bytes))) > 0 &&
	       write(to, bytes, (size_t)n) == n)
		;
	close(from);
	close(to);
	return n == 0;
}

/* Asks for this program in the place of all, and then does not go. */
static void
ask_and_stay(struct child *c)
{
	const struct supmsg msg = { .type = SUPMSG_UPDATE };
	struct live_update_request request = { .timeout = STUCK };
	int fd;

	snprintf(request.binary, sizeof(request.binary), "%s/program", dir);
	if (!copy_program(request.binary))
		_exit(1);
	fd = update_pack(&request);
	(void)shout(c->sup, &msg, &fd, 1);
}

/* The process behind whom somebody is left. */
static void
leave_somebody(void)
{
	struct stat st;
	char path[96];

	if (fork() == 0) {
		snprintf(path, sizeof(path), "%s/left", dir);
		if (symlink("x", path) != 0)
			_exit(1);
		for (;;)
			pause();
	}
	snprintf(path, sizeof(path), "%s/left", dir);
	while (lstat(path, &st) != 0)
		usleep(1000);
	_exit(0);
}

static void
be_evil(struct child *c, const char *how)
{
	static const struct supmsg wake = { .type = SUPMSG_WAKE };

	if (strcmp(how, "silent") == 0) {
		close(c->sup);
		for (;;)
			pause();
	} else if (strcmp(how, "deaf") == 0) {
		(void)shutdown(c->sup, SHUT_RD);
		for (;;)
			pause();
	} else if (strcmp(how, "noise") == 0) {
		(void)send(c->sup, "noise", 5, MSG_NOSIGNAL);
	} else if (strcmp(how, "no files") == 0) {
		close(c->files);
	} else if (strcmp(how, "files") == 0) {
		flood(c->files, "noise", 5);
	} else if (strcmp(how, "flood") == 0) {
		flood(c->sup, &wake, sizeof(wake));
	} else if (strcmp(how, "full pipe") == 0) {
		ask_with_full_pipe(c);
	} else if (strcmp(how, "empty pipe") == 0) {
		ask_with_empty_pipe(c);
	} else if (strcmp(how, "many") == 0) {
		send_many_files(c);
	} else if (strcmp(how, "claims") == 0) {
		claim(c);
	} else if (strcmp(how, "stays") == 0) {
		ask_and_stay(c);
	} else if (strcmp(how, "leaves") == 0) {
		leave_somebody();
	}
}

/* Whether this is the first that asks. */
static bool
is_first(void)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/first", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return false;
	dprintf(fd, "%ld", (long)getpid());
	close(fd);
	return true;
}

static void
greet(const struct child *c, unsigned i)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	(void)send(c->sock[i], text, (size_t)len, MSG_NOSIGNAL);
}

static void
begin_to_serve(struct child *c)
{
	const char *how = getenv("TEST_EVIL");
	unsigned i;

	c->serving = true;
	say(c, SUPMSG_SERVING, 1);
	if (how != NULL && is_first())
		be_evil(c, how);
	for (i = 0; i < c->n_socks; i++)
		greet(c, i);
}

static void
obey(struct child *c, const struct supmsg *msg, const int *fds, unsigned n)
{
	unsigned i;

	switch (msg->type) {
	case SUPMSG_SETUP:
		c->files = fds[2];
		break;
	case SUPMSG_LOAD:
		say(c, SUPMSG_READY, 0);
		break;
	case SUPMSG_SOCKS:
		for (i = 0; i < n && c->n_socks < 512; i++) {
			c->sock[c->n_socks++] = fds[i];
			if (c->serving)
				greet(c, c->n_socks - 1);
		}
		break;
	case SUPMSG_PROMOTE:
		begin_to_serve(c);
		break;
	case SUPMSG_AUDIT:
		say(c, SUPMSG_AUDITED, 1);
		break;
	case SUPMSG_STOP:
		_exit(0);
	default:
		break;
	}
}

static int
be_child(int sup)
{
	struct pollfd p = { .fd = sup, .events = POLLIN };
	struct child c = { .sup = sup };
	int fds[SUPMSG_FDS];
	struct supmsg msg;
	unsigned n;

	snprintf(dir, sizeof(dir), "%s", getenv("TEST_DIR"));
	while (poll(&p, 1, -1) == 1 && supmsg_receive(sup, &msg, fds, &n) == 1)
		obey(&c, &msg, fds, n);
	_exit(0);
}

/* --- the supervisor --- */

static pid_t daemon_pid;
static char *words[] = { (char[]){ "xenstored" }, (char[]){ "-D" },
	(char[]){ "-N" }, NULL };

static _Noreturn void
supervise(void)
{
	static struct server_config config;
	static struct files_rules rules;
	static struct options options;
	struct sup_first first = { .child.pid = 0 };
	char error[OPTIONS_ERROR_SIZE], path[96], out[96];
	const struct supervisor_paths paths = { dir, path, -1 };
	int fd;

	snprintf(path, sizeof(path), "%s/socket", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	fd = open(out, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	if (options_parse(3, words, &options, error) != OPTIONS_RUN)
		_exit(1);
	config.state.quotas = options.quotas;
	fd = sup_child_fork(&first);
	if (fd >= 0)
		be_child(fd);
	_exit(supervisor_run(&options, &config, &paths, &rules, words, &first));
}

static void
start(const char *how)
{
	alarm(STUCK);
	strcpy(dir, "/tmp/test_supervisor.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("TEST_DIR", dir, 1), 0);
	assert_int_equal(setenv("TEST_EVIL", how, 1), 0);
	daemon_pid = fork();
	if (daemon_pid == 0)
		supervise();
	assert_true(daemon_pid > 0);
}

static void
stop(void)
{
	static const char *const names[] = { "first", "out", "log", "flight",
		"status", "peers", "left", "program", "checkpoint.0",
		"checkpoint.1" };
	char path[96];
	size_t i;
	int status;

	assert_int_equal(kill(daemon_pid, SIGTERM), 0);
	assert_int_equal(waitpid(daemon_pid, &status, 0), daemon_pid);
	assert_int_equal(status, 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
	alarm(0);
}

/* --- looking at it --- */

/* The pid that a new client is told. */
static pid_t
who_serves(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char text[32] = "";
	ssize_t n = 0;
	int fd;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", dir);
	while (n <= 0) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_true(fd >= 0);
		if (connect(fd, (const void *)&at, sizeof(at)) == 0)
			n = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n <= 0)
			usleep(10000);
	}
	return (pid_t)atol(text);
}

/* Who was the first to serve. */
static pid_t
evil_pid(void)
{
	char path[96], text[32] = "";
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/first", dir);
	while (n <= 0) {
		fd = open(path, O_RDONLY);
		n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
		if (fd >= 0)
			close(fd);
		if (n <= 0)
			usleep(10000);
	}
	return (pid_t)atol(text);
}

/* How much CPU time the supervisor had, in 1/100 s. */
static unsigned long
ticks(void)
{
	char path[64], text[1024], *at;
	unsigned long user = 0, sys = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)daemon_pid);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	at = strrchr(text, ')');
	assert_int_equal(sscanf(at,
			     ") %*c %*s %*s %*s %*s %*s %*s %*s %*s "
			     "%*s %*s %lu %lu",
			     &user, &sys),
	    2);
	return user + sys;
}

static unsigned
count_files(void)
{
	char path[64];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)daemon_pid);
	d = opendir(path);
	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
assert_that_it_sleeps(void)
{
	unsigned long before = ticks();

	usleep(WATCH_MS * 1000);
	assert_true(ticks() - before < FEW_TICKS);
}

/* It comes to an end, and another one serves. */
static void
is_succeeded(const char *how)
{
	pid_t evil;
	int ms;

	start(how);
	evil = evil_pid();
	while (who_serves() == evil)
		usleep(20000);
	for (ms = 0; kill(evil, 0) == 0 && ms < GONE_MS; ms++)
		usleep(1000);
	assert_int_equal(kill(evil, 0), -1);
	assert_that_it_sleeps();
	stop();
}

/* It goes on, and so does the supervisor. */
static void
does_not_matter(const char *how)
{
	pid_t evil;
	int i;

	start(how);
	evil = evil_pid();
	for (i = 0; i < CLIENTS; i++) {
		assert_int_equal(who_serves(), evil);
		usleep(10000);
	}
	while (count_files() > FEW_FILES)
		usleep(1000);
}

/* --- claims --- */

static void
one_that_closes_its_socket_is_ended_and_succeeded(void **unused)
{
	(void)unused;
	is_succeeded("silent");
}

static void
one_that_cannot_be_told_of_clients_is_ended_and_succeeded(void **unused)
{
	(void)unused;
	is_succeeded("deaf");
}

static void
one_that_says_what_is_no_message_is_ended_and_succeeded(void **unused)
{
	(void)unused;
	is_succeeded("noise");
}

static void
one_that_closes_the_way_to_files_keeps_nobody_busy(void **unused)
{
	(void)unused;
	does_not_matter("no files");
	assert_that_it_sleeps();
	stop();
}

static void
one_that_asks_for_files_without_end_stops_nobody(void **unused)
{
	(void)unused;
	does_not_matter("files");
	stop();
}

static void
one_that_talks_without_end_stops_nobody(void **unused)
{
	(void)unused;
	does_not_matter("flood");
	stop();
}

static void
nobody_waits_for_a_pipe_to_have_room(void **unused)
{
	(void)unused;
	does_not_matter("full pipe");
	assert_that_it_sleeps();
	stop();
}

static void
nobody_waits_for_a_request_in_a_pipe(void **unused)
{
	(void)unused;
	does_not_matter("empty pipe");
	assert_that_it_sleeps();
	stop();
}

static void
descriptors_that_nobody_asked_for_are_closed(void **unused)
{
	(void)unused;
	does_not_matter("many");
	assert_that_it_sleeps();
	stop();
}

static void
what_others_have_to_say_is_not_believed(void **unused)
{
	char path[96], text[4096];
	ssize_t n;
	int fd;

	(void)unused;
	does_not_matter("claims");
	snprintf(path, sizeof(path), "%s/out", dir);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	assert_null(strstr(text, "took over"));
	assert_null(strstr(text, "live update"));
	stop();
}

static void
one_that_does_not_go_for_a_new_program_is_ended(void **unused)
{
	(void)unused;
	is_succeeded("stays");
}

static void
whoever_it_leaves_behind_is_ended(void **unused)
{
	pid_t evil;

	(void)unused;
	start("leaves");
	evil = evil_pid();
	while (who_serves() == evil)
		usleep(20000);
	/* of its group nobody is left */
	while (kill(-evil, 0) == 0)
		usleep(1000);
	assert_int_equal(errno, ESRCH);
	stop();
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    one_that_closes_its_socket_is_ended_and_succeeded),
		cmocka_unit_test(
		    one_that_cannot_be_told_of_clients_is_ended_and_succeeded),
		cmocka_unit_test(
		    one_that_says_what_is_no_message_is_ended_and_succeeded),
		cmocka_unit_test(
		    one_that_closes_the_way_to_files_keeps_nobody_busy),
		cmocka_unit_test(
		    one_that_asks_for_files_without_end_stops_nobody),
		cmocka_unit_test(one_that_talks_without_end_stops_nobody),
		cmocka_unit_test(nobody_waits_for_a_pipe_to_have_room),
		cmocka_unit_test(nobody_waits_for_a_request_in_a_pipe),
		cmocka_unit_test(descriptors_that_nobody_asked_for_are_closed),
		cmocka_unit_test(what_others_have_to_say_is_not_believed),
		cmocka_unit_test(
		    one_that_does_not_go_for_a_new_program_is_ended),
		cmocka_unit_test(whoever_it_leaves_behind_is_ended),
	};

	msg_init("test_supervisor");
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strncmp(argv[1], "--child=", 8) == 0)
		return be_child(atoi(argv[1] + 8));
	if (argc > 1 && strncmp(argv[1], "--resume=", 9) == 0)
		return 1; /* it is no supervisor in that place */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
