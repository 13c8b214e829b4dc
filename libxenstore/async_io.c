/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes between the queue and the connection. A socket gets as many requests
 * as it takes in one system call. A device gets one request at a time and in
 * one write: drivers number and order answers as they like.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "async.h"
#include "common/error.h"

enum {
	BATCH = 128,	/* requests a system call */
	TURN = 1 << 18, /* bytes received before others get their turn */
};

/* Unsent requests as IOV, the first without what was sent of it. Returns how
 * many. Places of cancelled ones are empty. */
static int
gather(const struct xs_async *a, struct iovec iov[BATCH])
{
	size_t skip = a->sent_bytes;
	int n = 0;

	for (uint32_t id = a->send; id != a->next && n < BATCH; id++) {
		struct xs_async_request *req = a->slot[id & (a->slots - 1)];

		if (id - a->head >= ASYNC_WINDOW)
			break;
		if (req == NULL)
			continue;
		iov[n].iov_base = req->msg + skip;
		iov[n++].iov_len = req->len - skip;
		skip = 0;
	}
	return n;
}

/* LEN bytes more were sent. */
static void
advance(struct xs_async *a, size_t len)
{
	a->sent_bytes += len;
	while (a->send != a->next) {
		struct xs_async_request *req =
		    a->slot[a->send & (a->slots - 1)];

		if (req != NULL && a->sent_bytes < req->len)
			break;
		if (req != NULL)
			a->sent_bytes -= req->len;
		else if (a->head == a->send)
			a->head++;
		a->send++;
	}
}

static int
send_socket(struct xs_async *a)
{
	struct iovec iov[BATCH];
	struct msghdr msg = { .msg_iov = iov };
	ssize_t len;
	int n;

	advance(a, 0); /* over empty places */
	while ((n = gather(a, iov)) > 0) {
		msg.msg_iovlen = (size_t)n;
		len = sendmsg(a->conn.fd, &msg, MSG_NOSIGNAL);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			async_poll(a, true);
			return 0;
		}
		if (len < 0)
			return -1;
		advance(a, (size_t)len);
	}
	async_poll(a, false);
	return 0;
}

static int
send_device(struct xs_async *a)
{
	struct xs_async_request *req;

	advance(a, 0);
	if (a->send == a->next || a->send != a->head) {
		async_poll(a, false);
		return 0;
	}
	req = a->slot[a->send & (a->slots - 1)];
	if (conn_send(&a->conn, req->msg, req->len) != 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return -1;
		async_poll(a, true);
		return 0;
	}
	advance(a, req->len);
	async_poll(a, false);
	return 0;
}

int
async_send(struct xs_async *a)
{
	if (a->conn.kind == CONN_SOCKET)
		return send_socket(a);
	return send_device(a);
}

/* The request that a message answers, or NULL: there is none. */
static struct xs_async_request *
asked(const struct xs_async *a, const struct wire_header *hdr)
{
	/* a device may put its own number on it, but there is only one */
	uint32_t id = a->conn.kind == CONN_SOCKET ? hdr->req_id : a->head;
	struct xs_async_request *req = async_find(a, id);

	if (req == NULL || id - a->head >= a->send - a->head)
		return NULL;
	return hdr->type == req->type || hdr->type == WIRE_ERROR ? req : NULL;
}

/* BODY has a NUL behind it. False if the server may not say this. */
static bool
handle_message(struct xs_async *a, const struct wire_header *hdr, char *body)
{
	struct xs_async_request *req;

	if (hdr->type == WIRE_WATCH_EVENT)
		return async_watch_event(a, body, hdr->len);
	req = asked(a, hdr);
	if (req == NULL)
		return false;
	a->delay_ms = 0;
	async_pull(a, req);
	if (hdr->type == WIRE_ERROR)
		async_answer(a, req,
		    error_to_errno(error_from_name(body, hdr->len)), "", 0);
	else
		async_answer(a, req, 0, body, hdr->len);
	return true;
}

/* Handles the whole messages in the buffer; false if one is bad. */
static bool
handle_input(struct xs_async *a)
{
	while (a->in_have - a->in_used >= WIRE_HEADER_SIZE && !a->closing) {
		char *at = a->in + a->in_used, *end, saved;
		struct wire_header hdr;
		bool ok;

		memcpy(&hdr, at, sizeof(hdr));
		if (hdr.len > CONN_PAYLOAD_MAX)
			return false;
		if (a->in_have - a->in_used - sizeof(hdr) < hdr.len)
			break;
		a->in_used += sizeof(hdr) + hdr.len;
		/* the next message gets its first byte back */
		end = at + sizeof(hdr) + hdr.len;
		saved = *end;
		*end = '\0';
		ok = handle_message(a, &hdr, at + sizeof(hdr));
		*end = saved;
		if (!ok)
			return false;
	}
	memmove(a->in, a->in + a->in_used, a->in_have - a->in_used);
	a->in_have -= a->in_used;
	a->in_used = 0;
	return true;
}

enum async_recv
async_recv(struct xs_async *a)
{
	bool sync = a->conn.kind == CONN_DEVICE_SYNC;
	size_t turn = 0;

	if (sync && a->send == a->head)
		return ASYNC_RECV_IDLE; /* a read would wait */
	while (turn < TURN && !a->closing) {
		size_t room = ASYNC_IN_SIZE - a->in_have;
		ssize_t n = read(a->conn.fd, a->in + a->in_have, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return ASYNC_RECV_IDLE;
		if (n <= 0)
			return ASYNC_RECV_BROKEN;
		a->in_have += (size_t)n;
		turn += (size_t)n;
		if (!handle_input(a))
			return ASYNC_RECV_BAD;
		if (sync ? a->send == a->head : (size_t)n < room)
			return ASYNC_RECV_IDLE; /* there is no more */
	}
	return ASYNC_RECV_MORE;
}
