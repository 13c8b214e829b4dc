/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree as text, as lines of paths, or as JSON. */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "tools/xs/cmd.h"
#include "tools/xs/json.h"
#include "tools/xs/lsprint.h"
#include "tools/xs/walk.h"

enum { FLUSH_SIZE = 65536 };

struct ls {
	const struct cmd_env *env;
	struct lsprint print;
	struct out json;
	unsigned long count;
};

static void
show_line(void *ctx, const struct walk_node *node)
{
	struct ls *ls = ctx;

	lsprint_node(&ls->print, node);
}

static void
show_json(void *ctx, const struct walk_node *node)
{
	struct ls *ls = ctx;
	struct out *out = &ls->json;

	json_next(out, &ls->count);
	out_string(out, "{");
	json_member(out, "path", node->path);
	out_string(out, ",");
	json_value(out, node->value, node->len);
	if (node->perms != NULL) {
		const char *end = node->perms + node->perms_len;

		out_string(out, ",\"perms\":[");
		for (const char *s = node->perms; s < end; s += strlen(s) + 1) {
			if (s > node->perms)
				out_string(out, ",");
			json_string(out, s, strlen(s));
		}
		out_string(out, "]");
	}
	out_string(out, "}");
	if (out->len >= FLUSH_SIZE)
		(void)out_show(out); /* stdout remembers an error */
}

static int
run(struct cmd_env *env)
{
	static char root[] = "/";
	static char *const roots[] = { root };
	char *const *args = env->nargs > 0 ? env->args : roots;
	int nargs = env->nargs > 0 ? env->nargs : 1;
	const struct options *opt = env->opt;
	struct ls ls = { .env = env };
	struct walk_config config = {
		.perms = opt->prefix,
		.ancestors = !opt->flat && !opt->json,
		.depth = opt->depth,
		.glob = opt->glob,
		.show = opt->json ? show_json : show_line,
		.ctx = &ls,
	};
	int ret = 0;

	lsprint_init(&ls.print, opt->flat);
	for (int i = 0; i < nargs && ret == 0; i++)
		ret = walk_run(env->async, args[i], &config);
	if (opt->json) {
		json_end(&ls.json, ls.count);
		(void)out_show(&ls.json);
	}
	out_free(&ls.json);
	lsprint_free(&ls.print);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		warn("stdout");
		ret = 1;
	}
	return ret;
}

const struct cmd cmd_ls = {
	.name = "ls",
	.options = "fpd",
	.more = "glob json",
	.usage = "[-h] [-f] [-p] [-s] [path]",
	.help = "Shows everything below PATH, or the whole store.\n"
		"  -f, --flat     show whole paths\n"
		"  -p, --prefix   show rights as well\n"
		"  -d, --depth N  only N levels\n"
		"  --glob PATTERN only what matches: names, or paths if there "
		"is a slash in it\n"
		"  --json         as JSON\n"
		"  --at WHEN      as it was at a time or at a sequence number "
		"of xenstore-log\n",
	.min_args = 0,
	.args_step = 1,
	.txn = CMD_TXN_NEVER,
	.async = true,
	.run = run,
};
