/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "tools/xs/cmd.h"
#include "tools/xs/json.h"

static bool
add_watch(struct cmd_env *env, const char *path)
{
	if (env->opt->depth >= 0)
		return xs_watch_depth(
		    env->xs, path, path, (unsigned int)env->opt->depth);
	return xs_watch(env->xs, path, path);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The next event, to be freed. NULL with ETIMEDOUT when UNTIL (-1: never) is
 * over, with another errno when none comes any more. */
static char **
next_event(struct xs_handle *xs, int64_t until)
{
	struct pollfd pfd = { .fd = xs_fileno(xs), .events = POLLIN };
	unsigned int num;
	char **event;

	if (until < 0)
		return xs_read_watch(xs, &num);
	while ((event = xs_check_watch(xs)) == NULL && errno == EAGAIN) {
		int64_t left = until - now_ms();

		if (left <= 0) {
			errno = ETIMEDOUT;
			return NULL;
		}
		if (poll(&pfd, 1, (int)left) < 0 && errno != EINTR)
			return NULL;
	}
	return event;
}

/* Runs COMMAND for a change of PATH, and waits for its end. */
static int
execute(const char *command, const char *path)
{
	extern char **environ;
	char *argv[] = { "sh", "-c", NULL, "sh", NULL, NULL };
	int status, error;
	pid_t pid;

	argv[2] = strdup(command);
	argv[4] = strdup(path);
	if (argv[2] == NULL || argv[4] == NULL ||
	    setenv("XENSTORE_PATH", path, 1) != 0)
		err(1, "%s", path);
	error = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);
	free(argv[2]);
	free(argv[4]);
	if (error != 0) {
		warnx("/bin/sh: %s", strerror(error));
		return 1;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			warn("%s", command);
			return 1;
		}
	return 0;
}

static int
show_event(struct cmd_env *env, char *const *event)
{
	struct out *out = env->out;

	if (env->opt->exec != NULL)
		return execute(env->opt->exec, event[XS_WATCH_PATH]);
	if (env->opt->json) {
		out_string(out, "{");
		json_member(out, "path", event[XS_WATCH_PATH]);
		out_string(out, ",");
		json_member(out, "watch", event[XS_WATCH_TOKEN]);
		out_string(out, "}\n");
	} else {
		out_string(out, event[XS_WATCH_PATH]);
		out_bytes(out, env->opt->null ? "" : "\n", 1);
	}
	if (out_show(out) == 0)
		return 0;
	warn("stdout");
	return 1;
}

static int
show_events(struct cmd_env *env)
{
	long limit = env->opt->timeout_ms;
	int64_t until = limit >= 0 ? now_ms() + limit : -1;
	int ret = 0;

	for (long n = 0;
	     ret == 0 && (env->opt->number < 0 || n < env->opt->number); n++) {
		char **event = next_event(env->xs, until);

		if (event == NULL && errno == ETIMEDOUT)
			return CMD_EXIT_NOT;
		if (event == NULL) {
			warnx("the connection to xenstored has ended");
			return 1;
		}
		ret = show_event(env, event);
		free(event);
	}
	return ret;
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
	.more = "exec json null timeout",
	.usage = "[-h] [-n NR] key",
	.help = "Shows the paths of nodes that change at or below KEY; first "
		"KEY itself.\n"
		"  -n, --number NR   end after NR lines\n"
		"  -d, --depth N     only up to N levels below KEY\n"
		"  --timeout SECS    end with code 3 after SECS seconds\n"
		"  --exec COMMAND    run it by sh for each, with the path as "
		"$1, instead\n"
		"  --null            a NUL behind each path, not a newline\n"
		"  --json            an object for each, with the watch that "
		"fired\n",
	.min_args = 1,
	.args_step = 1,
	.txn = CMD_TXN_NEVER,
	.run = run,
};
