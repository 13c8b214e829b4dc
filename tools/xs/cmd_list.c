/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xs/cmd.h"
#include "tools/xs/json.h"

static void
list_one(struct cmd_env *env, const char *path, const char *name)
{
	if (env->opt->prefix) {
		out_string(env->out, strcmp(path, "/") == 0 ? "" : path);
		out_string(env->out, "/");
	}
	out_string(env->out, name);
	out_bytes(env->out, env->opt->null ? "" : "\n", 1);
}

static void
list_json(struct cmd_env *env, const char *path, char **names, unsigned int num)
{
	json_next(env->out, &env->count);
	out_string(env->out, "{");
	json_member(env->out, "path", path);
	out_string(env->out, ",\"children\":[");
	for (unsigned int i = 0; i < num; i++) {
		if (i > 0)
			out_string(env->out, ",");
		json_string(env->out, names[i], strlen(names[i]));
	}
	out_string(env->out, "]}");
}

static int
run(struct cmd_env *env)
{
	for (int i = 0; i < env->nargs; i++) {
		const char *path = env->args[i];
		unsigned int num;
		char **names = xs_directory(env->xs, env->txn, path, &num);

		if (names == NULL) {
			warnx("could not list path %s", path);
			return 1;
		}
		if (env->opt->json)
			list_json(env, path, names, num);
		for (unsigned int j = 0; j < num && !env->opt->json; j++)
			list_one(env, path, names[j]);
		free(names);
	}
	return 0;
}

const struct cmd cmd_list = {
	.name = "list",
	.options = "p",
	.more = "json null",
	.usage = "[-h] [-p] [-s] key [...]",
	.help = "Shows the names of the nodes' children.\n"
		"  -p, --prefix   show whole paths\n"
		"  --null         a NUL behind each, not a newline\n"
		"  --json         as JSON\n",
	.min_args = 1,
	.args_step = 1,
	.txn = CMD_TXN_ALWAYS,
	.json_array = true,
	.run = run,
};
