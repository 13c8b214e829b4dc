/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Watches, in a trie by path component: a change costs the depth of its path
 * and the watches it concerns. Knows paths, permission lists and event queues;
 * knows no store and no connection.
 */
#ifndef XENSTORED_WATCH_H
#define XENSTORED_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "xenstored/acl.h"
#include "xenstored/node.h"
#include "xenstored/outq.h"
#include "xenstored/store.h"

struct watches; /* all of them */

/* All watches of one connection. */
struct watcher {
	const struct who *who;
	struct outq *q;
	struct list
	    list; /* struct watch.in_watcher, in order of registration */
};

/* NULL: no memory. */
struct watches *watches_new(struct atoms *atoms, const struct hash_key *key);
void watches_free(struct watches *all); /* no watch may be left */

/* How many events were made so far. */
uint64_t watches_fired(const struct watches *all);

/* What events of all queues have in common. */
struct events *watches_events(struct watches *all);

enum { WATCH_ANY_DEPTH = -1 };

/*
 * Sets a watch of WATCHER: WPATH as sent (valid), PATH its absolute form, DEPTH
 * levels below it or WATCH_ANY_DEPTH. No event is made. XS_EEXIST: it has one
 * with this PATH and TOKEN, whichever way its path was sent; XS_ENOMEM.
 */
XS_MUST_CHECK enum xs_err watch_add(struct watches *all,
    struct watcher *watcher, const char *wpath, const char *token,
    const char *path, int depth);

/* Whether WATCHER has a watch at the absolute PATH with TOKEN. */
bool watch_exists(struct watches *all, const struct watcher *watcher,
    const char *path, const char *token);

/* Makes the event by which WATCHER learns that its newest watch is set. */
void watch_announce(struct watcher *watcher);

/*
 * Drops the watch at the absolute PATH with TOKEN and its events; *COST_OUT is
 * what watch_cost() said when it was set. XS_ENOENT: there is none such.
 */
XS_MUST_CHECK enum xs_err watch_remove(struct watches *all,
    struct watcher *watcher, const char *path, const char *token,
    size_t *cost_out);

/* Drops all watches of WATCHER with their events. */
void watch_remove_all(struct watches *all, struct watcher *watcher);

/* The bytes that a watch with these texts, as sent, costs its owner. */
size_t watch_cost(const char *wpath, const char *token);

/* Calls FN for each watch of WATCHER; for display. */
void watch_list(const struct watcher *watcher,
    void (*fn)(void *ctx, const char *wpath, const char *token, int depth),
    void *ctx);

/* Calls FN for each watch of WATCHER, in the order of registration. */
void watch_each(const struct watcher *watcher,
    void (*fn)(void *ctx, struct event_source *source, int depth), void *ctx);

/* The watch that WATCHER, which has some, set last. */
struct event_source *watch_newest(const struct watcher *watcher);

/* A change at a path, and what decides who may know of it. */
struct change {
	const char *path;
	const struct acl *now;	  /* of the node, or what it had last */
	const struct acl *before; /* if that differs, or NULL */
	const struct acl *parent; /* of the parent; NULL: it has none */
};

/* Whether there is a watch at or above the absolute PATH, or, if BELOW, under
 * it. */
bool watch_concerns(struct watches *all, const char *path, bool below);

/* Tells every watch at or above the path. */
void watch_fire(struct watches *all, const struct change *change);

/* Tells only watches at just this path. */
void watch_fire_exact(struct watches *all, const struct change *change);

/*
 * Tells watches below PATH, the place of REMOVED, which is gone with all below
 * it, each of those only at just its own path; children before parents. What
 * AFTER (a tree, or NULL) still has is left out. WALK is scratch space.
 */
void watch_fire_below(struct watches *all, struct heap *heap, struct walk *walk,
    const char *path, struct node *removed, struct node *after);

/*
 * Tells those who watch the special NAME ("@releaseDomain") with permissions
 * ACL: plainly the watches without depth; with DOMID's path the others that
 * have a depth of at least 1 and those on "NAME/DOMID". PLAIN_FIRST: the order.
 */
void watch_fire_special(struct watches *all, const char *name,
    const struct acl *acl, uint32_t domid, bool plain_first);

#endif
