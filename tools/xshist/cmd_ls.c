/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xshist/cmd.h"
#include "tools/xshist/nodes.h"

/*
 * The order of xenstore-ls: a node before what is below it, siblings as they
 * were made. Nodes come by path; each gets its parent, and siblings a chain.
 */
struct entry {
	const struct history_change *change;
	struct entry *kids, *next;
};

struct tree {
	struct entry *entry;
	size_t n;
};

static int
by_birth(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a;
	const struct entry *y = *(const struct entry *const *)b;

	return (x->change->born > y->change->born) -
	       (x->change->born < y->change->born);
}

static int
by_path(const void *key, const void *element)
{
	const struct entry *e = element;

	return strcmp(key, e->change->path);
}

/* The parent of E, or NULL. */
static struct entry *
parent_of(struct tree *t, const struct entry *e)
{
	char path[8192];
	const char *slash = strrchr(e->change->path, '/');
	size_t len = slash != NULL ? (size_t)(slash - e->change->path) : 0;

	if (slash == NULL || e->change->path[1] == '\0' || len >= sizeof(path))
		return NULL;
	memcpy(path, e->change->path, len);
	path[len] = '\0';
	return bsearch(
	    len > 0 ? path : "/", t->entry, t->n, sizeof(*t->entry), by_path);
}

/* Chains all entries to their parents, the oldest first. */
static bool
link_all(struct tree *t, const struct nodes *nodes)
{
	struct entry **order, *parent;
	size_t i;

	t->n = nodes->n;
	t->entry = calloc(t->n + 1, sizeof(*t->entry));
	order = calloc(t->n + 1, sizeof(struct entry *));
	if (t->entry == NULL || order == NULL) {
		free(order);
		return false;
	}
	for (i = 0; i < t->n; i++) {
		t->entry[i].change = &nodes->list[i]->change;
		order[i] = &t->entry[i];
	}
	qsort(order, t->n, sizeof(struct entry *), by_birth);
	for (i = t->n; i-- > 0;) {
		parent = parent_of(t, order[i]);
		if (parent == NULL)
			continue;
		order[i]->next = parent->kids;
		parent->kids = order[i];
	}
	free(order);
	return true;
}

/* --- showing --- */

static void
show_entry(struct hist_env *env, const struct entry *e, int depth)
{
	const struct history_change *c = e->change;
	const char *slash = strrchr(c->path, '/');

	if (env->opt->json) {
		json_change(&env->out, c);
	} else {
		if (env->opt->flat)
			show_text(&env->show, "%s", c->path);
		else
			show_text(&env->show, "%*s%s", depth, "", slash + 1);
		out_string(&env->out, " = ");
		if (c->value == NULL) {
			show_value(&env->show, NULL, 0, c->size);
		} else {
			out_string(&env->out, "\"");
			out_escaped(&env->out, c->value, c->value_len);
			out_string(&env->out, "\"");
		}
		if (env->opt->perms)
			show_text(&env->show, "   (%s)", c->perms);
	}
	out_string(&env->out, "\n");
	if (env->out.len > 60000)
		hist_show(env);
}

static void
show_below(struct hist_env *env, const struct entry *e, int depth)
{
	const struct entry *kid;

	for (kid = e->kids; kid != NULL; kid = kid->next) {
		show_entry(env, kid, depth);
		show_below(env, kid, depth + 1);
	}
}

static int
run(struct hist_env *env)
{
	static char root[] = "/";
	const char *path = hist_path(env->nargs > 0 ? env->args[0] : root);
	int64_t at =
	    hist_position(env, env->opt->at != NULL ? env->opt->at : "now");
	struct tree tree = { 0 };
	struct nodes nodes;
	struct entry *top;
	int ret = 0;

	if (!nodes_load(&nodes, env->history, path, at))
		return hist_failed(env);
	if (!link_all(&tree, &nodes))
		errx(1, "no memory");
	top = bsearch(path, tree.entry, tree.n, sizeof(*tree.entry), by_path);
	if (top != NULL) {
		show_below(env, top, 0);
	} else {
		warnx("%s: there was no such node", path);
		ret = 1;
	}
	free(tree.entry);
	nodes_free(&nodes);
	return ret;
}

const struct hist_cmd hist_ls = {
	.name = "ls",
	.options = "Dfjpt",
	.usage = "[-fjp] [-t TIME|SEQ] [-D FILE] [PATH]",
	.help = "Shows what was in the store, or below PATH, at a moment.\n"
		"  -t, --at WHEN   a time or sequence number; without it: now\n"
		"  -f, --flat      show whole paths\n"
		"  -p, --prefix    show permissions as well\n"
		"  -j, --json      one object a line\n"
		"  -D, --database  the history's file\n",
	.max_args = 1,
	.run = run,
};
