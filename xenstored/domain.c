/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/domain.h"

#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "xenstored/account.h"
#include "xenstored/conn.h"
#include "xenstored/view.h"

/* Nodes, each with all below it, that go in the turn of their owner's death. */
enum { BURY_AT_ONCE = 1000 };

struct domain *
domain_find(const struct state *st, uint32_t domid)
{
	return domid < DOMID_FIRST_RESERVED ? st->domain[domid] : NULL;
}

static void
tell(struct state *st, const char *name, uint32_t domid, bool plain_first)
{
	struct node *node = store_get(&st->heap, st->live, name);

	watch_fire_special(st->watches, name, node->acl, domid, plain_first);
}

/* --- introducing --- */

static enum xs_err
open_ring(struct state *st, struct conn *conn, uint32_t domid, uint32_t port)
{
	enum xs_err err = st->env->ring_open(
	    st->env->ctx, conn, domid, port, conn->who.self->features);

	if (err == XS_OK)
		conn->remote_port = port;
	core_record(st, RECORD_ANSWER_RING, domid, err, &conn->port,
	    sizeof(conn->port));
	st->asked = true;
	return err;
}

static enum xs_err
introduce_again(struct domain *d, uint32_t port)
{
	struct state *st = d->conn->st;
	enum xs_err err;

	err = open_ring(st, d->conn, d->domid, port);
	if (err != XS_OK)
		return err;
	conn_clear(d->conn);
	d->conn->ignored = false;
	return XS_OK;
}

enum xs_err
domain_introduce(struct state *st, uint32_t domid, uint32_t port)
{
	struct principal *self;
	struct domain *d;
	enum xs_err err;
	bool privileged;

	err = core_principal_now(st, domid, &self);
	if (err != XS_OK)
		return err;
	d = domain_find(st, domid);
	if (d != NULL)
		return introduce_again(d, port);

	d = talloc_zero(st, struct domain);
	if (d == NULL)
		return XS_ENOMEM;
	privileged = domid != 0 && domid == st->config.priv_domid;
	d->conn = conn_new(st, self, privileged, true, NULL);
	if (d->conn == NULL) {
		talloc_free(d);
		return XS_ENOMEM;
	}
	err = open_ring(st, d->conn, domid, port);
	if (err != XS_OK) {
		conn_free(d->conn);
		talloc_free(d);
		return err;
	}
	self->privileged = self->privileged || privileged;
	d->domid = domid;
	d->self = principal_ref(self);
	d->conn->domain = d;
	st->domain[domid] = d;
	tell(st, "@introduceDomain", domid, true);
	return XS_OK;
}

void
domain_set_target(struct domain *d, struct principal *target)
{
	principal_ref(target);
	if (d->conn->who.target != NULL)
		principal_unref(d->conn->who.target);
	d->conn->who.target = target;
}

/* --- ending --- */

/* Hands the node at PATH, P's, to domain 0. False: no memory. */
static bool
give_to_dom0(struct state *st, struct principal *p, const char *path)
{
	struct node *node = store_get(&st->heap, st->live, path);
	int64_t cost = node_cost(node);
	struct acl *acl;
	enum xs_err err;

	acl = acl_inherit(st->heap.acls, node->acl, st->dom0);
	if (acl == NULL)
		return false;
	err = store_set_acl(&st->heap, &st->live, path, acl, &node);
	acl_unref(st->heap.acls, acl);
	if (err != XS_OK)
		return false;
	account_live(&st->books, st->live);
	account_changed(node, p, cost);
	return true;
}

/* Paths, each with its NUL, one after the other; room for one at least. */
struct paths {
	char *buf;
	size_t len, size, n, most;
	char last_resort[WIRE_ABS_PATH_MAX + 1];
};

/* Room for one more path; false: enough, or no memory and there are some. */
static bool
paths_room(struct paths *paths)
{
	size_t size = paths->size * 2 + 16 * sizeof(paths->last_resort);
	char *buf;

	if (paths->n == paths->most)
		return false;
	if (paths->size - paths->len >= sizeof(paths->last_resort))
		return true;
	if (paths->buf == paths->last_resort)
		return false;
	buf = realloc(paths->buf, size);
	if (buf == NULL && paths->size == 0) {
		paths->buf = paths->last_resort;
		paths->size = sizeof(paths->last_resort);
		return true;
	}
	if (buf == NULL)
		return false;
	paths->buf = buf;
	paths->size = size;
	return true;
}

/* A search for the nodes of one owner. */
struct search {
	const struct principal *owner;
	uint64_t bit;
	bool below; /* of its nodes, too */
	bool full;
	struct paths *out;
};

/* Adds the path of NODE, at which WALK is. */
static void
add_path(struct search *s, const struct walk *walk, const struct node *node)
{
	struct paths *out = s->out;

	if (!paths_room(out)) {
		s->full = true;
		return;
	}
	/* cannot fail: longer paths are not made */
	out->len += walk_path(walk, node, "", out->buf + out->len,
			out->size - out->len) +
		    1;
	out->n++;
}

static bool
may_hold(void *ctx, struct walk *walk, struct node *child)
{
	struct search *s = ctx;
	struct weight w;

	if (s->full || (node_owners(child) & s->bit) == 0)
		return false;
	w = node_weight(child);
	if (w.guest != NULL && w.guest != s->owner)
		return false;
	if (s->below || acl_owner(child->acl) != s->owner)
		return true;
	add_path(s, walk, child);
	return false;
}

/*
 * The paths of up to MOST of P's nodes in the order of a walk, those below
 * another one of P's only if BELOW; fewer if memory is short.
 */
static void
find_owned(struct state *st, const struct principal *p, bool below, size_t most,
    struct paths *out)
{
	struct search s = {
		.owner = p,
		.bit = acl_owner_bit(p),
		.below = below,
		.out = out,
	};
	struct node *node;

	out->buf = NULL; /* so that it is none of its last resort */
	out->len = out->size = out->n = 0;
	out->most = most;
	walk_start(&st->walk, st->live);
	while ((node = walk_next_if(&st->walk, may_hold, &s)) != NULL) {
		if (s.full)
			return;
		/* what is known of owners may be of others, or of nobody */
		if (node->kids != NULL)
			kids_weigh_owners(node->kids);
		if (acl_owner(node->acl) == p && node != st->live)
			add_path(&s, &st->walk, node);
	}
}

enum burial { BURIAL_OVER, BURIAL_MORE, BURIAL_NO_MEMORY };

/*
 * Removes up to *MOST nodes of P with all below them; *MOST becomes what was
 * not needed of it. The root and the specials, which must stay, go to domain 0,
 * as does everything if that is configured.
 */
static enum burial
remove_owned(struct state *st, struct principal *p, size_t *most)
{
	bool ok = true, keep = st->config.keep_orphans;
	struct paths paths = { .n = 0 };
	const char *path;

	for (; ok && *most > 0 && p->usage.n[QUOTA_NODES] > 0;
	     *most -= paths.n) {
		find_owned(st, p, keep, *most, &paths);
		ok = paths.len > 0;
		for (path = paths.buf; ok && path < paths.buf + paths.len;
		     path += strlen(path) + 1) {
			if (keep || path[0] == '@' || path[1] == '\0')
				ok = give_to_dom0(st, p, path);
			else
				ok = view_purge(st, path) == XS_OK;
			st->n_buried += ok;
		}
		if (paths.buf != paths.last_resort)
			free(paths.buf);
	}
	if (!ok) {
		st->n_stuck++;
		return BURIAL_NO_MEMORY;
	}
	return p->usage.n[QUOTA_NODES] > 0 ? BURIAL_MORE : BURIAL_OVER;
}

/* Forgets D, whose watches and transactions are gone first. */
static void
forget(struct domain *d)
{
	struct state *st = d->conn->st;

	st->env->ring_close(st->env->ctx, d->conn);
	conn_free(d->conn);
	st->domain[d->domid] = NULL;
	principal_unref(d->self);
	talloc_free(d);
}

void
domain_bury(struct state *st, struct principal *p)
{
	struct domain *d = domain_find(st, p->domid);
	uint32_t domid = p->domid;
	size_t most = BURY_AT_ONCE;
	bool introduced = d != NULL && d->self == p;
	enum burial burial;

	if (introduced)
		forget(d);
	burial = remove_owned(st, p, &most);
	st->last_death = ++st->heap.stamp;
	if (burial != BURIAL_OVER)
		list_append(&st->unburied, &principal_ref(p)->unburied);
	p->stuck = burial == BURIAL_NO_MEMORY;
	principal_die(st->all, p, st->last_death);
	if (introduced)
		tell(st, "@releaseDomain", domid, true);
}

bool
domain_bury_rest(struct state *st, size_t most)
{
	struct list *link, *after;
	enum burial burial;
	struct principal *p;
	bool some = false;
	int64_t had;

	list_each(link, after, &st->unburied)
	{
		p = list_entry(link, struct principal, unburied);
		had = p->usage.n[QUOTA_NODES];
		burial = remove_owned(st, p, &most);
		some = some || p->usage.n[QUOTA_NODES] < had;
		p->stuck = burial == BURIAL_NO_MEMORY &&
			   p->usage.n[QUOTA_NODES] == had;
		if (burial == BURIAL_MORE)
			break; /* in the next turn */
		if (burial == BURIAL_NO_MEMORY)
			continue;
		list_remove(&p->unburied);
		principal_unref(p);
		some = true;
	}
	return some && !list_empty(&st->unburied);
}

bool
domain_burying(const struct state *st)
{
	const struct list *link = st->unburied.next;

	for (; link != &st->unburied; link = link->next)
		if (!list_entry(link, const struct principal, unburied)->stuck)
			return true;
	return false;
}

void
domain_release(struct domain *d)
{
	domain_bury(d->conn->st, d->self);
}

static bool
is_over(const struct principal *p, const struct domain_info *info)
{
	return !info->exists || info->dying || info->unique_id != p->unique_id;
}

bool
domain_is_news(
    const struct state *st, uint32_t domid, const struct domain_info *info)
{
	const struct principal *p = principal_current(st->all, domid);
	const struct domain *d = domain_find(st, domid);

	if (p == NULL || domid == 0)
		return false;
	return is_over(p, info) ||
	       (d != NULL && info->shutdown && !d->shutdown);
}

void
domain_changed(struct state *st, uint32_t domid, const struct domain_info *info)
{
	struct principal *p = principal_current(st->all, domid);

	if (!domain_is_news(st, domid, info))
		return;
	if (is_over(p, info)) {
		domain_bury(st, p);
		return;
	}
	domain_find(st, domid)->shutdown = true;
	tell(st, "@releaseDomain", domid, false);
}
