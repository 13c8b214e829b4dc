/*
 * hv-spawn's conversation with hvd: requests in, pidfds and exit statuses out.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv-core/hosted/spawn/spawn.h"

#define FDS_MAX 3
#define ARGV_MAX 64

struct child {
	struct child *next;
	pid_t pid;
	uint64_t tag;
};

struct request {
	struct spawn_msg msg;
	int fd[FDS_MAX];
	int nfds;
};

static void
take_fds(struct msghdr *mh, struct request *r)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL;
	     c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		r->nfds = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(r->fd, CMSG_DATA(c), (size_t)r->nfds * sizeof(int));
	}
}

/* 1: *R is a request, 0: hvd has gone. */
static int
receive(int sock, struct request *r)
{
	union {
		char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { &r->msg, sizeof(r->msg) };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf) };
	ssize_t n;

	memset(r, 0, sizeof(*r));
	do
		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	take_fds(&mh, r);
	return n == (ssize_t)sizeof(r->msg);
}

/* 0 or -1 with errno. */
static int
send_msg(int sock, const struct spawn_msg *m, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { (void *)(uintptr_t)m, sizeof(*m) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = control.buf;
		mh.msg_controllen = sizeof(control.buf);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(int));
	}
	while (sendmsg(sock, &mh, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

static int
start_guest(struct request *r, pid_t *pid, int *pidfd, struct spawn_error *e)
{
	struct sandbox sb = { .image_fd = r->fd[0],
		.channel_fd = r->fd[1],
		.stderr_fd = r->nfds > 2 ? r->fd[2] : -1,
		.map_size = r->msg.map_size,
		.mem_size = r->msg.mem_size };

	return sandbox_start(&sb, pid, pidfd, e);
}

static int
start_dom0(struct request *r, pid_t *pid, int *pidfd, struct spawn_error *e)
{
	char *argv[ARGV_MAX + 1] = { NULL };
	char *p = r->msg.args;
	char *end = p + r->msg.args_len;

	for (int i = 0; i < ARGV_MAX && p < end; i++) {
		argv[i] = p;
		p += strnlen(p, (size_t)(end - p)) + 1;
	}
	return dom0_start(r->fd[0], argv, pid, pidfd, e);
}

/* Is R whole? hvd is trusted; this catches versions that do not match. */
static int
request_ok(const struct request *r)
{
	if (r->msg.type == SPAWN_GUEST)
		return r->nfds >= 2;
	return r->msg.type == SPAWN_DOM0 && r->nfds >= 1 &&
	       r->msg.args_len > 0 && r->msg.args_len <= SPAWN_ARGS_MAX &&
	       r->msg.args[r->msg.args_len - 1] == '\0';
}

static void
handle(int sock, struct request *r, struct child **children)
{
	struct spawn_msg done = { .type = SPAWN_DONE, .tag = r->msg.tag };
	struct child *c = calloc(1, sizeof(*c));
	struct spawn_error e = { .err = ENOMEM, .why = "allocating" };
	pid_t pid = -1;
	int pidfd = -1, ret = -1;

	if (!request_ok(r))
		e = (struct spawn_error){ EPROTO, "the request is malformed" };
	else if (c != NULL && r->msg.type == SPAWN_GUEST)
		ret = start_guest(r, &pid, &pidfd, &e);
	else if (c != NULL)
		ret = start_dom0(r, &pid, &pidfd, &e);
	if (ret != 0) {
		free(c);
		done.err = e.err;
		memcpy(done.why, e.why, sizeof(done.why));
	} else {
		*c = (struct child){ *children, pid, r->msg.tag };
		*children = c;
		done.pid = pid;
	}
	if (send_msg(sock, &done, pidfd) != 0 && pidfd >= 0) {
		/* Nobody could ever stop it. Its end will be reported. */
		done.err = errno;
		kill(pid, SIGKILL);
		strcpy(done.why, "handing over its pidfd");
		send_msg(sock, &done, -1);
	}
	if (pidfd >= 0)
		close(pidfd);
	for (int i = 0; i < r->nfds; i++)
		close(r->fd[i]);
}

static void
reap(int sock, struct child **children)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct spawn_msg m = { .type = SPAWN_EXITED };
		struct child **link = children;

		while (*link != NULL && (*link)->pid != pid)
			link = &(*link)->next;
		if (*link != NULL) {
			struct child *c = *link;

			*link = c->next;
			m.tag = c->tag;
			m.status = status;
			send_msg(sock, &m, -1);
			free(c);
		}
	}
}

static void
kill_all(struct child *children)
{
	while (children != NULL) {
		struct child *c = children;

		children = c->next;
		kill(-c->pid, SIGKILL); /* domain 0's workers as well */
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		free(c);
	}
}

void
serve(int sock)
{
	struct signalfd_siginfo si;
	struct child *children = NULL;
	struct pollfd pfd[2] = { { .fd = sock, .events = POLLIN },
		{ .events = POLLIN } };
	struct request *r = malloc(sizeof(*r));
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	pfd[1].fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	while (r != NULL && pfd[1].fd >= 0) {
		if (poll(pfd, 2, -1) < 0 && errno != EINTR)
			break;
		if (pfd[1].revents != 0) {
			ssize_t n = read(pfd[1].fd, &si, sizeof(si));

			(void)n; /* only that there was one matters */
			reap(sock, &children);
		}
		if (pfd[0].revents != 0) {
			if (!receive(sock, r))
				break;
			handle(sock, r, &children);
		}
	}
	kill_all(children);
	free(r);
	if (pfd[1].fd >= 0)
		close(pfd[1].fd);
}
