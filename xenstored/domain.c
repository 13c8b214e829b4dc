/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/domain.h"

#include <string.h>

#include <talloc.h>

#include "xenstored/account.h"
#include "xenstored/conn.h"
#include "xenstored/view.h"

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

/* Hands ID's node to domain 0. False: no memory. */
static bool
give_to_dom0(struct state *st, const char *path)
{
	struct node *node = store_get(&st->heap, st->live, path);
	int64_t cost = account_node_cost(node);
	struct acl *acl;
	enum xs_err err;

	acl = acl_inherit(st->heap.acls, node->acl, st->dom0);
	if (acl == NULL)
		return false;
	err = store_set_acl(&st->heap, &st->live, path, acl, &node);
	acl_unref(st->heap.acls, acl);
	if (err != XS_OK)
		return false;
	account_changed(node, cost);
	return true;
}

/* The highest node on the way up from ID that P owns. */
static struct ident *
highest_owned(struct ident *id, const struct principal *p)
{
	struct ident *top = id;

	for (; id != NULL; id = id->parent)
		if (id->owner == p)
			top = id;
	return top;
}

/*
 * Removes all nodes of P with all below them. The root and the specials, which
 * must stay, go to domain 0, as does everything if that is configured.
 */
static void
remove_owned(struct state *st, struct principal *p)
{
	char path[WIRE_ABS_PATH_MAX + 1];
	struct ident *id;
	bool ok = true;

	while (ok && !list_empty(&p->owned)) {
		id = list_entry(p->owned.next, struct ident, owned);
		id = highest_owned(id, p);
		/* store_path() cannot fail: longer paths are not made */
		if (store_path(id, path, sizeof(path)) == 0)
			return;
		if (st->config.keep_orphans || path[0] == '@' ||
		    path[1] == '\0')
			ok = give_to_dom0(st, path);
		else
			ok = view_purge(st, path) == XS_OK;
	}
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
	bool introduced = d != NULL && d->self == p;

	if (introduced)
		forget(d);
	remove_owned(st, p);
	st->last_death = ++st->heap.stamp;
	if (!list_empty(&p->owned))
		list_append(&st->unburied, &principal_ref(p)->unburied);
	principal_die(st->all, p, st->last_death);
	if (introduced)
		tell(st, "@releaseDomain", domid, true);
}

bool
domain_bury_rest(struct state *st)
{
	struct list *link, *after;
	struct principal *p;

	list_each(link, after, &st->unburied)
	{
		p = list_entry(link, struct principal, unburied);
		remove_owned(st, p);
		if (!list_empty(&p->owned))
			continue;
		list_remove(&p->unburied);
		principal_unref(p);
	}
	return !list_empty(&st->unburied);
}

void
domain_release(struct domain *d)
{
	domain_bury(d->conn->st, d->self);
}

void
domain_changed(struct state *st, uint32_t domid, const struct domain_info *info)
{
	struct principal *p = principal_current(st->all, domid);
	struct domain *d;

	if (p == NULL || domid == 0)
		return;
	if (!info->exists || info->dying || info->unique_id != p->unique_id) {
		domain_bury(st, p);
		return;
	}
	d = domain_find(st, domid);
	if (d != NULL && info->shutdown && !d->shutdown) {
		d->shutdown = true;
		tell(st, "@releaseDomain", domid, false);
	}
}
