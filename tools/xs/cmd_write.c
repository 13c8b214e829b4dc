/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <errno.h>
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

/* Is the condition on PATH met? 0 if so; else the exit code. */
static int
check(struct cmd_env *env, const char *path)
{
	const char *want = env->opt->if_equals;
	unsigned int len = 0;
	char *value = xs_read(env->xs, env->txn, path, &len), *text;
	size_t want_len;
	int ret = 0;

	if (value == NULL && errno != ENOENT) {
		warn("couldn't read path %s", path);
		return 1;
	}
	if (env->opt->if_absent) {
		ret = value != NULL ? CMD_EXIT_NOT : 0;
	} else {
		text = strdup(want);
		if (text == NULL)
			err(1, "%s", path);
		want_len = env->opt->raw ? strlen(text) : out_unescape(text);
		if (value == NULL || len != want_len ||
		    memcmp(value, text, len) != 0)
			ret = CMD_EXIT_NOT;
		free(text);
	}
	if (ret != 0)
		warnx(value == NULL	    ? "%s does not exist"
		      : env->opt->if_absent ? "%s exists"
					    : "%s has another value",
		    path);
	free(value);
	return ret;
}

static int
run(struct cmd_env *env)
{
	bool conditional = env->opt->if_absent || env->opt->if_equals != NULL;

	if (env->opt->if_absent && env->opt->if_equals != NULL) {
		warnx("--if-absent and --if-equals exclude each other");
		return CMD_EXIT_USAGE;
	}
	/* all conditions first: they are about what was there before */
	for (int i = 0; conditional && i + 1 < env->nargs; i += 2) {
		int ret = check(env, env->args[i]);

		if (ret != 0)
			return ret;
	}
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
	.more = "if-absent if-equals",
	.usage = "[-h] [-s] [-R] key value [...]",
	.help = "Sets the values of nodes, making those that are missing.\n"
		"  -R, --raw      take values as they are, without escapes\n"
		"  --if-absent    only if none of the nodes exists\n"
		"  --if-equals OLD  only if all of them have this value;\n"
		"                 otherwise nothing changes, and the exit code "
		"is 3\n",
	.min_args = 2,
	.args_step = 2,
	.txn = CMD_TXN_IF_SEVERAL,
	.run = run,
};
