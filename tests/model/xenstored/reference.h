/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a Xenstore does, said as plainly as possible: the tree is an array of
 * nodes with their whole paths, a transaction copies it, a watch looks at every
 * change, a commit does everything again and compares. Nothing here is shared
 * with the daemon but the numbers of the wire.
 */
#ifndef TESTS_MODEL_XENSTORED_REFERENCE_H
#define TESTS_MODEL_XENSTORED_REFERENCE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

enum {
	M_NODES = 400,
	M_PATH = 64,
	M_TEXT = 4096,
	M_PERMS = 6,
	M_CONNS = 5, /* 0, 1: privileged sockets; 2..4: the rings of 1..3 */
	M_DOMS = 4,
	M_WATCHES = 24,
	M_TXNS = 4,
	M_LOG = 24,
	M_CHANGES = 64,
	M_NODE_QUOTA = 14,
	M_WATCH_QUOTA = 4,
	M_TXN_QUOTA = 2,
};

struct m_perm {
	int domid, life; /* which of its lives; 0: there was none */
	int bits;
};

struct m_node {
	char path[M_PATH];
	char value[16];
	struct m_perm perm[M_PERMS];
	int n_perms;
};

struct m_tree {
	struct m_node node[M_NODES];
	int n;
};

/* A request as the test makes it. */
struct m_request {
	int type;
	char path[M_PATH]; /* as sent */
	char arg[M_PATH];  /* value, token, "T" */
	struct m_perm perm[M_PERMS];
	int n_perms;
};

struct m_logged {
	struct m_request req;
	char reply[M_TEXT];
};

struct m_txn {
	unsigned id; /* 0: free */
	bool changed, overflow;
	const char *failed;
	int start; /* time */
	int delta; /* own nodes made */
	struct m_tree tree;
	struct m_logged log[M_LOG];
	int n_log;
	char change[M_CHANGES][M_PATH];
	bool removed[M_CHANGES];
	int n_changes;
};

struct m_watch {
	bool used;
	char wpath[M_PATH], token[8];
};

struct m_conn {
	bool open, priv;
	int domid;
	struct m_watch watch[M_WATCHES];
	struct m_txn *txn[M_TXNS];
	/* events since they were last looked at, "path|token" */
	char event[256][M_PATH + 16];
	int n_events;
};

struct model {
	struct m_tree live;
	struct m_conn conn[M_CONNS];
	int life[M_DOMS]; /* the present one; 0: none yet */
	bool alive[M_DOMS];
	int died[M_DOMS][8000]; /* when, by life; 0: not yet */
	int now;
};

/* --- paths --- */

/* The absolute form of what C says; paths here are short. */
static void
m_absolute(const struct m_conn *c, const char *path, char out[M_PATH])
{
	out[0] = '\0';
	if (path[0] != '/' && path[0] != '@')
		sprintf(out, "/local/domain/%d/", c->domid);
	strcat(out, path);
}

static bool
m_within(const char *parent, const char *child)
{
	size_t n = strlen(parent);

	if (strcmp(parent, "/") == 0)
		return child[0] == '/';
	return strncmp(parent, child, n) == 0 &&
	       (child[n] == '\0' || child[n] == '/');
}

static void
m_parent(const char *path, char out[M_PATH])
{
	char *slash;

	snprintf(out, M_PATH, "%s", path);
	slash = strrchr(out, '/');
	if (slash == out || slash == NULL)
		strcpy(out, "/");
	else
		*slash = '\0';
}

static struct m_node *
m_find(struct m_tree *t, const char *path)
{
	for (int i = 0; i < t->n; i++)
		if (strcmp(t->node[i].path, path) == 0)
			return &t->node[i];
	return NULL;
}

/* PATH's node or the nearest above it. */
static struct m_node *
m_nearest(struct m_tree *t, const char *path)
{
	char at[M_PATH];
	struct m_node *node;

	snprintf(at, sizeof(at), "%s", path);
	while ((node = m_find(t, at)) == NULL) {
		char up[M_PATH];

		m_parent(at, up);
		strcpy(at, up);
	}
	return node;
}

/* --- rights --- */

static bool
m_lives(const struct model *m, int domid, int life)
{
	return domid == 0 ||
	       (life != 0 && m->alive[domid] && m->life[domid] == life);
}

/* 1 read, 2 write, 8 owner */
static int
m_rights(const struct model *m, const struct m_conn *c, const struct m_node *n)
{
	if (c->priv)
		return 1 | 2 | 8;
	for (int i = 0; i < n->n_perms; i++)
		if (n->perm[i].domid == c->domid &&
		    m_lives(m, c->domid, n->perm[i].life))
			return i == 0 ? 1 | 2 | 8 : n->perm[i].bits;
	return n->perm[0].bits;
}

static int
m_owned(const struct m_tree *t, int domid, int life)
{
	int n = 0;

	for (int i = 0; i < t->n; i++)
		n += t->node[i].perm[0].domid == domid &&
		     t->node[i].perm[0].life == life;
	return n;
}

/* --- events --- */

static void
m_event(struct m_conn *c, const struct m_watch *w, const char *path)
{
	char text[M_PATH + 16];
	int strip = 0;

	if (w->wpath[0] != '/' && w->wpath[0] != '@') {
		char home[M_PATH];

		strip =
		    snprintf(home, sizeof(home), "/local/domain/%d/", c->domid);
	}
	snprintf(text, sizeof(text), "%s|%s", path + strip, w->token);
	for (int i = 0; i < c->n_events; i++)
		if (strcmp(c->event[i], text) == 0 && text[0] != '@')
			return;
	if (c->n_events < 256)
		strcpy(c->event[c->n_events++], text);
}

/* The event with which W begins. */
static void
m_event_at(struct m_conn *c, const struct m_watch *w)
{
	char *to = c->event[c->n_events++];

	to[0] = '\0';
	strcat(to, w->wpath);
	strcat(to, "|");
	strcat(to, w->token);
}

/* NOW and BEFORE are versions of the node; PARENT the one above it. */
static void
m_fire(struct model *m, const char *path, const struct m_node *now,
    const struct m_node *before, const struct m_node *parent, bool exact)
{
	for (int i = 0; i < M_CONNS; i++) {
		struct m_conn *c = &m->conn[i];

		for (int j = 0; j < M_WATCHES; j++) {
			struct m_watch *w = &c->watch[j];
			char abs[M_PATH];

			if (!w->used)
				continue;
			m_absolute(c, w->wpath, abs);
			if (exact ? strcmp(abs, path) != 0
				  : !m_within(abs, path))
				continue;
			if ((m_rights(m, c, now) & 1) != 0 ||
			    (before != NULL &&
				(m_rights(m, c, before) & 1) != 0) ||
			    (parent != NULL &&
				(m_rights(m, c, parent) & 1) != 0))
				m_event(c, w, path);
		}
	}
}

static struct m_node *
m_parent_node(struct m_tree *t, const char *path)
{
	char up[M_PATH];

	if (strcmp(path, "/") == 0)
		return NULL;
	m_parent(path, up);
	return m_find(t, up);
}

/* All below PATH that BEFORE has and AFTER has not, just where it was. */
static void
m_fire_below(struct model *m, struct m_tree *before, struct m_tree *after,
    const char *path)
{
	for (int i = 0; i < before->n; i++) {
		struct m_node *n = &before->node[i];

		if (strcmp(n->path, path) != 0 && m_within(path, n->path) &&
		    m_find(after, n->path) == NULL)
			m_fire(m, n->path, n, NULL,
			    m_parent_node(before, n->path), true);
	}
}

/* The special NAME, for DOMID; watched without depth only. */
static void
m_fire_special(struct model *m, const char *name, bool for_all, int domid)
{
	char with[M_PATH];

	snprintf(with, sizeof(with), "%s/%d", name, domid);
	for (int i = 0; i < M_CONNS; i++) {
		struct m_conn *c = &m->conn[i];

		for (int j = 0; j < M_WATCHES; j++) {
			if (!c->watch[j].used || (!for_all && !c->priv))
				continue;
			if (strcmp(c->watch[j].wpath, name) == 0)
				m_event(c, &c->watch[j], name);
			if (strcmp(c->watch[j].wpath, with) == 0)
				m_event(c, &c->watch[j], with);
		}
	}
}

/* --- changing --- */

static void
m_delete(struct m_tree *t, const char *path)
{
	int to = 0;

	for (int i = 0; i < t->n; i++)
		if (!m_within(path, t->node[i].path))
			t->node[to++] = t->node[i];
	t->n = to;
}

/* Makes PATH and what is missing above it. */
static struct m_node *
m_create(struct model *m, struct m_conn *c, struct m_tree *t, const char *path)
{
	struct m_node *up = m_nearest(t, path), *n = NULL;
	struct m_node like = *up;
	char at[M_PATH];
	size_t len = strcmp(up->path, "/") == 0 ? 0 : strlen(up->path);
	int kept = 1;

	for (int i = 1; i < like.n_perms; i++)
		if (like.perm[i].life == 0 || like.perm[i].domid == 0 ||
		    m_lives(m, like.perm[i].domid, like.perm[i].life))
			like.perm[kept++] = like.perm[i];
	like.n_perms = kept;
	if (!c->priv) {
		like.perm[0].domid = c->domid;
		like.perm[0].life = m->life[c->domid];
	}
	while (len < strlen(path)) {
		len += 1 + strcspn(path + len + 1, "/");
		snprintf(at, sizeof(at), "%.*s", (int)len, path);
		n = &t->node[t->n++];
		*n = like;
		strcpy(n->path, at);
		n->value[0] = '\0';
	}
	return n;
}

static int
m_missing(struct m_tree *t, const char *path)
{
	const char *p = path + strlen(m_nearest(t, path)->path);
	int n = 0;

	if (p == path + 1)
		p--; /* the root's own slash */
	for (; *p != '\0'; p++)
		n += *p == '/';
	return n;
}

/* Whether C lacks the right WANT; on what exists above if PATH is missing. */
static const char *
m_access(struct model *m, struct m_conn *c, struct m_tree *t, const char *path,
    int want)
{
	if ((m_rights(m, c, m_nearest(t, path)) & want) != want)
		return "EACCES";
	return m_find(t, path) != NULL ? NULL : "ENOENT";
}

static void
m_changed(struct m_txn *txn, const char *path, bool removed)
{
	for (int i = 0; i < txn->n_changes; i++)
		if (strcmp(txn->change[i], path) == 0) {
			txn->removed[i] |= removed;
			return;
		}
	if (txn->n_changes == M_CHANGES) {
		txn->overflow = true;
		return;
	}
	strcpy(txn->change[txn->n_changes], path);
	txn->removed[txn->n_changes++] = removed;
}

static const char *
m_put(struct model *m, struct m_conn *c, struct m_tree *t, struct m_txn *txn,
    const char *path, const char *value)
{
	const char *err = m_access(m, c, t, path, 2);
	struct m_node *n;
	int more;

	if (err != NULL && strcmp(err, "ENOENT") != 0)
		return err;
	n = m_find(t, path);
	if (n != NULL && value == NULL)
		return "OK";
	if (n == NULL) {
		more = m_missing(t, path);
		if (!c->priv && m_owned(&m->live, c->domid, m->life[c->domid]) +
					(txn != NULL ? txn->delta : 0) + more >
				    M_NODE_QUOTA)
			return "ENOSPC";
		n = m_create(m, c, t, path);
		if (txn != NULL)
			txn->delta += more;
	}
	if (value != NULL)
		strcpy(n->value, value);
	if (txn != NULL)
		m_changed(txn, path, false);
	else
		m_fire(m, path, n, NULL, m_parent_node(t, path), false);
	return "OK";
}

/* Removes PATH from the live tree and tells. */
static void
m_purge(struct model *m, const char *path)
{
	static struct m_tree before;
	struct m_node *n;

	before = m->live;
	m_delete(&m->live, path);
	m_fire_below(m, &before, &m->live, path);
	n = m_find(&before, path);
	m_fire(m, path, n, NULL, m_parent_node(&before, path), false);
}

static const char *
m_remove(struct model *m, struct m_conn *c, struct m_tree *t, struct m_txn *txn,
    const char *path)
{
	const char *err;

	if (strcmp(path, "/") == 0)
		return c->priv ? "EINVAL" : "EACCES";
	err = m_access(m, c, t, path, 2);
	if (err != NULL && strcmp(err, "ENOENT") == 0)
		return m_missing(t, path) == 1 ? "OK" : "ENOENT";
	if (err != NULL)
		return err;
	if (txn == NULL) {
		m_purge(m, path);
		return "OK";
	}
	txn->delta -= m_owned(t, c->domid, m->life[c->domid]);
	m_delete(t, path);
	txn->delta += m_owned(t, c->domid, m->life[c->domid]);
	m_changed(txn, path, true);
	return "OK";
}

static const char *
m_set_perms(struct model *m, struct m_conn *c, struct m_tree *t,
    struct m_txn *txn, const char *path, const struct m_request *req)
{
	const char *err;
	struct m_node *n, before;

	if (!m_lives(m, req->perm[0].domid, req->perm[0].life))
		return "ENOENT";
	err = m_access(m, c, t, path, 2 | 8);
	if (err != NULL)
		return err;
	n = m_find(t, path);
	if (!c->priv && req->perm[0].domid != n->perm[0].domid)
		return "EPERM";
	if (!c->priv && req->n_perms > 5)
		return "ENOSPC";
	before = *n;
	memcpy(n->perm, req->perm, sizeof(n->perm));
	n->n_perms = req->n_perms;
	for (int i = 0; i < n->n_perms; i++)
		if (!m_lives(m, n->perm[i].domid, n->perm[i].life))
			n->perm[i].life = 0;
	if (txn != NULL)
		m_changed(txn, path, false);
	else
		m_fire(m, path, n, &before, m_parent_node(t, path), false);
	return "OK";
}

/* --- reading --- */

static void
m_list(struct m_tree *t, const char *path, char reply[M_TEXT])
{
	char up[M_PATH];
	const char *name;

	reply[0] = '\0';
	for (int i = 0; i < t->n; i++) {
		if (strcmp(t->node[i].path, "/") == 0)
			continue;
		m_parent(t->node[i].path, up);
		if (strcmp(up, path) != 0)
			continue;
		name = strrchr(t->node[i].path, '/') + 1;
		strcat(reply, name);
		strcat(reply, "\n");
	}
}

static void
m_show_perms(const struct model *m, const struct m_txn *txn,
    const struct m_node *n, char reply[M_TEXT])
{
	reply[0] = '\0';
	for (int i = 0; i < n->n_perms; i++) {
		const struct m_perm *p = &n->perm[i];
		int died = p->life != 0 ? m->died[p->domid][p->life] : 0;
		char text[16];

		if (i > 0 && died != 0 && (txn == NULL || died <= txn->start))
			continue;
		snprintf(
		    text, sizeof(text), "%c%d\n", "nrwb"[p->bits], p -> domid);
		strcat(reply, text);
	}
}

/* A request for nodes, on the tree T. */
static const char *
m_apply(struct model *m, struct m_conn *c, struct m_tree *t, struct m_txn *txn,
    const struct m_request *req, char reply[M_TEXT])
{
	char path[M_PATH];
	const char *err;

	m_absolute(c, req->path, path);
	switch (req->type) {
	case WIRE_WRITE:
		return m_put(m, c, t, txn, path, req->arg);
	case WIRE_MKDIR:
		return m_put(m, c, t, txn, path, NULL);
	case WIRE_RM:
		return m_remove(m, c, t, txn, path);
	case WIRE_SET_PERMS:
		return m_set_perms(m, c, t, txn, path, req);
	}
	err = m_access(m, c, t, path, 1);
	if (err != NULL)
		return err;
	if (req->type == WIRE_READ)
		strcpy(reply, m_find(t, path)->value);
	else if (req->type == WIRE_DIRECTORY)
		m_list(t, path, reply);
	else
		m_show_perms(m, txn, m_find(t, path), reply);
	return reply;
}

static bool
m_is_write(int type)
{
	return type == WIRE_WRITE || type == WIRE_MKDIR || type == WIRE_RM ||
	       type == WIRE_SET_PERMS;
}

/* A request for nodes; the reply may be REPLY or a constant. */
static const char *
m_request(struct model *m, int conn, struct m_txn *txn,
    const struct m_request *req, char reply[M_TEXT])
{
	struct m_conn *c = &m->conn[conn];
	const char *answer;

	if (txn == NULL)
		return m_apply(m, c, &m->live, NULL, req, reply);
	answer = m_apply(m, c, &txn->tree, txn, req, reply);
	if (m_is_write(req->type) && strcmp(answer, "ENOSPC") == 0)
		txn->failed = "ENOSPC";
	if (m_is_write(req->type) && strcmp(answer, "OK") == 0)
		txn->changed = true;
	if (txn->n_log < M_LOG) {
		txn->log[txn->n_log].req = *req;
		snprintf(txn->log[txn->n_log++].reply, M_TEXT, "%s", answer);
	} else {
		txn->overflow = true;
	}
	return answer;
}

/* --- transactions --- */

static struct m_txn *
m_begin(struct model *m, int conn, unsigned id)
{
	struct m_conn *c = &m->conn[conn];

	for (int i = 0; i < M_TXNS; i++) {
		if (c->txn[i] != NULL)
			continue;
		c->txn[i] = calloc(1, sizeof(struct m_txn));
		c->txn[i]->id = id;
		c->txn[i]->start = m->now;
		c->txn[i]->tree = m->live;
		return c->txn[i];
	}
	return NULL;
}

static void
m_drop(struct model *m, int conn, struct m_txn *txn)
{
	for (int i = 0; i < M_TXNS; i++)
		if (m->conn[conn].txn[i] == txn)
			m->conn[conn].txn[i] = NULL;
	free(txn);
}

static void
m_tell_commit(struct model *m, struct m_txn *txn, struct m_tree *before)
{
	for (int i = 0; i < txn->n_changes; i++) {
		const char *path = txn->change[i];
		struct m_node *was = m_find(before, path);
		struct m_node *is = m_find(&m->live, path);

		if (txn->removed[i] && was != NULL)
			m_fire_below(m, before, &m->live, path);
		if (is != NULL)
			m_fire(m, path, is, was, m_parent_node(&m->live, path),
			    false);
		else if (was != NULL)
			m_fire(m, path, was, NULL, m_parent_node(before, path),
			    false);
	}
}

/* Everything again on what is there now: the same replies, or it fails. */
static const char *
m_commit(struct model *m, int conn, struct m_txn *txn)
{
	static struct m_txn again;
	static struct m_tree before;
	struct m_conn *c = &m->conn[conn];
	char reply[M_TEXT];
	const char *answer;
	int life = m->life[c->domid];

	if (txn->failed != NULL)
		return txn->failed;
	if (!txn->changed)
		return "OK";
	memset(&again, 0, sizeof(again));
	again.tree = m->live;
	again.start = m->now;
	for (int i = 0; i < txn->n_log; i++) {
		answer =
		    m_apply(m, c, &again.tree, &again, &txn->log[i].req, reply);
		if (strcmp(answer, txn->log[i].reply) == 0)
			continue;
		return strcmp(answer, "ENOSPC") == 0 ? "ENOSPC" : "EAGAIN";
	}
	if (!c->priv &&
	    m_owned(&again.tree, c->domid, life) >
		m_owned(&m->live, c->domid, life) &&
	    m_owned(&again.tree, c->domid, life) > M_NODE_QUOTA)
		return "ENOSPC";
	before = m->live;
	m->live = again.tree;
	m_tell_commit(m, &again, &before);
	return "OK";
}

/* --- domains --- */

static void
m_introduce(struct model *m, int domid)
{
	struct m_conn *c = &m->conn[domid + 1];

	memset(c, 0, sizeof(*c));
	c->open = true;
	c->domid = domid;
	m_fire_special(m, "@introduceDomain", false, domid);
}

static void
m_close(struct model *m, int conn)
{
	for (int i = 0; i < M_TXNS; i++)
		free(m->conn[conn].txn[i]);
	memset(&m->conn[conn], 0, sizeof(m->conn[conn]));
}

/* DOMID ends: what it owns goes, from the top down, then the news of it. */
static void
m_die(struct model *m, int domid)
{
	int life = m->life[domid];

	m_close(m, domid + 1);
	m->now++;
	for (int i = 0; i < m->live.n;) {
		struct m_node *n = &m->live.node[i];

		if (n->perm[0].domid != domid || n->perm[0].life != life) {
			i++;
			continue;
		}
		{
			char path[M_PATH];

			strcpy(path, n->path);
			m_purge(m, path);
		}
		i = 0;
	}
	m->alive[domid] = false;
	m->died[domid][life] = m->now;
	m->now++;
	m_fire_special(m, "@releaseDomain", true, domid);
}

static void
m_start(struct model *m)
{
	static const char *const first[] = { "/", "/tool", "/tool/xenstored" };

	memset(m, 0, sizeof(*m));
	m->now = 1;
	for (int i = 0; i < 3; i++) {
		strcpy(m->live.node[i].path, first[i]);
		m->live.node[i].n_perms = 1;
	}
	m->live.n = 3;
	m->conn[0].open = m->conn[0].priv = true;
	m->conn[1].open = m->conn[1].priv = true;
}

#endif
