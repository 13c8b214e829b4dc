/* SPDX-License-Identifier: BSD-2-Clause */
#include "async.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

void
async_wake(struct xs_async *a, unsigned ms)
{
	struct itimerspec at = {
		.it_value = {
			.tv_sec = ms / 1000,
			.tv_nsec = ms > 0 ? (long)(ms % 1000) * 1000000 : 1,
		},
	};

	(void)timerfd_settime(a->timer_fd, 0, &at, NULL);
	a->timer_armed = true;
}

static void
timer_off(struct xs_async *a)
{
	struct itimerspec off = { 0 };

	if (a->timer_armed)
		(void)timerfd_settime(a->timer_fd, 0, &off, NULL);
	a->timer_armed = false;
}

void
async_poll(struct xs_async *a, bool write)
{
	struct epoll_event ev = {
		.events = EPOLLIN | (write ? EPOLLOUT : 0u),
	};

	/* Linux's device, too, never says that it can be written to: it always
	 * can. */
	if (a->conn.kind != CONN_SOCKET) {
		if (write)
			async_wake(a, 0);
	} else if (write != a->wants_write) {
		a->wants_write = write;
		(void)epoll_ctl(a->poll_fd, EPOLL_CTL_MOD, a->conn.fd, &ev);
	}
}

static int
open_descriptors(struct xs_async *a)
{
	struct epoll_event ev = { .events = EPOLLIN };

	a->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	a->timer_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (a->poll_fd < 0 || a->timer_fd < 0)
		return -1;
	if (epoll_ctl(a->poll_fd, EPOLL_CTL_ADD, a->timer_fd, &ev) != 0)
		return -1;
	if (a->conn.kind == CONN_DEVICE_SYNC)
		return 0;
	if (fcntl(a->conn.fd, F_SETFL, O_NONBLOCK) != 0)
		return -1;
	return epoll_ctl(a->poll_fd, EPOLL_CTL_ADD, a->conn.fd, &ev);
}

static void
free_all(struct xs_async *a)
{
	while (a->head != a->next) {
		struct xs_async_request *req =
		    a->slot[a->head++ & (a->slots - 1)];

		if (req != NULL)
			async_free(a, req);
	}
	while (a->local.first != NULL) {
		struct xs_async_request *req = a->local.first;

		a->local.first = req->next;
		async_free(a, req);
	}
	async_watch_free_all(a);
	txns_free(&a->txns);
	conn_close(&a->conn);
	if (a->poll_fd >= 0)
		close(a->poll_fd);
	if (a->timer_fd >= 0)
		close(a->timer_fd);
	free(a->slot);
	free(a->in);
	free(a);
}

struct xs_async *
async_open(const struct conn *conn, unsigned long flags)
{
	struct xs_async *a = calloc(1, sizeof(*a));
	int err;

	if (a == NULL) {
		close(conn->fd);
		errno = ENOMEM;
		return NULL;
	}
	a->conn = *conn;
	a->flags = flags;
	a->poll_fd = a->timer_fd = -1;
	a->free_watch = UINT32_MAX;
	a->local.last = &a->local.first;
	a->in = malloc(ASYNC_IN_SIZE + 1);
	if (a->in != NULL && open_descriptors(a) == 0)
		return a;
	err = errno;
	free_all(a);
	errno = err;
	return NULL;
}

struct xs_async *
xs_async_open(unsigned long flags)
{
	struct conn conn;

	return conn_open(&conn) == 0 ? async_open(&conn, flags) : NULL;
}

void
xs_async_close(struct xs_async *a)
{
	if (a == NULL)
		return;
	if (a->depth > 0) /* the innermost dispatch does it */
		a->closing = true;
	else
		free_all(a);
}

int
xs_async_fd(const struct xs_async *a)
{
	return a->poll_fd;
}

size_t
xs_async_pending(const struct xs_async *a)
{
	return a->outstanding;
}

/* Sends and receives; what comes in may make more to send. What a server said
 * before it hung up counts. */
static void
work(struct xs_async *a)
{
	bool broken = async_send(a) != 0;
	enum async_recv got = async_recv(a);

	while (broken && got == ASYNC_RECV_MORE && !a->closing)
		got = async_recv(a);
	if (a->closing)
		return;
	if (!broken && got != ASYNC_RECV_BROKEN && got != ASYNC_RECV_BAD)
		broken = async_send(a) != 0;
	if (got == ASYNC_RECV_BAD)
		async_die(a);
	else if (broken || got == ASYNC_RECV_BROKEN)
		async_broken(a);
	else if (a->conn.kind == CONN_DEVICE_SYNC && a->head != a->next)
		async_wake(a, 0);
}

int
xs_async_dispatch(struct xs_async *a)
{
	bool dead;

	if (a->dispatching) {
		errno = EDEADLK;
		return -1;
	}
	a->dispatching = true;
	a->depth++;
	if (a->state != ASYNC_DEAD)
		timer_off(a);
	async_answer_local(a);
	if (a->state == ASYNC_DOWN && !a->closing)
		async_try_again(a);
	if (a->state == ASYNC_UP && !a->closing)
		work(a);
	if (a->local.first != NULL)
		async_wake(a, 0);
	dead = a->state == ASYNC_DEAD;
	a->dispatching = false;
	a->depth--;
	if (a->closing && a->depth == 0) {
		free_all(a);
		return 0;
	}
	if (dead) {
		errno = EBADF;
		return -1;
	}
	return 0;
}

int
xs_async_wait(struct xs_async *a, int timeout_ms)
{
	struct pollfd pfd = { .fd = a->poll_fd, .events = POLLIN };
	int n;

	if (a->dispatching) {
		errno = EDEADLK;
		return -1;
	}
	n = poll(&pfd, 1, timeout_ms);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? xs_async_dispatch(a) : -1;
}

int
xs_async_finish(struct xs_async *a)
{
	int ret = 0;

	a->depth++; /* the user's functions may close it */
	while (ret == 0 && a->outstanding > 0 && !a->closing)
		if (xs_async_dispatch(a) != 0)
			ret = -1;
		else if (a->outstanding > 0 && !a->closing &&
			 xs_async_wait(a, -1) != 0 && errno != EINTR)
			ret = -1;
	a->depth--;
	if (a->closing && a->depth == 0)
		free_all(a);
	return ret;
}
