/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdlib.h>

#include "tools/xs/cmd.h"
#include "tools/xs/json.h"

static void
show_text(struct cmd_env *env, const char *path, const char *value, size_t len)
{
	if (env->opt->prefix) {
		out_string(env->out, path);
		out_string(env->out, ": ");
	}
	if (env->opt->raw || env->opt->null) {
		out_bytes(env->out, value, len + env->opt->null);
	} else {
		out_escaped(env->out, value, len);
		out_string(env->out, "\n");
	}
}

static void
show_json(struct cmd_env *env, const char *path, const char *value, size_t len)
{
	json_next(env->out, &env->count);
	out_string(env->out, "{");
	json_member(env->out, "path", path);
	out_string(env->out, ",");
	json_value(env->out, value, len);
	out_string(env->out, "}");
}

static int
run(struct cmd_env *env)
{
	for (int i = 0; i < env->nargs; i++) {
		const char *path = env->args[i];
		unsigned int len;
		char *value = xs_read(env->xs, env->txn, path, &len);

		if (value == NULL) {
			warnx("couldn't read path %s", path);
			return 1;
		}
		if (env->opt->json)
			show_json(env, path, value, len);
		else
			show_text(env, path, value, len);
		free(value);
	}
	return 0;
}

const struct cmd cmd_read = {
	.name = "read",
	.options = "pR",
	.more = "json null",
	.usage = "[-h] [-p] [-s] [-R] key [...]",
	.help = "Shows the values of nodes.\n"
		"  -p, --prefix   show the path before each value\n"
		"  -R, --raw      show values as they are, without a newline\n"
		"  --null         as -R, with a NUL behind each\n"
		"  --json         as JSON\n",
	.min_args = 1,
	.args_step = 1,
	.txn = CMD_TXN_IF_SEVERAL,
	.json_array = true,
	.run = run,
};
