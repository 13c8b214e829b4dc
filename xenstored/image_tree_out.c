/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "xenstored/image_out.h"

/*
 * Trees are written one after the other, the oldest first, each with what it
 * was made from: what a version of a node differs in from the one before is
 * little, a value or some children. A node comes before its children as they
 * refer to its place, which all its versions have in common; the list of them
 * comes behind all of them.
 */

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
	struct image_map_entry *entry;
	bool is_new;

	if (p == NULL)
		return IMAGE_NONE;
	entry = get(out, &out->principals, p, &is_new);
	if (entry == NULL)
		return IMAGE_NONE;
	if (is_new)
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
note_kid(struct image_out *out, int what, const struct kid *kid,
    const struct node *base)
{
	size_t cap = out->kids_cap == 0 ? 256 : out->kids_cap * 2;
	struct image_kid *to = out->kid;

	if (out->n_kids == out->kids_cap) {
		to = realloc(to, cap * sizeof(*to));
		if (to == NULL) {
			fail(out);
			return;
		}
		out->kid = to;
		out->kids_cap = cap;
	}
	to += out->n_kids++;
	to->what = what;
	to->node = kid->node;
	to->base = base;
	to->seq = kid->seq;
}

/* Notes all of KIDS; HAD (or NULL) is what the version before had. */
static void
note_all(struct image_out *out, const struct kids *kids, const struct kids *had)
{
	struct kids_pos pos = { 0, 0 };
	const struct kid *kid;
	struct name name;

	while ((kid = kids_next(kids, &pos)) != NULL) {
		name = (struct name){ node_name(kid->node),
			node_name_len(kid->node), kid->hash };
		note_kid(out, KID_ADDED, kid, kids_find(had, &name));
	}
}

static bool
same_name(const struct kid *a, const struct kid *b)
{
	return a->hash == b->hash &&
	       node_name_len(a->node) == node_name_len(b->node) &&
	       memcmp(node_name(a->node), node_name(b->node),
		   node_name_len(a->node)) == 0;
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
	const struct kid *was, *is;

	kids_skip_shared(before, &b, after, &a);
	was = kids_next(before, &b);
	is = kids_next(after, &a);
	while (was != NULL || is != NULL) {
		if (is == NULL || (was != NULL && was->seq < is->seq)) {
			note_kid(out, KID_REMOVED, was, NULL);
			was = kids_next(before, &b);
			continue;
		}
		if (was == NULL || is->seq < was->seq) {
			if (is->seq < before->next_seq)
				return false;
			note_kid(out, KID_ADDED, is, NULL);
			is = kids_next(after, &a);
			continue;
		}
		if (was->node != is->node) {
			if (!same_name(was, is))
				return false;
			note_kid(out, KID_REPLACED, is, was->node);
		}
		kids_skip_shared(before, &b, after, &a);
		was = kids_next(before, &b);
		is = kids_next(after, &a);
	}
	return true;
}

/* Sees to it that the children of NODE, which is written as NUMBER with those
 * of BASE (or NULL), will be. */
static void
push(struct image_out *out, const struct node *node, const struct node *base,
    uint32_t number, uint32_t place)
{
	const struct kids *had = base != NULL ? base->kids : NULL;
	struct image_frame *f = &out->frame[out->depth];

	if (node->kids == had || out->img->failed)
		return;
	f->node = node;
	f->number = number;
	f->place = place;
	f->first = f->next = out->n_kids;
	f->mode = IMAGE_KIDS_NONE;
	if (node->kids != NULL) {
		f->mode = IMAGE_KIDS_CHANGE;
		if (had == NULL || !note_changes(out, had, node->kids)) {
			f->mode = IMAGE_KIDS_ALL;
			out->n_kids = f->first;
			note_all(out, node->kids, had);
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
			put_u32(out->img, kid->seq);
	}
}

static void
put_kids(struct image_out *out, const struct image_frame *f)
{
	put_u8(out->img, IMAGE_KIDS);
	put_u32(out->img, f->number);
	put_u8(out->img, (uint8_t)f->mode);
	if (f->mode == IMAGE_KIDS_NONE)
		return;
	put_u32(out->img, f->node->kids->next_seq);
	put_u64(out->img, f->node->kids->stamp);
	if (f->mode == IMAGE_KIDS_CHANGE) {
		put_kids_that_are(out, f, KID_REMOVED);
		put_kids_that_are(out, f, KID_REPLACED);
	}
	put_kids_that_are(out, f, KID_ADDED);
}

/* --- nodes --- */

/* The first version of a place below place ABOVE. */
static void
put_node(
    struct image *img, const struct node *node, uint32_t above, uint32_t acl)
{
	put_u8(img, IMAGE_NODE);
	put_u32(img, above);
	put_string(img, node_name(node), node_name_len(node));
	put_u32(img, acl);
	put_u64(img, node->value_stamp);
	put_u64(img, node->acl_stamp);
	put_string(img, node_value(node), node_value_len(node));
}

/* A version that was made from BASE, number FROM. */
static void
put_version(struct image *img, const struct node *node, const struct node *base,
    uint32_t from, uint32_t acl)
{
	bool same = node_value_len(node) == node_value_len(base) &&
		    memcmp(node_value(node), node_value(base),
			node_value_len(node)) == 0;

	put_u8(img, IMAGE_VERSION_OF);
	put_u32(img, from);
	put_u32(img, acl);
	put_u64(img, node->value_stamp);
	put_u64(img, node->acl_stamp);
	put_u8(img, same);
	if (!same)
		put_string(img, node_value(node), node_value_len(node));
}

/* The number of NODE, which is written if it was not: below the place ABOVE,
 * as made from BASE (or NULL). */
static uint32_t
visit(struct image_out *out, struct node *node, const struct node *base,
    uint32_t above)
{
	struct image_map_entry *entry;
	uint32_t number, place, acl;
	bool is_new;

	entry = get(out, &out->nodes, node, &is_new);
	if (entry == NULL || !is_new)
		return entry != NULL ? entry->number : IMAGE_NONE;
	number = entry->number;
	acl = image_out_acl(out, node->acl);
	if (base == NULL) {
		place = out->n_places++;
		put_node(out->img, node, above, acl);
	} else {
		entry = get(out, &out->nodes, base, &is_new);
		if (entry == NULL || is_new) {
			fail(out);
			return IMAGE_NONE;
		}
		place = entry->extra;
		put_version(out->img, node, base, entry->number, acl);
	}
	/* the map may have moved */
	entry = get(out, &out->nodes, node, &is_new);
	entry->extra = place;
	push(out, node, base, number, place);
	return number;
}

uint32_t
image_out_tree(struct image_out *out, struct node *top, const struct node *base)
{
	uint32_t number = visit(out, top, base, IMAGE_NONE), kid;
	struct image_frame *f;
	size_t i;

	while (out->depth > 0 && !out->img->failed) {
		f = &out->frame[out->depth - 1];
		if (f->next < f->end) {
			i = f->next++;
			/* may move the array */
			kid = visit(
			    out, out->kid[i].node, out->kid[i].base, f->place);
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
