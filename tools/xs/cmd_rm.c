/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xs/cmd.h"

/* 1: PATH has neither children nor a value; 0: it has; -1 on error. */
static int
is_bare(struct cmd_env *env, const char *path)
{
	unsigned int num, len;
	char **names = xs_directory(env->xs, env->txn, path, &num);
	char *value;

	if (names == NULL)
		return -1;
	free(names);
	if (num > 0)
		return 0;
	value = xs_read(env->xs, env->txn, path, &len);
	if (value == NULL)
		return -1;
	free(value);
	return len == 0;
}

/* Removes the ancestors of PATH that have become bare. */
static int
tidy(struct cmd_env *env, const char *path)
{
	char *copy = strdup(path);
	char *slash;
	int ret = 0;

	if (copy == NULL)
		err(1, "%s", path);
	while ((slash = strrchr(copy, '/')) != NULL && slash != copy) {
		int bare;

		*slash = '\0';
		bare = is_bare(env, copy);
		if (bare == 0)
			break;
		if (bare < 0 || !xs_rm(env->xs, env->txn, copy)) {
			warnx("could not remove path %s", copy);
			ret = 1;
			break;
		}
	}
	free(copy);
	return ret;
}

static int
run(struct cmd_env *env)
{
	for (int i = 0; i < env->nargs; i++) {
		const char *path = env->args[i];

		if (!xs_rm(env->xs, env->txn, path)) {
			warnx("could not remove path %s", path);
			return 1;
		}
		if (env->opt->tidy && tidy(env, path) != 0)
			return 1;
	}
	return 0;
}

const struct cmd cmd_rm = {
	.name = "rm",
	.options = "t",
	.usage = "[-h] [-s] [-t] key [...]",
	.help =
	    "Removes nodes and everything below them.\n"
	    "  -t, --tidy     also remove ancestors left without a value and "
	    "children\n",
	.min_args = 1,
	.args_step = 1,
	.txn = CMD_TXN_ALWAYS,
	.run = run,
};
