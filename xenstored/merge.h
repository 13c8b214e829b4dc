/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two trees that were made from the same one, made one: subtrees that only one
 * of them changed are taken as they are, so this costs what lies where both
 * changed something. Knows no transaction and no right: that nothing was
 * decided by what the other one changed is the caller's business.
 */
#ifndef XENSTORED_MERGE_H
#define XENSTORED_MERGE_H

#include "xenstored/store.h"

struct merge; /* room to work in */

struct merge *merge_new(void); /* NULL: no memory */
void merge_free(struct merge *merge);

/*
 * Makes of *TOP, a reference to a tree that was made from BASE, one that has
 * what is other in MINE than in BASE, too; new children come behind those that
 * are there. APART: neither may have added to a list of children that the other
 * one has changed. False: both made, removed or changed the same node, or there
 * is no memory; *TOP is of no use then but to be given back.
 */
bool merge_trees(struct merge *merge, struct heap *heap, struct node *base,
    struct node *mine, struct node **top, bool apart);

#endif
