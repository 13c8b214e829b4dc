/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/merge.h"

#include <stdlib.h>

/* A node that all three have: its children in two of them are compared, those
 * in the third are changed. */
struct merge_frame {
	const struct kids *base, *mine;
	struct kids_pos b, m;
	struct node *out;  /* a version of its own */
	struct weight was; /* of the node that OUT took the place of */
	bool full;	   /* nothing may be added to its children */
};

struct merge {
	struct heap *heap;
	bool apart;
	size_t depth;
	struct merge_frame frame[STORE_DEPTH_MAX + 1];
};

struct merge *
merge_new(void)
{
	return malloc(sizeof(struct merge));
}

void
merge_free(struct merge *merge)
{
	free(merge);
}

static struct name
name_of_kid(const struct kid *kid)
{
	return (struct name){ node_name(kid->node), node_name_len(kid->node),
		kid->hash };
}

/* Begins with the children of BASE and MINE; OUT is their node where it is
 * changed, and amounted to WAS. False: they cannot be compared. */
static bool
push(struct merge *merge, const struct node *base, const struct node *mine,
    struct node *out, const struct weight *was)
{
	uint64_t stamp = node_kids_stamp(base);

	/* their numbers were used up, and given anew */
	if (base->kids != NULL && mine->kids->next_seq < base->kids->next_seq)
		return false;
	merge->frame[merge->depth++] = (struct merge_frame){
		.base = base->kids,
		.mine = mine->kids,
		.out = out,
		.was = *was,
		.full = merge->apart && node_kids_stamp(out) != stamp,
	};
	return true;
}

/* The node in the lowest frame is done with. */
static void
pop(struct merge *merge)
{
	const struct merge_frame *f = &merge->frame[--merge->depth];
	struct weight now = node_weight(f->out);

	if (merge->depth > 0)
		weight_change(&merge->frame[merge->depth - 1].out->kids->below,
		    &f->was, &now);
}

static bool
add(struct merge *merge, struct merge_frame *f, const struct kid *kid)
{
	struct kids **kids = &f->out->kids;
	struct name name = name_of_kid(kid);

	if (f->full || kids_find(*kids, &name) != NULL ||
	    !kids_prepare(merge->heap, kids, &name))
		return false;
	kids_add(*kids, node_ref(kid->node), &name);
	(*kids)->stamp = ++merge->heap->stamp;
	return true;
}

static bool
take(struct merge *merge, struct merge_frame *f, const struct kid *kid)
{
	struct kids **kids = &f->out->kids;
	struct name name = name_of_kid(kid);
	const struct kid *theirs = kids_find_kid(*kids, &name);

	/* what others did below it has to be removed by a request */
	if (theirs == NULL || theirs->node != kid->node ||
	    theirs->seq != kid->seq || !kids_prepare(merge->heap, kids, &name))
		return false;
	node_unref(merge->heap, kids_take(*kids, &name));
	(*kids)->stamp = ++merge->heap->stamp;
	return true;
}

/* Whether one of two versions has another value or other permissions. */
static bool
differs(const struct node *a, const struct node *b)
{
	return a->value_stamp != b->value_stamp || a->acl_stamp != b->acl_stamp;
}

/*
 * What is to take the place of THEIRS, where MINE was made from BASE, too: MINE
 * if the others changed nothing, else a copy whose children are theirs. NULL:
 * both changed the node itself, or there is no memory.
 */
static struct node *
join(struct heap *heap, const struct node *base, struct node *mine,
    const struct node *theirs)
{
	struct node *out;

	if (theirs == base)
		return node_ref(mine);
	if (!differs(mine, base))
		return node_copy(heap, theirs);
	if (differs(theirs, base))
		return NULL;
	out = node_copy(heap, mine);
	if (out == NULL)
		return NULL;
	if (out->kids != NULL)
		kids_unref(heap, out->kids);
	out->kids = theirs->kids != NULL ? kids_ref(theirs->kids) : NULL;
	return out;
}

/* MINE is another version of BASE. */
static bool
change(struct merge *merge, struct merge_frame *f, const struct kid *base,
    const struct kid *mine)
{
	struct name name = name_of_kid(mine);
	const struct kid *theirs = kids_find_kid(f->out->kids, &name);
	struct node *out, **slot;
	struct weight was, now;

	if (theirs == NULL || theirs->seq != base->seq)
		return false;
	out = join(merge->heap, base->node, mine->node, theirs->node);
	if (out == NULL)
		return false;
	slot = kids_slot(merge->heap, &f->out->kids, &name);
	if (slot == NULL) {
		node_unref(merge->heap, out);
		return false;
	}
	was = node_weight(*slot);
	node_unref(merge->heap, *slot);
	*slot = out;
	if (out != mine->node && mine->node->kids != base->node->kids)
		return push(merge, base->node, mine->node, out, &was);
	now = node_weight(out);
	weight_change(&f->out->kids->below, &was, &now);
	return true;
}

/* One step in F; *END_OUT: there was nothing more to do there. */
static bool
step(struct merge *merge, struct merge_frame *f, bool *end_out)
{
	struct kids_pos b, m;
	const struct kid *base, *mine;

	kids_skip_shared(f->base, &f->b, f->mine, &f->m);
	b = f->b;
	m = f->m;
	base = kids_next(f->base, &b);
	mine = kids_next(f->mine, &m);
	*end_out = base == NULL && mine == NULL;
	if (*end_out)
		return true;
	if (mine == NULL || (base != NULL && base->seq < mine->seq)) {
		f->b = b;
		return take(merge, f, base);
	}
	f->m = m;
	if (base == NULL || mine->seq < base->seq)
		return add(merge, f, mine);
	f->b = b;
	return base->node == mine->node || change(merge, f, base, mine);
}

bool
merge_trees(struct merge *merge, struct heap *heap, struct node *base,
    struct node *mine, struct node **top, bool apart)
{
	struct node *out = node_copy(heap, *top);
	struct weight was;
	bool ok = out != NULL, end;

	if (!ok)
		return false;
	was = node_weight(out);
	node_unref(heap, *top);
	*top = out;
	merge->heap = heap;
	merge->apart = apart;
	merge->depth = 0;
	ok = push(merge, base, mine, out, &was);
	while (ok && merge->depth > 0) {
		ok = step(merge, &merge->frame[merge->depth - 1], &end);
		if (ok && end)
			pop(merge);
	}
	return ok;
}
