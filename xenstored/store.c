/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/store.h"

#include <stdlib.h>
#include <string.h>

/* The components of a path that are still to come. "/" has one, the empty name
 * of the root; "/a" has two; "@x" has one. */
struct comps {
	const char *pos; /* NULL: no more */
	const char *name;
	size_t len;
};

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
	end = strchr(c->pos, '/');
	if (end == NULL) {
		c->len = strlen(c->pos);
		c->pos = NULL;
	} else {
		c->len = (size_t)(end - c->pos);
		c->pos = end[1] != '\0' ? end + 1 : NULL;
	}
	return true;
}

static struct node *
child_of(const struct heap *heap, const struct node *node, struct comps *c)
{
	const struct atom *atom;

	if (node->kids == NULL)
		return NULL;
	atom = atom_find(heap->atoms, c->name, c->len);
	return atom != NULL ? kids_find(node->kids, atom) : NULL;
}

struct node *
store_new_tree(struct heap *heap, struct acl *acl, struct acl *release_acl)
{
	static const char *const name[] = { "", "@introduceDomain",
		"@releaseDomain" };
	struct node *top = node_new(heap, NULL, "", 0, acl), *node;
	struct comps c;
	size_t i;

	for (i = 0; top != NULL && i < 3; i++) {
		c = (struct comps){ .name = name[i], .len = strlen(name[i]) };
		node = node_new(
		    heap, top->id, c.name, c.len, i == 2 ? release_acl : acl);
		if (node != NULL &&
		    kids_prepare(heap, &top->kids, node->id->name)) {
			kids_add(top->kids, node);
			continue;
		}
		if (node != NULL)
			node_unref(heap, node);
		node_unref(heap, top);
		top = NULL;
	}
	return top;
}

void
store_find(struct heap *heap, struct node *top, const char *path,
    struct found *found_out)
{
	struct comps c = comps_of(path);
	struct node *node = top, *parent = NULL, *child;

	memset(found_out, 0, sizeof(*found_out));
	while (comps_next(&c)) {
		child = child_of(heap, node, &c);
		if (child == NULL) {
			found_out->nearest = node;
			found_out->first_missing =
			    (size_t)(c.name + c.len - path);
			found_out->nearest_len = (size_t)(c.name - path);
			if (found_out->nearest_len > 1)
				found_out->nearest_len--; /* the slash */
			do
				found_out->n_missing++;
			while (comps_next(&c));
			return;
		}
		parent = node == top ? NULL : node;
		node = child;
	}
	found_out->node = found_out->nearest = node;
	found_out->parent = parent;
	found_out->nearest_len = strlen(path);
	found_out->first_missing = found_out->nearest_len;
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

/* The child NAME of PARENT, both owned. */
static struct node *
own_child(struct heap *heap, struct node *parent, const struct atom *name)
{
	struct node **slot = kids_slot(heap, &parent->kids, name);

	return slot != NULL ? own(heap, slot) : NULL;
}

/*
 * Owns all that exists on the way down C. *NODE_OUT is the lowest of it. True:
 * all of C was there; false with *NODE_OUT NULL: no memory; else C is at the
 * first component that is missing.
 */
static bool
own_path(struct heap *heap, struct node **top, struct comps *c,
    struct node **node_out)
{
	struct node *node = own(heap, top);
	struct node *child;

	while (node != NULL && comps_next(c)) {
		child = child_of(heap, node, c);
		if (child == NULL) {
			*node_out = node;
			return false;
		}
		node = own_child(heap, node, child->id->name);
	}
	*node_out = node;
	return node != NULL;
}

/*
 * A chain of new nodes for component C and all that follow, below PARENT and
 * not yet in it; its last has VALUE (the reference is taken over). NULL: no
 * memory, VALUE is still the caller's.
 */
static struct node *
new_chain(struct heap *heap, struct ident *parent, struct comps *c,
    struct acl *acl, struct blob *value)
{
	struct node *first, *node, *child;

	first = node = node_new(heap, parent, c->name, c->len, acl);
	while (node != NULL && comps_next(c)) {
		child = node_new(heap, node->id, c->name, c->len, acl);
		if (child != NULL &&
		    !kids_prepare(heap, &node->kids, child->id->name)) {
			node_unref(heap, child);
			child = NULL;
		}
		if (child == NULL) {
			node_unref(heap, first);
			return NULL;
		}
		kids_add(node->kids, child);
		node = child;
	}
	if (node != NULL)
		node->value = value;
	return first;
}

enum xs_err
store_put(struct heap *heap, struct node **top, const char *path,
    const struct bytes *value, struct acl *acl, struct node **created_out)
{
	struct comps c = comps_of(path);
	struct blob *blob = NULL;
	struct node *node, *chain;

	*created_out = NULL;
	if (value != NULL && value->len > 0) {
		blob = blob_new(value->data, value->len);
		if (blob == NULL)
			return XS_ENOMEM;
	}
	if (own_path(heap, top, &c, &node)) {
		if (value != NULL) {
			blob_unref(node->value);
			node->value = blob;
			node->value_stamp = ++heap->stamp;
		}
		return XS_OK;
	}
	chain = node != NULL ? new_chain(heap, node->id, &c, acl, blob) : NULL;
	if (chain == NULL) {
		blob_unref(blob);
		return XS_ENOMEM;
	}
	if (!kids_prepare(heap, &node->kids, chain->id->name)) {
		node_unref(heap, chain);
		return XS_ENOMEM;
	}
	kids_add(node->kids, chain);
	node->kids_stamp = ++heap->stamp;
	*created_out = chain;
	return XS_OK;
}

enum xs_err
store_remove(struct heap *heap, struct node **top, const char *path,
    struct node **removed_out)
{
	struct comps c = comps_of(path), ahead;
	struct node *node = own(heap, top), *child;

	while (node != NULL && comps_next(&c)) {
		ahead = c;
		child = child_of(heap, node, &c);
		if (comps_next(&ahead)) {
			node = own_child(heap, node, child->id->name);
			continue;
		}
		if (!kids_prepare(heap, &node->kids, child->id->name))
			return XS_ENOMEM;
		*removed_out = kids_take(node->kids, child->id->name);
		if (node->kids->n == 0) {
			kids_unref(heap, node->kids);
			node->kids = NULL;
		}
		node->kids_stamp = ++heap->stamp;
		return XS_OK;
	}
	return XS_ENOMEM;
}

enum xs_err
store_set_acl(struct heap *heap, struct node **top, const char *path,
    struct acl *acl, struct node **node_out)
{
	struct comps c = comps_of(path);
	struct node *node;

	if (!own_path(heap, top, &c, &node))
		return XS_ENOMEM;
	acl_ref(acl);
	acl_unref(heap->acls, node->acl);
	node->acl = acl;
	node->acl_stamp = ++heap->stamp;
	*node_out = node;
	return XS_OK;
}

size_t
store_path(const struct ident *id, char *buf, size_t size)
{
	const struct ident *at;
	size_t len = 0, pos;

	for (at = id; at->parent != NULL; at = at->parent)
		len += at->name->len + 1;
	len--; /* the first component has no slash before it */
	if (len == 0)
		len = 1; /* the root */
	if (len >= size)
		return 0;
	buf[0] = '/';
	buf[len] = '\0';
	pos = len;
	for (at = id; at->parent != NULL && pos > 0; at = at->parent) {
		pos -= at->name->len;
		memcpy(buf + pos, at->name->text, at->name->len);
		if (pos > 0)
			buf[--pos] = '/';
	}
	return len;
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

struct node *
walk_next(struct walk *walk)
{
	return walk_next_if(walk, NULL, NULL);
}
