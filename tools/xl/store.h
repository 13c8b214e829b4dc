/*
 * store: xl's use of libxenstore: values as strings, nodes written whole, and
 * waiting with a limit.
 *
 * Knows transactions and watches; knows no domain and no device. Functions
 * that return int give 0, or -1 with errno as libxenstore does.
 */
#ifndef XL_STORE_H
#define XL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "nodes.h"

struct store; /* a connection; not to be shared by threads or across fork */

/* NULL with errno if there is no xenstored to talk to. */
struct store *store_open(void);
void store_close(struct store *st); /* NULL does nothing */

/* In a child, for a connection that the parent goes on using. */
void store_close_after_fork(struct store *st);

/* PATH's value, in MEM; NULL if there is no such node. */
char *store_read(struct store *st, struct arena *mem, const char *path);

/* The value of DIR/NAME. */
char *store_read_in(
    struct store *st, struct arena *mem, const char *dir, const char *name);

/* The names of PATH's children, ended by NULL, in MEM; never NULL. */
char **store_list(
    struct store *st, struct arena *mem, const char *path, size_t *count_out);

/* Removes PATH; 0 also if it was not there. */
int store_remove(struct store *st, const char *path);

/* Writes all of N with its rights, in one transaction. */
int store_write_nodes(struct store *st, const struct nodes *n);

/* One change of store_change. */
struct store_change {
	const char *path;
	const char *value; /* NULL: remove it */
};

/* What store_change looks at before it changes anything. */
struct store_condition {
	const char *path;   /* this node exists ... */
	const char *unless; /* ... with a value other than this (may be NULL) */
};

/*
 * Makes all CHANGES in one transaction if COND (which may be NULL) holds.
 * ENOENT: the node does not exist; ECANCELED: it has that value. Nothing has
 * changed then.
 */
int store_change(struct store *st, const struct store_condition *cond,
    const struct store_change *changes, size_t count);

/*
 * Calls DONE(ARG) at once and after each change at or below one of PATHS
 * (ended by NULL), until it returns true: 0; or until TIMEOUT_MS have passed:
 * -1 with errno ETIMEDOUT. A TIMEOUT_MS below 0 waits for ever. EINTR: the
 * descriptor that store_set_interrupt gave became readable.
 */
int store_wait(struct store *st, const char *const *paths, int timeout_ms,
    bool (*done)(void *arg), void *arg);

/* Has the server serve DOMID's ring: frame GFN, event channel PORT; and stop
 * doing so, which is fine too if it has noticed the domain's end itself. */
int store_introduce(
    struct store *st, uint32_t domid, uint64_t gfn, uint32_t port);
void store_release(struct store *st, uint32_t domid);

/* A descriptor that ends every store_wait when it becomes readable; -1 none. */
void store_set_interrupt(struct store *st, int fd);

#endif
