/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/stream_in.h"

#include <stdio.h>
#include <string.h>

bool
stream_wrong(struct stream_in *s, const char *what)
{
	s->rest.left = 0;
	return in_wrong(&s->in, what);
}

static uint64_t
number(struct stream_in *s, size_t len)
{
	const uint8_t *at = (const uint8_t *)get_bytes(&s->in, len);
	uint64_t value = 0;
	size_t i;

	for (i = 0; at != NULL && i < len; i++)
		value = value << 8 | at[s->big_endian ? i : len - 1 - i];
	return value;
}

unsigned
stream_u16(struct stream_in *s)
{
	return (unsigned)number(s, 2);
}

uint32_t
stream_u32(struct stream_in *s)
{
	return (uint32_t)number(s, 4);
}

uint64_t
stream_u64(struct stream_in *s)
{
	return number(s, 8);
}

/* --- domains --- */

struct principal *
stream_principal(struct stream_in *s, uint32_t domid)
{
	struct state *st = s->st;
	struct principal *p = principal_current(st->all, domid);
	struct domain_info info;

	if (p != NULL || domid >= DOMID_FIRST_RESERVED)
		return p;
	info = st->env->domain_info(st->env->ctx, domid);
	if (!info.exists || info.dying)
		return NULL;
	return principal_get(st->all, domid, info.unique_id, ++st->heap.stamp);
}

/* N quotas with their names, to SET; names that are not known are left out. */
static bool
read_quotas(struct stream_in *s, unsigned n, struct quota_set *set)
{
	const uint8_t *values = (const uint8_t *)get_bytes(&s->in, 4 * n);
	struct stream_in value = { .big_endian = s->big_endian };
	const char *end;
	enum quota_id id;
	uint32_t limit;

	value.in.pos = values;
	value.in.left = values != NULL ? 4 * n : 0;
	for (; n > 0 && s->in.wrong == NULL; n--) {
		end = memchr(s->in.pos, '\0', s->in.left);
		if (end == NULL)
			return stream_wrong(s, "a quota has no name");
		limit = stream_u32(&value);
		id = quota_by_name((const char *)s->in.pos);
		if (id != QUOTA_COUNT && limit <= INT32_MAX)
			set->n[id] = limit;
		get_bytes(&s->in, (size_t)(end - (const char *)s->in.pos) + 1);
	}
	return s->in.wrong == NULL;
}

static bool
in_global_quota(struct stream_in *s)
{
	unsigned n = stream_u16(s);

	n += stream_u16(s);
	return read_quotas(s, n, &principals_pool(s->st->all)->limits);
}

static bool
in_domain(struct stream_in *s)
{
	unsigned domid = stream_u16(s), n = stream_u16(s);
	uint32_t features = stream_u32(s);
	struct quota_set unused = quota_defaults();
	struct principal *p = stream_principal(s, domid);

	if (p != NULL && s->process->version >= 2)
		p->features = features & WIRE_FEATURES;
	return read_quotas(s, n, p != NULL ? &p->limit : &unused);
}

static bool
in_global(struct stream_in *s)
{
	s->process->socket_fd = (int)stream_u32(s);
	s->process->evtchn_fd = (int)stream_u32(s);
	return s->in.wrong == NULL;
}

/* --- the stream --- */

static bool
read_header(struct stream_in *s)
{
	const uint8_t *h =
	    (const uint8_t *)get_bytes(&s->rest, STREAM_HEADER_SIZE);
	uint32_t version;

	if (h == NULL || memcmp(h, STREAM_IDENT, 8) != 0)
		return stream_wrong(s, "it is none of xenstore");
	version = (uint32_t)h[8] << 24 | (uint32_t)h[9] << 16 |
		  (uint32_t)h[10] << 8 | h[11];
	if (version < STREAM_VERSION_MIN || version > STREAM_VERSION_MAX)
		return stream_wrong(s, "its version is not known here");
	if (h[12] != 0 || h[13] != 0 || h[14] != 0 || h[15] > 1)
		return stream_wrong(s, "it has flags that are not known here");
	s->process->version = version;
	s->big_endian = h[15] == STREAM_BIG_ENDIAN;
	return true;
}

/* The next record's type, its body in IN; false: there is none. */
static bool
next_record(struct stream_in *s, uint32_t *type_out)
{
	struct stream_in head = { .big_endian = s->big_endian };
	size_t left = s->rest.left, pad;
	uint32_t len;

	head.in = s->rest;
	*type_out = stream_u32(&head);
	len = stream_u32(&head);
	if (head.in.wrong != NULL || len > head.in.left)
		return stream_wrong(s, "it ends too early");
	s->in.pos = head.in.pos;
	s->in.left = len;
	s->rest = head.in;
	get_bytes(&s->rest, len);
	pad = (STREAM_ALIGN - (left - s->rest.left) % STREAM_ALIGN) %
	      STREAM_ALIGN;
	if (pad > s->rest.left)
		pad = s->rest.left;
	get_bytes(&s->rest, pad);
	return true;
}

static bool
in_record(struct stream_in *s, uint32_t type)
{
	if (s->pending && type != STREAM_TRANSACTION && type != STREAM_NODE &&
	    type != STREAM_WATCH_EXT)
		return true;
	switch (type) {
	case STREAM_GLOBAL:
		return in_global(s);
	case STREAM_CONNECTION:
		return stream_in_connection(s);
	case STREAM_WATCH:
		return stream_in_watch(s);
	case STREAM_WATCH_EXT:
		return stream_in_watch_ext(s);
	case STREAM_TRANSACTION:
		return stream_in_transaction(s);
	case STREAM_NODE:
		return stream_in_node(s);
	case STREAM_GLOBAL_QUOTA:
		return in_global_quota(s);
	case STREAM_DOMAIN:
		return in_domain(s);
	default:
		return stream_wrong(s, "a record is of a kind that is not "
				       "known here");
	}
}

/* The tree at the start without what the stream will tell. */
static bool
clear_tree(struct state *st)
{
	struct node *removed;

	if (store_remove(&st->heap, &st->live, "/tool", &removed) != XS_OK)
		return false;
	node_unref(&st->heap, removed);
	return true;
}

static bool
read_records(struct stream_in *s)
{
	uint32_t type;

	for (;;) {
		if (!next_record(s, &type))
			return false;
		if (type == STREAM_END)
			return true;
		if (!in_record(s, type) || s->in.wrong != NULL)
			return stream_wrong(s, "it is damaged");
	}
}

static bool
read_all(struct stream_in *s)
{
	struct image_in all;

	if (!read_header(s))
		return false;
	if (!clear_tree(s->st))
		return stream_wrong(s, "there is no memory for it");
	all = s->rest;
	if (!read_records(s))
		return false;
	account_start(&s->st->books, &s->st->walk, s->st->live);
	/* what is pending may come before the nodes that it is based on */
	s->rest = all;
	s->pending = true;
	return read_records(s);
}

struct state *
stream_import(const void *data, size_t len, const struct state_config *config,
    const struct state_env *env, const struct stream_reader *reader,
    struct stream_process *process_out, char why[IMAGE_WHY_SIZE])
{
	struct stream_in s = { .reader = reader, .process = process_out };
	const char *wrong = "there is no memory for it";

	*process_out = (struct stream_process){ 0, -1, -1 };
	s.rest = (struct image_in){ .pos = data, .left = len };
	s.st = state_new(config, env);
	if (s.st != NULL && read_all(&s)) {
		wrong = state_check(s.st);
		if (wrong == NULL)
			return s.st;
	} else if (s.st != NULL) {
		wrong = s.in.wrong;
	}
	snprintf(why, IMAGE_WHY_SIZE, "stream: %s", wrong);
	if (s.st != NULL)
		state_free(s.st);
	return NULL;
}
