/* SPDX-License-Identifier: BSD-2-Clause */
/* Becoming a daemon, and saying that one is ready. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/common/proc.h"

static void
null_to(int fd, int flags)
{
	int null = open("/dev/null", flags);

	if (null >= 0 && null != fd) {
		dup2(null, fd);
		close(null);
	}
}

/* The parent's part: waits for the newline or the child's end. */
static void
wait_for_child(pid_t pid, int fd)
{
	char c;
	ssize_t n;
	int status;

	do {
		n = read(fd, &c, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0
		  ? WEXITSTATUS(status)
		  : 1);
}

int
proc_daemonize(void)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	if (pid < 0) {
		int err = errno;

		close(fds[0]);
		close(fds[1]);
		errno = err;
		return -1;
	}
	if (pid > 0) {
		close(fds[1]);
		wait_for_child(pid, fds[0]);
	}
	close(fds[0]);
	setsid();
	if (chdir("/") != 0)
		_exit(1);
	null_to(STDIN_FILENO, O_RDONLY);
	null_to(STDOUT_FILENO, O_WRONLY);
	return fds[1];
}

void
proc_drop_stderr(void)
{
	null_to(STDERR_FILENO, O_WRONLY);
}

/* READY=1 to the service manager's socket, if there is one. */
static void
notify_manager(void)
{
	static const char text[] = "READY=1";
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len;
	int fd;

	if (path == NULL || (len = strlen(path)) < 2 ||
	    len >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, path, len);
	if (path[0] == '@') /* an abstract name */
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, text, sizeof(text) - 1, MSG_NOSIGNAL, (struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void
proc_ready(int fd)
{
	int err = errno;

	notify_manager();
	if (fd >= 0) {
		while (write(fd, "\n", 1) < 0 && errno == EINTR)
			;
		close(fd);
	}
	errno = err;
}
