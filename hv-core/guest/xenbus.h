/*
 * xenbus: a client of the store over a ring page.
 *
 * It knows the ring, the wire format and the device states of the protocol.
 * It does not know how the page was found, how the peer is notified or how to
 * sleep: the owner says so in a struct xenbus_transport. Thus a guest kernel
 * and domain 0's kernel use the same code.
 *
 * One request is outstanding at a time and every call blocks until its reply
 * is there. Watch events that arrive meanwhile are queued; only xenbus_poll()
 * delivers them. Nothing here is thread safe. A call made while another one
 * waits (from the transport's wait) is refused with -EBUSY.
 *
 * Every function that returns an int returns 0 or a negative errno. Common to
 * all requests:
 *   -EIO        the connection is broken: the ring's indexes or a reply made no
 *               sense, or the server marked the ring bad. Every later call
 *               fails the same way until xenbus_reset()
 *   -ETIMEDOUT  the transport's deadline passed. The reply, when it comes at
 *               last, is thrown away, so that the connection stays usable
 *   -EBUSY      called from within the transport's wait
 *   -ENOMEM     no memory; -E2BIG the request does not fit a message
 * and what the server answers (-ENOENT, -EACCES, -EINVAL, -ENOSPC ...).
 *
 * A path is given as DIR and NODE, joined by '/'. NODE may be NULL. A path that
 * does not start with '/' is relative to the domain's own home.
 */
#ifndef HV_GUEST_XENBUS_H
#define HV_GUEST_XENBUS_H

#include <stddef.h>
#include <stdint.h>

#include "abi/io/xenbus.h"

struct xenstore_domain_interface;
struct xenbus;
struct xenbus_watch;

#define XENBUS_NO_TX 0u
#define XENBUS_FOREVER UINT64_MAX

/* What the owner of the ring page provides. */
struct xenbus_transport {
	struct xenstore_domain_interface *page;
	/* Tell the server that the ring has moved. */
	void (*notify)(void *arg);
	/*
	 * Sleep until the server may have moved the ring since the last wait,
	 * or until DEADLINE (ns of CLOCK_MONOTONIC, or XENBUS_FOREVER).
	 * Returning early is fine. 0; -ETIMEDOUT; any other negative errno
	 * breaks the connection.
	 */
	int (*wait)(void *arg, uint64_t deadline);
	/* Now, in the clock of DEADLINE. */
	uint64_t (*now)(void *arg);
	void *arg;
};

/*
 * A client on TRANSPORT's page (the structure is copied). Unread replies of an
 * earlier user of the ring are skipped. Sends nothing. NULL: no memory.
 */
struct xenbus *xenbus_open(const struct xenbus_transport *transport);

/* Forgets everything; the server is not told. Watches are freed. */
void xenbus_close(struct xenbus *xb);

/* Nanoseconds a request may take; XENBUS_FOREVER (the default) is allowed. */
void xenbus_set_timeout(struct xenbus *xb, uint64_t ns);

/* 0, or -EIO once the connection is broken. */
int xenbus_error(const struct xenbus *xb);

/* Why the connection broke: a constant string, or NULL. */
const char *xenbus_reason(const struct xenbus *xb);

/*
 * After the domain came back on a fresh ring (resume, re-introduction): start
 * at the page's present positions and register all watches again. -EIO, or what
 * the server says about the first watch it refuses.
 */
int xenbus_reset(struct xenbus *xb);

/* --- reading ------------------------------------------------------------ */

/*
 * The value of a node. *VALUE_OUT is allocated, LEN_OUT bytes long and followed
 * by a NUL that does not count (so it is a string if the value holds no NUL).
 * The caller frees it. LEN_OUT may be NULL.
 */
int xenbus_read(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, char **value_out, size_t *len_out);

/*
 * The value into BUF of SIZE bytes, NUL-terminated. -EMSGSIZE if it does not
 * fit, -EINVAL if it contains a NUL byte; BUF is then empty.
 */
int xenbus_read_str(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, char *buf, size_t size);

/*
 * The value as a decimal number of at most MAX. -EINVAL for anything but
 * digits, -ERANGE beyond MAX; *OUT is then unchanged.
 */
int xenbus_read_num(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, uint64_t max, uint64_t *out);

/*
 * The same where a missing node is allowed: *OUT becomes FALLBACK on -ENOENT
 * (and 0 is returned).
 */
int xenbus_read_num_or(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, uint64_t max, uint64_t fallback, uint64_t *out);

/*
 * The names of the children. *NAMES_OUT is one allocation that holds the
 * pointers and the strings; the caller frees it with free(). It is NULL when
 * there are none.
 */
int xenbus_directory(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, char ***names_out, size_t *count_out);

/* 1 if the node can be read, 0 if there is none, negative on other errors. */
int xenbus_exists(
    struct xenbus *xb, uint32_t tx, const char *dir, const char *node);

/* --- changing ----------------------------------------------------------- */

/* LEN bytes as the node's value; the node and its parents are made. */
int xenbus_write(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, const void *value, size_t len);

/* The formatted text as the value, without a NUL. */
int xenbus_printf(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

int xenbus_mkdir(
    struct xenbus *xb, uint32_t tx, const char *dir, const char *node);

/* With everything below it. */
int xenbus_rm(
    struct xenbus *xb, uint32_t tx, const char *dir, const char *node);

/*
 * PERMS are COUNT strings as on the wire ("n5", "r0"); the first one names the
 * owner and the default.
 */
int xenbus_set_perms(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, const char *const *perms, size_t count);

/* --- transactions ------------------------------------------------------- */

int xenbus_tx_start(struct xenbus *xb, uint32_t *tx_out);

/* -EAGAIN: somebody else came first; nothing of it was applied. */
int xenbus_tx_commit(struct xenbus *xb, uint32_t tx);

int xenbus_tx_abort(struct xenbus *xb, uint32_t tx);

/*
 * Runs BODY in a transaction and commits. If BODY returns non-zero the
 * transaction is aborted and that value returned; -EAGAIN (from BODY or from
 * the commit) runs it again, up to XENBUS_TX_TRIES times, then -EAGAIN. BODY
 * may thus run several times and must not keep what it read in a failed round.
 */
#define XENBUS_TX_TRIES 1000
typedef int xenbus_tx_body(struct xenbus *xb, uint32_t tx, void *arg);
int xenbus_transaction(struct xenbus *xb, xenbus_tx_body *body, void *arg);

/* --- watches ------------------------------------------------------------ */

/* PATH is what changed: the watched path or one below it. */
typedef void xenbus_watch_fn(void *arg, const char *path);

/*
 * Calls FN from xenbus_poll() for every change at or below DIR/NODE, and once
 * soon after registration. *WATCH_OUT (may be NULL) is needed to unwatch.
 */
int xenbus_watch(struct xenbus *xb, const char *dir, const char *node,
    xenbus_watch_fn *fn, void *arg, struct xenbus_watch **watch_out);

/*
 * FN is not called any more after this, not even for events already queued.
 * WATCH is freed in any case; an error says that the server could not be told.
 * May be called from any callback, also for the watch being delivered.
 */
int xenbus_unwatch(struct xenbus *xb, struct xenbus_watch *watch);

/*
 * Takes what has arrived and calls the watches' functions for it, including
 * events caused meanwhile, at most XENBUS_POLL_MAX of them. Does not block of
 * itself (the callbacks may send requests). From within a callback it does
 * nothing and returns 0. Returns the number of events delivered, or -EIO.
 *
 * An event is queued once per watch and path. When XENBUS_QUEUE_MAX wait, an
 * event for a watch collapses into one that names just the watched path: none
 * is lost.
 */
#define XENBUS_QUEUE_MAX 256
#define XENBUS_POLL_MAX 1024
int xenbus_poll(struct xenbus *xb);

/*
 * Non-zero if xenbus_poll() has something to do now. To be asked before
 * sleeping, since an event may have come in with an earlier request's reply.
 */
int xenbus_pending(const struct xenbus *xb);

/* --- device states ------------------------------------------------------ */

/* "Connected" and so on; "?" outside the range. */
const char *xenbus_state_name(enum xenbus_state state);

/*
 * The state node of the device directory DIR. XenbusStateUnknown if there is
 * none, or it cannot be read or parsed.
 */
enum xenbus_state xenbus_read_state(
    struct xenbus *xb, uint32_t tx, const char *dir);

/*
 * Writes DIR/state, unless it has that value or does not exist any more (a
 * device that the toolstack has removed must not come back).
 */
int xenbus_switch_state(
    struct xenbus *xb, uint32_t tx, const char *dir, enum xenbus_state state);

/*
 * Reports an error the way toolstacks expect: writes error/DIR/error as
 * "<errno> <message>". ERR is positive. DIR must be relative.
 */
void xenbus_report(struct xenbus *xb, const char *dir, int err, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/* The other end of a device. */
struct xenbus_otherend {
	char path[256]; /* its directory */
	uint16_t domid;
	struct xenbus_watch *watch;
};

/*
 * Fills OTHER from DIR's nodes PATH_NODE ("backend" or "frontend") and ID_NODE
 * ("backend-id", "frontend-id"). -EINVAL, -EMSGSIZE, -ERANGE on bad nodes.
 */
int xenbus_find_otherend(struct xenbus *xb, const char *dir,
    const char *path_node, const char *id_node, struct xenbus_otherend *other);

/* Calls FN from xenbus_poll() when the other end's state node changes. */
int xenbus_watch_otherend(struct xenbus *xb, struct xenbus_otherend *other,
    xenbus_watch_fn *fn, void *arg);

/* Ends that; harmless when not watching. */
void xenbus_forget_otherend(struct xenbus *xb, struct xenbus_otherend *other);

/*
 * Waits, delivering other watches meanwhile, until DIR/state is one of the bits
 * of STATES (1u << state), or the deadline (ns, as in the transport). Returns
 * the state or a negative errno (-ETIMEDOUT). Not for use in callbacks.
 */
int xenbus_wait_state(
    struct xenbus *xb, const char *dir, unsigned int states, uint64_t deadline);

#endif
