/* SPDX-License-Identifier: BSD-2-Clause */
#include "handle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "common/wire.h"

/* The reader needs little; libc's thread-local data of big programs count. */
#define READER_STACK (128 * 1024)

struct xs_handle *
handle_new(const struct conn *conn, unsigned long flags)
{
	struct xs_handle *h = malloc(sizeof(*h));

	if (h == NULL) {
		close(conn->fd);
		errno = ENOMEM;
		return NULL;
	}
	*h = (struct xs_handle){
		.conn = *conn,
		.flags = flags,
		.stop = { -1, -1 },
	};
	events_init(&h->events);
	pthread_mutex_init(&h->request, NULL);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	return h;
}

void
handle_forget(struct xs_handle *h)
{
	conn_close(&h->conn);
	if (h->stop[0] >= 0) {
		close(h->stop[0]);
		close(h->stop[1]);
	}
	free(h->reply);
	events_destroy(&h->events);
	free(h);
}

void
handle_free(struct xs_handle *h)
{
	if (h->threaded) {
		while (write(h->stop[1], "", 1) < 0 && errno == EINTR)
			;
		pthread_join(h->thread, NULL);
	}
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	pthread_mutex_destroy(&h->request);
	handle_forget(h);
}

/* The connection is of no use any more. Called with the lock. */
static void
die(struct xs_handle *h)
{
	if (!h->dead)
		conn_shut(&h->conn);
	h->dead = true;
	events_end(&h->events);
	pthread_cond_broadcast(&h->changed);
}

/* Hands on what was read: MSG, or NULL for a broken stream. Takes MSG. Called
 * with the lock. */
static void
dispatch(struct xs_handle *h, struct message *msg)
{
	if (msg == NULL) {
		die(h);
	} else if (msg->type == WIRE_WATCH_EVENT) {
		if (events_push(&h->events, msg->body, msg->len) != 0)
			die(h);
		free(msg);
	} else if (h->expecting) {
		h->expecting = false;
		h->reply = msg;
	} else { /* an answer to no question */
		free(msg);
		die(h);
	}
	pthread_cond_broadcast(&h->changed);
}

/* Reads one message, or lets another do it. Called with the lock. */
static void
read_or_wait(struct xs_handle *h)
{
	struct message *msg;
	int cancel;

	if (h->reading || h->threaded) {
		pthread_cond_wait(&h->changed, &h->lock);
		return;
	}
	h->reading = true;
	pthread_mutex_unlock(&h->lock);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	msg = conn_recv(&h->conn);
	pthread_setcancelstate(cancel, NULL);
	pthread_mutex_lock(&h->lock);
	h->reading = false;
	dispatch(h, msg);
}

static void *
reader(void *arg)
{
	struct xs_handle *h = arg;

	pthread_mutex_lock(&h->lock);
	while (h->reading) /* one who began before there was a thread */
		pthread_cond_wait(&h->changed, &h->lock);
	while (!h->dead) {
		struct message *msg;

		pthread_mutex_unlock(&h->lock);
		if (conn_wait(&h->conn, h->stop[0]) == 0)
			return NULL;
		msg = conn_recv(&h->conn);
		pthread_mutex_lock(&h->lock);
		dispatch(h, msg);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

/* pthread_create with a small stack if that can be had, no signal delivered to
 * the thread. Returns an error number. */
static int
create_thread(struct xs_handle *h)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int err = EAGAIN;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_attr_init(&attr) == 0) {
		if (pthread_attr_setstacksize(&attr, READER_STACK) == 0)
			err = pthread_create(&h->thread, &attr, reader, h);
		pthread_attr_destroy(&attr);
	}
	if (err != 0) /* thread-local data can exceed a small stack */
		err = pthread_create(&h->thread, NULL, reader, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

int
handle_start_thread(struct xs_handle *h)
{
	int err = 0;

	if (h->conn.kind == CONN_DEVICE_SYNC) {
		errno = ENOTSUP;
		return -1;
	}
	pthread_mutex_lock(&h->lock);
	if (!h->threaded && !h->dead) {
		if (h->stop[0] < 0 && pipe2(h->stop, O_CLOEXEC) != 0)
			err = errno;
		else
			err = create_thread(h);
		h->threaded = err == 0;
	}
	pthread_mutex_unlock(&h->lock);
	errno = err;
	return err == 0 ? 0 : -1;
}

/* Joins header and parts in BUF. Returns the length; 0 if it is too long. */
static size_t
build(uint8_t *buf, size_t size, unsigned type, xs_transaction_t txn,
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

/* Sends a message and waits for the reply. NULL if the connection is dead. */
static struct message *
exchange(struct xs_handle *h, const void *msg, size_t len)
{
	struct message *reply;

	pthread_mutex_lock(&h->lock);
	if (h->dead) {
		pthread_mutex_unlock(&h->lock);
		return NULL;
	}
	h->expecting = true;
	pthread_mutex_unlock(&h->lock);

	if (conn_send(&h->conn, msg, len) != 0) {
		pthread_mutex_lock(&h->lock);
		die(h);
	} else {
		pthread_mutex_lock(&h->lock);
	}
	while (h->reply == NULL && !h->dead)
		read_or_wait(h);
	reply = h->reply;
	h->reply = NULL;
	h->expecting = false;
	pthread_mutex_unlock(&h->lock);
	return reply;
}

/* Is REPLY one to a request of TYPE? A device may put its own id on it. */
static bool
answers(const struct xs_handle *h, const struct message *reply, unsigned type)
{
	if (h->conn.kind == CONN_SOCKET && reply->req_id != 0)
		return false;
	return reply->type == type || reply->type == WIRE_ERROR;
}

struct message *
handle_ask(struct xs_handle *h, unsigned type, xs_transaction_t txn,
    const struct part *parts, size_t nparts)
{
	uint8_t buf[sizeof(struct wire_header) + XENSTORE_PAYLOAD_MAX];
	size_t len = build(buf, sizeof(buf), type, txn, parts, nparts);
	struct message *reply;
	int err, cancel;

	if (len == 0) {
		errno = E2BIG;
		return NULL;
	}
	/* half a request would be worse than one too many */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&h->request);
	reply = exchange(h, buf, len);
	if (reply != NULL && !answers(h, reply, type)) {
		pthread_mutex_lock(&h->lock);
		die(h);
		pthread_mutex_unlock(&h->lock);
		free(reply);
		reply = NULL;
	}
	pthread_mutex_unlock(&h->request);
	pthread_setcancelstate(cancel, NULL);

	if (reply == NULL) {
		errno = EBADF;
		return NULL;
	}
	if (reply->type != WIRE_ERROR) {
		errno = 0; /* callers rely on it */
		return reply;
	}
	err = error_to_errno(error_from_name(reply->body, reply->len));
	free(reply);
	errno = err;
	return NULL;
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

static void
unlock(void *lock)
{
	pthread_mutex_unlock(lock);
}

char **
handle_next_event(struct xs_handle *h)
{
	char **vec;

	pthread_mutex_lock(&h->lock);
	pthread_cleanup_push(unlock, &h->lock);
	while ((vec = events_pop(&h->events)) == NULL && !h->dead)
		read_or_wait(h);
	pthread_cleanup_pop(1);
	if (vec == NULL)
		errno = EBADF;
	return vec;
}
