/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of xenstore_async.h among themselves. async.c owns the loop,
 * async_queue.c requests from being made to being answered, async_io.c bytes,
 * async_watch.c watches, async_again.c what a broken connection means;
 * async_calls.c and async_directory.c make requests.
 */
#ifndef LIBXENSTORE_ASYNC_H
#define LIBXENSTORE_ASYNC_H

#include <stdint.h>

#include "common/wire.h"
#include "conn.h"
#include "names.h"
#include "txns.h"
#include "xenstore_async.h"

enum async_state {
	ASYNC_UP,
	ASYNC_DOWN, /* broken; to be tried again */
	ASYNC_DEAD
};

/* What a request's own kind makes of its answer, before the user sees it. False
 * if the request goes on: the hook has put it into the queue again. */
typedef bool async_hook(struct xs_async *a, struct xs_async_request *req,
    int *err, const char **data, size_t *len);

struct xs_async_request {
	uint32_t type;
	xs_transaction_t txn; /* the user's number */
	xs_async_done *done;  /* NULL: nobody waits */
	void *ctx;
	async_hook *hook; /* may be NULL */
	bool counted;	  /* among those outstanding for the user */
	bool cancelled;
	bool sent;		       /* when the connection broke */
	uint32_t wire_id;	       /* its place in the queue */
	struct xs_async_watch *watch;  /* that it registers */
	struct names *names;	       /* of a directory in parts */
	int restarts;		       /* of that */
	int tries;		       /* that broke */
	struct xs_async_request *next; /* in a list outside the queue */
	int err;		       /* there: the answer */
	size_t len;
	uint8_t msg[]; /* header and payload, and room that the kind needs */
};

struct async_watch_slot {
	struct xs_async_watch *watch; /* NULL: free */
	uint32_t generation; /* of its use, so that late events are known */
	uint32_t next_free;
};

struct async_list {
	struct xs_async_request *first, **last;
};

struct xs_async {
	struct conn conn;
	unsigned long flags;
	enum async_state state;
	int poll_fd;
	int timer_fd; /* work that no descriptor of others announces */
	bool wants_write;
	bool timer_armed;
	unsigned delay_ms; /* before the next try to connect */
	uint64_t retry_at; /* when that is, in ms */
	int depth;	   /* of calls that call the user */
	bool dispatching;  /* one of them; the input is his */
	bool closing;	   /* closed by the user meanwhile */

	/* Requests by wire_id, modulo the size: [head, send) were sent, of the
	 * one at send sent_bytes were, [send, next) wait. */
	struct xs_async_request **slot;
	uint32_t slots; /* 0 or a power of two */
	uint32_t head, send, next;
	size_t sent_bytes;
	size_t outstanding;
	struct async_list local; /* answered without the server */

	char *in; /* ASYNC_IN_SIZE bytes and one */
	size_t in_have, in_used;

	struct async_watch_slot *watches;
	uint32_t nwatches, free_watch; /* UINT32_MAX: none */
	struct txns txns;
};

enum {
	ASYNC_IN_SIZE = 65536,
	ASYNC_WINDOW = 1024, /* requests that the server may owe us */
};

/* --- async.c --- */

/* A handle for an open connection, which it then owns. NULL with errno; CONN is
 * then closed. */
struct xs_async *async_open(const struct conn *conn, unsigned long flags);

/* Makes the descriptor readable in MS milliseconds; 0 is at once. */
void async_wake(struct xs_async *a, unsigned ms);

/* Watches the connection's descriptor, also for writing if WRITE. */
void async_poll(struct xs_async *a, bool write);

/* --- async_queue.c --- */

/* A request of TYPE with IOV's parts as payload, a NUL, and EXTRA bytes of room
 * behind it. NULL with errno. */
struct xs_async_request *async_new(uint32_t type, xs_transaction_t txn,
    const struct iovec *iov, int iovcnt, size_t extra);

/* Queues a request that the user made; with a transaction that is lost or not
 * known any more it is answered here. Takes REQ: NULL with errno if it fails.
 */
struct xs_async_request *async_start(
    struct xs_async *a, struct xs_async_request *req);

/* Queues REQ as it is: 0, or -1 with ENOMEM. */
int async_push(struct xs_async *a, struct xs_async_request *req);

/* The queued request with the server's number ID, or NULL. */
struct xs_async_request *async_find(const struct xs_async *a, uint32_t id);

/* Takes REQ out of the queue. */
void async_pull(struct xs_async *a, struct xs_async_request *req);

/* Was a byte of REQ, which is in the queue, sent? */
bool async_was_sent(
    const struct xs_async *a, const struct xs_async_request *req);

/* REQ, which is in no queue, is answered: hook, user's function, end. DATA has
 * a NUL behind it. */
void async_answer(struct xs_async *a, struct xs_async_request *req, int err,
    const char *data, size_t len);

/* Frees REQ, which is in no queue, without a word. */
void async_free(struct xs_async *a, struct xs_async_request *req);

/* REQ will be answered with ERR by the next async_answer_local. */
void async_settle(struct xs_async *a, struct xs_async_request *req, int err);
void async_answer_local(struct xs_async *a);

/* --- async_io.c --- */

/* Sends what waits and fits. 0, or -1: the connection is broken. */
int async_send(struct xs_async *a);

enum async_recv {
	ASYNC_RECV_IDLE,   /* nothing more is there */
	ASYNC_RECV_MORE,   /* enough for one turn */
	ASYNC_RECV_BROKEN, /* the stream has ended */
	ASYNC_RECV_BAD	   /* the server broke the protocol */
};

/* Receives and handles messages. */
enum async_recv async_recv(struct xs_async *a);

/* --- async_watch.c --- */

/* Hands an event on. False if BODY is none. */
bool async_watch_event(struct xs_async *a, const char *body, size_t len);

/* Queues the registration of every watch that has none in the queue of its
 * own. 0, or -1 with ENOMEM. */
int async_watch_again(struct xs_async *a);

/* True if REQ, taken out of the queue, was one of these; it is freed. */
bool async_watch_forget(struct xs_async *a, struct xs_async_request *req);

void async_watch_free_all(struct xs_async *a);

/* --- async_directory.c --- */
async_hook async_directory_hook;
/* REQ is asked from the list's beginning. */
void async_directory_restart(struct xs_async_request *req);

/* --- async_again.c --- */

/* The connection broke: tries it again later, or ends the handle. */
void async_broken(struct xs_async *a);

/* Ends the handle: all that is outstanding is answered with EBADF. */
void async_die(struct xs_async *a);

/* Tries to connect again, when it is time. */
void async_try_again(struct xs_async *a);

#endif
