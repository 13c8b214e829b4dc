/* SPDX-License-Identifier: BSD-2-Clause */
/* What a broken connection means for the requests on it, and the way back. */
#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#include "async.h"
#include "repeat.h"

enum { DELAY_MIN_MS = 10, DELAY_MAX_MS = 1000 };

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
hang_up(struct xs_async *a)
{
	/* a child may hold the socket as well: closing would not remove it */
	if (a->conn.fd >= 0 && a->conn.kind != CONN_DEVICE_SYNC)
		(void)epoll_ctl(a->poll_fd, EPOLL_CTL_DEL, a->conn.fd, NULL);
	conn_close(&a->conn);
	a->wants_write = false;
	a->in_have = a->in_used = 0;
}

void
async_die(struct xs_async *a)
{
	hang_up(a);
	a->state = ASYNC_DEAD;
	for (; a->head != a->next; a->head++) {
		struct xs_async_request *req =
		    a->slot[a->head & (a->slots - 1)];

		if (req != NULL)
			async_settle(a, req, EBADF);
	}
	a->send = a->head;
	async_answer_local(a);
	async_wake(a, 0); /* readable from now on */
}

/* The answer to REQ, a part of a transaction that is lost. */
static int
lost_txn_answer(const struct xs_async_request *req)
{
	if (req->type != WIRE_TRANSACTION_END)
		return EAGAIN;
	if (req->msg[WIRE_HEADER_SIZE] == 'F')
		return 0;
	return req->sent ? ECONNRESET : EAGAIN;
}

/* What becomes of REQ, which was in the queue of the broken connection. */
static void
carry_over(struct xs_async *a, struct xs_async_request *req)
{
	if (req->cancelled || req->type == WIRE_UNWATCH) {
		async_free(a, req);
	} else if (req->txn != XBT_NULL) {
		async_settle(a, req, lost_txn_answer(req));
	} else if (!req->sent ||
		   (repeat_allowed(req->type) && ++req->tries < REPEAT_TRIES)) {
		async_directory_restart(req);
		if (async_push(a, req) != 0)
			async_settle(a, req, ENOMEM);
	} else {
		async_settle(a, req, ECONNRESET);
	}
}

/* Takes all requests out of the queue: a list in their order, without those
 * that registered watches again. */
static struct xs_async_request *
take_queue(struct xs_async *a)
{
	struct xs_async_request *list = NULL, **last = &list;

	for (; a->head != a->next; a->head++) {
		struct xs_async_request *req =
		    a->slot[a->head & (a->slots - 1)];

		if (req == NULL || async_watch_forget(a, req))
			continue;
		req->sent = async_was_sent(a, req);
		*last = req;
		last = &req->next;
		*last = NULL;
	}
	a->send = a->head;
	a->sent_bytes = 0;
	return list;
}

void
async_broken(struct xs_async *a)
{
	struct xs_async_request *list;

	if ((a->flags & XS_ASYNC_RECONNECT) == 0 ||
	    a->conn.kind != CONN_SOCKET) {
		async_die(a);
		return;
	}
	hang_up(a);
	a->state = ASYNC_DOWN;
	txns_lose(&a->txns);
	list = take_queue(a);
	if (async_watch_again(a) != 0) {
		while (list != NULL) {
			struct xs_async_request *req = list;

			list = req->next;
			async_settle(a, req, EBADF);
		}
		async_die(a);
		return;
	}
	while (list != NULL) {
		struct xs_async_request *req = list;

		list = req->next;
		carry_over(a, req);
	}
	a->retry_at = now_ms() + a->delay_ms;
	async_wake(a, a->delay_ms);
}

static int
connect_again(struct xs_async *a)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (conn_again(&a->conn) != 0)
		return -1;
	if (epoll_ctl(a->poll_fd, EPOLL_CTL_ADD, a->conn.fd, &ev) == 0)
		return 0;
	conn_close(&a->conn);
	return -1;
}

void
async_try_again(struct xs_async *a)
{
	uint64_t now = now_ms();

	if (now < a->retry_at) {
		async_wake(a, (unsigned)(a->retry_at - now));
		return;
	}
	/* a daemon that hangs up at once is waited for as well: a message from
	 * it puts delay_ms back to 0 */
	a->delay_ms = a->delay_ms == 0 ? DELAY_MIN_MS : a->delay_ms * 2;
	if (a->delay_ms > DELAY_MAX_MS)
		a->delay_ms = DELAY_MAX_MS;
	if (connect_again(a) == 0) {
		a->state = ASYNC_UP;
		return;
	}
	a->retry_at = now + a->delay_ms;
	async_wake(a, a->delay_ms);
}
