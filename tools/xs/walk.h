/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk through the tree below a node in its order, by one connection with
 * many requests on the way: what comes next is asked for long before its turn.
 * Knows how to find nodes; nothing of how they are shown.
 */
#ifndef TOOLS_XS_WALK_H
#define TOOLS_XS_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "xenstore_async.h"

struct walk_node {
	const char *path;
	const char *name;
	int depth;	   /* 0: a child of the walk's root */
	bool match;	   /* false: shown for what is below it */
	const char *value; /* NULL: it cannot be read */
	size_t len;
	const char *perms; /* as GET_PERMS answers; NULL: not asked, or none */
	size_t perms_len;
};

struct walk_config {
	bool perms;	  /* ask for rights */
	bool ancestors;	  /* hand over what leads to a match as well */
	long depth;	  /* how many levels; -1: all */
	const char *glob; /* only what matches this; NULL: everything */
	void (*show)(void *ctx, const struct walk_node *node);
	void *ctx;
};

/* Hands every node below ROOT to show. 0, or 1 when it has said why not. */
int walk_run(
    struct xs_async *xs, const char *root, const struct walk_config *config);

#endif
