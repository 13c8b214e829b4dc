/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "tools/xs/cmd.h"
#include "tools/xs/json.h"

static void
show_json(struct cmd_env *env, const char *path, bool exists)
{
	json_next(env->out, &env->count);
	out_string(env->out, "{");
	json_member(env->out, "path", path);
	out_string(
	    env->out, exists ? ",\"exists\":true}" : ",\"exists\":false}");
}

static int
run(struct cmd_env *env)
{
	int ret = 0;

	/* the first missing one decides; JSON tells about all */
	for (int i = 0; i < env->nargs && (ret == 0 || env->opt->json); i++) {
		char *value = xs_read(env->xs, env->txn, env->args[i], NULL);

		if (env->opt->json)
			show_json(env, env->args[i], value != NULL);
		if (value == NULL)
			ret = 1;
		free(value);
	}
	return ret;
}

const struct cmd cmd_exists = {
	.name = "exists",
	.options = "",
	.more = "json",
	.usage = "[-h] [-p] [-s] key [...]",
	.help = "Exits with 0 if all nodes exist and can be read, else 1.\n"
		"  --json         also say of each whether it does\n",
	.min_args = 1,
	.args_step = 1,
	.txn = CMD_TXN_ALWAYS,
	.json_array = true,
	.run = run,
};
