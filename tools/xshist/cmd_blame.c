/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <string.h>

#include "tools/xshist/cmd.h"

struct blame {
	struct hist_env *env;
	const struct history_change *change; /* the one at hand */
	int n;
	bool failed;
};

static void
show_line(struct hist_env *env, const struct history_act *act,
    const struct history_change *c)
{
	struct show *s = &env->show;

	show_color(s, SHOW_DIM);
	show_time(s, act->time);
	show_color(s, SHOW_PLAIN);
	show_text(s, "  ");
	show_seq(s, act->log, act->seq);
	show_text(s, "  ");
	show_who(s, &act->who);
	if (act->txn != 0)
		show_text(s, " (transaction %u)", (unsigned)act->txn);
	show_text(s, "  ");
	show_change(s, c);
	if (env->opt->perms && c->perms != NULL)
		show_text(s, "  (%s)", c->perms);
	show_text(s, "\n");
}

static bool
on_act(void *ctx, const struct history_act *act)
{
	struct blame *b = ctx;
	struct hist_env *env = b->env;

	b->n++;
	if (!env->opt->json) {
		show_line(env, act, b->change);
		return true;
	}
	out_string(&env->out, "{");
	object_act(&env->out, act);
	out_string(&env->out, ",\"changes\":[");
	object_change(&env->out, b->change);
	out_string(&env->out, "]}\n");
	return true;
}

static bool
on_change(void *ctx, const struct history_change *change)
{
	struct blame *b = ctx;

	b->change = change;
	b->failed = !history_act(b->env->history, change->act, on_act, b);
	return !b->failed;
}

static int
run(struct hist_env *env)
{
	const char *path = hist_path(env->args[0]);
	struct blame b = { .env = env };
	int64_t at;
	bool ok;

	at = hist_position(env, env->opt->at != NULL ? env->opt->at : "now");
	if (env->opt->all)
		ok =
		    history_every_change(env->history, path, at, on_change, &b);
	else if (env->opt->recurse)
		ok = history_tree(env->history, path, at, false, on_change, &b);
	else
		ok = history_node(env->history, path, at, on_change, &b);
	if (!ok || b.failed)
		return hist_failed(env);
	if (b.n > 0)
		return 0;
	warnx("%s: the history knows no such node", path);
	return 1;
}

const struct hist_cmd hist_blame = {
	.name = "blame",
	.options = "aDjprt",
	.usage = "[-ajpr] [-t TIME|SEQ] [-D FILE] PATH",
	.help = "Shows who changed a node last, when, and how.\n"
		"  -a, --all       all of its changes, the first one first\n"
		"  -r, --recurse   also all nodes below\n"
		"  -p, --perms     show permissions\n"
		"  -t, --at WHEN   as it was at a time or sequence number\n"
		"  -j, --json      one object a line\n"
		"  -D, --database  the history's file\n",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
