/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nodes of a moment in memory: to sort them, and to compare two moments.
 */
#ifndef TOOLS_XSHIST_NODES_H
#define TOOLS_XSHIST_NODES_H

#include "tools/history/history.h"

/* One node; the change that refers to the copies behind it. */
struct node {
	struct history_change change;
};

struct nodes {
	struct node **list; /* by path */
	size_t n, cap;
	bool failed; /* no memory */
};

/* All nodes at PATH or below at the act AT, by path. False: no memory, or
 * history_error(). */
bool nodes_load(
    struct nodes *nodes, struct history *h, const char *path, int64_t at);
void nodes_free(struct nodes *nodes);

#endif
