/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/outq.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a message; those below POS were taken. */
struct reply {
	struct out_item item;
	uint32_t len, pos;
	uint32_t room; /* for bytes */
	bool counted;  /* a reply, not an event that was begun */
	char bytes[];
};

enum {
	SMALL = WIRE_HEADER_SIZE + 48, /* a reply that the spare one can be */
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
	reply->pos = 0;
	reply->room = (uint32_t)len;
	return reply;
}

static void
free_reply(struct outq *q, struct reply *reply)
{
	list_remove(&reply->item.link);
	if (reply->counted) {
		q->reply_bytes -= reply->len;
		q->n_replies--;
	}
	if (q->spare == NULL && reply->room >= SMALL)
		q->spare = &reply->item;
	else
		free(reply);
}

bool
outq_ready(struct outq *q)
{
	struct reply *reply;

	if (q->spare != NULL)
		return true;
	reply = new_reply(SMALL);
	if (reply == NULL)
		return false;
	q->spare = &reply->item;
	return true;
}

bool
outq_reply(struct outq *q, const struct wire_header *header,
    const void *payload, size_t len)
{
	struct reply *reply;

	if (sizeof(*header) + len <= SMALL && outq_ready(q)) {
		reply = as_reply(q->spare);
		q->spare = NULL;
		reply->pos = 0;
	} else {
		reply = new_reply(sizeof(*header) + len);
		if (reply == NULL)
			return false;
	}
	reply->len = (uint32_t)(sizeof(*header) + len);
	reply->counted = true;
	memcpy(reply->bytes, header, sizeof(*header));
	if (len > 0)
		memcpy(reply->bytes + sizeof(*header), payload, len);
	q->reply_bytes += reply->len;
	q->n_replies++;
	append(q, &reply->item);
	return true;
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
	if (q->event_bytes + EVENT_COST + path->len > q->event_limit ||
	    new_event(source, path) == NULL)
		collapse(source);
}

void
outq_initial_event(struct event_source *source)
{
	if (new_event(source, NULL) == NULL)
		collapse(source);
}

void
event_source_init(struct event_source *source, struct outq *q)
{
	memset(source, 0, sizeof(*source));
	source->q = q;
	list_init(&source->waiting);
	source->collapsed.item.is_event = true;
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

/* Turns EVENT, of LEN bytes, into bytes at the same place of the queue. */
static struct reply *
begin_event(struct event *event, size_t len)
{
	struct reply *reply = new_reply(len);

	if (reply == NULL)
		return NULL;
	reply->counted = false;
	reply->len = (uint32_t)render(event, reply->bytes, len);
	list_append(&event->item.link, &reply->item.link);
	drop_event(event);
	return reply;
}

/* Takes bytes of the first item; false if none fit. */
static bool
take_first(struct outq *q, char *buf, size_t max, size_t *taken_out)
{
	struct out_item *item =
	    list_entry(q->items.next, struct out_item, link);
	struct reply *reply;
	size_t len;

	if (item->is_event) {
		len = render(as_event(item), buf, max);
		if (len <= max) {
			drop_event(as_event(item));
			*taken_out = len;
			return true;
		}
		reply = begin_event(as_event(item), len);
		if (reply == NULL)
			return false;
	} else {
		reply = as_reply(item);
	}
	len = reply->len - reply->pos;
	if (len > max)
		len = max;
	memcpy(buf, reply->bytes + reply->pos, len);
	reply->pos += (uint32_t)len;
	if (reply->pos == reply->len)
		free_reply(q, reply);
	*taken_out = len;
	return true;
}

size_t
outq_take(struct outq *q, char *buf, size_t max)
{
	size_t n = 0, taken;

	while (n < max && !list_empty(&q->items) &&
	       take_first(q, buf + n, max - n, &taken))
		n += taken;
	return n;
}

void
outq_clear(struct outq *q)
{
	struct list *link, *after;
	struct out_item *item;

	list_each(link, after, &q->items)
	{
		item = list_entry(link, struct out_item, link);
		if (item->is_event)
			drop_event(as_event(item));
		else
			free_reply(q, as_reply(item));
	}
}

void
outq_end(struct outq *q)
{
	outq_clear(q);
	free(q->spare);
	q->spare = NULL;
}
