/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xshist/cmd.h"

struct why {
	struct hist_env *env;
	int64_t act;	/* the one to be explained; 0: none yet */
	int64_t before; /* another one that is told before it */
	const char *path;
	bool failed;
};

/* --- sentences --- */

static void
say_who_when(struct show *s, const struct history_who *who, int64_t time,
    int64_t log, uint64_t seq)
{
	out_string(s->out, "by ");
	show_who(s, who);
	out_string(s->out, " at ");
	show_time(s, time);
	out_string(s->out, " (");
	show_seq(s, log, seq);
	out_string(s->out, ")");
}

static bool
say_change(void *ctx, const struct history_change *change)
{
	struct why *w = ctx;

	out_string(&w->env->out, "\n    ");
	show_change(&w->env->show, change);
	return true;
}

static void
say_what(struct show *s, const struct history_act *act)
{
	if (strcmp(act->op, "TRANSACTION_END") == 0)
		show_text(
		    s, "The commit of transaction %u", (unsigned)act->txn);
	else if (act->path != NULL)
		show_text(s, "%s %s", act->op, act->path);
	else
		show_text(s, "%s", act->op);
	if (act->txn != 0 && act->path != NULL)
		show_text(s, " in transaction %u", (unsigned)act->txn);
}

static void
say_conflict(struct why *w, const struct history_act *act)
{
	struct show *s = &w->env->show;

	show_text(s, "\nIt had asked %s", act->why_op);
	if (act->why_path != NULL)
		show_text(s, " %s", act->why_path);
	out_string(s->out,
	    ", and would be answered otherwise now: the transaction has to be "
	    "tried again.");
	if (act->why_act == 0) {
		out_string(
		    s->out, "\nThe history does not know who changed that.");
		return;
	}
	out_string(s->out, "\nThat was changed ");
	say_who_when(
	    s, &act->why.who, act->why.time, act->why.log, act->why.seq);
	out_string(s->out, ":");
	w->failed = !history_changes(
	    w->env->history, act->why_act, act->why_path, say_change, w);
}

static void
say_quota(struct show *s, const struct history_act *act)
{
	show_text(s,
	    "\nThe limit \"%s\" of domain %" PRId64 " is %" PRId64
	    "; it would have come to %" PRId64 ".",
	    act->quota, act->quota_domid, act->quota_limit, act->quota_value);
}

static void
explain(struct why *w, const struct history_act *act)
{
	struct show *s = &w->env->show;

	say_what(s, act);
	out_string(s->out, ", ");
	say_who_when(s, &act->who, act->time, act->log, act->seq);
	if (act->error == NULL) {
		show_text(s, ", was done%s", act->n_changes > 0 ? ":" : ".");
		w->failed = !history_changes(
		    w->env->history, act->id, w->path, say_change, w);
	} else {
		show_text(s, ", was refused with %s.", act->error);
		if (act->quota != NULL)
			say_quota(s, act);
		else if (act->why_op != NULL)
			say_conflict(w, act);
		else if (act->note != NULL)
			show_text(s, "\nThe permissions do not allow it: %s.",
			    act->note);
	}
	out_string(s->out, "\n");
}

static bool
on_act(void *ctx, const struct history_act *act)
{
	struct why *w = ctx;

	if (!w->env->opt->json) {
		explain(w, act);
		return true;
	}
	out_string(&w->env->out, "{");
	object_act(&w->env->out, act);
	out_string(&w->env->out, "}\n");
	return true;
}

/* --- finding --- */

/* The newest end of a transaction, or else the newest that was refused in it.
 */
static bool
take_end(void *ctx, const struct history_act *act)
{
	struct why *w = ctx;

	if (strcmp(act->op, "TRANSACTION_END") == 0) {
		w->act = act->id;
	} else if (act->error != NULL) {
		w->before = act->id;
	}
	return true;
}

static bool
take_newest(void *ctx, const struct history_act *act)
{
	struct why *w = ctx;

	w->act = act->id;
	return true;
}

/* The acts of transaction ID, which may have been used by several. */
static bool
find_txn(struct why *w, uint32_t id)
{
	struct history_filter filter = { .domid = w->env->opt->domid,
		.txn = id };

	if (!history_acts(w->env->history, &filter, take_end, w))
		return false;
	if (w->act == 0) {
		w->act = w->before;
		w->before = 0;
	}
	if (w->before > w->act)
		w->before = 0;
	return true;
}

static bool
find_path(struct why *w)
{
	struct history_filter filter = {
		.domid = w->env->opt->domid,
		.path = w->path,
		.refused = true,
		.last = 1,
	};

	if (!history_acts(w->env->history, &filter, take_newest, w))
		return false;
	if (w->act != 0)
		return true;
	filter.refused = false;
	return history_acts(w->env->history, &filter, take_newest, w);
}

static bool
is_number(const char *text)
{
	return isdigit((unsigned char)text[0]) &&
	       text[strspn(text, "0123456789")] == '\0' && strlen(text) < 10;
}

static int
run(struct hist_env *env)
{
	struct why w = { .env = env };
	char *what = env->args[0];
	bool ok;

	if (is_number(what)) {
		ok = find_txn(&w, (uint32_t)strtoul(what, NULL, 10));
	} else if (what[0] == '/' || what[0] == '@') {
		w.path = hist_path(what);
		ok = find_path(&w);
	} else {
		errx(EXIT_USAGE,
		    "'%s' is neither a transaction's number nor a path", what);
	}
	if (!ok)
		return hist_failed(env);
	if (w.act == 0) {
		warnx("the history knows nothing of %s%s",
		    w.path == NULL ? "transaction " : "", what);
		return 1;
	}
	if (w.before != 0)
		ok = history_act(env->history, w.before, on_act, &w);
	ok = ok && history_act(env->history, w.act, on_act, &w) && !w.failed;
	return ok ? 0 : hist_failed(env);
}

const struct hist_cmd hist_why = {
	.name = "why",
	.options = "Ddj",
	.usage = "[-j] [-d DOMID] [-D FILE] TRANSACTION|PATH",
	.help =
	    "Says why a transaction or a request for PATH was refused last, "
	    "or if nothing\nwas, who changed it.\n"
	    "  -d, --domid DOMID  only what this domain did\n"
	    "  -j, --json         as an object\n"
	    "  -D, --database     the history's file\n",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
