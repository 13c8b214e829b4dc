/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a snapshot keeps that the present tree has not any more: the versions of
 * nodes that were changed or removed since. Knows trees only. All is counted by
 * nodes and not by memory, so that everybody who follows the same log comes to
 * the same sum.
 */
#ifndef XENSTORED_FORMER_H
#define XENSTORED_FORMER_H

#include "xenstored/store.h"

struct former; /* room to count in */

struct former *former_new(void); /* NULL: no memory */
void former_free(struct former *former);

/*
 * The bytes, about, that THEN, a tree of before, keeps beside NOW, which was
 * made from it. Costs what was changed; more than MOST is not counted further.
 */
int64_t former_cost(struct former *former, const struct node *then,
    const struct node *now, int64_t most);

/* The bytes that a subtree which amounts to W keeps, if nothing else has it. */
int64_t former_whole(const struct weight *w);

#endif
