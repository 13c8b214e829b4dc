/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/store.h"

#include <stdlib.h>
#include <string.h>

static struct comps
comps_of(const char *path)
{
	return (struct comps){ .pos = path };
}

static bool
comps_next(struct comps *c)
{
	const char *end;

	if (c->pos == NULL)
		return false;
	c->name = c->pos;
	end = strchrnul(c->pos, '/');
	c->len = (size_t)(end - c->pos);
	c->pos = end[0] != '\0' && end[1] != '\0' ? end + 1 : NULL;
	return true;
}

static struct node *
child_of(const struct heap *heap, const struct node *node, struct comps *c)
{
	struct node **slot;
	bool owned = false; /* of no interest */

	slot = kids_look(heap, node->kids, c->name, c->len, &owned);
	return slot != NULL ? *slot : NULL;
}

struct node *
store_new_tree(struct heap *heap, struct acl *acl, struct acl *release_acl)
{
	static const char *const name[] = { "", "@introduceDomain",
		"@releaseDomain" };
	struct node *top = node_make(heap, "", 0, NULL, 0, acl), *node;
	struct name called;
	size_t i;

	for (i = 0; top != NULL && i < 3; i++) {
		called = name_of(heap, name[i], strlen(name[i]));
		node = node_make(heap, called.text, called.len, NULL, 0,
		    i == 2 ? release_acl : acl);
		if (node != NULL && kids_prepare(heap, &top->kids, &called)) {
			kids_add(top->kids, node, &called);
			continue;
		}
		if (node != NULL)
			node_unref(heap, node);
		node_unref(heap, top);
		top = NULL;
	}
	return top;
}

/* What is missing from component C of PATH on, below F's nearest. */
static void
find_nothing(struct found *f, const char *path, struct comps c)
{
	f->first_missing = (size_t)(c.name + c.len - path);
	f->nearest_len = (size_t)(c.name - path);
	if (f->nearest_len > 1)
		f->nearest_len--; /* the slash */
	do
		f->n_missing++;
	while (comps_next(&c));
}

void
store_find_way(struct heap *heap, struct node **top, const char *path,
    struct found *found_out, struct way *way)
{
	struct comps c = comps_of(path);
	struct node *node = *top, *parent = NULL, **slot;

	way->slot = top;
	way->n = 0;
	way->own = node->ref == 1;
	*found_out = (struct found){ .nearest = node };
	while (comps_next(&c)) {
		slot = kids_look(heap, node->kids, c.name, c.len, &way->own);
		if (slot == NULL) {
			way->rest = c;
			way->missing = true;
			found_out->nearest = node;
			find_nothing(found_out, path, c);
			return;
		}
		way->kids[way->n++] = node->kids;
		way->slot = slot;
		parent = node == *top ? NULL : node;
		node = *slot;
	}
	way->missing = false;
	found_out->node = found_out->nearest = node;
	found_out->parent = parent;
	found_out->nearest_len = (size_t)(c.name + c.len - path);
	if (path[found_out->nearest_len] != '\0')
		found_out->nearest_len++; /* the slash that is the root's */
	found_out->first_missing = found_out->nearest_len;
}

void
store_find(struct heap *heap, struct node *top, const char *path,
    struct found *found_out)
{
	struct way way;

	store_find_way(heap, &top, path, found_out, &way);
}

struct node *
store_get(struct heap *heap, struct node *top, const char *path)
{
	struct comps c = comps_of(path);
	struct node *node = top;

	while (node != NULL && comps_next(&c))
		node = child_of(heap, node, &c);
	return node;
}

bool
store_same(struct heap *heap, struct node *first, struct node *second,
    const char *path, struct node **first_out, struct node **second_out)
{
	struct comps c = comps_of(path);

	while (first != second) {
		if (!comps_next(&c)) {
			*first_out = first;
			*second_out = second;
			return false;
		}
		first = first != NULL ? child_of(heap, first, &c) : NULL;
		second = second != NULL ? child_of(heap, second, &c) : NULL;
	}
	return true;
}

/* --- changing --- */

/* The version at *SLOT, after making it its holder's own; NULL: no memory. */
static struct node *
own(struct heap *heap, struct node **slot)
{
	struct node *copy;

	if ((*slot)->ref == 1)
		return *slot;
	copy = node_copy(heap, *slot);
	if (copy == NULL)
		return NULL;
	node_unref(heap, *slot);
	*slot = copy;
	return copy;
}

/* Goes down to the child NAME, which is there. False: no memory. */
static bool
way_down(struct heap *heap, struct way *way, const struct name *name)
{
	struct node *parent = *way->slot;
	struct node **slot = kids_slot(heap, &parent->kids, name);

	if (slot == NULL || own(heap, slot) == NULL)
		return false;
	way->kids[way->n++] = parent->kids;
	way->slot = slot;
	return true;
}

/* The lowest amounted to BEFORE: all above it have what it amounts to now. */
static void
way_weigh(struct way *way, const struct weight *before)
{
	struct weight now = node_weight(*way->slot);
	unsigned i;

	for (i = 0; i < way->n; i++)
		weight_change(&way->kids[i]->below, before, &now);
}

/*
 * Owns all that exists on the way down C. True: all of C was there; false with
 * WAY->slot NULL: no memory; else C is at the first component that is missing.
 */
static bool
own_path(struct heap *heap, struct node **top, struct comps *c, struct way *way)
{
	struct node **slot;
	struct name name;
	struct kids *kids;
	bool owned;

	way->n = 0;
	way->slot = own(heap, top) != NULL ? top : NULL;
	while (way->slot != NULL && comps_next(c)) {
		kids = (*way->slot)->kids;
		owned = true;
		slot = kids_look(heap, kids, c->name, c->len, &owned);
		if (slot == NULL)
			return false;
		if (owned) {
			way->kids[way->n++] = kids;
			way->slot = slot;
			continue;
		}
		name = name_of(heap, c->name, c->len);
		if (!way_down(heap, way, &name))
			way->slot = NULL;
	}
	return way->slot != NULL;
}

/* Puts CHILD below PARENT, both new; false: no memory. */
static bool
hang(struct heap *heap, struct node *parent, struct node *child)
{
	struct name name =
	    name_of(heap, node_name(child), node_name_len(child));

	if (!kids_prepare(heap, &parent->kids, &name))
		return false;
	kids_add(parent->kids, child, &name);
	parent->kids->stamp = parent->acl_stamp;
	return true;
}

/*
 * A chain of new nodes for component C and all that follow, not yet in a tree;
 * its last has VALUE (or NULL). Made from its end, as a node has to be complete
 * when it becomes another's child. NULL: no memory.
 */
static struct node *
new_chain(struct heap *heap, const struct comps *c, struct acl *acl,
    const struct bytes *value)
{
	static const struct bytes none;
	const struct bytes *v = value != NULL ? value : &none;
	const char *end = c->name + strlen(c->name), *name;
	struct node *child = NULL, *node;

	for (; end > c->name; end = name - 1) {
		for (name = end; name > c->name && name[-1] != '/'; name--)
			;
		node = node_make(
		    heap, name, (size_t)(end - name), v->data, v->len, acl);
		if (node != NULL && child != NULL && !hang(heap, node, child)) {
			node_unref(heap, node);
			node = NULL;
		}
		if (node == NULL) {
			if (child != NULL)
				node_unref(heap, child);
			return NULL;
		}
		child = node;
		v = &none;
	}
	return child;
}

/* Makes what is missing at C, below WAY. */
static enum xs_err
put_new(struct heap *heap, struct way *way, const struct comps *c,
    const struct bytes *value, struct acl *acl, struct node **created_out)
{
	struct node *node = *way->slot, *chain;
	struct weight before = node_weight(node);
	struct name name;

	chain = new_chain(heap, c, acl, value);
	if (chain == NULL)
		return XS_ENOMEM;
	name = name_of(heap, node_name(chain), node_name_len(chain));
	if (!kids_prepare(heap, &node->kids, &name)) {
		node_unref(heap, chain);
		return XS_ENOMEM;
	}
	kids_add(node->kids, chain, &name);
	node->kids->stamp = ++heap->stamp;
	way_weigh(way, &before);
	*created_out = chain;
	return XS_OK;
}

/* Gives the lowest node of WAY the value VALUE. */
static enum xs_err
put_value(struct heap *heap, struct way *way, const struct bytes *value)
{
	bool as_heavy = node_value_len(*way->slot) == value->len;
	struct weight before;

	if (!as_heavy)
		before = node_weight(*way->slot);
	if (!node_set_value(heap, way->slot, value->data, value->len))
		return XS_ENOMEM;
	(*way->slot)->value_stamp = ++heap->stamp;
	if (!as_heavy)
		way_weigh(way, &before);
	return XS_OK;
}

enum xs_err
store_put_at(struct heap *heap, struct way *way, const struct bytes *value,
    struct acl *acl, struct node **created_out)
{
	*created_out = NULL;
	if (way->missing)
		return put_new(heap, way, &way->rest, value, acl, created_out);
	return value != NULL ? put_value(heap, way, value) : XS_OK;
}

enum xs_err
store_put(struct heap *heap, struct node **top, const char *path,
    const struct bytes *value, struct acl *acl, struct node **created_out)
{
	struct way way;

	*created_out = NULL;
	way.rest = comps_of(path);
	way.missing = !own_path(heap, top, &way.rest, &way);
	if (way.slot == NULL)
		return XS_ENOMEM;
	return store_put_at(heap, &way, value, acl, created_out);
}

enum xs_err
store_remove(struct heap *heap, struct node **top, const char *path,
    struct node **removed_out)
{
	struct comps c = comps_of(path), ahead;
	struct weight before;
	struct node *parent;
	struct name name;
	struct way way;

	way.n = 0;
	way.slot = top;
	if (own(heap, top) == NULL)
		return XS_ENOMEM;
	for (comps_next(&c);; comps_next(&c)) {
		ahead = c;
		name = name_of(heap, c.name, c.len);
		if (!comps_next(&ahead))
			break;
		if (!way_down(heap, &way, &name))
			return XS_ENOMEM;
	}
	parent = *way.slot;
	if (!kids_prepare(heap, &parent->kids, &name))
		return XS_ENOMEM;
	before = node_weight(parent);
	*removed_out = kids_take(parent->kids, &name);
	parent->kids->stamp = ++heap->stamp;
	way_weigh(&way, &before);
	return XS_OK;
}

enum xs_err
store_set_acl(struct heap *heap, struct node **top, const char *path,
    struct acl *acl, struct node **node_out)
{
	struct comps c = comps_of(path);
	struct weight before;
	struct node *node;
	struct way way;

	if (!own_path(heap, top, &c, &way))
		return XS_ENOMEM;
	node = *way.slot;
	before = node_weight(node);
	acl_ref(acl);
	acl_unref(heap->acls, node->acl);
	node->acl = acl;
	node->acl_stamp = ++heap->stamp;
	way_weigh(&way, &before);
	*node_out = node;
	return XS_OK;
}

/* --- walking --- */

void
walk_start(struct walk *walk, struct node *node)
{
	walk->frame[0] = (struct walk_frame){ .node = node };
	walk->depth = 1;
}

struct node *
walk_next_if(struct walk *walk, walk_filter *want, void *ctx)
{
	struct walk_frame *frame;
	const struct kid *kid;

	while (walk->depth > 0) {
		frame = &walk->frame[walk->depth - 1];
		do
			kid = kids_next(frame->node->kids, &frame->pos);
		while (
		    kid != NULL && want != NULL && !want(ctx, walk, kid->node));
		if (kid == NULL) {
			walk->depth--;
			return frame->node;
		}
		walk->frame[walk->depth++] =
		    (struct walk_frame){ .node = kid->node };
	}
	return NULL;
}

size_t
walk_path(const struct walk *walk, const struct node *node, const char *path,
    char *buf, size_t size)
{
	size_t len = strlen(path), i;
	const struct node *at;

	if (len == 1)
		len = 0; /* the root's name is empty, and a slash follows */
	if (len >= size)
		return 0;
	memcpy(buf, path, len);
	for (i = 1; i <= walk->depth; i++) {
		at = i < walk->depth ? walk->frame[i].node : node;
		if (len + node_name_len(at) + 2 > size)
			return 0;
		/* no slash before the first component below a top */
		if (i > 1 || path[0] != '\0')
			buf[len++] = '/';
		memcpy(buf + len, node_name(at), node_name_len(at));
		len += node_name_len(at);
	}
	if (len == 0)
		buf[len++] = '/'; /* the root itself */
	buf[len] = '\0';
	return len;
}

struct node *
walk_next(struct walk *walk)
{
	return walk_next_if(walk, NULL, NULL);
}
