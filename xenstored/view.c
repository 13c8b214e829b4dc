/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/view.h"

#include <string.h>

#include "common/path.h"
#include "xenstored/account.h"
#include "xenstored/cost.h"
#include "xenstored/former.h"

struct node *
view_top(const struct view *view)
{
	return view->txn != NULL ? view->txn->top : view->st->live;
}

uint64_t
view_stamp(const struct view *view)
{
	return view->txn != NULL ? view->txn->stamp : view->st->heap.stamp;
}

static bool
privileged(const struct view *view)
{
	return view->conn->who.privileged;
}

/* --- rights and footprint --- */

static enum xs_err
note(const struct view *view, const char *path, size_t len, unsigned aspects,
    unsigned changes)
{
	if (view->txn == NULL)
		return XS_OK;
	return txn_note(view->txn, path, len, aspects, changes);
}

/*
 * Finds PATH and checks that the right WANT is there: on the node, or on what
 * exists above it, which a guest must not tell from a node it may not see.
 * XS_OK or XS_ENOENT: *FOUND_OUT and *WAY_OUT are filled in.
 */
static enum xs_err
resolve(const struct view *view, const char *path, unsigned want,
    unsigned aspects, struct found *found_out, struct way *way_out)
{
	struct node **top =
	    view->txn != NULL ? &view->txn->top : &view->st->live;
	struct found *f = found_out;
	enum xs_err err;

	store_find_way(&view->st->heap, top, path, f, way_out);
	if (f->node != NULL) {
		if (!privileged(view))
			aspects |= TXN_ACL;
		err = note(view, path, f->nearest_len, aspects, 0);
		if (err != XS_OK)
			return err;
	} else {
		err = note(view, path,
		    privileged(view) ? strlen(path) : f->first_missing,
		    TXN_EXISTS, 0);
		if (err == XS_OK && !privileged(view))
			err = note(view, path, f->nearest_len, TXN_ACL, 0);
		if (err != XS_OK)
			return err;
	}
	if ((acl_rights(f->nearest->acl, &view->conn->who) & want) != want)
		return XS_EACCES;
	return f->node != NULL ? XS_OK : XS_ENOENT;
}

enum xs_err
view_read(const struct view *view, const char *path, unsigned aspect,
    struct node **node_out)
{
	struct found f;
	struct way way;
	enum xs_err err;

	err = resolve(view, path, PERM_READ, aspect, &f, &way);
	if (err == XS_OK)
		*node_out = f.node;
	return err;
}

/* --- quotas --- */

/* Whether a node of OWNER's with N permissions and LEN bytes of value is small
 * enough, for it and for who makes it so. */
static enum xs_err
check_size(const struct view *view, const struct principal *owner, size_t n,
    size_t len)
{
	int64_t size = (int64_t)(16 + 8 * n + len);

	if (!principal_allows(view->conn->who.self, QUOTA_NODESIZE, size) ||
	    !principal_allows(owner, QUOTA_NODESIZE, size))
		return quota_error(QUOTA_NODESIZE);
	return XS_OK;
}

/*
 * Whether nodes of OWNER's, who is charged for them whoever changes them, may
 * take COST bytes more. What runs again at a commit may for now: the whole is
 * looked at when it is through.
 */
static enum xs_err
check_memory(
    const struct view *view, const struct principal *owner, int64_t cost)
{
	if (cost > 0 && (view->txn == NULL || !view->txn->replaying) &&
	    !principal_may(owner, QUOTA_MEMORY, cost))
		return quota_error(QUOTA_MEMORY);
	return XS_OK;
}

/* The bytes of the names in PATH that are missing, as F says. */
static int64_t
names_below(const char *path, const struct found *f)
{
	size_t slashes = f->n_missing;

	if (f->nearest_len == 1 && slashes > 0)
		slashes--; /* the root's is its path */
	return (int64_t)(strlen(path) - f->nearest_len - slashes);
}

/* Whether there may be what view_put() would add at PATH, where F was found. */
static enum xs_err
check_put(const struct view *view, const char *path, const struct found *f,
    const struct acl *acl, const struct bytes *value)
{
	struct principal *self = view->conn->who.self;
	const struct principal *owner = acl_owner(acl);
	int64_t len = value != NULL ? (int64_t)value->len : 0, nodes, cost;
	enum xs_err err;

	if (privileged(view))
		return XS_OK;
	err = check_size(view, owner, acl->n, (size_t)len);
	if (err != XS_OK)
		return err;
	nodes = f->n_missing;
	if (nodes > 0 &&
	    !principal_may(self, QUOTA_NODES,
		nodes + (view->txn != NULL ? view->txn->own_nodes : 0)))
		return quota_error(QUOTA_NODES);
	if (nodes > 0 && !principal_allows(self, QUOTA_CHILDREN,
			     (int64_t)kids_count(f->nearest->kids) + 1))
		return quota_error(QUOTA_CHILDREN);
	cost = len + nodes * (COST_NODE + (int64_t)acl->n * COST_PERM) +
	       names_below(path, f);
	if (f->node != NULL)
		cost -= (int64_t)node_value_len(f->node);
	return check_memory(view, owner, cost);
}

/* --- watches --- */

static void
tell_acls(struct state *st, const char *path, const struct acl *now,
    const struct acl *before, const struct acl *parent)
{
	struct change change = {
		.path = path,
		.now = now,
		.before = before != now ? before : NULL,
		.parent = parent,
	};

	watch_fire(st->watches, &change);
}

static void
tell(struct state *st, const char *path, const struct acl *now,
    const struct acl *before, const struct node *parent)
{
	tell_acls(st, path, now, before, parent != NULL ? parent->acl : NULL);
}

/* Tells of the removal of NODE, once at PATH below PARENT, and of all under it
 * that AFTER (or NULL) has not. */
static void
tell_removed(struct state *st, const char *path, struct node *node,
    const struct node *parent, struct node *after)
{
	watch_fire_below(st->watches, &st->heap, &st->walk, path, node, after);
	tell(st, path, node->acl, NULL, parent);
}

void
view_tell_commit(const struct txn *txn, struct node *before, struct node *after)
{
	struct state *st = txn->conn->st;
	struct list *link, *next;
	struct touched *t;
	struct found was, is;

	list_each(link, next, &txn->order)
	{
		t = list_entry(link, struct touched, in_order);
		if (t->changes == 0 || t->path[0] == '@' ||
		    !watch_concerns(
			st->watches, t->path, (t->changes & TXN_REMOVED) != 0))
			continue;
		store_find(&st->heap, before, t->path, &was);
		store_find(&st->heap, after, t->path, &is);
		if ((t->changes & TXN_REMOVED) != 0 && was.node != NULL)
			watch_fire_below(st->watches, &st->heap, &st->walk,
			    t->path, was.node, after);
		if (is.node != NULL)
			tell(st, t->path, is.node->acl,
			    was.node != NULL ? was.node->acl : NULL, is.parent);
		else if (was.node != NULL)
			tell(st, t->path, was.node->acl, NULL, was.parent);
	}
}

/* --- changes --- */

/* The permissions of what will be above the node at which F was found, if it
 * is made with ACL; NULL: nothing will. */
static const struct acl *
acl_above(const struct state *st, const struct found *f, const struct acl *acl)
{
	const struct node *parent = f->parent;

	if (f->n_missing > 1)
		return acl;
	if (f->n_missing == 1)
		parent = f->nearest != st->live ? f->nearest : NULL;
	return parent != NULL ? parent->acl : NULL;
}

/* After put() on the live tree at PATH by WAY, where the node has ACL, as it
 * had if it was there, and cost COST then: accounts for it and tells of it. */
static void
put_done(const struct view *view, const char *path, struct way *way,
    const struct acl *acl, const struct acl *parent, struct node *created,
    int64_t cost)
{
	struct state *st = view->st;
	struct node *node;

	account_live(&st->books, st->live);
	if (created != NULL) {
		account_tree_made(&st->walk, created);
	} else if (acl_owner_bit(acl_owner(acl)) != 0) {
		node = way->own ? *way->slot
				: store_get(&st->heap, st->live, path);
		account_changed(node, acl_owner(acl), cost);
	}
	tell_acls(st, path, acl, NULL, parent);
}

/* store_put(), where WAY is known. */
static enum xs_err
put(const struct view *view, const char *path, struct way *way,
    const struct bytes *value, struct acl *acl, struct node **created_out)
{
	struct state *st = view->st;

	if (way->own)
		return store_put_at(&st->heap, way, value, acl, created_out);
	return store_put(&st->heap,
	    view->txn != NULL ? &view->txn->top : &st->live, path, value, acl,
	    created_out);
}

enum xs_err
view_put(const struct view *view, const char *path, const struct bytes *value)
{
	struct state *st = view->st;
	const struct acl *parent;
	struct node *created;
	struct acl *acl;
	struct found f;
	enum xs_err err;
	int64_t cost = 0;
	struct way way;

	err = resolve(
	    view, path, PERM_WRITE, value == NULL ? TXN_EXISTS : 0, &f, &way);
	if (err != XS_OK && err != XS_ENOENT)
		return err;
	if (f.node != NULL) {
		acl = acl_ref(f.node->acl);
		cost = node_cost(f.node);
	} else {
		/* the new node's permissions depend on those above */
		err = note(view, path, f.nearest_len, TXN_ACL, 0);
		if (err != XS_OK)
			return err;
		acl = acl_inherit(st->heap.acls, f.nearest->acl,
		    privileged(view) ? NULL : view->conn->who.self);
		if (acl == NULL)
			return XS_ENOMEM;
	}
	err = check_put(view, path, &f, acl, value);
	if (err == XS_OK && (value != NULL || f.node == NULL))
		err = note(view, path, strlen(path), 0, TXN_CHANGED);
	if (err == XS_OK && f.node != NULL && value == NULL)
		goto out; /* MKDIR of what is there */
	parent = acl_above(st, &f, acl);
	if (err == XS_OK)
		err = put(view, path, &way, value, acl, &created);
	if (err == XS_OK && view->txn == NULL)
		put_done(view, path, &way, acl, parent, created, cost);
	else if (err == XS_OK)
		view->txn->own_nodes += f.n_missing;
out:
	acl_unref(st->heap.acls, acl);
	return err;
}

static enum xs_err
remove_in_txn(const struct view *view, const char *path)
{
	struct txn *txn = view->txn;
	struct node *removed;
	struct weight weight;
	int64_t cost = 0; /* of no interest */
	enum xs_err err;

	err = txn_note(txn, path, strlen(path), 0, TXN_CHANGED | TXN_REMOVED);
	if (err != XS_OK)
		return err;
	err = store_remove(&view->st->heap, &txn->top, path, &removed);
	if (err != XS_OK)
		return err;
	weight = node_weight(removed);
	txn->removed += former_whole(&weight);
	if (!privileged(view))
		txn->own_nodes -= account_owned(
		    &view->st->walk, removed, view->conn->who.self, &cost);
	node_unref(&view->st->heap, removed);
	return XS_OK;
}

enum xs_err
view_purge(struct state *st, const char *path)
{
	struct node *removed;
	struct weight weight;
	struct found f;
	enum xs_err err;

	store_find(&st->heap, st->live, path, &f);
	err = store_remove(&st->heap, &st->live, path, &removed);
	if (err != XS_OK)
		return err;
	account_live(&st->books, st->live);
	weight = node_weight(removed);
	st->removed += former_whole(&weight);
	/* the parent may have been copied */
	account_tree_gone(&st->walk, removed);
	tell_removed(st, path, removed, f.parent, NULL);
	node_unref(&st->heap, removed);
	return XS_OK;
}

/* PATH, where F was found, is to be removed and is not there: that depends on
 * whether its parent is. */
static enum xs_err
remove_nothing(const struct view *view, const char *path, const struct found *f)
{
	bool fine = f->n_missing == 1;
	enum xs_err err = note(view, path,
	    fine ? f->nearest_len : f->first_missing, TXN_EXISTS, 0);

	if (err != XS_OK)
		return err;
	return fine ? XS_OK : XS_ENOENT;
}

enum xs_err
view_remove(const struct view *view, const char *path)
{
	struct found f;
	struct way way;
	enum xs_err err;

	if (strcmp(path, "/") == 0)
		return privileged(view) ? XS_EINVAL : XS_EACCES;
	err = resolve(view, path, PERM_WRITE, TXN_EXISTS, &f, &way);
	if (err == XS_ENOENT)
		return remove_nothing(view, path, &f);
	if (err != XS_OK)
		return err;
	return view->txn != NULL ? remove_in_txn(view, path)
				 : view_purge(view->st, path);
}

/* Whether the requester may make ENTRY the permissions of NODE. */
static enum xs_err
check_acl(const struct view *view, const struct node *node,
    const struct acl_entry *entry, size_t n)
{
	const struct principal *owner = acl_owner(node->acl);
	enum xs_err err;

	if (privileged(view))
		return XS_OK;
	if (entry[0].perm.domid != owner->domid)
		return XS_EPERM;
	if (!principal_allows(view->conn->who.self, QUOTA_PERMS, (int64_t)n))
		return quota_error(QUOTA_PERMS);
	err = check_size(view, owner, n, node_value_len(node));
	if (err != XS_OK)
		return err;
	return check_memory(
	    view, owner, ((int64_t)n - (int64_t)node->acl->n) * COST_PERM);
}

static enum xs_err
set_acl(const struct view *view, const char *path, struct acl *acl)
{
	struct state *st = view->st;
	struct node *node;
	struct acl *before;
	struct found f;
	enum xs_err err;
	int64_t cost;

	if (view->txn != NULL) {
		err = txn_note(view->txn, path, strlen(path), 0, TXN_CHANGED);
		if (err != XS_OK)
			return err;
		return store_set_acl(
		    &st->heap, &view->txn->top, path, acl, &node);
	}
	store_find(&st->heap, st->live, path, &f);
	before = acl_ref(f.node->acl);
	cost = node_cost(f.node);
	err = store_set_acl(&st->heap, &st->live, path, acl, &node);
	if (err == XS_OK) {
		account_live(&st->books, st->live);
		account_changed(node, acl_owner(before), cost);
		store_find(&st->heap, st->live, path, &f);
		if (path[0] != '@')
			tell(st, path, node->acl, before, f.parent);
	}
	acl_unref(st->heap.acls, before);
	return err;
}

enum xs_err
view_set_acl(const struct view *view, const char *path,
    const struct acl_entry *entry, size_t n)
{
	struct found f;
	struct acl *acl;
	struct way way;
	enum xs_err err;

	err = resolve(view, path, PERM_WRITE | ACL_OWNER, TXN_EXISTS, &f, &way);
	if (err == XS_OK)
		err = check_acl(view, f.node, entry, n);
	if (err != XS_OK)
		return err;
	acl = acl_get(view->st->heap.acls, entry, n);
	if (acl == NULL)
		return XS_ENOMEM;
	err = set_acl(view, path, acl);
	acl_unref(view->st->heap.acls, acl);
	return err;
}
