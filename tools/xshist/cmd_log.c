/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "tools/xshist/cmd.h"

enum { FOLLOW_MS = 100 };

struct log {
	struct hist_env *env;
	int64_t seen; /* the last act shown */
	bool first;   /* of the changes of an act */
	bool failed;
};

/* --- text --- */

/* Whether ACT is told best by its one change alone. */
static bool
is_plain(const struct history_act *act)
{
	return act->n_changes == 1 && act->error == NULL && act->txn == 0 &&
	       act->path != NULL;
}

static bool
show_one(void *ctx, const struct history_change *change)
{
	struct log *l = ctx;

	show_text(&l->env->show, l->first ? "  " : "\n    ");
	l->first = false;
	show_change(&l->env->show, change);
	return true;
}

static void
show_act(struct log *l, const struct history_act *act)
{
	struct show *s = &l->env->show;

	show_color(s, SHOW_DIM);
	show_time(s, act->time);
	show_color(s, SHOW_PLAIN);
	show_text(s, "  ");
	show_seq(s, act->log, act->seq);
	show_text(s, "  ");
	show_who(s, &act->who);
	show_text(s, "  ");
	if (act->txn != 0)
		show_text(s, "(transaction %u) ", (unsigned)act->txn);
	show_text(s, "%s",
	    strcmp(act->op, "TRANSACTION_END") == 0 ? "commit" : act->op);
	if (act->path != NULL && !is_plain(act))
		show_text(s, " %s", act->path);
	if (act->error != NULL) {
		show_color(s, SHOW_RED);
		show_text(s, " refused: %s", act->error);
		show_color(s, SHOW_PLAIN);
	}
	show_reason(s, act);
	l->first = is_plain(act);
}

/* --- either --- */

static bool
json_one(void *ctx, const struct history_change *change)
{
	struct log *l = ctx;

	if (!l->first)
		out_string(&l->env->out, ",");
	l->first = false;
	object_change(&l->env->out, change);
	return true;
}

static bool
on_act(void *ctx, const struct history_act *act)
{
	struct log *l = ctx;
	struct hist_env *env = l->env;
	const char *path = env->opt->path;
	bool ok;

	l->seen = act->id;
	if (!env->opt->json) {
		show_act(l, act);
		ok = history_changes(env->history, act->id, path, show_one, l);
		out_string(&env->out, "\n");
	} else {
		out_string(&env->out, "{");
		object_act(&env->out, act);
		out_string(&env->out, ",\"changes\":[");
		l->first = true;
		ok = history_changes(env->history, act->id, path, json_one, l);
		out_string(&env->out, "]}\n");
	}
	if (env->out.len > 60000 || env->opt->follow)
		hist_show(env);
	l->failed = !ok;
	return ok;
}

static int
follow(struct log *l, struct history_filter *filter)
{
	static const struct timespec pause = { 0, FOLLOW_MS * 1000000 };
	int64_t last;

	filter->last = 0;
	for (;;) {
		nanosleep(&pause, NULL);
		if (!history_last_act(l->env->history, &last))
			return hist_failed(l->env);
		if (last <= filter->after)
			continue;
		l->seen = filter->after;
		if (!history_acts(l->env->history, filter, on_act, l) ||
		    l->failed)
			return hist_failed(l->env);
		filter->after = last > l->seen ? last : l->seen;
	}
}

static int
run(struct hist_env *env)
{
	const struct hist_options *opt = env->opt;
	struct log l = { .env = env };
	struct history_filter filter = {
		.domid = opt->domid,
		.path = opt->path,
		.refused = opt->refused,
		.last = opt->last > 0 ? opt->last : 0,
	};
	int64_t last;

	if (!history_last_act(env->history, &last))
		return hist_failed(env);
	if (opt->since != NULL) {
		hist_check_when(opt->since);
		if (!history_since(env->history, opt->since, &filter.after))
			return hist_failed(env);
	}
	/* who follows without a beginning wants what comes */
	if (opt->last == 0 ||
	    (opt->follow && opt->since == NULL && opt->last < 0))
		filter.after = last;
	else if (!history_acts(env->history, &filter, on_act, &l) || l.failed)
		return hist_failed(env);
	if (!opt->follow)
		return 0;
	filter.after = l.seen > last ? l.seen : last;
	return follow(&l, &filter);
}

const struct hist_cmd hist_log = {
	.name = "log",
	.options = "DdFfjnPRs",
	.usage = "[-fjR] [-s TIME|SEQ] [-n NR] [-d DOMID] [-P PATH] [-D FILE]",
	.help = "Shows who changed what in the store, and what was refused.\n"
		"  -f, --follow       go on with what happens from now on\n"
		"  -s, --since WHEN   from a time or sequence number on\n"
		"  -n, --number NR    only the last NR\n"
		"  -d, --domid DOMID  only what this domain did\n"
		"  -P, --path PATH    only what concerns PATH or is below it\n"
		"  -R, --refused      only what was refused\n"
		"  -j, --json         one object a line\n"
		"  -D, --database     the history's file\n",
	.max_args = 0,
	.run = run,
};
