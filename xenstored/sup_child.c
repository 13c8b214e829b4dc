/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xenstored/clock.h"
#include "xenstored/end_notice.h"
#include "xenstored/msg.h"
#include "xenstored/plat.h"
#include "xenstored/supmsg.h"

enum { LATER_MS = 20 }; /* until what the kernel had no room for is said */

/* --- sockets --- */

bool
sup_socks_add(struct sup_socks *socks, int fd)
{
	struct sup_sock *more;
	size_t room = socks->room * 2 + 16;

	if (socks->n == socks->room) {
		more = realloc(socks->sock, room * sizeof(*more));
		if (more == NULL)
			return false;
		socks->sock = more;
		socks->room = room;
	}
	socks->sock[socks->n++] =
	    (struct sup_sock){ .id = ++socks->last_id, .fd = fd };
	return true;
}

/* The place of the first socket with a number of ID or more. */
static size_t
find(const struct sup_socks *socks, uint64_t id)
{
	size_t low = 0, high = socks->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (socks->sock[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
sup_socks_remove(struct sup_socks *socks, uint64_t id)
{
	size_t i = find(socks, id);

	if (i == socks->n || socks->sock[i].id != id)
		return false;
	close(socks->sock[i].fd);
	memmove(&socks->sock[i], &socks->sock[i + 1],
	    (socks->n - i - 1) * sizeof(socks->sock[0]));
	socks->n--;
	return true;
}

void
sup_socks_end(struct sup_socks *socks)
{
	size_t i;

	for (i = 0; i < socks->n; i++)
		close(socks->sock[i].fd);
	free(socks->sock);
	memset(socks, 0, sizeof(*socks));
}

/* --- starting --- */

char **
sup_child_words(char *argv[], char *option)
{
	size_t n = 0;
	char **all;

	while (argv[n] != NULL)
		n++;
	all = calloc(n + 2, sizeof(*all));
	if (all == NULL)
		return NULL;
	all[0] = argv[0];
	all[1] = option;
	memcpy(all + 2, argv + 1, n * sizeof(*all));
	return all;
}

static _Noreturn void
become_child(int fd, const char *program, char *argv[])
{
	char option[32], **all;
	sigset_t none;

	snprintf(option, sizeof(option), "--child=%d", fd);
	all = sup_child_words(argv, option);
	if (program == NULL)
		program = plat_own_program();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (all != NULL && fcntl(fd, F_SETFD, 0) == 0)
		execv(program, all);
	msg_warn("cannot execute %s", program);
	_exit(1);
}

static bool
say_setup(const struct sup_first *first, const struct sup_gifts *gifts)
{
	const int fds[] = { gifts->log, gifts->flight, first->files_fd,
		gifts->evtchn };
	const struct supmsg msg = {
		.type = SUPMSG_SETUP,
		.a = SUPMSG_VERSION,
		.b = gifts->syslog ? SUPMSG_SYSLOG : 0,
	};

	return supmsg_send(
	    first->child.fd, &msg, fds, gifts->evtchn >= 0 ? 4 : 3);
}

int
sup_child_fork(struct sup_first *first)
{
	const int kind = SOCK_SEQPACKET | SOCK_CLOEXEC;
	struct sup_child *child = &first->child;
	int pair[2], files[2];

	memset(first, 0, sizeof(*first));
	if (socketpair(AF_UNIX, kind, 0, pair) != 0) {
		msg_warn("cannot make a pair of sockets");
		return -1;
	}
	if (socketpair(AF_UNIX, kind, 0, files) != 0) {
		msg_warn("cannot make a pair of sockets");
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	child->pid = fork();
	if (child->pid == 0) {
		(void)setpgid(0, 0); /* which its children cannot leave */
		close(pair[0]);
		close(files[0]);
		close(files[1]);
		return pair[1];
	}
	close(pair[1]);
	child->fd = pair[0];
	child->files_fd = files[0];
	first->files_fd = files[1];
	child->written_fd = child->pid > 0 ? plat_open_written(child->pid) : -1;
	if (child->pid > 0)
		return -1;
	msg_warn("cannot start a process");
	close(first->files_fd);
	sup_child_forget(child);
	return -1;
}

void
sup_child_give(struct sup_first *first, const struct sup_gifts *gifts)
{
	/* whatever it does, nobody waits for it */
	if (fcntl(first->child.fd, F_SETFL, O_NONBLOCK) != 0 ||
	    fcntl(first->child.files_fd, F_SETFL, O_NONBLOCK) != 0 ||
	    !say_setup(first, gifts)) {
		msg_warn("cannot start a process");
		/* it is waited for as others are */
		kill(first->child.pid, SIGKILL);
	}
	close(first->files_fd);
}

bool
sup_child_start(struct sup_child *child, const struct sup_gifts *gifts,
    const char *program, char *argv[])
{
	struct sup_first first;
	int fd = sup_child_fork(&first);

	if (fd >= 0)
		become_child(fd, program, argv);
	if (first.child.pid != 0)
		sup_child_give(&first, gifts);
	*child = first.child;
	return child->pid != 0;
}

void
sup_child_forget(struct sup_child *child)
{
	close(child->fd);
	close(child->files_fd);
	if (child->written_fd >= 0)
		close(child->written_fd);
	memset(child, 0, sizeof(*child));
}

/* --- saying --- */

bool
sup_child_load(struct sup_child *child, int fd)
{
	const struct supmsg msg = { .type = SUPMSG_LOAD };

	child->loading = supmsg_send(child->fd, &msg, &fd, fd >= 0 ? 1 : 0);
	return child->loading;
}

bool
sup_child_waits(
    const struct sup_child *child, const struct sup_socks *socks, uint64_t now)
{
	return now >= child->later && (child->sent < socks->last_id ||
					  (child->promote && !child->promoted));
}

void
sup_child_break(struct sup_child *child, const char *why)
{
	if (child->broken || child->pid == 0)
		return;
	child->broken = true;
	/* where nobody can tell whether it is ending, how it ended will */
	if (!end_notice_begins(child->pid))
		child->why = why;
	sup_child_kill(child);
}

void
sup_child_ended(const struct sup_child *child, bool killed)
{
	if (killed && child->why != NULL)
		msg_warnx("the process %ld %s: it was ended", (long)child->pid,
		    child->why);
}

void
sup_child_kill(const struct sup_child *child)
{
	/* the group is there while one of it is, or nobody waited for CHILD */
	(void)kill(-child->pid, SIGKILL);
	(void)kill(child->pid, SIGKILL);
}

/* Says MSG. False: it has to wait, or nobody listens. */
static bool
say(struct sup_child *child, const struct supmsg *msg, const int *fds)
{
	if (child->broken)
		return false;
	if (supmsg_send(child->fd, msg, fds, msg->n))
		return true;
	if (errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS)
		child->later = mono_ms() + LATER_MS;
	else if (errno != EAGAIN)
		sup_child_break(child, "does not listen");
	return false;
}

bool
sup_child_pump(struct sup_child *child, const struct sup_socks *socks)
{
	struct supmsg msg = { .type = SUPMSG_SOCKS };
	int fds[SUPMSG_FDS];
	size_t i = find(socks, child->sent + 1);

	child->later = 0;
	while (i < socks->n) {
		for (msg.n = 0; msg.n < SUPMSG_FDS && i < socks->n; i++) {
			msg.id[msg.n] = socks->sock[i].id;
			fds[msg.n++] = socks->sock[i].fd;
		}
		if (!say(child, &msg, fds))
			return false;
		child->sent = msg.id[msg.n - 1];
	}
	child->sent = socks->last_id; /* the others are gone */
	if (!child->promote || child->promoted)
		return true;
	msg = (struct supmsg){
		.type = SUPMSG_PROMOTE, .a = child->rebind, .b = child->updated
	};
	child->promoted = say(child, &msg, NULL);
	return child->promoted;
}
