/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/common/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 20 };

static pid_t
read_pid(int fd)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	char *end;
	long pid;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	pid = strtol(text, &end, 10);
	if (end == text || (*end != '\n' && *end != '\0') || pid <= 0 ||
	    pid > INT32_MAX)
		return 0;
	return (pid_t)pid;
}

int
lock_set_owner(int fd)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) != 0)
		return -1;
	return pwrite(fd, text, (size_t)n, 0) == n ? 0 : -1;
}

/* Does PATH still name the file that FD has open? */
static bool
same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int
close_with(int fd, int err)
{
	close(fd);
	errno = err;
	return -1;
}

int
lock_take(const char *path, pid_t *owner_out)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int err = errno;

			if (owner_out != NULL)
				*owner_out = read_pid(fd);
			return close_with(fd, err);
		}
		if (!same_file(fd, path)) { /* its owner removed it just now */
			close(fd);
			continue;
		}
		if (lock_set_owner(fd) != 0)
			return close_with(fd, errno);
		return fd;
	}
}

int
lock_wait(const char *path, unsigned timeout_ms, pid_t *owner_out)
{
	const struct timespec nap = { .tv_nsec = POLL_MS * 1000000L };

	for (unsigned waited = 0;; waited += POLL_MS) {
		int fd = lock_take(path, owner_out);

		if (fd >= 0 || errno != EWOULDBLOCK || waited >= timeout_ms)
			return fd;
		nanosleep(&nap, NULL);
	}
}

pid_t
lock_owner(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	pid_t pid = 0;

	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
		pid = read_pid(fd);
		if (pid == 0)
			pid = -1;
	}
	close(fd);
	return pid;
}

void
lock_release(int fd, const char *path)
{
	if (fd < 0)
		return;
	unlink(path);
	close(fd);
}
