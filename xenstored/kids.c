/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/kids.h"

#include <stdlib.h>
#include <string.h>

enum {
	PAGE_KIDS = 64,
	FIRST_CAP = 2,	    /* kids a first page is made for */
	NO_INDEX_KIDS = 16, /* up to so many need no index */
	INDEX_LOAD = 16,    /* mean entries of a bucket at which it doubles */
};

struct index_entry {
	struct atom *name;
	uint64_t seq;
};

struct kid_index {
	uint32_t ref, n, cap;
	struct index_entry entry[];
};

static void
page_unref(struct heap *heap, struct kid_page *page)
{
	uint32_t i;

	if (page == NULL || --page->ref > 0)
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
	uint32_t i;

	if (--kids->ref > 0)
		return;
	for (i = 0; i < kids->n_pages; i++)
		page_unref(heap, kids->page[i]);
	index_free(kids->index, kids->n_index);
	free(kids->page);
	free(kids);
}

/* --- searching --- */

static struct kid *
find_by_seq(const struct kids *kids, uint64_t seq, uint32_t *page_out)
{
	uint32_t lo = 0, hi = kids->n_pages, mid;
	struct kid_page *page;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (kids->page[mid]->kid[0].seq <= seq)
			lo = mid;
		else
			hi = mid;
	}
	*page_out = lo;
	page = kids->page[lo];
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

static struct kid *
find(const struct kids *kids, const struct atom *name, uint32_t *page_out)
{
	const struct kid_index *index;
	uint32_t p, i;

	if (kids->n_index == 0) {
		for (p = 0; p < kids->n_pages; p++)
			for (i = 0; i < kids->page[p]->n; i++)
				if (kids->page[p]->kid[i].name == name) {
					*page_out = p;
					return &kids->page[p]->kid[i];
				}
		return NULL;
	}
	index = kids->index[name->hash & (kids->n_index - 1)];
	for (i = 0; index != NULL && i < index->n; i++)
		if (index->entry[i].name == name)
			return find_by_seq(kids, index->entry[i].seq, page_out);
	return NULL;
}

struct node *
kids_find(const struct kids *kids, const struct atom *name)
{
	struct kid *kid;
	uint32_t page;

	kid = kids != NULL ? find(kids, name, &page) : NULL;
	return kid != NULL ? kid->node : NULL;
}

const struct kid *
kids_next(const struct kids *kids, struct kids_pos *pos)
{
	const struct kid_page *page;
	const struct kid *kid;

	if (kids == NULL || pos->page >= kids->n_pages)
		return NULL;
	page = kids->page[pos->page];
	kid = &page->kid[pos->i++];
	if (pos->i == page->n) {
		pos->page++;
		pos->i = 0;
	}
	return kid;
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
		page->cap = cap;
	}
	return page;
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
		page->cap = cap;
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
		cap = cap + cap / 2 + 4;
	index = malloc(sizeof(*index) + cap * sizeof(struct index_entry));
	if (index == NULL)
		return false;
	index->ref = 1;
	index->n = n;
	index->cap = cap;
	if (n != 0)
		memcpy(index->entry, old->entry, n * sizeof(old->entry[0]));
	index_unref(old);
	*slot = index;
	return true;
}

static void
index_put(struct kids *kids, struct atom *name, uint64_t seq)
{
	struct kid_index *index = kids->index[name->hash & (kids->n_index - 1)];

	index->entry[index->n].name = name;
	index->entry[index->n].seq = seq;
	index->n++;
}

/* An index of N buckets for all of KIDS in place of the one it has. */
static bool
index_build(struct kids *kids, uint32_t n)
{
	struct kid_index **old = kids->index;
	uint32_t n_old = kids->n_index;
	struct kids_pos pos = { 0, 0 };
	const struct kid *kid;

	kids->index = calloc(n, sizeof(struct kid_index *));
	if (kids->index == NULL) {
		kids->index = old;
		return false;
	}
	kids->n_index = n;
	while ((kid = kids_next(kids, &pos)) != NULL) {
		if (!index_own(&kids->index[kid->name->hash & (n - 1)])) {
			index_free(kids->index, n);
			kids->index = old;
			kids->n_index = n_old;
			return false;
		}
		index_put(kids, kid->name, kid->seq);
	}
	index_free(old, n_old);
	return true;
}

static struct kids *
kids_copy(const struct kids *old)
{
	struct kids *kids = malloc(sizeof(*kids));
	uint32_t i;

	if (kids == NULL)
		return NULL;
	*kids = *old;
	kids->ref = 1;
	kids->page = malloc(kids->pages_cap * sizeof(struct kid_page *));
	kids->index = kids->n_index == 0
			  ? NULL
			  : malloc(kids->n_index * sizeof(struct kid_index *));
	if (kids->page == NULL || (kids->n_index != 0 && kids->index == NULL)) {
		free(kids->page);
		free(kids->index);
		free(kids);
		return NULL;
	}
	for (i = 0; i < kids->n_pages; i++) {
		kids->page[i] = old->page[i];
		kids->page[i]->ref++;
	}
	for (i = 0; i < kids->n_index; i++) {
		kids->index[i] = old->index[i];
		if (kids->index[i] != NULL)
			kids->index[i]->ref++;
	}
	return kids;
}

static struct kids *
kids_new(void)
{
	struct kids *kids = calloc(1, sizeof(*kids));

	if (kids == NULL)
		return NULL;
	kids->ref = 1;
	kids->pages_cap = 1;
	kids->page = malloc(sizeof(struct kid_page *));
	if (kids->page == NULL) {
		free(kids);
		return NULL;
	}
	return kids;
}

static bool
kids_own(struct heap *heap, struct kids **kids)
{
	struct kids *copy;

	if (*kids != NULL && (*kids)->ref == 1)
		return true;
	copy = *kids == NULL ? kids_new() : kids_copy(*kids);
	if (copy == NULL)
		return false;
	if (*kids != NULL)
		kids_unref(heap, *kids);
	*kids = copy;
	return true;
}

struct node **
kids_slot(struct heap *heap, struct kids **kids, const struct atom *name)
{
	uint32_t page;
	struct kid *kid;

	if (!kids_own(heap, kids))
		return NULL;
	kid = find(*kids, name, &page);
	if (!page_own(heap, &(*kids)->page[page], 0))
		return NULL;
	kid = find(*kids, name, &page);
	return &kid->node;
}

/* Room for one more behind the last; an empty new page is not yet counted. */
static bool
prepare_last_page(struct heap *heap, struct kids *kids)
{
	struct kid_page **last, **pages;
	uint32_t cap;

	if (kids->n_pages > 0) {
		last = &kids->page[kids->n_pages - 1];
		if ((*last)->n < PAGE_KIDS) {
			cap = (*last)->cap;
			if ((*last)->n == cap)
				cap = cap * 2 < PAGE_KIDS ? cap * 2 : PAGE_KIDS;
			return page_own(heap, last, cap);
		}
	}
	if (kids->n_pages == kids->pages_cap) {
		cap = kids->pages_cap * 2;
		pages = realloc(kids->page, cap * sizeof(*pages));
		if (pages == NULL)
			return false;
		kids->page = pages;
		kids->pages_cap = cap;
	}
	kids->page[kids->n_pages] =
	    page_new(kids->n_pages == 0 ? FIRST_CAP : PAGE_KIDS);
	if (kids->page[kids->n_pages] == NULL)
		return false;
	kids->n_pages++;
	return true;
}

/* An added page that stayed empty must not be seen by a search. */
static void
drop_empty_last_page(struct heap *heap, struct kids *kids)
{
	if (kids->n_pages > 0 && kids->page[kids->n_pages - 1]->n == 0)
		page_unref(heap, kids->page[--kids->n_pages]);
}

bool
kids_prepare(struct heap *heap, struct kids **kids, const struct atom *name)
{
	struct kids *k;
	struct kid *kid;
	uint32_t page;

	if (!kids_own(heap, kids))
		return false;
	k = *kids;
	kid = k->n > 0 ? find(k, name, &page) : NULL;
	if (kid != NULL) {
		if (!page_own(heap, &k->page[page], 0))
			return false;
	} else {
		if (k->n_index == 0 ? k->n >= NO_INDEX_KIDS
				    : k->n >= k->n_index * INDEX_LOAD)
			if (!index_build(
				k, k->n_index == 0 ? 4 : k->n_index * 2))
				return false;
		if (!prepare_last_page(heap, k))
			return false;
	}
	if (k->n_index != 0 &&
	    !index_own(&k->index[name->hash & (k->n_index - 1)])) {
		drop_empty_last_page(heap, k);
		return false;
	}
	return true;
}

void
kids_add(struct kids *kids, struct node *node)
{
	struct kid_page *page = kids->page[kids->n_pages - 1];
	struct kid *kid = &page->kid[page->n++];

	kid->name = node->id->name;
	kid->node = node;
	kid->seq = kids->next_seq++;
	if (kids->n_index != 0)
		index_put(kids, kid->name, kid->seq);
	kids->n++;
	kids->text += kid->name->len + 1;
}

struct node *
kids_take(struct kids *kids, const struct atom *name)
{
	struct kid_index *index;
	struct kid_page *page;
	struct node *node;
	struct kid *kid;
	uint32_t p, i;

	kid = find(kids, name, &p);
	page = kids->page[p];
	node = kid->node;
	memmove(kid, kid + 1,
	    (size_t)(&page->kid[page->n] - (kid + 1)) * sizeof(*kid));
	page->n--;
	if (page->n == 0) {
		free(page);
		kids->n_pages--;
		memmove(&kids->page[p], &kids->page[p + 1],
		    (kids->n_pages - p) * sizeof(struct kid_page *));
	}
	if (kids->n_index != 0) {
		index = kids->index[name->hash & (kids->n_index - 1)];
		for (i = 0; index->entry[i].name != name; i++)
			;
		index->entry[i] = index->entry[--index->n];
	}
	kids->n--;
	kids->text -= name->len + 1;
	return node;
}
