/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libxenstore: a client's view of Xenstore. The one installed header.
 *
 * A handle is one connection: to the daemon's socket, or to the kernel device
 * of a guest. Any number of threads may use a handle at once; its requests are
 * then made one after the other. Watch events can be waited for in one thread
 * while others make requests, and can be cancelled there.
 *
 * Functions that return bool give false and set errno on failure; those that
 * return a pointer give NULL and set errno; every array they return is ONE
 * block of malloc, strings included: one free() and all is gone.
 *
 * A request that succeeds sets errno to 0: programs exist that look at nothing
 * else.
 *
 * Errors that any request may give beside the ones named: EINVAL (a path or
 * argument that the server refuses), EACCES (no right), E2BIG (the request
 * exceeds XENSTORE_PAYLOAD_MAX; nothing was sent), EBADF (the connection has
 * ended: the server is gone or broke the protocol; the handle is good for
 * xs_close only), ECONNRESET (see below), ENOSYS (this server does not know the
 * request), ENOENT (the transaction is not open), ENOMEM, EIO.
 *
 * TXN is XBT_NULL or a transaction of the same handle.
 *
 * A daemon that dies and comes back is not noticed. While it is away, calls
 * wait, for $XENSTORE_RECONNECT seconds (10 if it is not set); after that, or
 * at once for 0, the connection has ended. Once it is back,
 * - watches are registered again, and each gives one event with its own path,
 *   which stands for whatever happened meanwhile;
 * - a request that was on the way is made again if that does no harm:
 * everything that only asks, xs_write, xs_mkdir, xs_rm, xs_set_permissions,
 *   xs_set_target, the setting of features and quotas, xs_transaction_start,
 *   xs_watch and xs_unwatch. A change may so be made twice, the second time
 * over what others did in between;
 * - any other that was on the way (xs_introduce_domain, xs_release_domain,
 *   xs_resume_domain, xs_control_command, a commit) fails with ECONNRESET: it
 *   was carried out, or it was not;
 * - a transaction that was open goes on with what the store holds now, without
 *   its own earlier changes, and its end fails with EAGAIN, as after any
 *   collision; throwing it away succeeds.
 * This is so for sockets. A guest's connection is the kernel's business.
 */
#ifndef XENSTORE_H
#define XENSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What follows is exported, however its user is compiled. */
#pragma GCC visibility push(default)

struct xs_handle;
typedef uint32_t xs_transaction_t;

#define XBT_NULL 0 /* no transaction */

/* Flags of xs_open. The first two are accepted and mean nothing. */
#define XS_OPEN_READONLY (1UL << 0)
#define XS_OPEN_SOCKETONLY (1UL << 1)
/* xs_unwatch also drops events of that watch which are queued already. */
#define XS_UNWATCH_FILTER (1UL << 2)
/* A connection that breaks has ended. */
#define XS_OPEN_NO_RECONNECT (1UL << 31)

/* Indices into what xs_read_watch and xs_check_watch return. */
#ifndef XS_WATCH_PATH
#define XS_WATCH_PATH 0
#define XS_WATCH_TOKEN 1
#endif

/* Limits in bytes: of a message's payload, and of paths. */
#ifndef XENSTORE_PAYLOAD_MAX
#define XENSTORE_PAYLOAD_MAX 4096
#define XENSTORE_ABS_PATH_MAX 3072
#define XENSTORE_REL_PATH_MAX 2048
#endif

/* Bits of xs_get_features_supported. */
#ifndef XENSTORE_SERVER_FEATURE_RECONNECTION
#define XENSTORE_SERVER_FEATURE_RECONNECTION 1
#define XENSTORE_SERVER_FEATURE_ERROR 2
#define XENSTORE_SERVER_FEATURE_WATCHDEPTH 4
#endif

/* A right. The first of a node's list names the owner, and its bits are the
 * rights of every domain that is not in the list. */
struct xs_permissions {
	unsigned int id;    /* domain */
	unsigned int perms; /* XS_PERM_* bits */
};
#define XS_PERM_NONE 0x00
#define XS_PERM_READ 0x01
#define XS_PERM_WRITE 0x02
/* Used by servers only. */
#define XS_PERM_ENOENT_OK 0x04
#define XS_PERM_OWNER 0x08
#define XS_PERM_IGNORE 0x10

/* ---- connections ---- */

/* Connects to the socket xs_daemon_socket(), or else to the guest device:
 * $XENSTORED_PATH, or else the one of this system. The file's type decides how
 * it is spoken to. errno of open(2), connect(2) or pipe(2). */
struct xs_handle *xs_open(unsigned long flags);

/* Ends the connection with its watches and transactions. NULL does nothing.
 * No other thread may be inside the handle. */
void xs_close(struct xs_handle *h);

/* Frees the handle in a child after fork without disturbing the parent's
 * connection, which it shares. NULL does nothing. */
void xs_daemon_destroy_postfork(struct xs_handle *h);

/* Old names of xs_open(0), xs_open(0), xs_open(0) and xs_close. */
struct xs_handle *xs_daemon_open(void);
struct xs_handle *xs_daemon_open_readonly(void);
struct xs_handle *xs_domain_open(void);
void xs_daemon_close(struct xs_handle *h);

/* ---- nodes ---- */

/* The names of PATH's children. *NUM_OUT is their number; a node without any
 * gives an empty array, not NULL. ENOENT: no such node. */
char **xs_directory(struct xs_handle *h, xs_transaction_t txn, const char *path,
    unsigned int *num_out);

/* PATH's value, a NUL after it. *LEN_OUT (LEN_OUT may be NULL) is the length
 * without that NUL; the value may hold NULs of its own. ENOENT. */
void *xs_read(struct xs_handle *h, xs_transaction_t txn, const char *path,
    unsigned int *len_out);

/* Sets PATH's value, making the node and missing ancestors. ENOSPC: quota. */
bool xs_write(struct xs_handle *h, xs_transaction_t txn, const char *path,
    const void *data, unsigned int len);

/* Makes PATH with an empty value unless it exists. ENOSPC: quota. */
bool xs_mkdir(struct xs_handle *h, xs_transaction_t txn, const char *path);

/* Removes PATH and everything below. ENOENT: its parent does not exist. */
bool xs_rm(struct xs_handle *h, xs_transaction_t txn, const char *path);

/* PATH's rights, *NUM_OUT of them, owner first. ENOENT. */
struct xs_permissions *xs_get_permissions(struct xs_handle *h,
    xs_transaction_t txn, const char *path, unsigned int *num_out);

/* Replaces PATH's rights. ENOENT; ENOSPC: too many; EPERM: not the owner. */
bool xs_set_permissions(struct xs_handle *h, xs_transaction_t txn,
    const char *path, struct xs_permissions *perms, unsigned int num);

/* Always false, with ENOSYS: no server has it any more. */
bool xs_restrict(struct xs_handle *h, unsigned int domid);

/* ---- watches ---- */

/* Watches PATH and everything below. One event with PATH itself comes at
 * once. TOKEN comes back with each event and may be "". EEXIST: this pair is
 * watched already; ENOSPC: quota; ENOTSUP: this connection cannot deliver
 * events (a guest device of NetBSD). */
bool xs_watch(struct xs_handle *h, const char *path, const char *token);

/* As xs_watch, for changes at most DEPTH levels below PATH: 0 is PATH alone.
 * EINVAL if the server cannot (XENSTORE_SERVER_FEATURE_WATCHDEPTH). */
bool xs_watch_depth(struct xs_handle *h, const char *path, const char *token,
    unsigned int depth);

/* As xs_watch_depth, or as xs_watch where the server cannot limit the depth:
 * the caller may then see events from further below. */
bool xs_watch_try_depth(struct xs_handle *h, const char *path,
    const char *token, unsigned int depth);

/* Ends a watch. ENOENT: there is no such pair. Events queued before still
 * come, unless the handle was opened with XS_UNWATCH_FILTER. */
bool xs_unwatch(struct xs_handle *h, const char *path, const char *token);

/* A descriptor to poll for reading: readable while events are queued, and for
 * ever once the connection has ended. Not to be read. It is the handle's. -1
 * with pipe(2)'s errno. */
int xs_fileno(struct xs_handle *h);

/* The next event: [XS_WATCH_PATH] and [XS_WATCH_TOKEN]. Never waits: EAGAIN
 * when none is queued, EBADF when none is and the connection has ended. */
char **xs_check_watch(struct xs_handle *h);

/* As xs_check_watch, but waits; so it fails with EBADF, not EAGAIN. *NUM_OUT
 * is the number of strings. */
char **xs_read_watch(struct xs_handle *h, unsigned int *num_out);

/* ---- transactions ---- */

/* XBT_NULL with errno on failure; ENOSPC: quota. */
xs_transaction_t xs_transaction_start(struct xs_handle *h);

/* Commits TXN, or throws it away if ABORT. EAGAIN: somebody else changed what
 * it depended on; start anew. Whatever is returned, TXN has ended. */
bool xs_transaction_end(struct xs_handle *h, xs_transaction_t txn, bool abort);

/* Runs BODY in a transaction, and again while the commit fails with EAGAIN or
 * BODY returns EAGAIN, at growing intervals, but not for longer than TIMEOUT_MS
 * milliseconds (0: once). BODY returns 0 for its changes to be committed, or an
 * errno value for them to be thrown away. Returns 0 when they are committed, or
 * an errno value: BODY's, the server's, or EAGAIN when time is over. BODY may
 * have run any number of times; nothing but the last run's changes counts. */
int xs_transaction_retry(struct xs_handle *h,
    int (*body)(struct xs_handle *h, xs_transaction_t txn, void *ctx),
    void *ctx, unsigned int timeout_ms);

/* ---- domains: for privileged connections ---- */

/* Makes the server serve DOMID's ring: frame GFN (ignored where the ring is a
 * grant), event channel PORT. */
bool xs_introduce_domain(struct xs_handle *h, unsigned int domid,
    unsigned long gfn, unsigned int port);

/* DOMID gets TARGET's rights (device-model domains). */
bool xs_set_target(
    struct xs_handle *h, unsigned int domid, unsigned int target);

/* DOMID runs again after a shutdown that was reported. */
bool xs_resume_domain(struct xs_handle *h, unsigned int domid);

/* The server forgets DOMID's ring. */
bool xs_release_domain(struct xs_handle *h, unsigned int domid);

/* "/local/domain/DOMID", whether there is such a domain or not. */
char *xs_get_domain_path(struct xs_handle *h, unsigned int domid);

/* False as well when it cannot be found out. */
bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid);

/* The XENSTORE_SERVER_FEATURE_* bits of the server; of what it offers to
 * DOMID; and a choice for DOMID before it is introduced (EBUSY after). */
bool xs_get_features_supported(struct xs_handle *h, unsigned int *features_out);
bool xs_get_features_domain(
    struct xs_handle *h, unsigned int domid, unsigned int *features_out);
bool xs_set_features_domain(
    struct xs_handle *h, unsigned int domid, unsigned int features);

/* The names of the server's quotas; *NUM_OUT of them. */
const char **xs_get_quota_names(struct xs_handle *h, unsigned int *num_out);

/* A quota's default, and what holds for DOMID; 0 is "no limit". EINVAL: no
 * such quota. */
bool xs_get_global_quota(
    struct xs_handle *h, const char *quota, unsigned int *value_out);
bool xs_set_global_quota(
    struct xs_handle *h, const char *quota, unsigned int value);
bool xs_get_domain_quota(struct xs_handle *h, unsigned int domid,
    const char *quota, unsigned int *value_out);
bool xs_set_domain_quota(struct xs_handle *h, unsigned int domid,
    const char *quota, unsigned int value);

/* Sends a CONTROL command with LEN bytes of arguments (NUL-terminated strings
 * in a row). The reply is the caller's to free. EINVAL: unknown command. */
char *xs_control_command(
    struct xs_handle *h, const char *cmd, void *data, unsigned int len);
char *xs_debug_command(
    struct xs_handle *h, const char *cmd, void *data, unsigned int len);

/* The event channel DOMID published for suspend requests, read over a handle
 * of its own. -1 if there is none. */
int xs_suspend_evtchn_port(int domid);

/* ---- no connection needed ---- */

/* Is CHILD equal to PARENT or below it? */
bool xs_path_is_subpath(const char *parent, const char *child);

/* $XENSTORED_RUNDIR or the default; the socket in it, unless $XENSTORED_PATH
 * says where it is. The _ro name is the same socket. NULL if the path is too
 * long. The strings stay valid until the next call. */
const char *xs_daemon_rundir(void);
const char *xs_daemon_socket(void);
const char *xs_daemon_socket_ro(void);

/* Writes all of DATA to FD, going on after partial writes and EINTR. */
bool xs_write_all(int fd, const void *data, unsigned int len);

/* Reads NUM rights out of NUM strings in a row, each a letter of n r w b and a
 * domain's number: "b0". False with EINVAL. */
bool xs_strings_to_perms(
    struct xs_permissions *perms, unsigned int num, const char *strings);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
