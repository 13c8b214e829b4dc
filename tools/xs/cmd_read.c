/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdlib.h>

#include "tools/xs/cmd.h"

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
		if (env->opt->prefix) {
			out_string(env->out, path);
			out_string(env->out, ": ");
		}
		if (env->opt->raw) {
			out_bytes(env->out, value, len);
		} else {
			out_escaped(env->out, value, len);
			out_string(env->out, "\n");
		}
		free(value);
	}
	return 0;
}

const struct cmd cmd_read = {
	.name = "read",
	.options = "pR",
	.usage = "[-h] [-p] [-s] [-R] key [...]",
	.help = "Shows the values of nodes.\n"
		"  -p, --prefix   show the path before each value\n"
		"  -R, --raw      show values as they are, without a newline\n",
	.min_args = 1,
	.args_step = 1,
	.txn = CMD_TXN_IF_SEVERAL,
	.run = run,
};
