/* SPDX-License-Identifier: BSD-2-Clause */
#include "handle.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/wire.h"
#include "repeat.h"

size_t
handle_build(uint8_t *buf, size_t size, unsigned type, xs_transaction_t txn,
    const struct part *parts, size_t nparts)
{
	struct wire_header hdr = { .type = type, .tx_id = txn };
	size_t len = sizeof(hdr);

	for (size_t i = 0; i < nparts; i++) {
		if (parts[i].len > size - len)
			return 0;
		if (parts[i].len > 0)
			memcpy(buf + len, parts[i].data, parts[i].len);
		len += parts[i].len;
	}
	hdr.len = (uint32_t)(len - sizeof(hdr));
	memcpy(buf, &hdr, sizeof(hdr));
	return len;
}

/* One attempt at a request. */
enum outcome {
	OUT_REPLY,
	OUT_DEAD, /* the connection has ended */
	OUT_LOST  /* it broke while the request was on the way */
};

/* Sends the message of TYPE in MSG and waits for the reply. Called with the
 * lock, while the connection is there. */
static enum outcome
exchange(struct xs_handle *h, const uint8_t *msg, size_t len,
    struct message **reply_out)
{
	unsigned generation = h->generation;
	int sent, err;

	h->expecting = true;
	h->sending = true;
	pthread_mutex_unlock(&h->lock);
	sent = conn_send(&h->conn, msg, len);
	err = errno;
	pthread_mutex_lock(&h->lock);
	h->sending = false;
	if (h->reviving) /* and waits for us to be done */
		pthread_cond_broadcast(&h->changed);
	if (sent != 0)
		handle_lose(h, err);
	while (h->reply == NULL && !h->dead && !h->lost &&
	       h->generation == generation)
		handle_read_or_wait(h);
	*reply_out = h->reply;
	h->reply = NULL;
	h->expecting = false;
	if (*reply_out != NULL)
		return OUT_REPLY;
	return h->dead ? OUT_DEAD : OUT_LOST;
}

/* Is REPLY one to a request of TYPE? A device may put its own id on it. */
static bool
answers(const struct xs_handle *h, const struct message *reply, unsigned type)
{
	if (h->conn.kind == CONN_SOCKET && reply->req_id != 0)
		return false;
	return reply->type == type || reply->type == WIRE_ERROR;
}

/* Takes REPLY apart: what is to be handed on, or NULL with errno. Called with
 * the lock. */
static struct message *
judge(struct xs_handle *h, struct message *reply, unsigned type)
{
	int err = EBADF;

	if (!answers(h, reply, type)) {
		handle_die(h);
	} else if (reply->type != WIRE_ERROR) {
		errno = 0; /* callers rely on it */
		return reply;
	} else {
		err = error_to_errno(error_from_name(reply->body, reply->len));
	}
	free(reply);
	errno = err;
	return NULL;
}

/* Starts a transaction in place of the lost one ID, never to be committed.
 * Called with the lock. */
static enum outcome
start_shadow(struct xs_handle *h, uint32_t id, uint32_t *wire_out)
{
	static const struct part none = { "", 1 };
	uint8_t buf[sizeof(struct wire_header) + 1];
	size_t len = handle_build(
	    buf, sizeof(buf), WIRE_TRANSACTION_START, XBT_NULL, &none, 1);
	struct message *reply;
	enum outcome out = exchange(h, buf, len, &reply);
	uint64_t wire;

	if (out != OUT_REPLY)
		return out;
	if (reply->type == WIRE_TRANSACTION_START &&
	    wire_number(reply->body, UINT32_MAX, &wire) && wire != 0) {
		*wire_out = (uint32_t)wire;
		txns_replace(&h->txns, id, *wire_out);
	}
	free(reply);
	return OUT_REPLY;
}

/* Puts the server's number for the transaction ID into MSG. 0 if the request
 * can be sent; EINTR if the connection broke meanwhile; otherwise the errno
 * with which the request fails. Called with the lock. */
static int
translate(struct xs_handle *h, uint8_t *msg, unsigned type, xs_transaction_t id)
{
	uint32_t wire = XBT_NULL;
	enum txns_state state;
	enum outcome out = OUT_REPLY;

	if (id == XBT_NULL)
		return 0;
	state = txns_find(&h->txns, id, &wire);
	if (state == TXNS_UNKNOWN && h->txns.lost_any)
		return ENOENT;
	if (state == TXNS_LOST) {
		if (type == WIRE_TRANSACTION_END)
			return EAGAIN;
		if (wire == XBT_NULL)
			out = start_shadow(h, id, &wire);
		if (out == OUT_DEAD)
			return EBADF;
		if (out == OUT_LOST)
			return EINTR;
		if (wire == XBT_NULL) /* the server starts none */
			return EAGAIN;
	}
	memcpy(msg + offsetof(struct wire_header, tx_id), &wire, sizeof(wire));
	return 0;
}

/* May a request that was on the way when the connection broke be made again? */
static bool
may_repeat(unsigned type, xs_transaction_t txn)
{
	/* what belongs to a lost transaction will not be committed */
	return repeat_allowed(type) ||
	       (txn != XBT_NULL && type != WIRE_TRANSACTION_END);
}

/* The request in MSG and its reply, on this connection or the next. Called with
 * the lock. */
static struct message *
ask(struct xs_handle *h, uint8_t *msg, size_t len, unsigned type,
    xs_transaction_t txn)
{
	struct message *reply;
	enum outcome out;
	int err, tries = 0;

	for (;;) {
		while (h->lost && !h->dead)
			handle_revive(h);
		err = h->dead ? EBADF : translate(h, msg, type, txn);
		if (err == EINTR)
			continue;
		if (err != 0)
			break;
		out = exchange(h, msg, len, &reply);
		if (out == OUT_REPLY)
			return judge(h, reply, type);
		err = out == OUT_DEAD ? EBADF : ECONNRESET;
		if (out == OUT_DEAD || !may_repeat(type, txn) ||
		    ++tries == REPEAT_TRIES)
			break;
	}
	errno = err;
	return NULL;
}

struct message *
handle_ask(struct xs_handle *h, unsigned type, xs_transaction_t txn,
    const struct part *parts, size_t nparts)
{
	uint8_t buf[sizeof(struct wire_header) + XENSTORE_PAYLOAD_MAX];
	size_t len = handle_build(buf, sizeof(buf), type, txn, parts, nparts);
	struct message *reply;
	int err, cancel;

	if (len == 0) {
		errno = E2BIG;
		return NULL;
	}
	/* half a request would be worse than one too many */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&h->request);
	pthread_mutex_lock(&h->lock);
	reply = ask(h, buf, len, type, txn);
	err = errno;
	pthread_mutex_unlock(&h->lock);
	pthread_mutex_unlock(&h->request);
	pthread_setcancelstate(cancel, NULL);
	errno = err;
	return reply;
}

struct message *
handle_ask_string(
    struct xs_handle *h, unsigned type, xs_transaction_t txn, const char *arg)
{
	struct part part = { arg, strlen(arg) + 1 };

	return handle_ask(h, type, txn, &part, 1);
}

bool
handle_done(struct message *reply)
{
	bool ok = reply != NULL;

	free(reply); /* leaves errno alone where it matters: reply is NULL */
	return ok;
}

char *
handle_body(struct message *reply, size_t *len_out)
{
	size_t len;

	if (reply == NULL)
		return NULL;
	/* The body begins the block, for the user to free. */
	len = reply->len;
	memmove(reply, reply->body, len + 1);
	if (len_out != NULL)
		*len_out = len;
	return (char *)reply;
}

char *
handle_text(struct message *reply)
{
	size_t len;
	char *text = handle_body(reply, &len);

	if (text != NULL && strlen(text) + 1 < len) {
		free(text);
		errno = EIO;
		return NULL;
	}
	return text;
}
