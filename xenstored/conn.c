/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/conn.h"

#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "xenstored/check.h"
#include "xenstored/txn.h"

static void
wake(struct outq *q)
{
	struct conn *conn = list_entry(q, struct conn, q);

	conn->st->env->wake(conn->st->env->ctx, conn);
}

static uint64_t
id_hash(uint32_t id)
{
	return id * UINT64_C(0x9e3779b97f4a7c15);
}

struct conn *
state_find_conn(const struct state *st, uint64_t id)
{
	struct table_link *link =
	    table_first(&st->conns_by_id, id_hash((uint32_t)id));
	struct conn *conn;

	for (; link != NULL; link = table_next(link)) {
		conn = list_entry(link, struct conn, by_id);
		if (conn->id == id)
			return conn;
	}
	return NULL;
}

void
conn_set_id(struct conn *conn, uint32_t id)
{
	if (conn->id != 0)
		table_remove(&conn->st->conns_by_id, &conn->by_id);
	conn->id = id;
	table_add(&conn->st->conns_by_id, &conn->by_id, id_hash(id));
}

struct conn *
conn_new(struct state *st, struct principal *self, bool privileged,
    bool is_ring, void *shell)
{
	struct conn *conn = talloc_zero(st, struct conn);

	if (conn == NULL)
		return NULL;
	conn->st = st;
	conn_set_id(conn, ++st->next_conn);
	conn->shell = shell;
	conn->who.self = principal_ref(self);
	conn->who.privileged = privileged;
	conn->is_ring = is_ring;
	outq_init(&conn->q, watches_events(st->watches),
	    privileged ? PRIV_EVENT_LIMIT : GUEST_EVENT_LIMIT, wake);
	conn->watcher.who = &conn->who;
	conn->watcher.q = &conn->q;
	list_init(&conn->watcher.list);
	list_init(&conn->txns);
	list_append(&st->conns, &conn->link);
	return conn;
}

static void
uncharge_watch(void *ctx, const char *wpath, const char *token, int depth)
{
	struct principal *self = ctx;

	(void)depth;
	principal_charge(self, QUOTA_WATCHES, -1);
	principal_charge(
	    self, QUOTA_MEMORY, -(int64_t)watch_cost(wpath, token));
}

void
conn_drop_watches(struct conn *conn)
{
	watch_list(&conn->watcher, uncharge_watch, conn->who.self);
	watch_remove_all(conn->st->watches, &conn->watcher);
}

void
conn_drop_txns(struct conn *conn)
{
	while (!list_empty(&conn->txns)) {
		principal_charge(conn->who.self, QUOTA_TXNS, -1);
		txn_free(list_entry(conn->txns.next, struct txn, link));
	}
}

void
conn_drop_stash(struct conn *conn)
{
	free(conn->stash);
	conn->stash = NULL;
	conn->stash_at = conn->stash_len = 0;
}

void
conn_clear(struct conn *conn)
{
	conn_drop_watches(conn);
	conn_drop_txns(conn);
	outq_clear(&conn->q);
	talloc_free(conn->part);
	conn->part = NULL;
	conn->part_len = 0;
	conn_drop_stash(conn);
	check_forget(conn);
	conn->later = false;
}

void
conn_free(struct conn *conn)
{
	conn_clear(conn);
	list_remove(&conn->link);
	table_remove(&conn->st->conns_by_id, &conn->by_id);
	if (conn->who.target != NULL)
		principal_unref(conn->who.target);
	principal_unref(conn->who.self);
	talloc_free(conn);
}

uint32_t
conn_features(const struct conn *conn)
{
	return conn->is_ring ? conn->who.self->features : WIRE_FEATURES;
}

void *
conn_shell(const struct conn *conn)
{
	return conn->shell;
}

void
conn_set_shell(struct conn *conn, void *shell)
{
	conn->shell = shell;
}

uint32_t
conn_id(const struct conn *conn)
{
	return conn->id;
}

uint64_t
conn_sock(const struct conn *conn)
{
	return conn->sock;
}

bool
conn_is_ring(const struct conn *conn)
{
	return conn->is_ring;
}

bool
conn_is_ignored(const struct conn *conn)
{
	return conn->ignored;
}

uint32_t
conn_port(const struct conn *conn)
{
	return conn->port;
}

void
conn_set_port(struct conn *conn, uint32_t port)
{
	conn->port = port;
}

uint32_t
conn_remote_port(const struct conn *conn)
{
	return conn->remote_port;
}

uint32_t
conn_domid(const struct conn *conn)
{
	return conn->who.self->domid;
}

bool
conn_privileged(const struct conn *conn)
{
	return conn->who.privileged;
}

struct conn *
state_next_conn(struct state *st, const struct conn *conn)
{
	struct list *link = conn != NULL ? conn->link.next : st->conns.next;

	return link != &st->conns ? list_entry(link, struct conn, link) : NULL;
}
