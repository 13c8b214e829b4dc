/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xenstore(1): one program for all modes. Called as xenstore-MODE, or as
 * xenstore with the mode as first operand.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xs/cmd.h"

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

enum { OPT_HELP = 256 };

/* All modes know all options, so that a misplaced one is told from a misspelt
 * one. */
static const struct option long_options[] = {
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
	{ NULL, 0, NULL, 0 },
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
		opt->depth = parse_number(optarg, 'd');
		break;
	default:
		break; /* -s, or one that getopt has complained of */
	}
}

/* Parses what follows the mode. Returns the index of the first operand. */
static int
parse_options(int argc, char **argv, const char *mode, const struct cmd *cmd,
    struct options *opt)
{
	int c;

	while ((c = getopt_long(
		    argc, argv, "hfspturn:Rd:", long_options, NULL)) != -1) {
		if (c == OPT_HELP)
			help(argv[0], mode, cmd);
		if (c == 'h')
			usage(0, argv[0], mode, cmd);
		if (c != '?' && c != 's' && strchr(cmd->options, c) == NULL)
			usage(1, argv[0], mode, cmd);
		set_option(opt, c);
	}
	return optind;
}

static bool
wants_txn(const struct cmd *cmd, int nargs)
{
	return cmd->txn == CMD_TXN_ALWAYS ||
	       (cmd->txn == CMD_TXN_IF_SEVERAL && nargs > cmd->min_args);
}

/* Runs CMD, again and again while others are in the way. */
static int
run(const struct cmd *cmd, struct cmd_env *env)
{
	int ret;

	if (!wants_txn(cmd, env->nargs))
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
	}
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
	struct options opt = { .number = -1, .depth = -1 };
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
	cmd = find_cmd(name);
	if (cmd == NULL)
		errx(1, "unknown mode %s\n", name);

	first = parse_options(argc, argv, mode, cmd, &opt);
	env.args = argv + first;
	env.nargs = argc - first;
	if (env.nargs < cmd->min_args || env.nargs % cmd->args_step != 0)
		usage(1, argv[0], mode, cmd);

	env.xs = xs_open(0);
	if (env.xs == NULL)
		err(1, "xs_open");
	ret = run(cmd, &env);
	if (out_show(&out) != 0) {
		warn("stdout");
		ret = 1;
	}
	out_free(&out);
	xs_close(env.xs);
	return ret;
}
