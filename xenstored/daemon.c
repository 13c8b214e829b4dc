/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "xenstored/msg.h"

enum { CLAIM_TRIES = 100 };

/* Where the parent of daemon_fork() waits. */
static int parent_fd = -1;
static int lock_fd = -1;

static void
make_dirs(const char *dir)
{
	char path[4096];
	char *slash;

	if ((size_t)snprintf(path, sizeof(path), "%s/", dir) >= sizeof(path))
		fatalx("the directory's name is too long: %s", dir);
	for (slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			fatal("cannot make the directory %s", path);
		*slash = '/';
	}
}

int
daemon_claim(const char *dir)
{
	char path[4096];
	static const struct timespec pause = { 0, 10 * 1000 * 1000 };
	int fd, tries;

	make_dirs(dir);
	if ((size_t)snprintf(path, sizeof(path), "%s/lock", dir) >=
	    sizeof(path))
		fatalx("the directory's name is too long: %s", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		fatal("cannot open %s", path);
	/* A child that a dead daemon was about to start may still hold it. */
	for (tries = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
		if (errno != EWOULDBLOCK)
			fatal("cannot lock %s", path);
		if (tries == CLAIM_TRIES)
			fatalx("another xenstored runs in %s", dir);
		nanosleep(&pause, NULL);
	}
	lock_fd = fd;
	return fd;
}

void
daemon_is_child(int ready_fd)
{
	const int fds[] = { lock_fd, parent_fd, ready_fd };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	lock_fd = parent_fd = -1;
}

/* Waits for a byte from CHILD; never returns. */
static void
wait_for(pid_t child, int fd)
{
	char byte;
	ssize_t n;
	int status;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(0);
	if (waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	    WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status));
	_exit(1);
}

void
daemon_fork(void)
{
	int fds[2], null;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) != 0)
		fatal("cannot make a pipe");
	child = fork();
	if (child < 0)
		fatal("cannot fork");
	if (child > 0) {
		close(fds[1]);
		wait_for(child, fds[0]);
	}
	close(fds[0]);
	parent_fd = fds[1];
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		fatal("cannot open /dev/null");
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
}

/* Whether the file PATH says that it is us. */
static bool
is_told(const char *path)
{
	FILE *file = fopen(path, "re");
	long pid = 0;

	if (file == NULL)
		return false;
	if (fscanf(file, "%ld", &pid) != 1)
		pid = 0;
	fclose(file);
	return pid == (long)getpid();
}

bool
daemon_pid_file(const char *path)
{
	FILE *file;

	if (is_told(path))
		return true;
	file = fopen(path, "we");
	if (file == NULL)
		return false;
	fprintf(file, "%ld\n", (long)getpid());
	return fclose(file) == 0;
}

static void
notify_systemd(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = path != NULL ? strlen(path) : 0;
	char text[64];
	int fd, n;

	if (len < 2 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	n = snprintf(
	    text, sizeof(text), "READY=1\nMAINPID=%ld", (long)getpid());
	if (sendto(fd, text, (size_t)n, MSG_NOSIGNAL, (const void *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		msg_warn("cannot notify %s", path);
	close(fd);
}

static void
tell(int fd)
{
	if (write(fd, "\n", 1) != 1)
		msg_warn("cannot say that we are ready");
	close(fd);
}

void
daemon_ready(int ready_fd)
{
	int null;

	notify_systemd();
	if (ready_fd >= 0)
		tell(ready_fd);
	if (parent_fd < 0)
		return;
	tell(parent_fd);
	parent_fd = -1;
	msg_to_syslog();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
}

void
daemon_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		msg_warn("cannot have more descriptors");
}
