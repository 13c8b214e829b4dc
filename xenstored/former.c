/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/former.h"

#include <stdlib.h>

#include "xenstored/cost.h"

/* Two versions of one node, whose children are compared. */
struct former_frame {
	const struct kids *then, *now;
	struct kids_pos t, n;
};

struct former {
	size_t depth;
	struct former_frame frame[STORE_DEPTH_MAX + 1];
};

struct former *
former_new(void)
{
	return malloc(sizeof(struct former));
}

void
former_free(struct former *former)
{
	free(former);
}

int64_t
former_whole(const struct weight *w)
{
	/* one more each, for its place in a list of children */
	return w->cost + w->guest_cost +
	       (w->nodes + w->guest_nodes) * (COST_VERSION + 1);
}

/* Begins with the children of THEN and NOW. */
static void
push(struct former *former, const struct node *then, const struct node *now)
{
	if (then->kids == NULL || then->kids == now->kids)
		return;
	former->frame[former->depth++] =
	    (struct former_frame){ .then = then->kids, .now = now->kids };
}

/* One step in F; what it adds. False: there was nothing more to do there. */
static bool
step(struct former *former, struct former_frame *f, int64_t *sum)
{
	struct kids_pos t, n;
	const struct kid *then, *now;
	struct weight w;

	kids_skip_shared(f->then, &f->t, f->now, &f->n);
	t = f->t;
	n = f->n;
	then = kids_next(f->then, &t);
	now = kids_next(f->now, &n);
	if (then == NULL)
		return false;
	if (now != NULL && now->seq < then->seq) {
		f->n = n;
		return true;
	}
	f->t = t;
	if (now == NULL || then->seq < now->seq) {
		w = node_weight(then->node);
		*sum += former_whole(&w);
		return true;
	}
	f->n = n;
	if (then->node == now->node)
		return true;
	*sum += node_version_cost(then->node);
	push(former, then->node, now->node);
	return true;
}

int64_t
former_cost(struct former *former, const struct node *then,
    const struct node *now, int64_t most)
{
	int64_t sum = 0;

	former->depth = 0;
	if (then == now)
		return 0;
	sum = node_version_cost(then);
	push(former, then, now);
	while (former->depth > 0 && sum <= most)
		if (!step(former, &former->frame[former->depth - 1], &sum))
			former->depth--;
	return sum;
}
