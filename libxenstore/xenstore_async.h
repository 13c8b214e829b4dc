/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xenstore for event loops: many requests outstanding on one connection, each
 * with a function that gets its answer; watch events by function as well; one
 * descriptor to wait for; no threads. Kernbus's own addition (version node
 * KERNBUS_1.0); xenstore.h is the interface that others have too.
 *
 * The loop: make requests at any time; when xs_async_fd() is readable, call
 * xs_async_dispatch(). Functions of the user are called from there (and from
 * xs_async_wait and xs_async_finish, which call it) and from nowhere else. They
 * may make, cancel and close whatever they like, but not wait: the three fail
 * with EDEADLK there. The server carries out the requests of a connection in
 * their order.
 *
 * A handle belongs to one thread at a time. PATH, DATA and the like are copied.
 * Functions that return a pointer give NULL with errno on failure: E2BIG (more
 * than XENSTORE_PAYLOAD_MAX), ENOMEM, EBADF (the connection has ended); then
 * no function will be called. The errors of answers are those of xenstore.h.
 *
 * A connection that breaks ends the handle: all that is outstanding is answered
 * with EBADF, and nothing can be asked any more. With XS_ASYNC_RECONNECT, a
 * socket's handle tries again, for ever and at most once a second, meanwhile
 * takes requests, and once the daemon is back
 * - registers all watches again. Each gets one event with its own path, which
 *   stands for whatever happened meanwhile;
 * - sends again what can be done twice without harm: everything that only asks,
 *   WRITE, MKDIR, RM, SET_PERMS, SET_TARGET, SET_FEATURE, SET_QUOTA, and
 *   TRANSACTION_START. A change may so be made twice, the second time over what
 *   others did in between; after three breaks the answer is ECONNRESET;
 * - has answered all else that was sent (CONTROL, INTRODUCE, RELEASE, RESUME,
 *   a commit) with ECONNRESET: it was carried out, or it was not;
 * - answers with EAGAIN what belongs to a transaction that was open, its commit
 *   above all, so that the transaction is made again; an abort succeeds.
 * A server that breaks the protocol ends the handle all the same.
 */
#ifndef XENSTORE_ASYNC_H
#define XENSTORE_ASYNC_H

#include <sys/uio.h>

#include "xenstore.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct xs_async;
struct xs_async_request; /* until its answer, or until it is cancelled */
struct xs_async_watch;	 /* until xs_async_unwatch, or until it is refused */

/* Flags of xs_async_open. */
#define XS_ASYNC_RECONNECT (1UL << 0)

/* Requests, by their numbers in the protocol. What is missing has functions of
 * its own below. */
enum xs_async_op {
	XS_ASYNC_CONTROL = 0,
	XS_ASYNC_DIRECTORY = 1,
	XS_ASYNC_READ = 2,
	XS_ASYNC_GET_PERMS = 3,
	XS_ASYNC_TRANSACTION_START = 6,
	XS_ASYNC_TRANSACTION_END = 7,
	XS_ASYNC_INTRODUCE = 8,
	XS_ASYNC_RELEASE = 9,
	XS_ASYNC_GET_DOMAIN_PATH = 10,
	XS_ASYNC_WRITE = 11,
	XS_ASYNC_MKDIR = 12,
	XS_ASYNC_RM = 13,
	XS_ASYNC_SET_PERMS = 14,
	XS_ASYNC_IS_DOMAIN_INTRODUCED = 17,
	XS_ASYNC_RESUME = 18,
	XS_ASYNC_SET_TARGET = 19,
	XS_ASYNC_GET_FEATURE = 23,
	XS_ASYNC_SET_FEATURE = 24,
	XS_ASYNC_GET_QUOTA = 25,
	XS_ASYNC_SET_QUOTA = 26,
};

/* An answer. ERR is 0 or an errno value; DATA is NULL unless it is 0, holds LEN
 * bytes and a NUL behind them, and is gone after the call. What it holds: the
 * value (READ); names, each with a NUL (DIRECTORY, however long the list);
 * rights as xs_strings_to_perms takes them, each with a NUL (GET_PERMS); the
 * transaction in decimal (TRANSACTION_START); else what the server says. */
typedef void xs_async_done(void *ctx, int err, const char *data, size_t len);

/* PATH has changed: what was watched, or something below it. */
typedef void xs_async_event(void *ctx, const char *path);

/* Connects as xs_open does. */
struct xs_async *xs_async_open(unsigned long flags);

/* Ends the connection. No function is called any more. NULL does nothing. */
void xs_async_close(struct xs_async *a);

/* Readable while xs_async_dispatch() has something to do. One descriptor for
 * the handle's whole life; not to be read. */
int xs_async_fd(const struct xs_async *a);

/* Sends and receives what can be without waiting, and calls functions. 0, or
 * -1 with EBADF once the connection has ended. */
int xs_async_dispatch(struct xs_async *a);

/* Waits up to TIMEOUT_MS (-1: for ever) for something to do, and does it. 0,
 * or -1: ETIMEDOUT, EINTR (nothing was done) or EBADF. */
int xs_async_wait(struct xs_async *a, int timeout_ms);

/* Does so until no request is outstanding. 0, or -1 with EBADF. */
int xs_async_finish(struct xs_async *a);

/* How many requests are outstanding. */
size_t xs_async_pending(const struct xs_async *a);

/* Makes a request; its payload is IOV's parts in a row. TXN is XBT_NULL or what
 * TRANSACTION_START's answer said. DONE may be NULL. EINVAL: OP is none. */
struct xs_async_request *xs_async_submit(struct xs_async *a,
    enum xs_async_op op, xs_transaction_t txn, const struct iovec *iov,
    int iovcnt, xs_async_done *done, void *ctx);

/* REQ's function is not called. What was not sent yet is not sent; what was
 * will be done all the same, but a transaction that was to be started is ended
 * again. A transaction's end cannot be taken back: only its answer is dropped.
 */
void xs_async_cancel(struct xs_async *a, struct xs_async_request *req);

/* xs_async_submit for the usual requests. */
struct xs_async_request *xs_async_read(struct xs_async *a, xs_transaction_t txn,
    const char *path, xs_async_done *done, void *ctx);
struct xs_async_request *xs_async_directory(struct xs_async *a,
    xs_transaction_t txn, const char *path, xs_async_done *done, void *ctx);
struct xs_async_request *xs_async_get_permissions(struct xs_async *a,
    xs_transaction_t txn, const char *path, xs_async_done *done, void *ctx);
struct xs_async_request *xs_async_write(struct xs_async *a,
    xs_transaction_t txn, const char *path, const void *data, unsigned int len,
    xs_async_done *done, void *ctx);
struct xs_async_request *xs_async_mkdir(struct xs_async *a,
    xs_transaction_t txn, const char *path, xs_async_done *done, void *ctx);
struct xs_async_request *xs_async_rm(struct xs_async *a, xs_transaction_t txn,
    const char *path, xs_async_done *done, void *ctx);
struct xs_async_request *xs_async_transaction_start(
    struct xs_async *a, xs_async_done *done, void *ctx);
struct xs_async_request *xs_async_transaction_end(struct xs_async *a,
    xs_transaction_t txn, bool abort, xs_async_done *done, void *ctx);

/* Watches PATH and what is up to DEPTH levels below it; -1: everything. EVENT
 * is called for each change, and once at the beginning. DONE (may be NULL) gets
 * the server's answer; with an error the watch is gone after it. Both get CTX.
 * One path may be watched any number of times. ENOTSUP: as for xs_watch. */
struct xs_async_watch *xs_async_watch(struct xs_async *a, const char *path,
    int depth, xs_async_event *event, xs_async_done *done, void *ctx);

/* Ends a watch. None of its functions is called any more, whatever is on the
 * way. */
void xs_async_unwatch(struct xs_async *a, struct xs_async_watch *watch);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
