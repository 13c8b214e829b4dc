/* SPDX-License-Identifier: BSD-2-Clause */
#include "handle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/wire.h"

/* The reader needs little; libc's thread-local data of big programs count. */
#define READER_STACK (128 * 1024)

/* How long a daemon may be away: by default, and at most. */
enum { PATIENCE_S = 10, PATIENCE_MAX_S = 1000000 };

unsigned
handle_patience(unsigned long flags)
{
	const char *text = getenv("XENSTORE_RECONNECT");
	uint64_t seconds = PATIENCE_S;

	if (flags & XS_OPEN_NO_RECONNECT)
		return 0;
	if (text != NULL)
		(void)wire_number(text, PATIENCE_MAX_S, &seconds);
	return (unsigned)seconds * 1000;
}

unsigned
handle_generation(struct xs_handle *h)
{
	unsigned generation;

	pthread_mutex_lock(&h->lock);
	generation = h->generation;
	pthread_mutex_unlock(&h->lock);
	return generation;
}

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
	h->patience_ms = handle_patience(flags);
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
	watches_free(&h->watches);
	txns_free(&h->txns);
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

void
handle_die(struct xs_handle *h)
{
	if (!h->dead)
		conn_shut(&h->conn);
	h->dead = true;
	h->lost = false;
	events_end(&h->events);
	pthread_cond_broadcast(&h->changed);
}

void
handle_lose(struct xs_handle *h, int err)
{
	bool hopeless = h->patience_ms == 0 || h->conn.kind != CONN_SOCKET ||
			err == EPROTO || err == ENOMEM;

	if (h->dead || h->lost)
		return;
	if (hopeless) {
		handle_die(h);
		return;
	}
	conn_shut(&h->conn); /* nobody waits in it any more */
	h->lost = true;
	h->expecting = false;
	h->features_known = false;
	txns_lose(&h->txns);
	pthread_cond_broadcast(&h->changed);
}

void
handle_dispatch(struct xs_handle *h, struct message *msg, int err)
{
	if (msg == NULL) {
		handle_lose(h, err);
	} else if (msg->type == WIRE_WATCH_EVENT) {
		if (events_push(&h->events, msg->body, msg->len) != 0)
			handle_die(h);
		free(msg);
	} else if (h->expecting) {
		h->expecting = false;
		h->reply = msg;
	} else { /* an answer to no question */
		free(msg);
		handle_die(h);
	}
	pthread_cond_broadcast(&h->changed);
}

void
handle_read_or_wait(struct xs_handle *h)
{
	struct message *msg;
	int cancel, err;

	if (h->reading || h->threaded) {
		pthread_cond_wait(&h->changed, &h->lock);
		return;
	}
	h->reading = true;
	pthread_mutex_unlock(&h->lock);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	msg = conn_recv(&h->conn);
	err = errno;
	pthread_setcancelstate(cancel, NULL);
	pthread_mutex_lock(&h->lock);
	h->reading = false;
	handle_dispatch(h, msg, err);
}

/* Reads one message. False if the thread shall end. Called with the lock. */
static bool
read_one(struct xs_handle *h)
{
	struct message *msg = NULL;
	int ready, err;

	pthread_mutex_unlock(&h->lock);
	ready = conn_wait(&h->conn, h->stop[0]);
	if (ready > 0)
		msg = conn_recv(&h->conn);
	err = errno;
	pthread_mutex_lock(&h->lock);
	if (ready != 0)
		handle_dispatch(h, msg, err);
	return ready != 0;
}

static void *
reader(void *arg)
{
	struct xs_handle *h = arg;
	bool go_on = true;

	pthread_mutex_lock(&h->lock);
	while (h->reading || h->reviving) /* by one who began without us */
		pthread_cond_wait(&h->changed, &h->lock);
	while (!h->dead && go_on)
		if (h->lost)
			handle_revive(h);
		else
			go_on = read_one(h);
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
		if (h->lost)
			handle_revive(h);
		else
			handle_read_or_wait(h);
	pthread_cleanup_pop(1);
	if (vec == NULL)
		errno = EBADF;
	return vec;
}
