/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/common/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/common/clock.h"

enum { NAP_MS_MAX = 50, KILL_GRACE_MS = 1000, READ_SIZE = 4096 };

extern char **environ;

static void
nap(unsigned ms)
{
	const struct timespec ts = { .tv_nsec = (long)ms * 1000000 };

	nanosleep(&ts, NULL);
}

/* In the child: makes FD the descriptor WANT. FD is at least 3, or WANT. */
static int
become(int fd, int want)
{
	if (fd == PROC_INHERIT || fd == want)
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
	for (size_t i = 0; spec->env != NULL && spec->env[i] != NULL; i++)
		if (putenv((char *)(uintptr_t)spec->env[i]) != 0)
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

static int
reap(pid_t pid, int *status_out)
{
	while (waitpid(pid, status_out, 0) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

int
proc_start(const struct proc_spec *spec, pid_t *pid_out)
{
	int fds[2];
	int err, status;
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
			reap(pid, &status);
	}
	close(fds[0]);
	if (err != 0) {
		errno = err;
		return -1;
	}
	*pid_out = pid;
	return 0;
}

/* Waits until DEADLINE, sleeping longer and longer. 1 if PID was reaped. */
static int
wait_until(pid_t pid, int64_t deadline, int *status_out)
{
	for (unsigned ms = 1;; ms = ms * 2 < NAP_MS_MAX ? ms * 2 : NAP_MS_MAX) {
		pid_t got = waitpid(pid, status_out, WNOHANG);

		if (got == pid)
			return 1;
		if (got < 0 && errno != EINTR)
			return -1;
		if (clock_ms() >= deadline)
			return 0;
		nap(ms);
	}
}

void
proc_kill(pid_t pid, unsigned grace_ms)
{
	int status;

	kill(-pid, SIGTERM);
	if (wait_until(pid, clock_ms() + grace_ms, &status) == 0) {
		kill(-pid, SIGKILL);
		reap(pid, &status);
	} else {
		kill(-pid, SIGKILL); /* those of the group that stayed */
	}
}

int
proc_wait(pid_t pid, unsigned timeout_ms, int *status_out)
{
	int done;

	if (timeout_ms == 0)
		return reap(pid, status_out);
	done = wait_until(pid, clock_ms() + timeout_ms, status_out);
	if (done != 0)
		return done > 0 ? 0 : -1;
	proc_kill(pid, KILL_GRACE_MS);
	errno = ETIMEDOUT;
	return -1;
}

int
proc_run(const struct proc_spec *spec, unsigned timeout_ms, int *status_out)
{
	pid_t pid;

	if (proc_start(spec, &pid) != 0)
		return -1;
	return proc_wait(pid, timeout_ms, status_out);
}

/* Reads FD to its end, at most LIMIT bytes, until DEADLINE (0: for ever). A
 * NUL is put behind. NULL with errno ETIMEDOUT, E2BIG, ENOMEM or read(2)'s. */
static char *
read_all(int fd, size_t limit, int64_t deadline, size_t *len_out)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char *text = NULL;
	size_t len = 0, size = 0;
	int err;

	for (;;) {
		int64_t now = clock_ms();
		int left = deadline == 0    ? -1
			   : now < deadline ? (int)(deadline - now)
					    : 0;
		int r = poll(&pfd, 1, left);
		ssize_t n;

		if (r < 0 && errno == EINTR)
			continue;
		err = r == 0 ? ETIMEDOUT : errno;
		if (r <= 0)
			break;
		if (size - len < READ_SIZE) {
			char *p = realloc(text, size + 2 * READ_SIZE);

			err = ENOMEM;
			if (p == NULL)
				break;
			text = p;
			size += 2 * READ_SIZE;
		}
		n = read(fd, text + len, size - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		err = n < 0 ? errno : E2BIG;
		if (n < 0 || (size_t)n > limit - len)
			break;
		len += (size_t)n;
		text[len] = '\0';
		if (n == 0) {
			*len_out = len;
			return text;
		}
	}
	free(text);
	errno = err;
	return NULL;
}

int
proc_output(const struct proc_spec *spec, unsigned timeout_ms, size_t limit,
    char **text_out, size_t *len_out, int *status_out)
{
	int64_t deadline = timeout_ms == 0 ? 0 : clock_ms() + timeout_ms;
	struct proc_spec piped = *spec;
	size_t len = 0;
	char *text;
	int fds[2];
	int err;
	pid_t pid;

	*text_out = NULL;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	piped.out = fds[1];
	if (proc_start(&piped, &pid) != 0) {
		err = errno;
		close(fds[0]);
		close(fds[1]);
		errno = err;
		return -1;
	}
	close(fds[1]);
	text = read_all(fds[0], limit, deadline, &len);
	err = errno;
	close(fds[0]);
	if (text == NULL) {
		proc_kill(pid, KILL_GRACE_MS);
		errno = err;
		return -1;
	}
	if (deadline != 0)
		timeout_ms = clock_ms() < deadline
				 ? (unsigned)(deadline - clock_ms()) + 1
				 : 1;
	if (proc_wait(pid, timeout_ms, status_out) != 0) {
		err = errno;
		free(text);
		errno = err;
		return -1;
	}
	*text_out = text;
	if (len_out != NULL)
		*len_out = len;
	return 0;
}
