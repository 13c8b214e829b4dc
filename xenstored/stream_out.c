/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenstored/core.h"
#include "xenstored/image_io.h"
#include "xenstored/stream_format.h"
#include "xenstored/txn.h"

struct out {
	struct image *img;
	const struct state *st;
	const struct stream_options *options;
	char *why;
	const struct conn *conn; /* the one at hand */
	size_t body; /* where the body of the record at hand begins */
};

static void
put_u16(struct image *img, unsigned value)
{
	put_u8(img, (uint8_t)(value & 0xff));
	put_u8(img, (uint8_t)(value >> 8 & 0xff));
}

static void
put_be32(struct image *img, uint32_t value)
{
	put_u8(img, (uint8_t)(value >> 24));
	put_u8(img, (uint8_t)(value >> 16 & 0xff));
	put_u8(img, (uint8_t)(value >> 8 & 0xff));
	put_u8(img, (uint8_t)(value & 0xff));
}

static void
put_padding(struct out *out)
{
	while (out->img->len % STREAM_ALIGN != 0 && !out->img->failed)
		put_u8(out->img, 0);
}

static void
begin(struct out *out, enum stream_type type)
{
	put_u32(out->img, type);
	put_u32(out->img, 0); /* its length is known at its end */
	out->body = out->img->len;
}

/* Pads the record, with the padding counted as others do. */
static void
end(struct out *out)
{
	struct image at = *out->img;

	put_padding(out);
	if (out->img->failed)
		return;
	at.data = out->img->data;
	at.len = out->body - 4;
	put_u32(&at, (uint32_t)(out->img->len - out->body));
}

static bool
refuse(struct out *out, const char *what, const struct conn *conn)
{
	snprintf(out->why, IMAGE_WHY_SIZE, "stream: connection %u %s",
	    (unsigned)conn->id, what);
	return false;
}

/* --- quotas --- */

/* All numbers of SET that are not negative, and their names. */
static void
put_quota_list(struct image *img, const struct quota_set *set)
{
	unsigned i;

	for (i = 0; i < QUOTA_COUNT; i++)
		if (set->n[i] >= 0)
			put_u32(img, (uint32_t)set->n[i]);
	for (i = 0; i < QUOTA_COUNT; i++)
		if (set->n[i] >= 0)
			put_bytes(img, quota_name((enum quota_id)i),
			    strlen(quota_name((enum quota_id)i)) + 1);
}

static unsigned
count_quotas(const struct quota_set *set)
{
	unsigned i, n = 0;

	for (i = 0; i < QUOTA_COUNT; i++)
		n += set->n[i] >= 0;
	return n;
}

static void
put_global_quota(struct out *out)
{
	const struct quota_set *limits = &principals_pool(out->st->all)->limits;

	begin(out, STREAM_GLOBAL_QUOTA);
	put_u16(out->img, count_quotas(limits));
	put_u16(out->img, 0);
	put_quota_list(out->img, limits);
	end(out);
}

static void
put_domain(struct out *out, const struct principal *p)
{
	begin(out, STREAM_DOMAIN);
	put_u16(out->img, p->domid);
	put_u16(out->img, count_quotas(&p->limit));
	put_u32(out->img, p->features);
	put_quota_list(out->img, &p->limit);
	end(out);
}

/* --- connections --- */

static void
put_watch(void *ctx, struct event_source *source, int depth)
{
	struct out *out = ctx;
	bool extended =
	    depth != WATCH_ANY_DEPTH && out->options->process.version >= 2;

	begin(out, extended ? STREAM_WATCH_EXT : STREAM_WATCH);
	put_u32(out->img, out->conn->id);
	put_u16(out->img, source->wpath_len + 1);
	put_u16(out->img, source->token_len + 1);
	if (extended) {
		put_u16(out->img, (unsigned)depth < STREAM_NO_DEPTH
				      ? (unsigned)depth
				      : STREAM_NO_DEPTH);
		put_u16(out->img, 0);
	}
	put_bytes(out->img, source->wpath, source->wpath_len + 1);
	put_bytes(out->img, source->token, source->token_len + 1);
	end(out);
}

/* The bytes that wait for CONN, to ALL. False: no memory. */
static bool
render_output(const struct conn *conn, struct image *all)
{
	size_t size = 65536;
	char *buf;

	for (;;) {
		buf = realloc(all->data, size);
		if (buf == NULL)
			return false;
		all->data = buf;
		all->cap = size;
		all->len = outq_peek(&conn->q, buf, size);
		/* whole items only: if one more would have fitted, it is all */
		if (size - all->len >= WIRE_MESSAGE_MAX &&
		    outq_kept(&conn->q) <= size)
			return true;
		size *= 2;
	}
}

/* Whether LEN bytes at BYTES are whole messages one behind the other. */
static bool
are_messages(const char *bytes, size_t len)
{
	struct wire_header header;

	while (len >= sizeof(header)) {
		memcpy(&header, bytes, sizeof(header));
		if (header.len > WIRE_PAYLOAD_MAX ||
		    header.len > len - sizeof(header) ||
		    header.type >= WIRE_OP_COUNT)
			return false;
		bytes += sizeof(header) + header.len;
		len -= sizeof(header) + header.len;
	}
	return len == 0;
}

/* How many of the KEPT bytes at BYTES are the rest of a message that was begun;
 * a message is not longer than that. */
static size_t
rest_of_message(const char *bytes, size_t kept)
{
	size_t rest = 0;

	while (rest < kept && !are_messages(bytes + rest, kept - rest))
		rest++;
	return rest;
}

/* What identifies CONN to the reader. */
static void
put_spec(struct out *out, const struct conn *conn, int fd)
{
	struct image *img = out->img;
	bool ids = conn->is_ring && out->options->process.version >= 2;

	put_u32(img, conn->id);
	put_u16(img, conn->is_ring ? STREAM_RING : STREAM_SOCKET);
	put_u16(img, ids ? STREAM_HAS_UNIQUE_ID : 0);
	if (!conn->is_ring) {
		put_u32(img, (uint32_t)fd);
		put_u32(img, 0);
		return;
	}
	put_u16(img, conn->who.self->domid);
	put_u16(img, conn->who.target != NULL ? conn->who.target->domid
					      : STREAM_NO_DOMAIN);
	put_u32(img, conn->port);
}

/* What CONN has sent of a request. False: whole ones wait. */
static bool
input_of(struct out *out, const struct conn *conn, struct image *in)
{
	struct wire_header header;

	put_bytes(in, conn->part, conn->part_len);
	if (conn->stash != NULL)
		put_bytes(in, conn->stash + conn->stash_at,
		    conn->stash_len - conn->stash_at);
	if (in->failed)
		return refuse(out, "finds no memory", conn);
	if (in->len < sizeof(header))
		return true;
	memcpy(&header, in->data, sizeof(header));
	if (in->len >= sizeof(header) + header.len)
		return refuse(out, "has requests that wait", conn);
	return true;
}

static void
put_conn_body(struct out *out, const struct conn *conn, int fd,
    const struct image *in, const struct image *all)
{
	struct image *img = out->img;

	begin(out, STREAM_CONNECTION);
	put_spec(out, conn, fd);
	put_u16(img, (unsigned)in->len);
	put_u16(img, (unsigned)rest_of_message(all->data, outq_kept(&conn->q)));
	put_u32(img, (uint32_t)all->len);
	put_bytes(img, in->data, in->len);
	put_bytes(img, all->data, all->len);
	if (conn->is_ring && out->options->process.version >= 2) {
		put_padding(out);
		put_u64(img, conn->who.self->unique_id);
	}
	end(out);
}

static bool
put_conn(struct out *out, const struct conn *conn)
{
	const struct stream_options *o = out->options;
	struct image in = { NULL, 0, 0, false }, all = { NULL, 0, 0, false };
	int fd = (int)conn->sock;
	bool ok;

	if (!conn->is_ring && o->fd_of != NULL)
		fd = o->fd_of(o->ctx, conn->sock);
	if (!conn->is_ring && fd < 0)
		return true;
	out->conn = conn;
	ok = input_of(out, conn, &in);
	if (ok && !render_output(conn, &all))
		ok = refuse(out, "finds no memory", conn);
	if (ok) {
		put_conn_body(out, conn, fd, &in, &all);
		watch_each(&conn->watcher, put_watch, out);
	}
	image_free(&in);
	image_free(&all);
	return ok;
}

/* --- nodes --- */

static void
put_perms(struct image *img, const struct acl *acl)
{
	static const char letter[] = "nrwb";
	const struct acl_entry *e;
	bool stale;
	uint32_t i;

	for (i = 0; i < acl->n; i++) {
		e = &acl->entry[i];
		stale = e->who != NULL ? principal_dead(e->who)
				       : e->perm.domid != PERM_DOMID_ANY;
		put_u8(img, (uint8_t)letter[e->perm.bits & 3]);
		put_u8(img, stale ? STREAM_PERM_STALE : 0);
		put_u16(img, e->perm.domid);
	}
}

/* The node at PATH; of the transaction ID of CONN, or of all if that is 0. */
static void
put_node(struct out *out, const struct node *node, const char *path,
    uint32_t conn, uint32_t id, unsigned access)
{
	struct image *img = out->img;
	bool gone = node == NULL;

	begin(out, STREAM_NODE);
	put_u32(img, conn);
	put_u32(img, id);
	put_u16(img, (unsigned)strlen(path) + 1);
	put_u16(img, gone ? 0 : (unsigned)node_value_len(node));
	put_u16(img, access);
	put_u16(img, gone ? 0 : node->acl->n);
	if (!gone)
		put_perms(img, node->acl);
	put_bytes(img, path, strlen(path) + 1);
	if (!gone)
		put_bytes(img, node_value(node), node_value_len(node));
	end(out);
}

struct out_frame {
	const struct node *node;
	struct kids_pos pos;
	size_t len; /* of its path */
};

/* The nodes below TOP, each before its children. */
static bool
put_nodes(struct out *out, const struct node *top)
{
	struct out_frame *frame = calloc(STORE_DEPTH_MAX + 1, sizeof(*frame));
	char path[WIRE_ABS_PATH_MAX + 2];
	size_t depth = 1, len;
	const struct kid *kid;
	struct out_frame *f;

	if (frame == NULL)
		return false;
	frame[0] = (struct out_frame){ .node = top };
	while (depth > 0) {
		f = &frame[depth - 1];
		kid = kids_next(f->node->kids, &f->pos);
		if (kid == NULL) {
			depth--;
			continue;
		}
		len = f->len;
		if (depth > 1) /* not before the root and the specials */
			path[len++] = '/';
		memcpy(
		    path + len, node_name(kid->node), node_name_len(kid->node));
		len += node_name_len(kid->node);
		path[len] = '\0';
		put_node(out, kid->node, len > 0 ? path : "/", 0, 0, 0);
		frame[depth++] =
		    (struct out_frame){ .node = kid->node, .len = len };
	}
	free(frame);
	return true;
}

/* --- transactions --- */

static void
put_touched(struct out *out, const struct txn *txn, const struct touched *t)
{
	struct heap *heap = (struct heap *)&out->st->heap;
	const struct node *node = store_get(heap, txn->top, t->path);
	unsigned access = (t->aspects != 0 ? STREAM_READ : 0) |
			  (t->changes != 0 ? STREAM_WRITTEN : 0);

	put_node(out, node, t->path, txn->conn->id, txn->id,
	    node == NULL && t->changes != 0 ? 0 : access);
}

static void
put_txns(struct out *out, const struct conn *conn)
{
	const struct list *link, *t;
	const struct txn *txn;

	for (link = conn->txns.next; link != &conn->txns; link = link->next) {
		txn = list_entry(link, const struct txn, link);
		begin(out, STREAM_TRANSACTION);
		put_u32(out->img, conn->id);
		put_u32(out->img, txn->id);
		end(out);
		for (t = txn->order.next; t != &txn->order; t = t->next)
			put_touched(out, txn,
			    list_entry(t, const struct touched, in_order));
	}
}

/* --- all --- */

static void
put_start(struct out *out)
{
	const struct stream_process *p = &out->options->process;

	put_bytes(out->img, STREAM_IDENT, 8);
	put_be32(out->img, p->version);
	put_be32(out->img, 0);
	begin(out, STREAM_GLOBAL);
	put_u32(out->img, (uint32_t)p->socket_fd);
	put_u32(out->img, (uint32_t)p->evtchn_fd);
	end(out);
}

/* What only version 2 can say. */
static void
put_domains(struct out *out)
{
	const struct principal *p;
	uint32_t i;

	for (i = 1; i < DOMID_FIRST_RESERVED; i++) {
		p = principal_current(out->st->all, i);
		if (p != NULL)
			put_domain(out, p);
	}
}

bool
stream_export(const struct state *st, const struct stream_options *options,
    struct image *stream_out, char why[IMAGE_WHY_SIZE])
{
	struct out out = { .img = stream_out, .st = st, .options = options };
	const struct list *link;
	bool ok = true;

	memset(stream_out, 0, sizeof(*stream_out));
	out.why = why;
	put_start(&out);
	if (options->process.version >= 2)
		put_global_quota(&out);
	for (link = st->conns.next; ok && link != &st->conns; link = link->next)
		ok = put_conn(&out, list_entry(link, struct conn, link));
	if (ok && !put_nodes(&out, st->live))
		stream_out->failed = true;
	for (link = st->conns.next; ok && options->txns && link != &st->conns;
	     link = link->next)
		put_txns(&out, list_entry(link, const struct conn, link));
	if (ok && options->process.version >= 2)
		put_domains(&out);
	begin(&out, STREAM_END);
	if (ok && stream_out->failed) {
		snprintf(why, IMAGE_WHY_SIZE, "stream: no memory");
		ok = false;
	}
	if (!ok)
		image_free(stream_out);
	return ok;
}
