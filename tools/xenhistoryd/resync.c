/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenhistoryd/resync.h"

#include <stdlib.h>
#include <string.h>

#include "tools/xenhistoryd/teller.h"

/* --- one node --- */

static void
show_node(const struct node *node, size_t value_max, char *perms,
    struct history_change *c)
{
	c->has_new = true;
	c->new_digest = teller_digest(node);
	c->size = node_value_len(node);
	if (c->size <= value_max) {
		c->value = node_value(node);
		c->value_len = c->size;
	}
	teller_perms(node->acl, perms);
	c->perms = perms;
}

bool
resync_change(const struct node *before, const struct node *after,
    size_t value_max, char perms[HISTORY_PERMS_SIZE],
    struct history_change *change_out)
{
	struct history_change *c = change_out;
	bool written, permitted;

	*c = (struct history_change){ .what = HISTORY_REMOVED };
	if (before != NULL && after != NULL) {
		written = before->value_stamp != after->value_stamp;
		permitted = before->acl != after->acl;
		if (!written && !permitted)
			return false;
		c->what = written ? HISTORY_WRITTEN : HISTORY_PERMITTED;
	} else if (after != NULL) {
		c->what = HISTORY_MADE;
	}
	if (before != NULL) {
		c->has_old = true;
		c->old_digest = teller_digest(before);
	}
	if (after != NULL)
		show_node(after, value_max, perms, c);
	return true;
}

/* --- all --- */

struct known {
	bool exists;
	uint64_t digest;
	char perms[HISTORY_PERMS_SIZE];
};

struct gone {
	struct history *h;
	struct state *st;
	int64_t act;
	char **paths; /* of what exists no more */
	uint64_t *digest;
	size_t n, cap;
	bool ok;
};

static bool
take_known(void *ctx, const struct history_change *change)
{
	struct known *k = ctx;
	size_t len;

	k->exists = change->has_new;
	k->digest = change->new_digest;
	len = change->perms != NULL ? strlen(change->perms) : 0;
	if (len >= sizeof(k->perms))
		len = sizeof(k->perms) - 1;
	memcpy(k->perms, len > 0 ? change->perms : "", len);
	k->perms[len] = '\0';
	return false;
}

/* Writes NODE at PATH as a change of ACT if the history has it otherwise. */
static bool
write_node(struct history *h, const char *path, const struct node *node,
    int64_t act, size_t value_max)
{
	struct known known = { .exists = false };
	char perms[HISTORY_PERMS_SIZE];
	struct history_change c;

	(void)resync_change(NULL, node, value_max, perms, &c);
	c.path = path;
	if (!history_node(h, path, act, take_known, &known))
		return false;
	if (known.exists) {
		if (known.digest == c.new_digest &&
		    strcmp(known.perms, perms) == 0)
			return true;
		c.what = known.digest != c.new_digest ? HISTORY_WRITTEN
						      : HISTORY_PERMITTED;
		c.has_old = true;
		c.old_digest = known.digest;
	}
	c.act = act;
	return history_add_change(h, &c);
}

static bool
note_gone(void *ctx, const struct history_change *change)
{
	struct gone *g = ctx;
	char **paths;
	uint64_t *digest;

	if (store_get(&g->st->heap, g->st->live, change->path) != NULL)
		return true;
	if (g->n == g->cap) {
		g->cap = g->cap * 2 + 64;
		paths = realloc(g->paths, g->cap * sizeof(*paths));
		if (paths != NULL)
			g->paths = paths;
		digest = realloc(g->digest, g->cap * sizeof(*digest));
		if (digest != NULL)
			g->digest = digest;
		g->ok = paths != NULL && digest != NULL;
		if (!g->ok)
			return false;
	}
	g->paths[g->n] = strdup(change->path);
	g->digest[g->n] = change->new_digest;
	g->ok = g->paths[g->n] != NULL;
	g->n += g->ok;
	return g->ok;
}

/* Writes the removal of what the history has and the tree has not. */
static bool
write_gone(struct gone *g)
{
	struct history_change c = { .act = g->act, .what = HISTORY_REMOVED };
	bool ok = history_tree(g->h, "/", g->act, false, note_gone, g) && g->ok;
	size_t i;

	for (i = 0; i < g->n; i++) {
		c.path = g->paths[i];
		c.has_old = true;
		c.old_digest = g->digest[i];
		ok = ok && history_add_change(g->h, &c);
		free(g->paths[i]);
	}
	free(g->paths);
	free(g->digest);
	return ok;
}

bool
resync_write(struct history *h, struct state *st, struct history_act *act,
    size_t value_max)
{
	struct gone gone = { .h = h, .st = st, .ok = true };
	char path[WIRE_ABS_PATH_MAX + 1];
	struct node *node;

	if (!history_add_act(h, act))
		return false;
	gone.act = act->id;
	walk_start(&st->walk, st->live);
	while ((node = walk_next(&st->walk)) != NULL)
		if (node != st->live &&
		    walk_path(&st->walk, node, "", path, sizeof(path)) > 0 &&
		    !write_node(h, path, node, act->id, value_max))
			return false;
	return write_gone(&gone);
}
