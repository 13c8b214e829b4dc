/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue is an array of as many places as requests are outstanding, found by
 * the number that each carries on the wire: answers mostly come in the order of
 * the requests, but a server may delay one of them.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "async.h"

enum { SLOTS_MIN = 64 };

struct xs_async_request *
async_new(uint32_t type, xs_transaction_t txn, const struct iovec *iov,
    int iovcnt, size_t extra)
{
	struct wire_header hdr = { .type = type };
	struct xs_async_request *req;
	size_t len = sizeof(hdr);

	for (int i = 0; i < iovcnt; i++) {
		if (iov[i].iov_len > WIRE_MESSAGE_MAX - len) {
			errno = E2BIG;
			return NULL;
		}
		len += iov[i].iov_len;
	}
	/* a NUL behind it: what users hand in raw may have none */
	req = malloc(sizeof(*req) + len + 1 + extra);
	if (req == NULL)
		return NULL;
	*req = (struct xs_async_request){
		.type = type,
		.txn = txn,
		.len = len,
	};
	hdr.len = (uint32_t)(len - sizeof(hdr));
	memcpy(req->msg, &hdr, sizeof(hdr));
	len = sizeof(hdr);
	for (int i = 0; i < iovcnt; i++) {
		if (iov[i].iov_len > 0)
			memcpy(req->msg + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	req->msg[len] = '\0';
	return req;
}

void
async_free(struct xs_async *a, struct xs_async_request *req)
{
	if (req->counted)
		a->outstanding--;
	if (req->names != NULL) {
		names_free(req->names);
		free(req->names);
	}
	free(req);
}

/* Makes the array twice as large. */
static int
grow(struct xs_async *a)
{
	uint32_t n = a->slots > 0 ? a->slots * 2 : SLOTS_MIN;
	struct xs_async_request **slot = NULL;

	if (n != 0)
		slot = malloc(n * sizeof(*slot));
	if (slot == NULL) {
		errno = ENOMEM;
		return -1;
	}
	for (uint32_t id = a->head; id != a->next; id++)
		slot[id & (n - 1)] = a->slot[id & (a->slots - 1)];
	free(a->slot);
	a->slot = slot;
	a->slots = n;
	return 0;
}

int
async_push(struct xs_async *a, struct xs_async_request *req)
{
	if (a->next - a->head == a->slots && grow(a) != 0)
		return -1;
	req->wire_id = a->next++;
	memcpy(req->msg + offsetof(struct wire_header, req_id), &req->wire_id,
	    sizeof(req->wire_id));
	a->slot[req->wire_id & (a->slots - 1)] = req;
	if (a->state == ASYNC_UP && a->depth == 0)
		async_poll(a, true);
	return 0;
}

struct xs_async_request *
async_find(const struct xs_async *a, uint32_t id)
{
	if (id - a->head >= a->next - a->head)
		return NULL;
	return a->slot[id & (a->slots - 1)];
}

void
async_pull(struct xs_async *a, struct xs_async_request *req)
{
	a->slot[req->wire_id & (a->slots - 1)] = NULL;
	while (a->head != a->send && a->slot[a->head & (a->slots - 1)] == NULL)
		a->head++;
}

void
async_answer(struct xs_async *a, struct xs_async_request *req, int err,
    const char *data, size_t len)
{
	xs_async_done *done;
	void *ctx;

	if (req->hook != NULL && !req->hook(a, req, &err, &data, &len))
		return;
	done = req->done;
	ctx = req->ctx;
	if (done == NULL) {
		async_free(a, req);
		return;
	}
	/* DATA may be the request's own; the user must not count it */
	if (req->counted)
		a->outstanding--;
	req->counted = false;
	done(ctx, err, err == 0 ? data : NULL, err == 0 ? len : 0);
	async_free(a, req);
}

void
async_settle(struct xs_async *a, struct xs_async_request *req, int err)
{
	req->err = err;
	req->next = NULL;
	*a->local.last = req;
	a->local.last = &req->next;
	async_wake(a, 0);
}

void
async_answer_local(struct xs_async *a)
{
	/* not those that the user's functions add: the loop must end */
	struct xs_async_request **end = a->local.last;

	while (a->local.first != NULL && !a->closing) {
		struct xs_async_request *req = a->local.first;
		bool last = &req->next == end;

		a->local.first = req->next;
		if (a->local.first == NULL)
			a->local.last = &a->local.first;
		async_answer(a, req, req->err, "", 0);
		if (last)
			break;
	}
}

/* The answer to a TRANSACTION_START: the user gets a number of our own, if the
 * server's is still that of a lost one. */
static bool
started(struct xs_async *a, struct xs_async_request *req, int *err,
    const char **data, size_t *len)
{
	uint64_t wire;
	uint32_t id;

	if (*err != 0)
		return true;
	if (!wire_number(*data, UINT32_MAX, &wire) || wire == 0) {
		*err = EIO;
		return true;
	}
	id = txns_add(&a->txns, (uint32_t)wire);
	if (id == 0)
		*err = ENOMEM;
	else if (req->cancelled)
		(void)xs_async_transaction_end(a, id, true, NULL, NULL);
	else if (id != wire) {
		/* async_new left room behind the message */
		char *text = (char *)req->msg + req->len;

		*len = (size_t)sprintf(text, "%u", id);
		*data = text;
	}
	return true;
}

struct xs_async_request *
async_start(struct xs_async *a, struct xs_async_request *req)
{
	bool ends = req->type == WIRE_TRANSACTION_END;
	enum txns_state state = TXNS_OPEN;
	uint32_t wire = XBT_NULL;

	if (req->type == WIRE_TRANSACTION_START)
		req->hook = started;
	if (req->txn != XBT_NULL)
		state = txns_find(&a->txns, req->txn, &wire);
	memcpy(req->msg + offsetof(struct wire_header, tx_id), &wire,
	    sizeof(wire));
	if (state == TXNS_LOST || (state == TXNS_UNKNOWN && a->txns.lost_any)) {
		bool abort = ends && req->msg[WIRE_HEADER_SIZE] == 'F';

		async_settle(a, req,
		    state == TXNS_UNKNOWN ? ENOENT
		    : abort		  ? 0
					  : EAGAIN);
	} else if (async_push(a, req) != 0) {
		async_free(a, req);
		errno = ENOMEM;
		return NULL;
	}
	req->counted = true;
	a->outstanding++;
	if (ends)
		txns_drop(&a->txns, req->txn);
	return req;
}

/* What can be put into a request: also keeps those of the library out. */
static bool
is_op(uint32_t op)
{
	return op < WIRE_OP_COUNT && wire_op_name(op) != NULL &&
	       op != WIRE_WATCH && op != WIRE_UNWATCH &&
	       op != WIRE_RESET_WATCHES && op != WIRE_WATCH_EVENT &&
	       op != WIRE_ERROR && op != WIRE_DIRECTORY_PART;
}

struct xs_async_request *
xs_async_submit(struct xs_async *a, enum xs_async_op op, xs_transaction_t txn,
    const struct iovec *iov, int iovcnt, xs_async_done *done, void *ctx)
{
	struct xs_async_request *req;
	size_t extra = 24; /* a number, and its NUL */

	if (a->state == ASYNC_DEAD) {
		errno = EBADF;
		return NULL;
	}
	if (!is_op((uint32_t)op)) {
		errno = EINVAL;
		return NULL;
	}
	req = async_new((uint32_t)op, txn, iov, iovcnt, extra);
	if (req == NULL)
		return NULL;
	req->done = done;
	req->ctx = ctx;
	if (op == XS_ASYNC_DIRECTORY)
		req->hook = async_directory_hook;
	return async_start(a, req);
}

bool
async_was_sent(const struct xs_async *a, const struct xs_async_request *req)
{
	int32_t before = (int32_t)(a->send - req->wire_id);

	return before > 0 || (before == 0 && a->sent_bytes > 0);
}

void
xs_async_cancel(struct xs_async *a, struct xs_async_request *req)
{
	bool queued = async_find(a, req->wire_id) == req;

	if (req->counted)
		a->outstanding--;
	req->counted = false;
	req->done = NULL;
	req->cancelled = true;
	if (queued && !async_was_sent(a, req) &&
	    req->type != WIRE_TRANSACTION_END) {
		async_pull(a, req);
		async_free(a, req);
	}
}
