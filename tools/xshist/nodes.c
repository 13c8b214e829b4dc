/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xshist/nodes.h"

#include <stdlib.h>
#include <string.h>

/* A copy of LEN bytes at DATA, or NULL for NULL, at *AT, which moves on. */
static char *
put(char **at, const void *data, size_t len)
{
	char *copy = *at;

	if (data == NULL)
		return NULL;
	memcpy(copy, data, len);
	copy[len] = '\0';
	*at += len + 1;
	return copy;
}

static bool
keep(void *ctx, const struct history_change *c)
{
	struct nodes *nodes = ctx;
	size_t path = strlen(c->path);
	size_t perms = c->perms != NULL ? strlen(c->perms) : 0;
	struct node **list, *node;
	char *at;

	if (nodes->n == nodes->cap) {
		nodes->cap = nodes->cap * 2 + 256;
		list = realloc(nodes->list, nodes->cap * sizeof(*list));
		if (list == NULL) {
			nodes->failed = true;
			return false;
		}
		nodes->list = list;
	}
	node = malloc(sizeof(*node) + path + c->value_len + perms + 3);
	if (node == NULL) {
		nodes->failed = true;
		return false;
	}
	at = (char *)(node + 1);
	node->change = *c;
	node->change.path = put(&at, c->path, path);
	node->change.value = put(&at, c->value, c->value_len);
	node->change.perms = put(&at, c->perms, perms);
	node->change.before = NULL;
	node->change.before_perms = NULL;
	node->change.has_before = false;
	nodes->list[nodes->n++] = node;
	return true;
}

bool
nodes_load(struct nodes *nodes, struct history *h, const char *path, int64_t at)
{
	*nodes = (struct nodes){ 0 };
	if (history_tree(h, path, at, false, keep, nodes) && !nodes->failed)
		return true;
	nodes_free(nodes);
	return false;
}

void
nodes_free(struct nodes *nodes)
{
	size_t i;

	for (i = 0; i < nodes->n; i++)
		free(nodes->list[i]);
	free(nodes->list);
	nodes->list = NULL;
	nodes->n = 0;
}
