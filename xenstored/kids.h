/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The children of a node in the order of their creation, found by name in
 * O(log n). Versions share what they have in common, page by page. A version
 * that has more than one reference is copied before it changes.
 *
 * Few children are one page that is searched from its start; more are pages
 * ordered by sequence number, and a hash index from the name to that number. It
 * grows by one bucket at a time, so that no single addition is slow.
 */
#ifndef XENSTORED_KIDS_H
#define XENSTORED_KIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xenstored/node.h"

struct kid {
	struct node *node; /* a reference */
	uint32_t hash;	   /* of its name */
	uint32_t seq;	   /* ascending */
};

struct kid_page {
	uint32_t ref;
	uint16_t n, cap;
	struct kid kid[];
};

struct kid_index; /* one bucket of the index */

struct kids {
	uint32_t ref;
	uint32_t n;
	uint32_t next_seq;
	uint32_t n_pages, pages_cap;
	uint32_t n_index;    /* buckets; 0: none yet */
	uint32_t index_mask; /* room for buckets - 1; of 2^k - 1 form */
	uint64_t text;	     /* bytes of all names, each with its NUL */
	union {
		uint64_t stamp;	    /* when the set of children changed */
		struct kids *dying; /* next of those without a reference */
	};
	struct weight below; /* of all children with what is below them */
	union {
		struct kid_page *one;	/* if PAGES_CAP is 1 */
		struct kid_page **many; /* else */
	} page;
	struct kid_index **index;
};

static inline struct kids *
kids_ref(struct kids *kids)
{
	kids->ref++;
	return kids;
}

void kids_unref(struct heap *heap, struct kids *kids);

/* Frees a part of the first of HEAP's dying kids; a measure of the work. */
size_t kids_reap(struct heap *heap);

/* The child called NAME, or NULL. KIDS may be NULL. No reference is taken. */
struct node *kids_find(const struct kids *kids, const struct name *name);

/* The same with what is known of it there; it stays until KIDS is changed. */
const struct kid *kids_find_kid(
    const struct kids *kids, const struct name *name);

/*
 * Where KIDS (which may be NULL) refers to the child that LEN bytes at TEXT
 * call, or NULL. *OWN turns false if KIDS, the page or the child is shared:
 * then nothing may be changed there.
 */
struct node **kids_look(const struct heap *heap, struct kids *kids,
    const char *text, size_t len, bool *own);

/*
 * Where *KIDS refers to the child called NAME, which it has, in a page of its
 * own: the caller may change the child to another version of it. NULL: no
 * memory; *KIDS still has the same children then.
 */
struct node **kids_slot(
    struct heap *heap, struct kids **kids, const struct name *name);

/*
 * Makes sure that *KIDS (which may be NULL) is not shared and that adding or
 * removing NAME will need no memory. False: no memory; it still has the same
 * children.
 */
bool kids_prepare(
    struct heap *heap, struct kids **kids, const struct name *name);

/* After kids_prepare(): adds NODE, called NAME, whose reference KIDS takes over
 * and which is complete. */
void kids_add(struct kids *kids, struct node *node, const struct name *name);

/* After kids_prepare(): takes out the child NAME and hands over its
 * reference. */
struct node *kids_take(struct kids *kids, const struct name *name);

/*
 * Adds NODE, which is complete and whose reference is taken over, with sequence
 * number SEQ, higher than that of any other, to *KIDS (NULL: none yet). False:
 * no memory, the reference is still the caller's.
 */
bool kids_restore(
    struct heap *heap, struct kids **kids, struct node *node, uint32_t seq);

/* Where one is in a list of children. */
struct kids_pos {
	uint32_t page, i;
};

static inline struct kid_page *
kids_page(const struct kids *kids, uint32_t i)
{
	return kids->pages_cap == 1 ? kids->page.one : kids->page.many[i];
}

/* The child at *POS, which moves on; NULL at the end. KIDS may be NULL. */
const struct kid *kids_next(const struct kids *kids, struct kids_pos *pos);

/* Steps over pages that BEFORE at *B and AFTER at *A share. Both may be NULL.
 */
void kids_skip_shared(const struct kids *before, struct kids_pos *b,
    const struct kids *after, struct kids_pos *a);

/* An empty list with one reference; NULL: no memory. */
struct kids *kids_new(void);

/* *KIDS (which may be NULL), made a list that is not shared, pages excepted.
 * NULL: no memory; nothing changed. */
struct kids *kids_own(struct heap *heap, struct kids **kids);

static inline uint32_t
kids_count(const struct kids *kids)
{
	return kids != NULL ? kids->n : 0;
}

/* Makes exact what is known of owners, where it is of the children. */
void kids_weigh_owners(struct kids *kids);

#endif
