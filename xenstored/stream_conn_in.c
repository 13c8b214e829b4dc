/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "common/path.h"
#include "xenstored/conn.h"
#include "xenstored/stream_in.h"

static bool
no_memory(struct stream_in *s)
{
	return stream_wrong(s, "there is no memory for it");
}

/* --- connections --- */

/* What a connection is, before its data. */
struct spec {
	uint32_t id;
	unsigned type, fields;
	uint32_t domid, target; /* of a ring */
	uint32_t port;
	int fd; /* of a socket */
	const char *in, *out;
	size_t in_len, out_len;
	uint64_t unique_id;
};

static bool
read_spec(struct stream_in *s, struct spec *c)
{
	size_t len = s->in.left;

	memset(c, 0, sizeof(*c));
	c->id = stream_u32(s);
	c->type = stream_u16(s);
	c->fields = stream_u16(s);
	if (c->type == STREAM_RING) {
		c->domid = stream_u16(s);
		c->target = stream_u16(s);
		c->port = stream_u32(s);
	} else {
		c->fd = (int)stream_u32(s);
		stream_u32(s);
	}
	c->in_len = stream_u16(s);
	stream_u16(s); /* where a begun message ends: the bytes tell no more */
	c->out_len = stream_u32(s);
	c->in = get_bytes(&s->in, c->in_len);
	c->out = get_bytes(&s->in, c->out_len);
	if ((c->fields & STREAM_HAS_UNIQUE_ID) != 0) {
		get_bytes(
		    &s->in, (STREAM_ALIGN - (len - s->in.left) % STREAM_ALIGN) %
				STREAM_ALIGN);
		c->unique_id = stream_u64(s);
	}
	if (s->in.wrong != NULL)
		return false;
	if (c->id == 0 || c->type > STREAM_SOCKET ||
	    state_find_conn(s->st, c->id) != NULL)
		return stream_wrong(s, "a connection is none");
	return true;
}

/*
 * The principal that the ring C belongs to. If its domain is gone or another
 * one by now it is one of the domain that was, so that it can die.
 */
static struct principal *
ring_principal(struct stream_in *s, const struct spec *c, bool *shutdown_out)
{
	struct state *st = s->st;
	struct domain_info info = st->env->domain_info(st->env->ctx, c->domid);
	uint64_t unique_id = info.exists ? info.unique_id : UINT64_MAX;
	struct principal *p;

	*shutdown_out = info.shutdown;
	if (c->domid == 0) {
		st->dom0->unique_id = unique_id;
		return st->dom0;
	}
	if ((c->fields & STREAM_HAS_UNIQUE_ID) != 0)
		unique_id = c->unique_id;
	if (c->domid >= DOMID_FIRST_RESERVED || st->domain[c->domid] != NULL) {
		stream_wrong(s, "a domain is there twice");
		return NULL;
	}
	p = principal_get(st->all, c->domid, unique_id, ++st->heap.stamp);
	if (p == NULL)
		no_memory(s);
	return p;
}

static bool
add_domain(struct stream_in *s, struct conn *conn, bool shutdown)
{
	struct domain *d = talloc_zero(s->st, struct domain);

	if (d == NULL)
		return no_memory(s);
	d->domid = conn->who.self->domid;
	d->self = principal_ref(conn->who.self);
	d->conn = conn;
	d->shutdown = shutdown;
	conn->domain = d;
	s->st->domain[d->domid] = d;
	return true;
}

static struct conn *
new_conn(struct stream_in *s, const struct spec *c, struct principal *self,
    bool privileged)
{
	struct state *st = s->st;
	uint32_t next = st->next_conn > c->id ? st->next_conn : c->id;
	struct conn *conn;

	st->next_conn = c->id - 1;
	conn = conn_new(st, self, privileged, c->type == STREAM_RING, NULL);
	st->next_conn = next;
	if (conn == NULL)
		no_memory(s);
	return conn;
}

static struct conn *
new_ring(struct stream_in *s, const struct spec *c)
{
	struct principal *self, *target;
	struct conn *conn;
	bool shutdown, privileged;

	self = ring_principal(s, c, &shutdown);
	if (self == NULL)
		return NULL;
	privileged = c->domid == 0 || c->domid == s->st->config.priv_domid;
	self->privileged = self->privileged || privileged;
	conn = new_conn(s, c, self, privileged);
	if (conn == NULL)
		return NULL;
	conn->port = conn->remote_port = c->port;
	if (c->domid != 0 && !add_domain(s, conn, shutdown))
		return NULL;
	if (c->target != STREAM_NO_DOMAIN && c->target != 0) {
		target = stream_principal(s, c->target);
		if (target != NULL)
			conn->who.target = principal_ref(target);
	}
	return conn;
}

/* *CONN_OUT is NULL if the socket is gone. False: it is wrong. */
static bool
new_socket(struct stream_in *s, const struct spec *c, struct conn **conn_out)
{
	const struct stream_reader *r = s->reader;
	struct stream_peer peer = { .sock = (uint64_t)c->fd };

	*conn_out = NULL;
	if (c->fd < 0)
		return stream_wrong(s, "a socket is none");
	if (r->adopt != NULL && !r->adopt(r->ctx, c->fd, &peer))
		return true;
	*conn_out = new_conn(s, c, s->st->dom0, true);
	if (*conn_out == NULL)
		return false;
	(*conn_out)->sock = peer.sock;
	(*conn_out)->uid = peer.uid;
	(*conn_out)->pid = peer.pid;
	if (peer.sock > s->st->last_sock)
		s->st->last_sock = peer.sock;
	return true;
}

bool
stream_in_connection(struct stream_in *s)
{
	struct conn *conn;
	struct spec c;

	if (!read_spec(s, &c))
		return false;
	if (c.type == STREAM_SOCKET) {
		if (!new_socket(s, &c, &conn))
			return false;
		if (conn == NULL)
			return true;
	} else {
		conn = new_ring(s, &c);
		if (conn == NULL)
			return false;
	}
	if (c.in_len > 0) {
		conn->stash = malloc(c.in_len);
		if (conn->stash == NULL)
			return no_memory(s);
		memcpy(conn->stash, c.in, c.in_len);
		conn->stash_len = (uint32_t)c.in_len;
	}
	return c.out_len == 0 || outq_keep(&conn->q, c.out, c.out_len) ||
	       no_memory(s);
}

/* --- watches --- */

/* Sets a watch of CONN; its strings have their NULs. */
static bool
set_watch(struct stream_in *s, struct conn *conn, const char *wpath,
    const char *token, int depth)
{
	struct state *st = s->st;
	struct principal *self = conn->who.self;
	enum xs_err err;

	if (path_kind(wpath, strlen(wpath)) == PATH_BAD ||
	    path_absolute(self->domid, wpath, st->path, sizeof(st->path)) ==
		0 ||
	    strlen(st->path) > WIRE_ABS_PATH_MAX)
		return stream_wrong(s, "a watch is none");
	err = watch_add(
	    st->watches, &conn->watcher, wpath, token, st->path, depth);
	if (err == XS_EEXIST)
		return true; /* elsewhere both forms of a path are two watches
			      */
	if (err != XS_OK)
		return no_memory(s);
	principal_charge(self, QUOTA_WATCHES, 1);
	principal_charge(self, QUOTA_MEMORY, (int64_t)watch_cost(wpath, token));
	return true;
}

/* Whether there are strings of WPATH_LEN and TOKEN_LEN bytes at AT. */
static bool
are_strings(const char *at, size_t left, size_t wpath_len, size_t token_len)
{
	return wpath_len > 0 && token_len > 0 &&
	       left >= wpath_len + token_len &&
	       strnlen(at, wpath_len) == wpath_len - 1 &&
	       strnlen(at + wpath_len, token_len) == token_len - 1;
}

/* The watch of a connection that was left out is left out, too. */
static bool
set_watch_at(struct stream_in *s, uint32_t id, const char *at, size_t wpath_len,
    int depth)
{
	struct conn *conn = state_find_conn(s->st, id);

	return conn == NULL || set_watch(s, conn, at, at + wpath_len, depth);
}

bool
stream_in_watch(struct stream_in *s)
{
	uint32_t id = stream_u32(s);
	size_t wpath_len = stream_u16(s), token_len = stream_u16(s);
	const char *at = (const char *)s->in.pos;

	if (s->in.wrong != NULL ||
	    !are_strings(at, s->in.left, wpath_len, token_len))
		return stream_wrong(s, "a watch is none");
	return set_watch_at(s, id, at, wpath_len, WATCH_ANY_DEPTH);
}

/*
 * Some daemons write a length for this record that is too short for the longer
 * body, and some have no padding behind the depth: where its strings end in NUL
 * tells.
 */
bool
stream_in_watch_ext(struct stream_in *s)
{
	const char *body = (const char *)s->in.pos, *at;
	size_t left = s->in.left + s->rest.left, said = s->in.left, used;
	uint32_t id = stream_u32(s);
	size_t wpath_len = stream_u16(s), token_len = stream_u16(s);
	unsigned depth = stream_u16(s);

	if (s->in.wrong != NULL)
		return false;
	at = body + STREAM_WATCH_EXT_SIZE;
	if (left < STREAM_WATCH_EXT_SIZE ||
	    !are_strings(
		at, left - STREAM_WATCH_EXT_SIZE, wpath_len, token_len)) {
		at = body + STREAM_WATCH_EXT_SIZE - 2;
		if (!are_strings(at, left - (STREAM_WATCH_EXT_SIZE - 2),
			wpath_len, token_len))
			return stream_wrong(s, "a watch is none");
	}
	used = (size_t)(at - body) + wpath_len + token_len;
	used = (used + STREAM_ALIGN - 1) / STREAM_ALIGN * STREAM_ALIGN;
	said = (said + STREAM_ALIGN - 1) / STREAM_ALIGN * STREAM_ALIGN;
	if (used > said && get_bytes(&s->rest, used - said) == NULL)
		return stream_wrong(s, "it ends too early");
	return s->pending ||
	       set_watch_at(s, id, at, wpath_len,
		   depth == STREAM_NO_DEPTH ? WATCH_ANY_DEPTH : (int)depth);
}
