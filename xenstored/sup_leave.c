/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_leave.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xenstored/msg.h"
#include "xenstored/plat.h"
#include "xenstored/sup_guard.h"

enum { PATH_SIZE = 4096, GONE_MS = 5000 };

static void
dump_path(const struct sup_leave *l, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/state_dump", l->dir);
}

static bool
write_dump(const struct sup_leave *l)
{
	char path[PATH_SIZE], buf[16384];
	ssize_t n = 0;
	off_t at = 0;
	int fd;

	dump_path(l, path);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	while ((n = pread(l->stream, buf, sizeof(buf), at)) > 0 &&
	       write(fd, buf, (size_t)n) == n)
		at += n;
	close(fd);
	return n == 0;
}

static void
inherit(const struct sup_leave *l, bool yes)
{
	int flag = yes ? 0 : FD_CLOEXEC;
	size_t i;

	(void)fcntl(l->listener, F_SETFD, flag);
	if (l->evtchn >= 0)
		(void)fcntl(l->evtchn, F_SETFD, flag);
	for (i = 0; i < l->socks->n; i++)
		(void)fcntl(l->socks->sock[i].fd, F_SETFD, flag);
}

/* --- the guardian --- */

/* ARGV with -U, which may be there already. */
static char **
own_words(char *argv[])
{
	static char option[] = "--live-update";

	return sup_child_words(argv, option);
}

/* Becomes a supervisor with what the other daemon was given. */
static _Noreturn void
go_on(const struct sup_leave *l)
{
	char **words = own_words(l->argv);

	if (words != NULL && write_dump(l)) {
		inherit(l, true);
		execv(plat_own_program(), words);
	}
	fatal("the store is lost: cannot go on");
}

/* Of the stream, which stays mapped. */
static void
pick_nodes(const struct sup_leave *l, struct guard_nodes *nodes)
{
	void *data = MAP_FAILED;
	struct stat st;

	if (fstat(l->stream, &st) == 0 && st.st_size > 0)
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
		    l->stream, 0);
	nodes->n = 0;
	if (data != MAP_FAILED)
		guard_pick(data, (size_t)st.st_size, nodes);
}

/* Until the process G->pid has executed the other daemon. False: it could not.
 */
static bool
is_executed(int executed)
{
	char byte;
	ssize_t n;

	do
		n = read(executed, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 0;
}

static _Noreturn void
guard(const struct sup_leave *l, struct guard_case *g, int executed)
{
	char why[GUARD_WHY];
	sigset_t none;

	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(l->lock);
	pick_nodes(l, &g->nodes);
	if (!is_executed(executed) || guard_watch(g, why))
		_exit(0);
	msg_warnx(
	    "live update to %s: %s; this program goes on", l->binary, why);
	/* one that has ended may be another process by now */
	if (plat_is_running(g->pid, g->process)) {
		kill(g->pid, SIGKILL);
		plat_wait_gone(g->pid, GONE_MS);
	}
	go_on(l);
}

/* Starts the guardian, which is nobody's child; what to tell it by that the
 * program was not executed, or -1. */
static int
start_guardian(const struct sup_leave *l)
{
	struct guard_case g = { .pid = getpid(), .socket = l->socket };
	int executed[2];
	pid_t child;

	if (pipe2(executed, O_CLOEXEC) != 0)
		return -1;
	g.process = plat_open_process(g.pid);
	g.ms = l->ms;
	child = fork();
	if (child == 0) {
		close(executed[1]);
		if (fork() == 0)
			guard(l, &g, executed[0]);
		_exit(0);
	}
	close(executed[0]);
	if (g.process >= 0)
		close(g.process);
	if (child > 0 && waitpid(child, NULL, 0) == child)
		return executed[1];
	close(executed[1]);
	return -1;
}

/* --- leaving --- */

/* Executes the program. From before that on a signal that says to end ends this
 * process, as it would the program: caught, it would be lost. */
static void
execute(const struct sup_leave *l)
{
	static const int numbers[] = { SIGTERM, SIGINT };
	const struct sigaction none = { .sa_handler = SIG_DFL };
	struct sigaction before[2];
	sigset_t empty, held;
	int i, saved;

	for (i = 0; i < 2; i++)
		sigaction(numbers[i], &none, &before[i]);
	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, &held);
	execv(l->binary, l->words);
	saved = errno;
	sigprocmask(SIG_SETMASK, &held, NULL);
	for (i = 0; i < 2; i++)
		sigaction(numbers[i], &before[i], NULL);
	errno = saved;
}

const char *
sup_leave(const struct sup_leave *l)
{
	static char why[160];
	char path[PATH_SIZE];
	int executed = -1, saved;

	if (write_dump(l))
		executed = start_guardian(l);
	if (executed >= 0) {
		msg_info("becomes %s", l->binary);
		inherit(l, true);
		execute(l);
	}
	saved = errno;
	if (executed >= 0 && write(executed, "x", 1) != 1)
		msg_warn("the guardian does not listen");
	if (executed >= 0)
		close(executed);
	snprintf(
	    why, sizeof(why), "It cannot be executed: %s.", strerror(saved));
	inherit(l, false);
	dump_path(l, path);
	(void)unlink(path);
	return why;
}
