/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "tools/xs/cmd.h"

static int
run(struct cmd_env *env)
{
	for (int i = 0; i < env->nargs; i++) {
		char *value = xs_read(env->xs, env->txn, env->args[i], NULL);

		if (value == NULL)
			return 1;
		free(value);
	}
	return 0;
}

const struct cmd cmd_exists = {
	.name = "exists",
	.options = "",
	.usage = "[-h] [-p] [-s] key [...]",
	.help = "Exits with 0 if all nodes exist and can be read, else 1.\n",
	.min_args = 1,
	.args_step = 1,
	.txn = CMD_TXN_ALWAYS,
	.run = run,
};
