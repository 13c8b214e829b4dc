/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <stdlib.h>

#include "common/path.h"
#include "xenstored/image_inp.h"

/* --- permissions --- */

bool
image_inp_acl(struct image_inp *inp)
{
	uint32_t n = get_count(&inp->in, 9), i;
	struct acl_entry *entry;
	struct acl *acl;

	if (n == 0 || n > WIRE_PAYLOAD_MAX)
		return in_wrong(&inp->in, "a list of permissions is too long");
	entry = calloc(n, sizeof(*entry));
	if (entry == NULL)
		return inp_no_memory(inp);
	for (i = 0; i < n; i++) {
		entry[i].who = inp_principal_or_none(inp);
		entry[i].perm.domid = get_u32(&inp->in);
		entry[i].perm.bits = get_u8(&inp->in);
		if ((entry[i].perm.bits & ~(PERM_READ | PERM_WRITE)) != 0 ||
		    (entry[i].who != NULL &&
			entry[i].who->domid != entry[i].perm.domid))
			in_wrong(&inp->in, "a permission is none");
	}
	acl = inp->in.wrong == NULL ? acl_get(inp->st->heap.acls, entry, n)
				    : NULL;
	free(entry);
	if (acl == NULL)
		return inp_no_memory(inp);
	if (image_list_add(&inp->acls, acl))
		return true;
	acl_unref(inp->st->heap.acls, acl);
	return inp_no_memory(inp);
}

static struct acl *
get_acl(struct image_inp *inp)
{
	uint32_t i =
	    get_index(&inp->in, inp->acls.n, "permissions are missing");

	return inp->in.wrong == NULL ? inp->acls.item[i] : NULL;
}

/* --- nodes --- */

struct node *
inp_node(struct image_inp *inp)
{
	uint32_t i = get_index(&inp->in, inp->nodes.n, "a node is missing");

	return inp->in.wrong == NULL ? inp->nodes.item[i] : NULL;
}

/* Whether the LEN characters at NAME may be called so below PARENT, whose path
 * is PARENT_LEN long. */
static bool
name_fits(const struct ident *parent, const char *name, size_t len)
{
	if (parent == NULL)
		return len == 0;
	if (parent->parent == NULL)
		return len == 0 ||
		       (len == 16 &&
			   memcmp(name, "@introduceDomain", 16) == 0) ||
		       (len == 14 && memcmp(name, "@releaseDomain", 14) == 0);
	if (parent->parent->parent == NULL && parent->name->len > 0)
		return false; /* nothing is below a special */
	return len > 0 && memchr(name, '/', len) == NULL &&
	       path_kind(name, len) != PATH_BAD;
}

static bool
add_spot(struct image_inp *inp, struct ident *id, uint32_t path_len)
{
	struct image_spot *spot = inp->spot;
	size_t cap;

	if (inp->n_spots == inp->spots_cap) {
		cap = inp->spots_cap == 0 ? 256 : inp->spots_cap * 2;
		spot = realloc(spot, cap * sizeof(*spot));
		if (spot == NULL)
			return inp_no_memory(inp);
		inp->spot = spot;
		inp->spots_cap = cap;
	}
	spot[inp->n_spots++] =
	    (struct image_spot){ .id = id, .path_len = path_len };
	return true;
}

static void
read_stamps(struct image_inp *inp, struct node *node)
{
	node->value_stamp = inp_stamp(inp);
	node->kids_stamp = inp_stamp(inp);
	node->acl_stamp = inp_stamp(inp);
}

/* Gives NODE the next value. */
static bool
read_value(struct image_inp *inp, struct node *node)
{
	size_t len;
	const char *value = get_string(&inp->in, WIRE_PAYLOAD_MAX, &len);

	if (value == NULL)
		return false;
	blob_unref(node->value);
	node->value = blob_new(value, len);
	return node->value != NULL || len == 0 || inp_no_memory(inp);
}

static bool
add_node(struct image_inp *inp, struct node *node)
{
	if (image_list_add(&inp->nodes, node))
		return true;
	node_unref(&inp->st->heap, node);
	return inp_no_memory(inp);
}

bool
image_inp_node(struct image_inp *inp)
{
	uint32_t up = get_index_or_none(
	    &inp->in, inp->n_spots, "a node's parent is missing");
	const struct image_spot *above = NULL;
	struct ident *parent = NULL;
	uint32_t path_len = 0;
	const char *name;
	struct node *node;
	struct acl *acl;
	size_t len;

	name = get_string(&inp->in, WIRE_ABS_PATH_MAX, &len);
	acl = get_acl(inp);
	if (name == NULL || acl == NULL)
		return false;
	if ((up == IMAGE_NONE) != (inp->n_spots == 0))
		return in_wrong(&inp->in, "there is more than one tree");
	if (up != IMAGE_NONE) {
		above = &inp->spot[up];
		parent = above->id;
		path_len = above->path_len + 1 + (uint32_t)len;
		if (parent->parent == NULL)
			path_len = (uint32_t)len;
	}
	if (!name_fits(parent, name, len) || path_len > WIRE_ABS_PATH_MAX)
		return in_wrong(&inp->in, "a node's name is not possible");
	node = node_new(&inp->st->heap, parent, name, len, acl);
	if (node == NULL)
		return inp_no_memory(inp);
	if (!add_node(inp, node) || !add_spot(inp, node->id, path_len))
		return false;
	read_stamps(inp, node);
	return read_value(inp, node);
}

bool
image_inp_version(struct image_inp *inp)
{
	struct heap *heap = &inp->st->heap;
	struct node *base = inp_node(inp), *node;
	struct acl *acl = get_acl(inp);

	if (base == NULL || acl == NULL)
		return false;
	node = node_copy(heap, base);
	if (node == NULL)
		return inp_no_memory(inp);
	if (!add_node(inp, node))
		return false;
	acl_unref(heap->acls, node->acl);
	node->acl = acl_ref(acl);
	read_stamps(inp, node);
	return inp_bool(inp) || read_value(inp, node);
}

/* --- children --- */

/* The next node, which is or could be a child of NODE. */
static struct node *
get_child(struct image_inp *inp, const struct node *node)
{
	struct node *child = inp_node(inp);

	if (child != NULL && child->id->parent == node->id)
		return child;
	in_wrong(&inp->in, "a child has another parent");
	return NULL;
}

static bool
remove_kids(struct image_inp *inp, struct node *node)
{
	uint32_t n = get_count(&inp->in, 4);
	struct heap *heap = &inp->st->heap;
	struct node *child;

	for (; n > 0; n--) {
		child = get_child(inp, node);
		if (child == NULL)
			return false;
		if (kids_find(node->kids, child->id->name) != child)
			return in_wrong(&inp->in, "no such child to remove");
		if (!kids_prepare(heap, &node->kids, child->id->name))
			return inp_no_memory(inp);
		node_unref(heap, kids_take(node->kids, child->id->name));
	}
	return true;
}

static bool
replace_kids(struct image_inp *inp, struct node *node)
{
	uint32_t n = get_count(&inp->in, 4);
	struct heap *heap = &inp->st->heap;
	struct node *child, *was, **slot;

	for (; n > 0; n--) {
		child = get_child(inp, node);
		if (child == NULL)
			return false;
		was = kids_find(node->kids, child->id->name);
		if (was == NULL || was->id != child->id)
			return in_wrong(&inp->in, "no such child to replace");
		slot = kids_slot(heap, &node->kids, child->id->name);
		if (slot == NULL)
			return inp_no_memory(inp);
		node_ref(child);
		node_unref(heap, *slot);
		*slot = child;
	}
	return true;
}

static bool
add_kids(struct image_inp *inp, struct node *node, uint64_t next_seq)
{
	uint32_t n = get_count(&inp->in, 12);
	struct heap *heap = &inp->st->heap;
	struct node *child;
	uint64_t seq;

	for (; n > 0; n--) {
		child = get_child(inp, node);
		seq = get_u64(&inp->in);
		if (child == NULL)
			return false;
		if (kids_find(node->kids, child->id->name) != NULL)
			return in_wrong(&inp->in, "two children of one name");
		if (!kids_prepare(heap, &node->kids, child->id->name))
			return inp_no_memory(inp);
		/* from here on it has to be added, if wrong or not */
		if (seq < node->kids->next_seq || seq >= next_seq)
			in_wrong(&inp->in, "children are out of order");
		else
			node->kids->next_seq = seq;
		kids_add(node->kids, node_ref(child));
	}
	return true;
}

static bool
set_next_seq(struct image_inp *inp, struct node *node, uint64_t next_seq)
{
	struct kids_pos pos = { 0, 0 };
	const struct kid *first = kids_next(node->kids, &pos);

	if (next_seq == node->kids->next_seq)
		return true;
	/* to have a list of its own */
	if (!kids_prepare(&inp->st->heap, &node->kids, first->name))
		return inp_no_memory(inp);
	node->kids->next_seq = next_seq;
	return true;
}

bool
image_inp_kids(struct image_inp *inp)
{
	struct node *node = inp_node(inp);
	uint8_t mode = get_u8(&inp->in);
	uint64_t next_seq;

	if (node == NULL)
		return false;
	if (node->ref != 1 || mode > IMAGE_KIDS_EMPTY)
		return in_wrong(&inp->in, "children in the wrong place");
	if (mode != IMAGE_KIDS_CHANGE && node->kids != NULL) {
		kids_unref(&inp->st->heap, node->kids);
		node->kids = NULL;
	}
	if (mode == IMAGE_KIDS_EMPTY)
		return true;
	next_seq = get_u64(&inp->in);
	if (mode == IMAGE_KIDS_CHANGE &&
	    (node->kids == NULL || !remove_kids(inp, node) ||
		!replace_kids(inp, node)))
		return in_wrong(&inp->in, "a change of no children");
	if (!add_kids(inp, node, next_seq))
		return false;
	if (kids_count(node->kids) == 0 || next_seq < node->kids->next_seq)
		return in_wrong(&inp->in, "children are miscounted");
	return set_next_seq(inp, node, next_seq);
}

/* --- the live tree --- */

bool
image_inp_is_tree(struct image_inp *inp, struct node *top)
{
	static const char *const must[] = { "/", "@introduceDomain",
		"@releaseDomain" };
	unsigned i;

	if (top == NULL || inp->n_spots == 0 || top->id != inp->spot[0].id)
		return in_wrong(&inp->in, "a tree has another top");
	for (i = 0; i < 3; i++)
		if (store_get(&inp->st->heap, top, must[i]) == NULL)
			return in_wrong(&inp->in, "a tree is not whole");
	return true;
}

bool
image_inp_live(struct image_inp *inp)
{
	struct state *st = inp->st;
	struct node *top = inp_node(inp), *node;
	struct principal *owner;

	if (st->live != NULL || !image_inp_is_tree(inp, top))
		return in_wrong(&inp->in, "there is more than one tree");
	st->live = node_ref(top);
	walk_start(&st->walk, top);
	while ((node = walk_next(&st->walk)) != top) {
		owner = acl_owner(node->acl);
		if (owner == NULL)
			return in_wrong(&inp->in, "a node belongs to nobody");
		node->id->owner = principal_ref(owner);
		inp->n_live++;
	}
	return true;
}

bool
image_inp_owned(struct image_inp *inp)
{
	struct principal *p = inp_principal(inp);
	uint32_t n = get_count(&inp->in, 4), i;
	struct ident *id;

	if (p == NULL || inp->st->live == NULL)
		return in_wrong(&inp->in, "an owner of nothing");
	for (; n > 0; n--) {
		i = get_index(&inp->in, inp->n_spots, "a node is missing");
		if (inp->in.wrong != NULL)
			return false;
		id = inp->spot[i].id;
		if (id->owner != p || !list_empty(&id->owned))
			return in_wrong(&inp->in, "a node has another owner");
		list_append(&p->owned, &id->owned);
		inp->n_owned++;
	}
	return true;
}
