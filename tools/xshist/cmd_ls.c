/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xs/json.h"
#include "tools/xs/lsprint.h"
#include "tools/xshist/cmd.h"
#include "tools/xshist/nodes.h"

enum { FLUSH_SIZE = 60000 };

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

/* --- showing, as xenstore-ls does --- */

struct ls {
	struct hist_env *env;
	struct lsprint print;
	unsigned long count;
};

static void
show_json(struct ls *ls, const struct history_change *c)
{
	struct out *out = &ls->env->out;
	const char *perm, *comma;
	size_t len;

	json_next(out, &ls->count);
	out_string(out, "{");
	json_member(out, "path", c->path);
	out_string(out, ",");
	json_value(out, c->value, c->value_len);
	if (ls->env->opt->perms && c->perms != NULL) {
		out_string(out, ",\"perms\":[");
		for (perm = c->perms; perm != NULL;
		     perm = comma != NULL ? comma + 1 : NULL) {
			comma = strchr(perm, ',');
			len = comma != NULL ? (size_t)(comma - perm)
					    : strlen(perm);
			json_string(out, perm, len);
			if (comma != NULL)
				out_string(out, ",");
		}
		out_string(out, "]");
	}
	out_string(out, "}");
	if (out->len > FLUSH_SIZE)
		hist_show(ls->env);
}

static void
show_line(struct ls *ls, const struct history_change *c, int depth)
{
	char perms[HISTORY_PERMS_SIZE];
	struct walk_node node = {
		.path = c->path,
		.name = strrchr(c->path, '/') + 1,
		.depth = depth,
		.match = true,
		.value = c->value,
		.len = c->value_len,
	};
	size_t i;

	if (ls->env->opt->perms && c->perms != NULL) {
		/* strings, as a server answers */
		node.perms_len = strlen(c->perms) + 1;
		if (node.perms_len > sizeof(perms))
			node.perms_len = sizeof(perms);
		for (i = 0; i < node.perms_len; i++)
			perms[i] = c->perms[i] == ',' ? '\0' : c->perms[i];
		node.perms = perms;
	}
	lsprint_node(&ls->print, &node);
}

static void
show_below(struct ls *ls, const struct entry *e, int depth)
{
	const struct entry *kid;

	for (kid = e->kids; kid != NULL; kid = kid->next) {
		if (ls->env->opt->json)
			show_json(ls, kid->change);
		else
			show_line(ls, kid->change, depth);
		show_below(ls, kid, depth + 1);
	}
}

static int
show_tree(struct hist_env *env, const struct tree *tree, const char *path)
{
	struct ls ls = { .env = env };
	struct entry *top =
	    bsearch(path, tree->entry, tree->n, sizeof(*tree->entry), by_path);

	if (top == NULL) {
		warnx("%s: there was no such node", path);
		return 1;
	}
	lsprint_init(&ls.print, env->opt->flat);
	show_below(&ls, top, 0);
	lsprint_free(&ls.print);
	if (env->opt->json)
		json_end(&env->out, ls.count);
	return 0;
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
	int ret;

	if (!nodes_load(&nodes, env->history, path, at))
		return hist_failed(env);
	if (!link_all(&tree, &nodes))
		errx(1, "no memory");
	ret = show_tree(env, &tree, path);
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
		"  -j, --json      as JSON\n"
		"  -D, --database  the history's file\n",
	.max_args = 1,
	.run = run,
};
