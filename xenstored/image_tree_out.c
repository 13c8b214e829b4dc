/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "xenstored/image_out.h"

/*
 * Trees are written one after the other, the oldest first, so that what a
 * version of a node differs in from the one written before is little: a value,
 * or some children. A node comes before its children as they refer to its
 * place; the list of them comes behind all of them.
 */

/* ARRAY with room for element N of SIZE; NULL: no memory. */
static void *
with_room(void *array, size_t *cap, size_t n, size_t size)
{
	size_t more = *cap == 0 ? 256 : *cap * 2;

	if (n < *cap)
		return array;
	array = realloc(array, more * size);
	if (array != NULL)
		*cap = more;
	return array;
}

static void
fail(struct image_out *out)
{
	out->img->failed = true;
}

/* The entry of KEY in MAP, or NULL as there is no memory. */
static struct image_map_entry *
get(struct image_out *out, struct image_map *map, const void *key,
    bool *new_out)
{
	struct image_map_entry *entry = image_map_get(map, key, new_out);

	if (entry == NULL)
		fail(out);
	return entry;
}

/* --- principals and permissions --- */

static void
put_principal(struct image *img, const struct principal *p)
{
	put_u8(img, IMAGE_PRINCIPAL);
	put_u32(img, p->domid);
	put_u64(img, p->unique_id);
	put_u64(img, p->birth_stamp);
	put_u64(img, p->death_stamp);
	put_u8(img, p->privileged);
	put_u32(img, p->features);
	put_quotas(img, &p->limit);
	put_quotas(img, &p->usage);
	put_quotas(img, &p->peak);
}

uint32_t
image_out_principal(struct image_out *out, const struct principal *p)
{
	const struct principal **list;
	struct image_map_entry *entry;
	bool is_new;

	if (p == NULL)
		return IMAGE_NONE;
	entry = get(out, &out->principals, p, &is_new);
	if (entry == NULL)
		return IMAGE_NONE;
	if (!is_new)
		return entry->number;
	list = with_room(
	    out->principal, &out->principals_cap, entry->number, sizeof(*list));
	if (list == NULL) {
		fail(out);
		return IMAGE_NONE;
	}
	out->principal = list;
	list[entry->number] = p;
	put_principal(out->img, p);
	return entry->number;
}

uint32_t
image_out_acl(struct image_out *out, const struct acl *acl)
{
	struct image_map_entry *entry;
	uint32_t i, number;
	bool is_new;

	entry = get(out, &out->acls, acl, &is_new);
	if (entry == NULL)
		return IMAGE_NONE;
	number = entry->number;
	if (!is_new)
		return number;
	for (i = 0; i < acl->n; i++)
		image_out_principal(out, acl->entry[i].who);
	put_u8(out->img, IMAGE_ACL);
	put_u32(out->img, acl->n);
	for (i = 0; i < acl->n; i++) {
		put_u32(out->img, image_out_principal(out, acl->entry[i].who));
		put_u32(out->img, acl->entry[i].perm.domid);
		put_u8(out->img, acl->entry[i].perm.bits);
	}
	return number;
}

/* --- children --- */

static void
note_kid(struct image_out *out, int what, struct node *node, uint64_t seq)
{
	struct image_kid *kid =
	    with_room(out->kid, &out->kids_cap, out->n_kids, sizeof(*kid));

	if (kid == NULL) {
		fail(out);
		return;
	}
	out->kid = kid;
	kid += out->n_kids++;
	kid->what = what;
	kid->node = node;
	kid->seq = seq;
}

static void
note_all(struct image_out *out, const struct kids *kids)
{
	struct kids_pos pos = { 0, 0 };
	const struct kid *kid;

	while ((kid = kids_next(kids, &pos)) != NULL)
		note_kid(out, KID_ADDED, kid->node, kid->seq);
}

/*
 * Notes what makes BEFORE, which is written, to AFTER. False: that cannot be
 * said, as something would have to go between what is there.
 */
static bool
note_changes(
    struct image_out *out, const struct kids *before, const struct kids *after)
{
	struct kids_pos b = { 0, 0 }, a = { 0, 0 };
	const struct kid *was = kids_next(before, &b);
	const struct kid *is = kids_next(after, &a);

	while (was != NULL || is != NULL) {
		if (is == NULL || (was != NULL && was->seq < is->seq)) {
			note_kid(out, KID_REMOVED, was->node, was->seq);
			was = kids_next(before, &b);
			continue;
		}
		if (was == NULL || is->seq < was->seq) {
			if (is->seq < before->next_seq)
				return false;
			note_kid(out, KID_ADDED, is->node, is->seq);
			is = kids_next(after, &a);
			continue;
		}
		if (was->node->id != is->node->id)
			return false;
		if (was->node != is->node)
			note_kid(out, KID_REPLACED, is->node, is->seq);
		was = kids_next(before, &b);
		is = kids_next(after, &a);
	}
	return true;
}

/* Sees to it that the children of NODE, which is written as NUMBER with those
 * of BASE (or NULL), will be. */
static void
push(struct image_out *out, const struct node *node, const struct node *base,
    uint32_t number)
{
	const struct kids *had = base != NULL ? base->kids : NULL;
	struct image_frame *f = &out->frame[out->depth];

	if (node->kids == had || out->img->failed)
		return;
	f->number = number;
	f->first = f->next = out->n_kids;
	f->mode = IMAGE_KIDS_EMPTY;
	f->next_seq = node->kids != NULL ? node->kids->next_seq : 0;
	if (node->kids != NULL) {
		f->mode = IMAGE_KIDS_CHANGE;
		if (had == NULL || !note_changes(out, had, node->kids)) {
			f->mode = IMAGE_KIDS_ALL;
			out->n_kids = f->first;
			note_all(out, node->kids);
		}
	}
	f->end = out->n_kids;
	out->depth++;
}

/* How many children that were noted in F are WHAT. */
static uint32_t
count_kids(const struct image_out *out, const struct image_frame *f, int what)
{
	uint32_t n = 0;
	size_t i;

	for (i = f->first; i < f->end; i++)
		n += (int)out->kid[i].what == what;
	return n;
}

static void
put_kids_that_are(struct image_out *out, const struct image_frame *f, int what)
{
	const struct image_kid *kid;
	size_t i;

	put_u32(out->img, count_kids(out, f, what));
	for (i = f->first; i < f->end; i++) {
		kid = &out->kid[i];
		if ((int)kid->what != what)
			continue;
		put_u32(out->img, kid->number);
		if (what == KID_ADDED)
			put_u64(out->img, kid->seq);
	}
}

static void
put_kids(struct image_out *out, const struct image_frame *f)
{
	put_u8(out->img, IMAGE_KIDS);
	put_u32(out->img, f->number);
	put_u8(out->img, (uint8_t)f->mode);
	if (f->mode == IMAGE_KIDS_EMPTY)
		return;
	put_u64(out->img, f->next_seq);
	if (f->mode == IMAGE_KIDS_CHANGE) {
		put_kids_that_are(out, f, KID_REMOVED);
		put_kids_that_are(out, f, KID_REPLACED);
	}
	put_kids_that_are(out, f, KID_ADDED);
}

/* --- nodes --- */

static void
put_stamps(struct image *img, const struct node *node)
{
	put_u64(img, node->value_stamp);
	put_u64(img, node->kids_stamp);
	put_u64(img, node->acl_stamp);
}

static void
put_value(struct image *img, const struct node *node)
{
	if (node->value == NULL)
		put_u32(img, 0);
	else
		put_string(img, node->value->data, node->value->len);
}

/* The first version of a place. The one above was written before. */
static void
put_node(struct image_out *out, const struct node *node, uint32_t acl)
{
	const struct ident *id = node->id;
	uint32_t parent = IMAGE_NONE;
	bool is_new = false;

	if (id->parent != NULL) {
		struct image_map_entry *entry =
		    get(out, &out->places, id->parent, &is_new);

		if (entry == NULL || is_new) {
			fail(out);
			return;
		}
		parent = entry->number;
	}
	put_u8(out->img, IMAGE_NODE);
	put_u32(out->img, parent);
	put_string(out->img, id->name->text, id->name->len);
	put_u32(out->img, acl);
	put_stamps(out->img, node);
	put_value(out->img, node);
}

static void
put_version(struct image_out *out, const struct node *node, uint32_t acl,
    const struct image_place *place)
{
	bool same_value = node->value == place->last->value;

	put_u8(out->img, IMAGE_VERSION_OF);
	put_u32(out->img, place->last_number);
	put_u32(out->img, acl);
	put_stamps(out->img, node);
	put_u8(out->img, same_value);
	if (!same_value)
		put_value(out->img, node);
}

/* The number of NODE, which is written if it was not. */
static uint32_t
visit(struct image_out *out, struct node *node)
{
	struct image_map_entry *entry;
	const struct node *base = NULL;
	struct image_place *place;
	uint32_t number, acl;
	bool is_new;

	entry = get(out, &out->nodes, node, &is_new);
	if (entry == NULL || !is_new)
		return entry != NULL ? entry->number : IMAGE_NONE;
	number = entry->number;
	acl = image_out_acl(out, node->acl);
	entry = get(out, &out->places, node->id, &is_new);
	if (entry == NULL)
		return IMAGE_NONE;
	place = with_room(
	    out->place, &out->places_cap, entry->number, sizeof(*place));
	if (place == NULL) {
		fail(out);
		return IMAGE_NONE;
	}
	out->place = place;
	place += entry->number;
	if (is_new) {
		put_node(out, node, acl);
	} else {
		base = place->last;
		put_version(out, node, acl, place);
	}
	if (is_new || !out->scratch) {
		place->last = node;
		place->last_number = number;
	}
	push(out, node, base, number);
	return number;
}

uint32_t
image_out_tree(struct image_out *out, struct node *top)
{
	uint32_t number = visit(out, top), kid;
	struct image_frame *f;
	size_t i;

	while (out->depth > 0 && !out->img->failed) {
		f = &out->frame[out->depth - 1];
		if (f->next < f->end) {
			i = f->next++;
			/* may move the array */
			kid = visit(out, out->kid[i].node);
			if (!out->img->failed)
				out->kid[i].number = kid;
			continue;
		}
		put_kids(out, f);
		out->n_kids = f->first;
		out->depth--;
	}
	return number;
}

uint32_t
image_out_node_number(struct image_out *out, const struct node *node)
{
	struct image_map_entry *entry;
	bool is_new;

	entry = get(out, &out->nodes, node, &is_new);
	if (entry == NULL || is_new) {
		fail(out);
		return IMAGE_NONE;
	}
	return entry->number;
}
