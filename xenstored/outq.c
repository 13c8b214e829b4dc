/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/outq.h"

#include <stdlib.h>
#include <string.h>

enum {
	SMALL = WIRE_HEADER_SIZE + 48, /* a reply that a spare one can be */
	SPARES = 64,		       /* kept at most */
	EVENT_COST = sizeof(struct event) + sizeof(struct event_path),
};

static struct reply *
as_reply(struct out_item *item)
{
	return (struct reply *)(void *)item;
}

static struct event *
as_event(struct out_item *item)
{
	return (struct event *)(void *)item;
}

struct event_path *
event_path_new(const struct events *events, const char *text, size_t len)
{
	struct event_path *path = malloc(sizeof(*path) + len + 1);

	if (path == NULL)
		return NULL;
	path->ref = 1;
	path->len = (uint32_t)len;
	path->hash = hash_bytes(&events->key, text, len);
	memcpy(path->text, text, len);
	path->text[len] = '\0';
	return path;
}

void
event_path_unref(struct event_path *path)
{
	if (path != NULL && --path->ref == 0)
		free(path);
}

void
outq_init(struct outq *q, struct events *events, size_t event_limit,
    void (*wake)(struct outq *q))
{
	memset(q, 0, sizeof(*q));
	list_init(&q->items);
	q->events = events;
	q->event_limit = event_limit;
	q->wake = wake;
}

static void
append(struct outq *q, struct out_item *item)
{
	bool was_empty = list_empty(&q->items);

	list_append(&q->items, &item->link);
	if (was_empty && q->wake != NULL)
		q->wake(q);
}

/* --- replies --- */

/* A reply with room for LEN bytes, and for a small one at least. */
static struct reply *
new_reply(size_t len)
{
	struct reply *reply;

	if (len < SMALL)
		len = SMALL;
	reply = malloc(sizeof(*reply) + len);
	if (reply == NULL)
		return NULL;
	reply->item.is_event = false;
	reply->room = (uint32_t)len;
	return reply;
}

static void
give_spare(struct events *events, struct reply *reply)
{
	memcpy(reply->bytes, &events->spare, sizeof(events->spare));
	events->spare = reply;
	events->n_spare++;
}

/* One of those there are. */
static struct reply *
take_spare(struct events *events)
{
	struct reply *reply = events->spare;

	memcpy(&events->spare, reply->bytes, sizeof(events->spare));
	events->n_spare--;
	return reply;
}

/* Sees to it that there is one; false: no memory. */
static bool
have_spare(struct events *events)
{
	struct reply *reply;

	if (events->spare != NULL)
		return true;
	reply = new_reply(SMALL);
	if (reply == NULL)
		return false;
	give_spare(events, reply);
	return true;
}

bool
events_init(struct events *events, const struct hash_key *key)
{
	memset(events, 0, sizeof(*events));
	events->key = *key;
	return table_init(&events->waiting) && have_spare(events);
}

void
events_end(struct events *events)
{
	while (events->n_spare > 0)
		free(take_spare(events));
	table_end(&events->waiting);
}

static void
free_reply(struct outq *q, struct reply *reply)
{
	list_remove(&reply->item.link);
	q->reply_bytes -= reply->len;
	q->n_replies--;
	if (!reply->item.logged)
		q->n_unlogged--;
	if (q->events->n_spare < SPARES && reply->room == SMALL)
		give_spare(q->events, reply);
	else
		free(reply);
}

bool
outq_ready(struct outq *q)
{
	return have_spare(q->events);
}

/* A reply of LEN bytes, which are still to be filled in, for the queue. */
static struct reply *
get_reply(struct outq *q, size_t len)
{
	struct reply *reply;

	if (len <= SMALL && outq_ready(q)) {
		reply = take_spare(q->events);
	} else {
		reply = new_reply(len);
		if (reply == NULL)
			return NULL;
	}
	reply->len = (uint32_t)len;
	return reply;
}

bool
outq_reply(struct outq *q, const struct wire_header *header,
    const void *payload, size_t len)
{
	struct reply *reply = get_reply(q, sizeof(*header) + len);

	if (reply == NULL)
		return false;
	reply->item.logged = false;
	reply->item.upto = q->upto;
	q->n_unlogged++;
	memcpy(reply->bytes, header, sizeof(*header));
	if (len > 0)
		memcpy(reply->bytes + sizeof(*header), payload, len);
	q->reply_bytes += reply->len;
	q->n_replies++;
	append(q, &reply->item);
	return true;
}

bool
outq_add_reply(struct outq *q, const void *bytes, size_t len)
{
	struct reply *reply = get_reply(q, len);

	if (reply == NULL)
		return false;
	reply->item.logged = true;
	reply->item.upto = 0;
	memcpy(reply->bytes, bytes, len);
	q->reply_bytes += len;
	q->n_replies++;
	append(q, &reply->item);
	return true;
}

void
outq_settle(struct outq *q, void (*show)(void *ctx, const struct reply *reply),
    void *ctx)
{
	struct list *link = &q->items;
	struct out_item *item;
	size_t left = q->n_unlogged;

	/* They are at the end. */
	while (left > 0) {
		link = link->prev;
		if (!list_entry(link, struct out_item, link)->logged)
			left--;
	}
	for (; q->n_unlogged > 0; link = link->next) {
		item = list_entry(link, struct out_item, link);
		if (item->logged)
			continue;
		if (show != NULL)
			show(ctx, as_reply(item));
		item->logged = true;
		item->upto = 0;
		q->n_unlogged--;
	}
}

/* --- events --- */

static uint64_t
waiting_hash(const struct event_source *source, const struct event_path *path)
{
	return path->hash ^ (uintptr_t)source * UINT64_C(0x9e3779b97f4a7c15);
}

static struct event *
find_waiting(struct event_source *source, const struct event_path *path)
{
	struct table_link *link = table_first(
	    &source->q->events->waiting, waiting_hash(source, path));
	struct event *event;

	for (; link != NULL; link = table_next(link)) {
		event = list_entry(link, struct event, in_waiting);
		if (event->source == source && event->path->len == path->len &&
		    memcmp(event->path->text, path->text, path->len) == 0)
			return event;
	}
	return NULL;
}

static size_t
event_cost(const struct event *event)
{
	return EVENT_COST + (event->path != NULL ? event->path->len : 0);
}

/* Out of the queue, and freed unless it is the source's own. */
static void
drop_event(struct event *event)
{
	struct event_source *source = event->source;

	list_remove(&event->item.link);
	if (event == &source->collapsed) {
		source->is_collapsed = false;
		return;
	}
	source->q->event_bytes -= event_cost(event);
	list_remove(&event->in_source);
	if (event->path != NULL)
		table_remove(&source->q->events->waiting, &event->in_waiting);
	event_path_unref(event->path);
	free(event);
}

static void
drop_waiting(struct event_source *source)
{
	while (!list_empty(&source->waiting))
		drop_event(
		    list_entry(source->waiting.next, struct event, in_source));
}

static void
collapse(struct event_source *source)
{
	if (source->is_collapsed)
		return;
	source->is_collapsed = true;
	source->q->collapses++;
	append(source->q, &source->collapsed.item);
	drop_waiting(source);
}

static struct event *
new_event(struct event_source *source, struct event_path *path)
{
	struct event *event = malloc(sizeof(*event));

	if (event == NULL)
		return NULL;
	event->item.is_event = true;
	event->item.logged = true;
	event->item.upto = 0;
	event->source = source;
	event->path = path;
	list_append(&source->waiting, &event->in_source);
	if (path != NULL) {
		path->ref++;
		table_add(&source->q->events->waiting, &event->in_waiting,
		    waiting_hash(source, path));
	}
	source->q->event_bytes += event_cost(event);
	append(source->q, &event->item);
	return event;
}

void
outq_event(struct event_source *source, struct event_path *path)
{
	struct outq *q = source->q;

	if (path == NULL) { /* there was no memory for it */
		q->events->missed++;
		collapse(source);
		return;
	}
	if (path->len - source->strip + source->token_len + 2 >
	    WIRE_PAYLOAD_MAX) {
		q->drops++;
		return;
	}
	if (source->is_collapsed)
		return;
	if (path->text[0] != '@' && find_waiting(source, path) != NULL)
		return;
	if (q->event_bytes + EVENT_COST + path->len > q->event_limit) {
		collapse(source);
	} else if (new_event(source, path) == NULL) {
		q->events->missed++;
		collapse(source);
	}
}

void
outq_initial_event(struct event_source *source)
{
	if (new_event(source, NULL) != NULL)
		return;
	source->q->events->missed++;
	collapse(source);
}

void
event_source_init(struct event_source *source, struct outq *q)
{
	memset(source, 0, sizeof(*source));
	source->q = q;
	list_init(&source->waiting);
	source->collapsed.item.is_event = true;
	source->collapsed.item.logged = true;
	source->collapsed.source = source;
	list_init(&source->collapsed.item.link);
}

void
event_source_end(struct event_source *source)
{
	drop_waiting(source);
	if (source->is_collapsed)
		drop_event(&source->collapsed);
}

/* --- taking --- */

/* The message of EVENT, at BUF if MAX suffices; its length. */
static size_t
render(const struct event *event, char *buf, size_t max)
{
	const struct event_source *source = event->source;
	const char *path = source->wpath;
	size_t path_len = source->wpath_len, len;
	struct wire_header header = { .type = WIRE_WATCH_EVENT };

	if (event->path != NULL) {
		path = event->path->text + source->strip;
		path_len = event->path->len - source->strip;
	}
	header.len = (uint32_t)(path_len + source->token_len + 2);
	len = sizeof(header) + header.len;
	if (len > max)
		return len;
	memcpy(buf, &header, sizeof(header));
	buf += sizeof(header);
	memcpy(buf, path, path_len + 1);
	memcpy(buf + path_len + 1, source->token, source->token_len + 1);
	return len;
}

static void
drop_item(struct outq *q, struct out_item *item)
{
	if (item->is_event)
		drop_event(as_event(item));
	else
		free_reply(q, as_reply(item));
}

/* The bytes of ITEM, at BUF if MAX suffices; how many it has. */
static size_t
copy_item(struct out_item *item, char *buf, size_t max)
{
	const struct reply *reply;

	if (item->is_event)
		return render(as_event(item), buf, max);
	reply = as_reply(item);
	if (reply->len <= max)
		memcpy(buf, reply->bytes, reply->len);
	return reply->len;
}

void
outq_take(struct outq *q, char *buf, size_t size, size_t enough,
    struct taken *taken_out)
{
	struct out_item *item;
	size_t len;

	*taken_out = (struct taken){ 0, 0, 0 };
	while (taken_out->len < enough && !list_empty(&q->items)) {
		item = list_entry(q->items.next, struct out_item, link);
		len = copy_item(
		    item, buf + taken_out->len, size - taken_out->len);
		if (len > size - taken_out->len)
			return;
		taken_out->len += len;
		if (item->logged)
			taken_out->n_logged++;
		else
			taken_out->upto = item->upto;
		drop_item(q, item);
	}
}

size_t
outq_peek(const struct outq *q, char *buf, size_t size)
{
	const struct list *link;
	size_t n = outq_kept(q), len;

	if (n > size)
		return 0;
	if (n > 0)
		memcpy(buf, q->kept + q->kept_at, n);
	for (link = q->items.next; link != &q->items; link = link->next) {
		len = copy_item(
		    list_entry(link, struct out_item, link), buf + n, size - n);
		if (len > size - n)
			break;
		n += len;
	}
	return n;
}

bool
outq_drop(struct outq *q, uint64_t n)
{
	struct list *link = &q->items;
	uint64_t i;

	for (i = 0; i < n; i++) {
		link = link->next;
		if (link == &q->items)
			return false;
	}
	for (i = 0; i < n; i++)
		drop_item(q, list_entry(q->items.next, struct out_item, link));
	return true;
}

/* --- what was taken and not sent --- */

bool
outq_keep(struct outq *q, const void *bytes, size_t len)
{
	size_t left = outq_kept(q);
	char *all = malloc(left + len);

	if (all == NULL)
		return false;
	if (left > 0)
		memcpy(all, q->kept + q->kept_at, left);
	memcpy(all + left, bytes, len);
	free(q->kept);
	q->kept = all;
	q->kept_at = 0;
	q->kept_len = (uint32_t)(left + len);
	return true;
}

static void
drop_kept(struct outq *q)
{
	free(q->kept);
	q->kept = NULL;
	q->kept_at = q->kept_len = 0;
}

bool
outq_sent(struct outq *q, uint64_t n)
{
	if (n > outq_kept(q))
		return false;
	q->kept_at += (uint32_t)n;
	if (q->kept_at == q->kept_len)
		drop_kept(q);
	return true;
}

void
outq_clear(struct outq *q)
{
	struct list *link, *after;
	struct out_item *item;

	list_each(link, after, &q->items)
	{
		item = list_entry(link, struct out_item, link);
		drop_item(q, item);
	}
	drop_kept(q);
}
