/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/xs/cmd.h"

static bool
add_watch(struct cmd_env *env, const char *path)
{
	if (env->opt->depth >= 0)
		return xs_watch_depth(
		    env->xs, path, path, (unsigned int)env->opt->depth);
	return xs_watch(env->xs, path, path);
}

static int
show_events(struct cmd_env *env)
{
	for (long n = 0; env->opt->number < 0 || n < env->opt->number; n++) {
		unsigned int num;
		char **event = xs_read_watch(env->xs, &num);

		if (event == NULL) {
			warnx("the connection to xenstored has ended");
			return 1;
		}
		printf("%s\n", event[XS_WATCH_PATH]);
		free(event);
		if (fflush(stdout) != 0) {
			warn("stdout");
			return 1;
		}
	}
	return 0;
}

static int
run(struct cmd_env *env)
{
	for (int i = 0; i < env->nargs; i++)
		if (!add_watch(env, env->args[i])) {
			if (errno == ENOTSUP)
				warnx("this connection has no watches");
			else
				warnx("Unable to add watch on %s\n",
				    env->args[i]);
			return 1;
		}
	return show_events(env);
}

const struct cmd cmd_watch = {
	.name = "watch",
	.options = "nd",
	.usage = "[-h] [-n NR] key",
	.help = "Shows the paths of nodes that change at or below KEY; first "
		"KEY itself.\n"
		"  -n, --number NR   end after NR lines\n"
		"  -d, --depth N     only up to N levels below KEY\n",
	.min_args = 1,
	.args_step = 1,
	.txn = CMD_TXN_NEVER,
	.run = run,
};
