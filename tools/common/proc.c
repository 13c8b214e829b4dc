/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/common/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: makes FD the descriptor WANT. FD is at least 3, or WANT. */
static int
become(int fd, int want)
{
	if (fd == want)
		return 0;
	if (fd == PROC_NULL) {
		int null = open("/dev/null", O_RDWR);

		if (null < 0)
			return -1;
		if (null == want)
			return 0;
		if (dup2(null, want) < 0)
			return -1;
		return close(null);
	}
	return dup2(fd, want) < 0 ? -1 : 0;
}

/* A descriptor below 3 that stands for another would be overwritten first. */
static int
clear_of_stdio(int fd, int want)
{
	if (fd < 0 || fd > STDERR_FILENO || fd == want)
		return fd;
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void
reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The child's part. Returns only on failure. */
static void
exec_child(const struct proc_spec *spec)
{
	int in = clear_of_stdio(spec->in, STDIN_FILENO);
	int out = clear_of_stdio(spec->out, STDOUT_FILENO);
	int err = clear_of_stdio(spec->err, STDERR_FILENO);

	setpgid(0, 0);
	if (become(in, STDIN_FILENO) != 0 || become(out, STDOUT_FILENO) != 0 ||
	    become(err, STDERR_FILENO) != 0)
		return;
	reset_signals();
	execvp(spec->argv[0], (char **)(uintptr_t)spec->argv);
}

/* Reads the errno that a child failed to execute with; 0 if it did execute. */
static int
exec_error(int fd)
{
	int err = 0;
	ssize_t n;

	do {
		n = read(fd, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(err) ? err : 0;
}

int
proc_start(const struct proc_spec *spec, pid_t *pid_out)
{
	int fds[2];
	int err;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		exec_child(spec);
		err = errno;
		if (write(fds[1], &err, sizeof(err)) < 0)
			_exit(126);
		_exit(127);
	}
	err = pid < 0 ? errno : 0;
	close(fds[1]);
	if (pid > 0) {
		setpgid(pid, pid); /* whoever of both comes first */
		err = exec_error(fds[0]);
		if (err != 0)
			while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
				;
	}
	close(fds[0]);
	if (err != 0) {
		errno = err;
		return -1;
	}
	*pid_out = pid;
	return 0;
}
