/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xenstore(1): one program for all modes. Called as xenstore-MODE, or as
 * xenstore with the mode as first operand.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/xs/cmd.h"
#include "tools/xs/json.h"

static const struct cmd *const cmds[] = {
	&cmd_chmod,
	&cmd_exists,
	&cmd_list,
	&cmd_ls,
	&cmd_read,
	&cmd_rm,
	&cmd_watch,
	&cmd_write,
};

enum {
	OPT_HELP = 256,
	OPT_EXEC,
	OPT_GLOB,
	OPT_IF_ABSENT,
	OPT_IF_EQUALS,
	OPT_JSON,
	OPT_NULL,
	OPT_TIMEOUT,
};

/* All modes know these, so that a misplaced one is told from a misspelt one. */
static const struct option common_options[] = {
	{ "help", 0, NULL, OPT_HELP },
	{ "flat", 0, NULL, 'f' },
	{ "socket", 0, NULL, 's' },
	{ "prefix", 0, NULL, 'p' },
	{ "tidy", 0, NULL, 't' },
	{ "upto", 0, NULL, 'u' },
	{ "recurse", 0, NULL, 'r' },
	{ "number", 1, NULL, 'n' },
	{ "raw", 0, NULL, 'R' },
	{ "depth", 1, NULL, 'd' },
	/* abbreviations that must not become ambiguous */
	{ "n", 1, NULL, 'n' },
	{ "nu", 1, NULL, 'n' },
	{ "t", 0, NULL, 't' },
	{ "ti", 0, NULL, 't' },
};

/* Each of these belongs to the modes that name it. */
static const struct option own_options[] = {
	{ "exec", 1, NULL, OPT_EXEC },
	{ "glob", 1, NULL, OPT_GLOB },
	{ "if-absent", 0, NULL, OPT_IF_ABSENT },
	{ "if-equals", 1, NULL, OPT_IF_EQUALS },
	{ "json", 0, NULL, OPT_JSON },
	{ "null", 0, NULL, OPT_NULL },
	{ "timeout", 1, NULL, OPT_TIMEOUT },
};

enum {
	NCOMMON = sizeof(common_options) / sizeof(common_options[0]),
	NOWN = sizeof(own_options) / sizeof(own_options[0]),
};

static const struct cmd *
find_cmd(const char *name)
{
	for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
		if (strcmp(cmds[i]->name, name) == 0)
			return cmds[i];
	return NULL;
}

/* MODE is what stood behind the program's name, or NULL. */
static _Noreturn void
usage(int code, const char *argv0, const char *mode, const struct cmd *cmd)
{
	warnx("Usage: %s %s%s%s", argv0, mode != NULL ? mode : "",
	    mode != NULL ? " " : "", cmd->usage);
	exit(code);
}

static _Noreturn void
help(const char *argv0, const char *mode, const struct cmd *cmd)
{
	printf("Usage: %s %s%s%s\n%s", argv0, mode != NULL ? mode : "",
	    mode != NULL ? " " : "", cmd->usage, cmd->help);
	exit(fflush(stdout) == 0 ? 0 : 1);
}

static _Noreturn void
usage_modes(int code, const char *argv0)
{
	warnx("Usage: %s <mode> [-h] [...]", argv0);
	exit(code);
}

static long
parse_number(const char *text, char option)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		errx(1, "-%c wants a number, not '%s'", option, text);
	return value;
}

/* -d: what is asked for may be the whole tree, but no less than its root. */
static long
parse_depth(const char *text)
{
	long depth = parse_number(text, 'd');

	if (depth < 0 || depth > INT_MAX)
		errx(1, "-d wants a number of levels, not '%s'", text);
	return depth;
}

/* Seconds, with a fraction or without, in milliseconds. */
static long
parse_seconds(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= 0 && value <= 1e6))
		errx(CMD_EXIT_USAGE,
		    "--timeout wants a number of seconds, not '%s'", text);
	return (long)(value * 1000);
}

static void
set_own_option(struct options *opt, int c)
{
	switch (c) {
	case OPT_EXEC:
		opt->exec = optarg;
		break;
	case OPT_GLOB:
		opt->glob = optarg;
		break;
	case OPT_IF_ABSENT:
		opt->if_absent = true;
		break;
	case OPT_IF_EQUALS:
		opt->if_equals = optarg;
		break;
	case OPT_JSON:
		opt->json = true;
		break;
	case OPT_NULL:
		opt->null = true;
		break;
	case OPT_TIMEOUT:
		opt->timeout_ms = parse_seconds(optarg);
		break;
	default:
		break; /* -s, or one that getopt has complained of */
	}
}

static void
set_option(struct options *opt, int c)
{
	switch (c) {
	case 'f':
		opt->flat = true;
		break;
	case 'p':
		opt->prefix = true;
		break;
	case 'R':
		opt->raw = true;
		break;
	case 'r':
		opt->recurse = true;
		break;
	case 't':
		opt->tidy = true;
		break;
	case 'u':
		opt->upto = true;
		break;
	case 'n':
		opt->number = parse_number(optarg, 'n');
		break;
	case 'd':
		opt->depth = parse_depth(optarg);
		break;
	default:
		set_own_option(opt, c);
		break;
	}
}

/* Is NAME one of the words in LIST, which may be NULL? */
static bool
in_list(const char *name, const char *list)
{
	size_t len = strlen(name);

	while (list != NULL && *list != '\0') {
		size_t word = strcspn(list, " ");

		if (word == len && memcmp(list, name, len) == 0)
			return true;
		list += word;
		list += strspn(list, " ");
	}
	return false;
}

/* The long options that CMD knows. */
static void
collect_options(const struct cmd *cmd, struct option table[NCOMMON + NOWN + 1])
{
	size_t n = NCOMMON;

	memcpy(table, common_options, sizeof(common_options));
	for (size_t i = 0; i < NOWN; i++)
		if (in_list(own_options[i].name, cmd->more))
			table[n++] = own_options[i];
	table[n] = (struct option){ 0 };
}

/*
 * getopt has complained, which others pass over; so do we if they would have to
 * complain, too. But whoever uses what only we have must not get something
 * else.
 */
static void
check_complaint(void)
{
	if (optopt > OPT_HELP) /* of a known option: about its argument */
		exit(CMD_EXIT_USAGE);
	if (optopt == 'd') /* others may have it */
		exit(1);
}

/* Refuses what says twice what the output is. */
static void
check_forms(const struct options *opt)
{
	const char *one = opt->exec != NULL ? "--exec" : "--json";

	if ((opt->exec != NULL || opt->null) && opt->json)
		errx(CMD_EXIT_USAGE, "%s and %s exclude each other", one,
		    opt->exec != NULL ? "--json" : "--null");
	if (opt->exec != NULL && opt->null)
		errx(CMD_EXIT_USAGE, "--exec and --null exclude each other");
}

/* Parses what follows the mode. Returns the index of the first operand. */
static int
parse_options(int argc, char **argv, const char *mode, const struct cmd *cmd,
    struct options *opt)
{
	struct option table[NCOMMON + NOWN + 1];
	int c;

	collect_options(cmd, table);
	while (
	    (c = getopt_long(argc, argv, "hfspturn:Rd:", table, NULL)) != -1) {
		if (c == OPT_HELP)
			help(argv[0], mode, cmd);
		if (c == 'h')
			usage(0, argv[0], mode, cmd);
		if (c == '?')
			check_complaint();
		if (c != '?' && c != 's' && c < OPT_HELP &&
		    strchr(cmd->options, c) == NULL)
			usage(1, argv[0], mode, cmd);
		set_option(opt, c);
	}
	check_forms(opt);
	return optind;
}

static bool
wants_txn(const struct cmd *cmd, const struct cmd_env *env)
{
	return cmd->txn == CMD_TXN_ALWAYS || env->opt->if_absent ||
	       env->opt->if_equals != NULL ||
	       (cmd->txn == CMD_TXN_IF_SEVERAL && env->nargs > cmd->min_args);
}

/* Runs CMD, again and again while others are in the way. */
static int
run(const struct cmd *cmd, struct cmd_env *env)
{
	int ret;

	if (!wants_txn(cmd, env))
		return cmd->run(env);
	for (;;) {
		env->txn = xs_transaction_start(env->xs);
		if (env->txn == XBT_NULL)
			errx(1, "couldn't start transaction");
		ret = cmd->run(env);
		if (xs_transaction_end(env->xs, env->txn, ret != 0) || ret != 0)
			return ret;
		if (errno != EAGAIN)
			errx(1, "couldn't end transaction");
		out_clear(env->out);
		env->count = 0;
	}
}

/* Connects as CMD wants it. */
static void
open_store(const struct cmd *cmd, struct cmd_env *env)
{
	if (cmd->async)
		env->async = xs_async_open(0);
	else
		env->xs = xs_open(0);
	if (env->async == NULL && env->xs == NULL)
		err(1, "xs_open");
}

/* Shows what the mode has left to be shown. 0 or 1. */
static int
show_output(const struct cmd *cmd, struct cmd_env *env, int ret)
{
	if (env->opt->json && cmd->json_array && (ret == 0 || env->count > 0))
		json_end(env->out, env->count);
	if (out_show(env->out) == 0)
		return 0;
	warn("stdout");
	return 1;
}

/* Whether ARGV asks for another moment than now. */
static bool
wants_moment(char **argv)
{
	for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++)
		if (strcmp(*argv, "--at") == 0 ||
		    strncmp(*argv, "--at=", 5) == 0)
			return true;
	return false;
}

/*
 * What is asked of the past is another program's work, which lies beside this
 * one. ARGV begins with the mode. Comes back if NAME is no such mode.
 */
static void
ask_history(const char *argv0, const char *name, char **argv)
{
	static const char *const modes[] = { "blame", "diff", "log", "why" };
	const char *slash = strrchr(argv0, '/');
	char path[4096], *saved = argv[0];
	bool asked = strcmp(name, "ls") == 0 && wants_moment(argv);

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		asked = asked || strcmp(name, modes[i]) == 0;
	if (!asked)
		return;
	snprintf(path, sizeof(path), "xenstore-%s", name);
	argv[0] = path;
	if (slash != NULL) {
		char beside[4096];

		snprintf(beside, sizeof(beside), "%.*s/xenstore-history",
		    (int)(slash - argv0), argv0);
		execv(beside, argv);
	}
	execvp("xenstore-history", argv);
	argv[0] = saved;
	err(1, "xenstore-history");
}

/* "xenstore-read" gives "read"; NULL for any other name. */
static const char *
mode_of_name(const char *argv0)
{
	static const char prefix[] = "xenstore-";
	const char *slash = strrchr(argv0, '/');
	const char *name = slash != NULL ? slash + 1 : argv0;

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	return name + sizeof(prefix) - 1;
}

int
main(int argc, char **argv)
{
	struct options opt = { .number = -1, .depth = -1, .timeout_ms = -1 };
	struct out out = { 0 };
	struct cmd_env env = { .opt = &opt, .out = &out };
	const char *name = mode_of_name(argv[0]);
	const char *mode = NULL; /* when it is an operand */
	const struct cmd *cmd;
	int first, ret;

	if (name == NULL) {
		if (argc < 2)
			usage_modes(1, argv[0]);
		name = mode = argv[1];
		if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0)
			usage_modes(0, argv[0]);
		optind = 2;
	}
	ask_history(argv[0], name, mode != NULL ? argv + 1 : argv);
	cmd = find_cmd(name);
	if (cmd == NULL)
		errx(1, "unknown mode %s\n", name);

	first = parse_options(argc, argv, mode, cmd, &opt);
	env.args = argv + first;
	env.nargs = argc - first;
	if (env.nargs < cmd->min_args || env.nargs % cmd->args_step != 0)
		usage(1, argv[0], mode, cmd);

	open_store(cmd, &env);
	ret = run(cmd, &env);
	if (show_output(cmd, &env, ret) != 0)
		ret = 1;
	out_free(&out);
	xs_close(env.xs);
	xs_async_close(env.async);
	return ret;
}
