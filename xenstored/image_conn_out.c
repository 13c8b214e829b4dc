/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "xenstored/image_out.h"

/* The bytes from AT on of LEN at BYTES, which may be NULL if there are none. */
static void
put_rest(struct image *img, const char *bytes, uint32_t at, uint32_t len)
{
	put_string(img, bytes != NULL ? bytes + at : NULL, len - at);
}

/* --- watches and what waits --- */

static void
put_watch(void *ctx, struct event_source *source, int depth)
{
	struct image_out *out = ctx;
	bool is_new;

	if (image_map_get(&out->sources, source, &is_new) == NULL)
		out->img->failed = true;
	put_u32(out->img, (uint32_t)depth);
	put_string(out->img, source->wpath, source->wpath_len);
	put_string(out->img, source->token, source->token_len);
}

static void
count_watch(void *ctx, struct event_source *source, int depth)
{
	uint32_t *n = ctx;

	(void)source;
	(void)depth;
	(*n)++;
}

/* FIRST is the number of the connection's first watch. */
static void
put_event(struct image_out *out, const struct event *event, uint32_t first)
{
	struct image_map_entry *entry;
	struct image *img = out->img;
	bool is_new;

	entry = image_map_get(&out->sources, event->source, &is_new);
	if (entry == NULL || is_new) {
		img->failed = true;
		return;
	}
	if (event == &event->source->collapsed)
		put_u8(img, IMAGE_ITEM_COLLAPSED);
	else
		put_u8(img, event->path != NULL ? IMAGE_ITEM_EVENT
						: IMAGE_ITEM_INITIAL);
	put_u32(img, entry->number - first);
	if (event->path != NULL)
		put_string(img, event->path->text, event->path->len);
}

static void
put_reply(struct image *img, const struct reply *reply)
{
	put_u8(img, IMAGE_ITEM_BYTES);
	put_string(img, reply->bytes, reply->len);
}

static void
put_queue(struct image_out *out, const struct outq *q, uint32_t first)
{
	const struct out_item *item;
	const struct list *link;
	uint32_t n = 0;

	for (link = q->items.next; link != &q->items; link = link->next)
		n++;
	put_rest(out->img, q->kept, q->kept_at, q->kept_len);
	put_u64(out->img, q->collapses);
	put_u64(out->img, q->drops);
	put_u32(out->img, n);
	for (link = q->items.next; link != &q->items; link = link->next) {
		item = list_entry(link, const struct out_item, link);
		if (item->is_event)
			put_event(out, (const void *)item, first);
		else
			put_reply(out->img, (const void *)item);
	}
}

/* --- transactions --- */

static void
put_footprint(struct image *img, const struct txn *txn)
{
	const struct touched *t;
	const struct list *link;

	put_u32(img, (uint32_t)txn->n_touched);
	for (link = txn->order.next; link != &txn->order; link = link->next) {
		t = list_entry(link, const struct touched, in_order);
		put_u8(img, (uint8_t)t->aspects);
		put_u8(img, (uint8_t)t->changes);
		put_string(img, t->path, strlen(t->path));
	}
}

static void
put_log(struct image *img, const struct txn *txn)
{
	struct txn_op op;
	uint32_t n = 0;
	size_t pos;

	for (pos = 0; pos < txn->log_len;
	     pos += sizeof(op) + TXN_OP_ROOM(op.len)) {
		memcpy(&op, txn->log + pos, sizeof(op));
		n++;
	}
	put_u64(img, txn->log_cap);
	put_u32(img, n);
	for (pos = 0; n > 0; n--) {
		memcpy(&op, txn->log + pos, sizeof(op));
		put_u32(img, op.type);
		put_u64(img, op.digest);
		put_u64(img, op.stamp);
		put_string(img, txn->log + pos + sizeof(op), op.len);
		pos += sizeof(op) + TXN_OP_ROOM(op.len);
	}
}

static void
put_txn(struct image_out *out, const struct txn *txn)
{
	const struct state *st = txn->conn->st;
	struct image *img = out->img;
	bool up = txn_given_up(txn);

	put_u8(img, IMAGE_TXN);
	put_u32(img, txn->id);
	put_u32(img, image_out_node_number(out, up ? st->live : txn->base));
	put_u32(img, image_out_node_number(out, up ? st->live : txn->top));
	put_u64(img, txn->stamp);
	put_u64(img, (uint64_t)txn->own_nodes);
	put_u64(img, (uint64_t)txn->memory);
	put_u32(img, (uint32_t)txn->failed);
	put_u8(img, txn->changed);
	put_u32(img, st->reserved == txn ? st->patience + 1 : 0);
	put_footprint(img, txn);
	put_log(img, txn);
}

/* --- connections --- */

static uint8_t
flags_of(const struct conn *conn)
{
	return (uint8_t)((conn->who.privileged ? IMAGE_CONN_PRIVILEGED : 0) |
			 (conn->is_ring ? IMAGE_CONN_RING : 0) |
			 (conn->ignored ? IMAGE_CONN_IGNORED : 0));
}

void
image_out_conn(struct image_out *out, const struct conn *conn)
{
	uint32_t self = image_out_principal(out, conn->who.self);
	uint32_t target = image_out_principal(out, conn->who.target);
	uint32_t first = out->sources.n, n = 0;
	struct image *img = out->img;
	struct list *link;
	bool is_new;

	if (image_map_get(&out->conns, conn, &is_new) == NULL)
		img->failed = true;
	put_u8(img, IMAGE_CONN);
	put_u32(img, conn->id);
	put_u8(img, flags_of(conn));
	put_u64(img, conn->uid);
	put_u64(img, (uint64_t)conn->pid);
	put_u64(img, conn->sock);
	put_u32(img, conn->port);
	put_u32(img, conn->remote_port);
	put_u32(img, self);
	put_u32(img, target);
	put_u32(img, conn->last_txn);
	put_u32(img, conn->n_refused);
	put_string(img, conn->part, conn->part_len);
	put_rest(img, conn->stash, conn->stash_at, conn->stash_len);
	watch_each(&conn->watcher, count_watch, &n);
	put_u32(img, n);
	watch_each(&conn->watcher, put_watch, out);
	put_queue(out, &conn->q, first);
	for (link = conn->txns.next; link != &conn->txns; link = link->next)
		put_txn(out, list_entry(link, struct txn, link));
}
