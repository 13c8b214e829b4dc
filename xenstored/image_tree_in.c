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

/* The number of a node; the node is NULL if it is wrong. */
static struct node *
get_node(struct image_inp *inp, uint32_t *number_out)
{
	uint32_t i = get_index(&inp->in, inp->nodes.n, "a node is missing");

	*number_out = i;
	return inp->in.wrong == NULL ? inp->nodes.item[i] : NULL;
}

struct node *
inp_node(struct image_inp *inp)
{
	uint32_t i;

	return get_node(inp, &i);
}

/* Whether LEN characters at NAME may be the name of something below ABOVE. */
static bool
name_fits(const struct image_place *above, const char *name, size_t len)
{
	if (above == NULL)
		return len == 0;
	if (above->above == IMAGE_NONE)
		return len == 0 ||
		       (len == 16 &&
			   memcmp(name, "@introduceDomain", 16) == 0) ||
		       (len == 14 && memcmp(name, "@releaseDomain", 14) == 0);
	return len > 0 && !above->special && memchr(name, '/', len) == NULL &&
	       path_kind(name, len) != PATH_BAD;
}

/* A new place called by LEN characters at NAME below ABOVE. */
static bool
add_place(struct image_inp *inp, uint32_t above, const char *name, size_t len)
{
	const struct image_place *up =
	    above != IMAGE_NONE ? &inp->place[above] : NULL;
	struct image_place *place = inp->place, here = { .above = above };
	size_t cap = inp->places_cap == 0 ? 256 : inp->places_cap * 2;

	if (!name_fits(up, name, len))
		return in_wrong(&inp->in, "a node's name is not possible");
	if (up != NULL) {
		here.special = up->above == IMAGE_NONE && len > 0;
		here.path_len = up->path_len + (uint32_t)len;
		here.path_len += up->above != IMAGE_NONE;
	}
	if (here.path_len > WIRE_ABS_PATH_MAX)
		return in_wrong(&inp->in, "a node's path is too long");
	if (inp->n_places == inp->places_cap) {
		place = realloc(place, cap * sizeof(*place));
		if (place == NULL)
			return inp_no_memory(inp);
		inp->place = place;
		inp->places_cap = cap;
	}
	place[inp->n_places++] = here;
	return true;
}

/* Takes over the reference of NODE at PLACE. */
static bool
add_node(struct image_inp *inp, struct node *node, uint32_t place)
{
	uint32_t *places;

	if (!image_list_add(&inp->nodes, node)) {
		node_unref(&inp->st->heap, node);
		return inp_no_memory(inp);
	}
	if (inp->place_of_cap < inp->nodes.cap) {
		places =
		    realloc(inp->place_of, inp->nodes.cap * sizeof(*places));
		if (places == NULL)
			return inp_no_memory(inp);
		inp->place_of = places;
		inp->place_of_cap = inp->nodes.cap;
	}
	inp->place_of[inp->nodes.n - 1] = place;
	return true;
}

bool
image_inp_node(struct image_inp *inp)
{
	uint32_t above = get_index_or_none(
	    &inp->in, inp->n_places, "a node's parent is missing");
	uint64_t value_stamp, acl_stamp;
	const char *name, *value;
	size_t len, value_len;
	struct node *node;
	struct acl *acl;

	name = get_string(&inp->in, WIRE_ABS_PATH_MAX, &len);
	acl = get_acl(inp);
	value_stamp = inp_stamp(inp);
	acl_stamp = inp_stamp(inp);
	value = get_string(&inp->in, WIRE_PAYLOAD_MAX, &value_len);
	if (inp->in.wrong != NULL)
		return false;
	if ((above == IMAGE_NONE) != (inp->n_places == 0))
		return in_wrong(&inp->in, "there is more than one tree");
	if (!add_place(inp, above, name, len))
		return false;
	node = node_make(&inp->st->heap, name, len, value, value_len, acl);
	if (node == NULL)
		return inp_no_memory(inp);
	node->value_stamp = value_stamp;
	node->acl_stamp = acl_stamp;
	return add_node(inp, node, (uint32_t)inp->n_places - 1);
}

/* A version of BASE that has the next value; NULL: wrong. */
static struct node *
read_version(struct image_inp *inp, const struct node *base, struct acl *acl)
{
	struct heap *heap = &inp->st->heap;
	struct node *node;
	const char *value;
	size_t len;

	value = get_string(&inp->in, WIRE_PAYLOAD_MAX, &len);
	if (value == NULL)
		return NULL;
	node = node_make(
	    heap, node_name(base), node_name_len(base), value, len, acl);
	if (node == NULL)
		inp_no_memory(inp);
	else if (base->kids != NULL)
		node->kids = kids_ref(base->kids);
	return node;
}

bool
image_inp_version(struct image_inp *inp)
{
	struct heap *heap = &inp->st->heap;
	uint32_t from;
	struct node *base = get_node(inp, &from), *node;
	struct acl *acl = get_acl(inp);
	uint64_t value_stamp = inp_stamp(inp), acl_stamp = inp_stamp(inp);
	bool same = inp_bool(inp);

	if (inp->in.wrong != NULL)
		return false;
	if (same) {
		node = node_copy(heap, base);
		if (node == NULL)
			return inp_no_memory(inp);
		acl_ref(acl);
		acl_unref(heap->acls, node->acl);
		node->acl = acl;
	} else {
		node = read_version(inp, base, acl);
		if (node == NULL)
			return false;
	}
	node->value_stamp = value_stamp;
	node->acl_stamp = acl_stamp;
	return add_node(inp, node, inp->place_of[from]);
}

/* --- children --- */

static struct name
name_of_node(const struct image_inp *inp, const struct node *node)
{
	return name_of(&inp->st->heap, node_name(node), node_name_len(node));
}

/* The next node, which is or could be a child of one at PLACE. */
static struct node *
get_child(struct image_inp *inp, uint32_t place)
{
	uint32_t i;
	struct node *child = get_node(inp, &i);

	if (child != NULL && inp->place[inp->place_of[i]].above == place)
		return child;
	in_wrong(&inp->in, "a child has another parent");
	return NULL;
}

static bool
remove_kids(struct image_inp *inp, struct node *node, uint32_t place)
{
	uint32_t n = get_count(&inp->in, 4);
	struct heap *heap = &inp->st->heap;
	struct node *child;
	struct name name;

	for (; n > 0; n--) {
		child = get_child(inp, place);
		if (child == NULL)
			return false;
		name = name_of_node(inp, child);
		if (kids_find(node->kids, &name) != child)
			return in_wrong(&inp->in, "no such child to remove");
		if (!kids_prepare(heap, &node->kids, &name))
			return inp_no_memory(inp);
		node_unref(heap, kids_take(node->kids, &name));
	}
	return true;
}

static bool
replace_kids(struct image_inp *inp, struct node *node, uint32_t place)
{
	uint32_t n = get_count(&inp->in, 4);
	struct heap *heap = &inp->st->heap;
	struct node *child, **slot;
	struct weight was, now;
	struct name name;

	for (; n > 0; n--) {
		child = get_child(inp, place);
		if (child == NULL)
			return false;
		name = name_of_node(inp, child);
		if (kids_find(node->kids, &name) == NULL)
			return in_wrong(&inp->in, "no such child to replace");
		slot = kids_slot(heap, &node->kids, &name);
		if (slot == NULL)
			return inp_no_memory(inp);
		was = node_weight(*slot);
		now = node_weight(child);
		weight_change(&node->kids->below, &was, &now);
		node_ref(child);
		node_unref(heap, *slot);
		*slot = child;
	}
	return true;
}

static bool
add_kids(
    struct image_inp *inp, struct node *node, uint32_t place, uint32_t next_seq)
{
	uint32_t n = get_count(&inp->in, 8), seq;
	struct heap *heap = &inp->st->heap;
	struct node *child;
	struct name name;

	for (; n > 0; n--) {
		child = get_child(inp, place);
		seq = get_u32(&inp->in);
		if (child == NULL)
			return false;
		name = name_of_node(inp, child);
		if (kids_find(node->kids, &name) != NULL)
			return in_wrong(&inp->in, "two children of one name");
		if (seq < node->kids->next_seq || seq >= next_seq)
			return in_wrong(&inp->in, "children are out of order");
		if (!kids_prepare(heap, &node->kids, &name))
			return inp_no_memory(inp);
		node->kids->next_seq = seq;
		kids_add(node->kids, node_ref(child), &name);
	}
	return true;
}

/* The list of NODE's children, which has the one of the version before, made
 * what MODE says with what comes. */
static bool
read_kids(
    struct image_inp *inp, struct node *node, uint32_t place, unsigned mode)
{
	uint32_t next_seq = get_u32(&inp->in);
	uint64_t stamp = inp_stamp(inp);
	struct kids *kids;

	/* a copy is made when it is first changed */
	if (mode == IMAGE_KIDS_ALL)
		node->kids = kids_new();
	if (node->kids == NULL)
		return inp_no_memory(inp);
	if (mode == IMAGE_KIDS_CHANGE &&
	    (!remove_kids(inp, node, place) || !replace_kids(inp, node, place)))
		return false;
	if (!add_kids(inp, node, place, next_seq))
		return false;
	kids = kids_own(&inp->st->heap, &node->kids);
	if (kids == NULL)
		return inp_no_memory(inp);
	if (next_seq < kids->next_seq)
		return in_wrong(&inp->in, "children are miscounted");
	kids->next_seq = next_seq;
	kids->stamp = stamp;
	return true;
}

bool
image_inp_kids(struct image_inp *inp)
{
	uint32_t i;
	struct node *node = get_node(inp, &i);
	uint8_t mode = get_u8(&inp->in);

	if (node == NULL)
		return false;
	if (node->ref != 1 || mode > IMAGE_KIDS_NONE ||
	    (mode == IMAGE_KIDS_CHANGE && node->kids == NULL))
		return in_wrong(&inp->in, "children in the wrong place");
	if (mode != IMAGE_KIDS_CHANGE && node->kids != NULL) {
		kids_unref(&inp->st->heap, node->kids);
		node->kids = NULL;
	}
	return mode == IMAGE_KIDS_NONE ||
	       read_kids(inp, node, inp->place_of[i], mode);
}

/* --- trees --- */

/* Whether TOP, a node of NUMBER, is the top of a tree with what each has. */
static bool
is_tree(struct image_inp *inp, const struct node *top, uint32_t number)
{
	static const char *const must[] = { "", "@introduceDomain",
		"@releaseDomain" };
	struct name name;
	unsigned i;

	if (top == NULL || inp->place_of[number] != 0)
		return in_wrong(&inp->in, "a tree has another top");
	for (i = 0; i < 3; i++) {
		name = name_of(&inp->st->heap, must[i], strlen(must[i]));
		if (kids_find(top->kids, &name) == NULL)
			return in_wrong(&inp->in, "a tree is not whole");
	}
	return true;
}

struct node *
inp_tree(struct image_inp *inp)
{
	uint32_t i;
	struct node *top = get_node(inp, &i);

	return is_tree(inp, top, i) ? top : NULL;
}

bool
image_inp_live(struct image_inp *inp)
{
	struct state *st = inp->st;
	struct node *top = inp_tree(inp);

	if (top == NULL || st->live != NULL)
		return in_wrong(&inp->in, "there is more than one tree");
	st->live = node_ref(top);
	/* that everybody was charged for it is in the principals' usage */
	st->books.nodes = top->kids->below.nodes;
	st->books.cost = top->kids->below.cost;
	return true;
}
