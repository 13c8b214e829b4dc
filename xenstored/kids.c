/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/kids.h"

#include <stdlib.h>
#include <string.h>

enum {
	PAGE_KIDS = 64,
	FIRST_CAP = 2,	    /* kids a first page is made for */
	FEW_KIDS = 4,	    /* whose names are compared without a hash */
	NO_INDEX_KIDS = 64, /* up to so many need no index */
	FIRST_INDEX = 8,    /* buckets */
	INDEX_LOAD = 16,    /* mean entries of a bucket above which it grows */
};

struct index_entry {
	uint32_t hash, seq;
};

struct kid_index {
	uint32_t ref;
	uint16_t n, cap;
	struct index_entry entry[];
};

/* --- freeing --- */

static void
page_unref(struct heap *heap, struct kid_page *page)
{
	uint32_t i;

	if (--page->ref > 0)
		return;
	for (i = 0; i < page->n; i++)
		node_unref(heap, page->kid[i].node);
	free(page);
}

static void
index_unref(struct kid_index *index)
{
	if (index != NULL && --index->ref == 0)
		free(index);
}

static void
index_free(struct kid_index **index, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		index_unref(index[i]);
	free(index);
}

void
kids_unref(struct heap *heap, struct kids *kids)
{
	if (--kids->ref > 0)
		return;
	kids->dying = heap->dying_kids;
	heap->dying_kids = kids;
}

/* The last page goes, or a few buckets of the index, or the rest. */
size_t
kids_reap(struct heap *heap)
{
	struct kids *kids = heap->dying_kids;
	struct kid_page *page;
	size_t work = 1, i;

	if (kids->n_pages > 0) {
		page = kids_page(kids, --kids->n_pages);
		if (page->ref == 1)
			work += page->n / 2;
		page_unref(heap, page);
		return work;
	}
	if (kids->n_index > 0) {
		for (i = 0; i < 16 && kids->n_index > 0; i++)
			index_unref(kids->index[--kids->n_index]);
		return work + i;
	}
	heap->dying_kids = kids->dying;
	if (kids->pages_cap > 1)
		free(kids->page.many);
	free(kids->index);
	free(kids);
	return work;
}

/* --- searching --- */

/* The bucket that HASH belongs to: those from half of the room on get theirs
 * one by one from the first half. */
static struct kid_index **
bucket_of(const struct kids *kids, uint32_t hash)
{
	uint32_t i = hash & kids->index_mask;

	return &kids->index[i < kids->n_index ? i
					      : hash & kids->index_mask / 2];
}

static struct kid *
find_by_seq(const struct kids *kids, uint32_t seq, uint32_t *page_out)
{
	uint32_t lo = 0, hi = kids->n_pages, mid;
	struct kid_page *page;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (kids_page(kids, mid)->kid[0].seq <= seq)
			lo = mid;
		else
			hi = mid;
	}
	*page_out = lo;
	page = kids_page(kids, lo);
	lo = 0;
	hi = page->n;
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (page->kid[mid].seq <= seq)
			lo = mid;
		else
			hi = mid;
	}
	return &page->kid[lo];
}

static bool
is_called(const struct kid *kid, const struct name *name)
{
	return kid->hash == name->hash && kid->node->name_len == name->len &&
	       memcmp(kid->node->text, name->text, name->len) == 0;
}

static struct kid *
find_without_index(
    const struct kids *kids, const struct name *name, uint32_t *page_out)
{
	struct kid_page *page;
	uint32_t p, i;

	for (p = 0; p < kids->n_pages; p++) {
		page = kids_page(kids, p);
		for (i = 0; i < page->n; i++) {
			if (is_called(&page->kid[i], name)) {
				*page_out = p;
				return &page->kid[i];
			}
		}
	}
	return NULL;
}

static struct kid *
find(const struct kids *kids, const struct name *name, uint32_t *page_out)
{
	const struct kid_index *index;
	struct kid *kid;
	uint32_t i;

	if (kids->n_index == 0)
		return find_without_index(kids, name, page_out);
	index = *bucket_of(kids, name->hash);
	for (i = 0; index != NULL && i < index->n; i++) {
		if (index->entry[i].hash != name->hash)
			continue;
		kid = find_by_seq(kids, index->entry[i].seq, page_out);
		if (is_called(kid, name))
			return kid;
	}
	return NULL;
}

struct node *
kids_find(const struct kids *kids, const struct name *name)
{
	struct kid *kid;
	uint32_t page;

	kid = kids != NULL ? find(kids, name, &page) : NULL;
	return kid != NULL ? kid->node : NULL;
}

static inline uint64_t
load(const char *p, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, p, size);
	return word;
}

/* Whether the first SIZE bytes and the last, which may overlap, are the same.
 */
static inline bool
same_ends(const char *a, const char *b, size_t len, size_t size)
{
	return ((load(a, size) ^ load(b, size)) |
		   (load(a + len - size, size) ^ load(b + len - size, size))) ==
	       0;
}

/* memcmp() for names, which are short and mostly those that are looked for. */
static inline bool
is_text(const struct node *node, const char *text, size_t len)
{
	const char *name = node->text;

	if (node->name_len != len)
		return false;
	for (; len > 16; len -= 8) {
		if (load(name, 8) != load(text, 8))
			return false;
		name += 8;
		text += 8;
	}
	if (len >= 8)
		return same_ends(name, text, len, 8);
	if (len >= 4)
		return same_ends(name, text, len, 4);
	if (len >= 2)
		return same_ends(name, text, len, 2);
	return len == 0 || *name == *text;
}

/* Among few children no hash is worth its while. */
static struct kid *
find_among_few(
    const struct kids *kids, const char *text, size_t len, uint32_t *page_out)
{
	struct kid_page *page;
	const struct node *node;
	uint32_t p, i;

	for (p = 0; p < kids->n_pages; p++) {
		page = kids_page(kids, p);
		for (i = 0; i < page->n; i++) {
			node = page->kid[i].node;
			if (is_text(node, text, len)) {
				*page_out = p;
				return &page->kid[i];
			}
		}
	}
	return NULL;
}

struct node **
kids_look(const struct heap *heap, struct kids *kids, const char *text,
    size_t len, bool *own)
{
	struct kid *kid = NULL;
	struct name name;
	uint32_t page;

	if (kids == NULL || kids->n == 0)
		return NULL;
	if (kids->n <= FEW_KIDS) {
		kid = find_among_few(kids, text, len, &page);
	} else {
		name = name_of(heap, text, len);
		kid = find(kids, &name, &page);
	}
	if (kid == NULL)
		return NULL;
	if (kids->ref != 1 || kids_page(kids, page)->ref != 1 ||
	    kid->node->ref != 1)
		*own = false;
	return &kid->node;
}

const struct kid *
kids_find_kid(const struct kids *kids, const struct name *name)
{
	uint32_t page;

	return kids != NULL ? find(kids, name, &page) : NULL;
}

const struct kid *
kids_next(const struct kids *kids, struct kids_pos *pos)
{
	const struct kid_page *page;
	const struct kid *kid;

	if (kids == NULL || pos->page >= kids->n_pages)
		return NULL;
	page = kids_page(kids, pos->page);
	kid = &page->kid[pos->i++];
	if (pos->i == page->n) {
		pos->page++;
		pos->i = 0;
	}
	return kid;
}

void
kids_skip_shared(const struct kids *before, struct kids_pos *b,
    const struct kids *after, struct kids_pos *a)
{
	while (before != NULL && after != NULL && b->i == 0 && a->i == 0 &&
	       b->page < before->n_pages && a->page < after->n_pages &&
	       kids_page(before, b->page) == kids_page(after, a->page)) {
		b->page++;
		a->page++;
	}
}

/* --- making it one's own --- */

static struct kid_page *
page_new(uint32_t cap)
{
	struct kid_page *page;

	page = malloc(sizeof(*page) + cap * sizeof(struct kid));
	if (page != NULL) {
		page->ref = 1;
		page->n = 0;
		page->cap = (uint16_t)cap;
	}
	return page;
}

static struct kid_page **
page_slot(struct kids *kids, uint32_t i)
{
	return kids->pages_cap == 1 ? &kids->page.one : &kids->page.many[i];
}

/* The page at *SLOT unshared and with room for CAP. */
static bool
page_own(struct heap *heap, struct kid_page **slot, uint32_t cap)
{
	struct kid_page *old = *slot, *page;
	uint32_t i;

	if (old->ref == 1 && old->cap >= cap)
		return true;
	if (cap < old->n)
		cap = old->n;
	if (old->ref == 1) {
		page = realloc(old, sizeof(*page) + cap * sizeof(struct kid));
		if (page == NULL)
			return false;
		page->cap = (uint16_t)cap;
		*slot = page;
		return true;
	}
	page = page_new(cap);
	if (page == NULL)
		return false;
	page->n = old->n;
	memcpy(page->kid, old->kid, old->n * sizeof(struct kid));
	for (i = 0; i < page->n; i++)
		node_ref(page->kid[i].node);
	page_unref(heap, old);
	*slot = page;
	return true;
}

/* The bucket at *SLOT (which may be NULL) unshared and with room for one. */
static bool
index_own(struct kid_index **slot)
{
	struct kid_index *old = *slot, *index;
	uint32_t n = old != NULL ? old->n : 0;
	uint32_t cap = old != NULL ? old->cap : 0;

	if (old != NULL && old->ref == 1 && n < cap)
		return true;
	if (n == cap)
		cap = cap + cap / 4 + 4;
	if (cap > UINT16_MAX)
		return false;
	index = malloc(sizeof(*index) + cap * sizeof(struct index_entry));
	if (index == NULL)
		return false;
	index->ref = 1;
	index->n = (uint16_t)n;
	index->cap = (uint16_t)cap;
	if (n != 0)
		memcpy(index->entry, old->entry, n * sizeof(old->entry[0]));
	index_unref(old);
	*slot = index;
	return true;
}

static void
index_put(struct kids *kids, uint32_t hash, uint32_t seq)
{
	struct kid_index *index = *bucket_of(kids, hash);

	index->entry[index->n].hash = hash;
	index->entry[index->n].seq = seq;
	index->n++;
}

/* A first index for KIDS, which has none. */
static bool
index_build(struct kids *kids)
{
	struct kids_pos pos = { 0, 0 };
	const struct kid *kid;

	kids->index = calloc(FIRST_INDEX, sizeof(struct kid_index *));
	if (kids->index == NULL)
		return false;
	kids->n_index = FIRST_INDEX;
	kids->index_mask = FIRST_INDEX - 1;
	while ((kid = kids_next(kids, &pos)) != NULL) {
		if (!index_own(bucket_of(kids, kid->hash))) {
			index_free(kids->index, kids->n_index);
			kids->index = NULL;
			kids->n_index = 0;
			return false;
		}
		index_put(kids, kid->hash, kid->seq);
	}
	return true;
}

/* One more bucket, which takes over a part of another one. Without memory the
 * index stays as it is, and right: false. */
static bool
index_grow(struct kids *kids)
{
	uint32_t mask = kids->index_mask, i, n;
	struct kid_index **room, *old, *new = NULL;

	if (kids->n_index > mask) {
		mask = mask * 2 + 1;
		room = realloc(kids->index, (mask + 1) * sizeof(*room));
		if (room == NULL)
			return false;
		kids->index = room;
		kids->index_mask = mask;
	}
	if (!index_own(&kids->index[kids->n_index & mask / 2]) ||
	    !index_own(&new))
		return false;
	old = kids->index[kids->n_index & mask / 2];
	while (new->cap < old->n) {
		new->n = new->cap; /* it is full, as far as is known */
		if (!index_own(&new)) {
			free(new);
			return false;
		}
	}
	for (i = n = new->n = 0; i < old->n; i++) {
		if ((old->entry[i].hash & mask) == kids->n_index)
			new->entry[new->n++] = old->entry[i];
		else
			old->entry[n++] = old->entry[i];
	}
	old->n = (uint16_t)n;
	kids->index[kids->n_index++] = new;
	return true;
}

static struct kids *
kids_copy(const struct kids *old)
{
	struct kids *kids = malloc(sizeof(*kids));
	bool many = old->pages_cap > 1;
	uint32_t i;

	if (kids == NULL)
		return NULL;
	*kids = *old;
	kids->ref = 1;
	if (many)
		kids->page.many =
		    malloc(kids->pages_cap * sizeof(struct kid_page *));
	kids->index =
	    kids->n_index == 0
		? NULL
		: malloc((kids->index_mask + 1) * sizeof(struct kid_index *));
	if ((many && kids->page.many == NULL) ||
	    (kids->n_index != 0 && kids->index == NULL)) {
		if (many)
			free(kids->page.many);
		free(kids->index);
		free(kids);
		return NULL;
	}
	for (i = 0; i < kids->n_pages; i++) {
		*page_slot(kids, i) = kids_page(old, i);
		kids_page(kids, i)->ref++;
	}
	for (i = 0; i < kids->n_index; i++) {
		kids->index[i] = old->index[i];
		if (kids->index[i] != NULL)
			kids->index[i]->ref++;
	}
	return kids;
}

struct kids *
kids_new(void)
{
	struct kids *kids = calloc(1, sizeof(*kids));

	if (kids == NULL)
		return NULL;
	kids->ref = 1;
	kids->pages_cap = 1;
	return kids;
}

struct kids *
kids_own(struct heap *heap, struct kids **kids)
{
	struct kids *copy;

	if (*kids != NULL && (*kids)->ref == 1)
		return *kids;
	copy = *kids == NULL ? kids_new() : kids_copy(*kids);
	if (copy == NULL)
		return NULL;
	if (*kids != NULL)
		kids_unref(heap, *kids);
	*kids = copy;
	return copy;
}

struct node **
kids_slot(struct heap *heap, struct kids **kids, const struct name *name)
{
	struct kid_page **slot;
	uint32_t page;
	struct kid *kid;
	size_t i;

	if (kids_own(heap, kids) == NULL)
		return NULL;
	kid = find(*kids, name, &page);
	slot = page_slot(*kids, page);
	i = (size_t)(kid - (*slot)->kid);
	if (!page_own(heap, slot, 0))
		return NULL;
	return &(*slot)->kid[i].node;
}

/* Room for one more page. */
static bool
grow_pages(struct kids *kids)
{
	uint32_t cap = kids->pages_cap * 2;
	struct kid_page **pages;

	if (kids->n_pages < kids->pages_cap)
		return true;
	pages = realloc(kids->pages_cap == 1 ? NULL : kids->page.many,
	    cap * sizeof(*pages));
	if (pages == NULL)
		return false;
	if (kids->pages_cap == 1)
		pages[0] = kids->page.one;
	kids->page.many = pages;
	kids->pages_cap = cap;
	return true;
}

/* Room for one more behind the last; an empty new page is counted, too. */
static bool
prepare_last_page(struct heap *heap, struct kids *kids)
{
	struct kid_page **last, *page;
	uint32_t cap;

	if (kids->n_pages > 0) {
		last = page_slot(kids, kids->n_pages - 1);
		if ((*last)->n < PAGE_KIDS) {
			cap = (*last)->cap;
			if ((*last)->n == cap)
				cap = cap * 2 < PAGE_KIDS ? cap * 2 : PAGE_KIDS;
			return page_own(heap, last, cap);
		}
	}
	if (!grow_pages(kids))
		return false;
	page = page_new(kids->n_pages == 0 ? FIRST_CAP : PAGE_KIDS);
	if (page == NULL)
		return false;
	*page_slot(kids, kids->n_pages++) = page;
	return true;
}

/* An added page that stayed empty must not be seen by a search. */
static void
drop_empty_last_page(struct heap *heap, struct kids *kids)
{
	if (kids->n_pages > 0 && kids_page(kids, kids->n_pages - 1)->n == 0)
		page_unref(heap, kids_page(kids, --kids->n_pages));
}

/* Numbers all children anew from 0, as the numbers are used up. */
static bool
renumber(struct heap *heap, struct kids *kids)
{
	uint32_t p, i, seq = 0;

	for (p = 0; p < kids->n_pages; p++)
		if (!page_own(heap, page_slot(kids, p), 0))
			return false;
	/* without an index all is right, but slow; it is made anew */
	index_free(kids->index, kids->n_index);
	kids->index = NULL;
	kids->n_index = 0;
	for (p = 0; p < kids->n_pages; p++)
		for (i = 0; i < kids_page(kids, p)->n; i++)
			kids_page(kids, p)->kid[i].seq = seq++;
	kids->next_seq = seq;
	return true;
}

/* Room for NAME, which is not there. */
static bool
prepare_new(struct heap *heap, struct kids *kids)
{
	if (kids->next_seq == UINT32_MAX && !renumber(heap, kids))
		return false;
	if (kids->n_index == 0 && kids->n >= NO_INDEX_KIDS &&
	    !index_build(kids))
		return false;
	while (kids->n_index != 0 && kids->n >= kids->n_index * INDEX_LOAD &&
	       index_grow(kids))
		;
	return prepare_last_page(heap, kids);
}

bool
kids_prepare(struct heap *heap, struct kids **kids, const struct name *name)
{
	struct kids *k;
	struct kid *kid;
	uint32_t page;

	if (kids_own(heap, kids) == NULL)
		return false;
	k = *kids;
	kid = k->n > 0 ? find(k, name, &page) : NULL;
	if (kid != NULL) {
		if (!page_own(heap, page_slot(k, page), 0))
			return false;
	} else if (!prepare_new(heap, k)) {
		return false;
	}
	if (k->n_index != 0 && !index_own(bucket_of(k, name->hash))) {
		drop_empty_last_page(heap, k);
		return false;
	}
	return true;
}

static void
add(struct kids *kids, struct node *node, uint32_t hash, uint32_t seq)
{
	struct kid_page *page = kids_page(kids, kids->n_pages - 1);
	struct kid *kid = &page->kid[page->n++];
	static const struct weight none;
	struct weight w = node_weight(node);

	kid->node = node;
	kid->hash = hash;
	kid->seq = seq;
	if (kids->n_index != 0)
		index_put(kids, hash, seq);
	kids->n++;
	kids->text += node->name_len + 1u;
	weight_change(&kids->below, &none, &w);
}

void
kids_add(struct kids *kids, struct node *node, const struct name *name)
{
	add(kids, node, name->hash, kids->next_seq++);
}

bool
kids_restore(
    struct heap *heap, struct kids **kids, struct node *node, uint32_t seq)
{
	struct name name = name_of(heap, node_name(node), node_name_len(node));

	if (!kids_prepare(heap, kids, &name))
		return false;
	add(*kids, node, name.hash, seq);
	(*kids)->next_seq = seq + 1;
	return true;
}

static void
index_take(struct kids *kids, const struct kid *kid)
{
	struct kid_index *index = *bucket_of(kids, kid->hash);
	uint32_t i = 0;

	while (index->entry[i].seq != kid->seq)
		i++;
	index->entry[i] = index->entry[--index->n];
}

struct node *
kids_take(struct kids *kids, const struct name *name)
{
	static const struct weight none;
	struct kid_page *page;
	struct node *node;
	struct weight w;
	struct kid *kid;
	uint32_t p, i;

	kid = find(kids, name, &p);
	page = kids_page(kids, p);
	node = kid->node;
	w = node_weight(node);
	if (kids->n_index != 0)
		index_take(kids, kid);
	memmove(kid, kid + 1,
	    (size_t)(&page->kid[page->n] - (kid + 1)) * sizeof(*kid));
	page->n--;
	if (page->n == 0) {
		free(page);
		kids->n_pages--;
		for (i = p; i < kids->n_pages; i++)
			kids->page.many[i] = kids->page.many[i + 1];
	}
	kids->n--;
	kids->text -= node->name_len + 1u;
	weight_change(&kids->below, &w, &none);
	return node;
}

void
kids_weigh_owners(struct kids *kids)
{
	static const struct weight none;
	struct weight sum = none, w;
	struct kids_pos pos = { 0, 0 };
	const struct kid *kid;

	while ((kid = kids_next(kids, &pos)) != NULL) {
		w = node_weight(kid->node);
		weight_change(&sum, &none, &w);
	}
	kids->below = sum;
}
