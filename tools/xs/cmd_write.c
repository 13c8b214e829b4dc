/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xs/cmd.h"

static bool
write_one(struct cmd_env *env, const char *path, const char *text)
{
	/* unescaping works in place, and a retry needs the text again */
	char *value = strdup(text);
	size_t len;
	bool ok;

	if (value == NULL)
		err(1, "%s", path);
	len = env->opt->raw ? strlen(value) : out_unescape(value);
	ok = xs_write(env->xs, env->txn, path, value, (unsigned int)len);
	free(value);
	return ok;
}

static int
run(struct cmd_env *env)
{
	for (int i = 0; i + 1 < env->nargs; i += 2)
		if (!write_one(env, env->args[i], env->args[i + 1])) {
			warnx("could not write path %s", env->args[i]);
			return 1;
		}
	return 0;
}

const struct cmd cmd_write = {
	.name = "write",
	.options = "R",
	.usage = "[-h] [-s] [-R] key value [...]",
	.help = "Sets the values of nodes, making those that are missing.\n"
		"  -R, --raw      take values as they are, without escapes\n",
	.min_args = 2,
	.args_step = 2,
	.txn = CMD_TXN_IF_SEVERAL,
	.run = run,
};
