/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/store.h"

#include <stdlib.h>
#include <string.h>

/* Two versions of one node, and where the comparison of their children is. */
struct diff_frame {
	const struct node *node; /* the later version */
	const struct kids *before, *after;
	struct kids_pos b, a;
};

struct diff {
	struct walk walk;	/* over what only one side has */
	diff_whole_fn *whole;	/* or NULL */
	void *ctx;		/* of it */
	int sign;		/* of the walk's subtree */
	const struct node *top; /* the walk began at, NULL: there is none */
	size_t depth;
	struct diff_frame frame[STORE_DEPTH_MAX + 1];
};

struct diff *
diff_new(void)
{
	return malloc(sizeof(struct diff));
}

void
diff_free(struct diff *diff)
{
	free(diff);
}

/* Whether CHILD, with all below it, is still to be told of. */
static bool
is_open(void *ctx, struct walk *walk, struct node *child)
{
	struct diff *diff = ctx;

	(void)walk;
	return !diff->whole(diff->ctx, child, diff->sign);
}

static bool
of_interest(const struct diff *diff, const struct node *before,
    const struct node *after)
{
	return diff->whole == NULL ||
	       (before != NULL && before->acl->owner_bit != 0) ||
	       (after != NULL && after->acl->owner_bit != 0);
}

static void
tell_all(struct diff *diff, struct node *before, struct node *after,
    diff_fn *fn, void *ctx)
{
	struct node *top = before != NULL ? before : after, *node;

	diff->sign = before != NULL ? -1 : 1;
	if (diff->whole != NULL && diff->whole(ctx, top, diff->sign))
		return;
	diff->top = top;
	walk_start(&diff->walk, top);
	while ((node = walk_next_if(&diff->walk,
		    diff->whole != NULL ? is_open : NULL, diff)) != NULL) {
		if (!of_interest(diff, node, NULL))
			continue;
		fn(ctx, before != NULL ? node : NULL,
		    before != NULL ? NULL : node);
	}
	diff->top = NULL;
}

static void
push(struct diff *diff, struct node *before, struct node *after)
{
	struct diff_frame *f;

	if (before->kids == after->kids)
		return;
	if (diff->whole != NULL &&
	    (node_owners(before) | node_owners(after)) == 0)
		return;
	f = &diff->frame[diff->depth++];
	*f = (struct diff_frame){
		.node = after, .before = before->kids, .after = after->kids
	};
}

/*
 * One step in the merge of two lists that are both sorted by sequence number.
 * False at the end of both.
 */
static bool
step(struct diff *diff, struct diff_frame *f, diff_fn *fn, void *ctx)
{
	struct kids_pos b, a;
	const struct kid *before, *after;

	kids_skip_shared(f->before, &f->b, f->after, &f->a);
	b = f->b;
	a = f->a;
	before = kids_next(f->before, &b);
	after = kids_next(f->after, &a);
	if (before == NULL && after == NULL)
		return false;
	if (after == NULL || (before != NULL && before->seq < after->seq)) {
		f->b = b;
		tell_all(diff, before->node, NULL, fn, ctx);
		return true;
	}
	if (before == NULL || after->seq < before->seq) {
		f->a = a;
		tell_all(diff, NULL, after->node, fn, ctx);
		return true;
	}
	f->b = b;
	f->a = a;
	if (before->node == after->node)
		return true;
	if (of_interest(diff, before->node, after->node))
		fn(ctx, before->node, after->node);
	push(diff, before->node, after->node);
	return true;
}

void
diff_trees(struct diff *diff, struct node *before, struct node *after,
    diff_whole_fn *whole, diff_fn *fn, void *ctx)
{
	diff->depth = 0;
	diff->whole = whole;
	diff->ctx = ctx;
	diff->top = NULL;
	if (before == after)
		return;
	push(diff, before, after);
	while (diff->depth > 0)
		if (!step(diff, &diff->frame[diff->depth - 1], fn, ctx))
			diff->depth--;
}

/* Appends NODE's name at *LEN; false: no room. */
static bool
append(char *buf, size_t size, size_t *len, const struct node *node, bool slash)
{
	if (*len + node_name_len(node) + 2 > size)
		return false;
	if (slash)
		buf[(*len)++] = '/';
	memcpy(buf + *len, node_name(node), node_name_len(node));
	*len += node_name_len(node);
	buf[*len] = '\0';
	return true;
}

size_t
diff_path(
    const struct diff *diff, const struct node *node, char *buf, size_t size)
{
	const struct node *last = diff->top != NULL ? diff->top : node;
	char base[WIRE_ABS_PATH_MAX + 1];
	size_t len = 0, i;

	/* the root's name is empty, and the specials stand beside it */
	for (i = 1; i < diff->depth; i++)
		if (!append(
			base, sizeof(base), &len, diff->frame[i].node, i > 1))
			return 0;
	if (!append(base, sizeof(base), &len, last, diff->depth > 1))
		return 0;
	if (len == 0)
		base[len++] = '/';
	base[len] = '\0';
	if (diff->top != NULL)
		return walk_path(&diff->walk, node, base, buf, size);
	if (len >= size)
		return 0;
	memcpy(buf, base, len + 1);
	return len;
}
