/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "tools/xshist/cmd.h"
#include "tools/xshist/nodes.h"

static void
show_difference(struct hist_env *env, const struct history_change *c)
{
	if (env->opt->json)
		object_change(&env->out, c);
	else
		show_change(&env->show, c);
	out_string(&env->out, "\n");
}

/* What BEFORE or AFTER, of which one may be NULL, comes to. */
static void
compare(
    struct hist_env *env, const struct node *before, const struct node *after)
{
	struct history_change c;

	c = after != NULL ? after->change : before->change;
	c.what = after == NULL	  ? HISTORY_REMOVED
		 : before == NULL ? HISTORY_MADE
				  : HISTORY_WRITTEN;
	c.has_new = after != NULL;
	c.has_old = c.has_before = before != NULL;
	if (before != NULL) {
		c.old_digest = before->change.new_digest;
		c.before = before->change.value;
		c.before_len = before->change.value_len;
		c.before_size = before->change.size;
		c.before_perms = before->change.perms;
	}
	if (before != NULL && after != NULL) {
		if (c.old_digest == c.new_digest) {
			if (strcmp(c.perms, c.before_perms) == 0)
				return;
			c.what = HISTORY_PERMITTED;
		}
	}
	show_difference(env, &c);
}

static void
compare_all(struct hist_env *env, const struct nodes *a, const struct nodes *b)
{
	size_t i = 0, j = 0;
	int order;

	while (i < a->n || j < b->n) {
		order = i == a->n   ? 1
			: j == b->n ? -1
				    : strcmp(a->list[i]->change.path,
					  b->list[j]->change.path);
		compare(env, order <= 0 ? a->list[i] : NULL,
		    order >= 0 ? b->list[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}

static int
run(struct hist_env *env)
{
	int64_t from = hist_position(env, env->args[0]);
	int64_t to = hist_position(env, env->args[1]);
	const char *path = env->nargs > 2 ? hist_path(env->args[2]) : "/";
	struct nodes a, b;

	if (!nodes_load(&a, env->history, path, from))
		return hist_failed(env);
	if (!nodes_load(&b, env->history, path, to)) {
		nodes_free(&a);
		return hist_failed(env);
	}
	compare_all(env, &a, &b);
	nodes_free(&a);
	nodes_free(&b);
	return 0;
}

const struct hist_cmd hist_diff = {
	.name = "diff",
	.options = "Dj",
	.usage = "[-j] [-D FILE] WHEN WHEN [PATH]",
	.help = "Shows how the store, or PATH with all below, differs between "
		"two moments.\n"
		"Each is a time, a sequence number, or now.\n"
		"  -j, --json      one object a line\n"
		"  -D, --database  the history's file\n",
	.min_args = 2,
	.max_args = 3,
	.run = run,
};
