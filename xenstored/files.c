/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/msg.h"

enum { DESCRIPTORS = 4096 }; /* that may have been inherited */

enum files_what { FILES_OPEN = 1, FILES_REMOVE };

struct files_request {
	int what;
	char path[PATH_MAX];
};

/* With a descriptor if ERR is 0 and it was asked for one. */
struct files_reply {
	int err;
};

/* --- rules --- */

void
files_allow(struct files_rules *rules, const char *dir)
{
	int fd;

	if (rules->n_dirs == FILES_DIRS)
		return;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	rules->dir[rules->n_dirs].path = strdup(dir);
	rules->dir[rules->n_dirs++].fd = fd;
}

void
files_allow_of(struct files_rules *rules, const char *file)
{
	char *dir = strdup(file), *slash;

	slash = dir != NULL ? strrchr(dir, '/') : NULL;
	if (slash != NULL) {
		slash[slash == dir] = '\0';
		files_allow(rules, dir);
	}
	free(dir);
}

void
files_allow_only(struct files_rules *rules, const char *dir, const char *prefix,
    const char *file)
{
	char *of = file != NULL ? strdup(file) : NULL;
	char *slash = of != NULL ? strrchr(of, '/') : NULL;
	struct stat st = { .st_ino = 0 }, there;

	if (stat(dir, &st) == 0) {
		rules->only.dev = st.st_dev;
		rules->only.ino = st.st_ino;
		rules->only.prefix = strdup(prefix);
	}
	if (slash != NULL) {
		*slash = '\0';
		if (stat(of, &there) == 0 && there.st_dev == st.st_dev &&
		    there.st_ino == st.st_ino)
			rules->only.file = strdup(slash + 1);
	}
	free(of);
}

void
files_allow_removal(struct files_rules *rules, const char *name)
{
	if (rules->n_names < FILES_NAMES)
		rules->name[rules->n_names++] = strdup(name);
}

/* The descriptor of the directory that PATH, absolute, lies in; or -1. */
static int
find_dir(
    const struct files_rules *rules, const char *path, const char **base_out)
{
	const char *slash = strrchr(path, '/');
	size_t len;
	unsigned i;

	if (path[0] != '/' || slash[1] == '\0' || strcmp(slash, "/.") == 0 ||
	    strcmp(slash, "/..") == 0)
		return -1;
	*base_out = slash + 1;
	len = slash == path ? 1 : (size_t)(slash - path);
	for (i = 0; i < rules->n_dirs; i++)
		if (rules->dir[i].path != NULL &&
		    strlen(rules->dir[i].path) == len &&
		    memcmp(rules->dir[i].path, path, len) == 0)
			return rules->dir[i].fd;
	return -1;
}

/* Whether BASE may be opened in the directory DIR. */
static bool
is_allowed(const struct files_rules *rules, int dir, const char *base)
{
	const char *prefix = rules->only.prefix, *file = rules->only.file;
	struct stat st;

	if (rules->only.ino == 0)
		return true;
	if (fstat(dir, &st) != 0)
		return false;
	if (st.st_dev != rules->only.dev || st.st_ino != rules->only.ino)
		return true;
	return (prefix != NULL && strncmp(base, prefix, strlen(prefix)) == 0) ||
	       (file != NULL && strcmp(base, file) == 0);
}

int
files_open_here(const struct files_rules *rules, const char *path)
{
	const char *base = NULL;
	int dir = find_dir(rules, path, &base), fd;

	if (dir < 0 || !is_allowed(rules, dir, base)) {
		errno = EACCES;
		return -1;
	}
	/* O_NONBLOCK: a pipe without a reader must not stop us */
	fd = openat(dir, base,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0600);
	if (fd < 0 && errno == ELOOP)
		errno = EACCES;
	return fd;
}

static int
remove_here(const struct files_rules *rules, const char *name)
{
	unsigned i;

	for (i = 0; i < rules->n_names; i++)
		if (rules->name[i] != NULL && strcmp(rules->name[i], name) == 0)
			return unlink(name);
	errno = EACCES;
	return -1;
}

/* --- messages --- */

/* Sends LEN bytes at BYTES, with the descriptor PASS unless that is -1, as
 * FLAGS say. */
static bool
send_with(int fd, const void *bytes, size_t len, int pass, int flags)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (pass >= 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = control.buf;
		mh.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass, sizeof(int));
	}
	do
		n = sendmsg(fd, &mh, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

/* Receives at most SIZE bytes; what recvmsg() says. *FD_OUT may be NULL. */
static ssize_t
receive_with(int fd, void *bytes, size_t size, int *fd_out)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { bytes, size };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (fd_out != NULL) {
		*fd_out = -1;
		mh.msg_control = control.buf;
		mh.msg_controllen = sizeof(control.buf);
	}
	do
		n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	c = n > 0 && fd_out != NULL ? CMSG_FIRSTHDR(&mh) : NULL;
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS)
		memcpy(fd_out, CMSG_DATA(c), sizeof(int));
	return n;
}

bool
files_answer(const struct files_rules *rules, int fd)
{
	static struct files_request req;
	struct files_reply reply = { .err = EINVAL };
	ssize_t n = receive_with(fd, &req, sizeof(req), NULL);
	int file = -1;
	bool sent;

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	if (n == (ssize_t)sizeof(req) &&
	    memchr(req.path, '\0', sizeof(req.path)) != NULL) {
		reply.err = 0;
		if (req.what == FILES_OPEN) {
			file = files_open_here(rules, req.path);
			if (file < 0)
				reply.err = errno;
		} else if (req.what != FILES_REMOVE) {
			reply.err = EINVAL;
		} else if (remove_here(rules, req.path) != 0) {
			reply.err = errno;
		}
	}
	sent = send_with(fd, &reply, sizeof(reply), file, MSG_DONTWAIT);
	if (file >= 0)
		close(file);
	return sent;
}

/* --- processes --- */

static bool
is_kept(const struct files_rules *rules, int fd)
{
	unsigned i;

	for (i = 0; i < rules->n_dirs; i++)
		if (rules->dir[i].fd == fd)
			return true;
	return false;
}

/*
 * The child's life. Others wait for the end of descriptors that it has
 * inherited; signals to a whole group are for who asks it to clean up.
 */
static void
live(const struct files_rules *rules, int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), i;

	for (i = STDERR_FILENO + 1; i < DESCRIPTORS; i++)
		if (i != fd && i != null && !is_kept(rules, i))
			close(i);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	while (files_answer(rules, fd))
		;
	_exit(0);
}

int
files_start(struct files_rules *rules)
{
	int fds[2];
	pid_t child;
	unsigned i;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		fatal("cannot make a pair of sockets");
	child = fork();
	if (child < 0)
		fatal("cannot fork");
	if (child == 0) {
		close(fds[0]);
		live(rules, fds[1]);
	}
	close(fds[1]);
	for (i = 0; i < rules->n_dirs; i++) {
		close(rules->dir[i].fd);
		free(rules->dir[i].path);
	}
	for (i = 0; i < rules->n_names; i++)
		free(rules->name[i]);
	free(rules->only.prefix);
	free(rules->only.file);
	memset(rules, 0, sizeof(*rules));
	return fds[0];
}

/* --- asking --- */

static int
ask(int fd, enum files_what what, const char *path, int *file_out)
{
	static struct files_request req;
	struct files_reply reply = { .err = EIO };

	if (strlen(path) >= sizeof(req.path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memset(&req, 0, sizeof(req));
	req.what = (int)what;
	memcpy(req.path, path, strlen(path));
	if (!send_with(fd, &req, sizeof(req), -1, 0) ||
	    receive_with(fd, &reply, sizeof(reply), file_out) !=
		(ssize_t)sizeof(reply)) {
		errno = EPIPE;
		return -1;
	}
	errno = reply.err;
	return reply.err == 0 ? 0 : -1;
}

int
files_open(int fd, const char *path)
{
	int file = -1;

	return ask(fd, FILES_OPEN, path, &file) == 0 ? file : -1;
}

int
files_remove(int fd, const char *name)
{
	return ask(fd, FILES_REMOVE, name, NULL);
}
