/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xs/cmd.h"

static void
list_one(struct cmd_env *env, const char *path, const char *name)
{
	if (env->opt->prefix) {
		out_string(env->out, strcmp(path, "/") == 0 ? "" : path);
		out_string(env->out, "/");
	}
	out_string(env->out, name);
	out_string(env->out, "\n");
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
		for (unsigned int j = 0; j < num; j++)
			list_one(env, path, names[j]);
		free(names);
	}
	return 0;
}

const struct cmd cmd_list = {
	.name = "list",
	.options = "p",
	.usage = "[-h] [-p] [-s] key [...]",
	.help = "Shows the names of the nodes' children.\n"
		"  -p, --prefix   show whole paths\n",
	.min_args = 1,
	.args_step = 1,
	.txn = CMD_TXN_ALWAYS,
	.run = run,
};
