/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xenstore-history(1): what happened to the store. Called as xenstore-MODE, or
 * as xenstore-history with the mode as first operand.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/xshist/cmd.h"

static const struct hist_cmd *const cmds[] = {
	&hist_blame,
	&hist_diff,
	&hist_log,
	&hist_ls,
	&hist_why,
};

enum { OPT_HELP = 256, OPT_REFUSED };

static const struct option long_options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "at", required_argument, NULL, 't' },
	{ "database", required_argument, NULL, 'D' },
	{ "domid", required_argument, NULL, 'd' },
	{ "flat", no_argument, NULL, 'f' },
	{ "follow", no_argument, NULL, 'F' },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "json", no_argument, NULL, 'j' },
	{ "number", required_argument, NULL, 'n' },
	{ "path", required_argument, NULL, 'P' },
	{ "perms", no_argument, NULL, 'p' },
	{ "prefix", no_argument, NULL, 'p' },
	{ "recurse", no_argument, NULL, 'r' },
	{ "refused", no_argument, NULL, 'R' },
	{ "since", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

static const struct hist_cmd *
find_cmd(const char *name)
{
	for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
		if (strcmp(cmds[i]->name, name) == 0)
			return cmds[i];
	return NULL;
}

static _Noreturn void
usage(const struct hist_cmd *cmd)
{
	fprintf(stderr, "usage: xenstore-%s %s\n", cmd->name, cmd->usage);
	exit(EXIT_USAGE);
}

static _Noreturn void
help(const struct hist_cmd *cmd)
{
	printf("usage: xenstore-%s %s\n%s", cmd->name, cmd->usage, cmd->help);
	exit(fflush(stdout) == 0 ? 0 : 1);
}

static void
show_modes(FILE *to)
{
	fputs("usage: xenstore-history blame|diff|log|ls|why [option...] "
	      "[operand...]\n",
	    to);
}

static int64_t
parse_number(const char *text, const char *option, int64_t max)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || n < 0 || n > max)
		errx(EXIT_USAGE, "%s wants a number, not '%s'", option, text);
	return n;
}

static void
set_option(const struct hist_cmd *cmd, struct hist_options *opt,
    const char **db, int c)
{
	switch (c) {
	case 'a':
		opt->all = true;
		break;
	case 'D':
		*db = optarg;
		break;
	case 'd':
		opt->domid = parse_number(optarg, "--domid", UINT16_MAX);
		break;
	case 'F':
		opt->follow = true;
		break;
	case 'f': /* short for what the mode has */
		opt->follow = opt->flat = true;
		break;
	case 'j':
		opt->json = true;
		break;
	case 'n':
		opt->last = parse_number(optarg, "--number", INT64_MAX);
		break;
	case 'P':
		opt->path = hist_path(optarg);
		break;
	case 'p':
		opt->perms = true;
		break;
	case 'R':
		opt->refused = true;
		break;
	case 'r':
		opt->recurse = true;
		break;
	case 's':
		opt->since = optarg;
		break;
	case 't':
		opt->at = optarg;
		break;
	default:
		usage(cmd);
	}
}

static void
parse_options(int argc, char **argv, const struct hist_cmd *cmd,
    struct hist_options *opt, const char **db)
{
	int c;

	while ((c = getopt_long(argc, argv, "aD:d:fhjn:P:pRrs:t:", long_options,
		    NULL)) != -1) {
		if (c == OPT_HELP || c == 'h')
			help(cmd);
		if (c != '?' && strchr(cmd->options, c) == NULL) {
			warnx(cmd == &hist_ls
				  ? "--at and -%c exclude each other"
				  : "there is no -%c here",
			    c);
			usage(cmd);
		}
		set_option(cmd, opt, db, c);
	}
}

/* --- for the modes --- */

void
hist_show(struct hist_env *env)
{
	if (out_show(&env->out) != 0)
		err(1, "stdout");
}

int
hist_failed(struct hist_env *env)
{
	warnx("%s", history_error(env->history));
	return 1;
}

const char *
hist_path(char *path)
{
	size_t len = strlen(path);

	if (path[0] != '/' && path[0] != '@')
		errx(EXIT_USAGE, "'%s' is no absolute path", path);
	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	return path;
}

void
hist_check_when(const char *text)
{
	if (!history_is_when(text))
		errx(EXIT_USAGE, "'%s': neither a time nor a sequence number",
		    text);
}

int64_t
hist_position(struct hist_env *env, const char *text)
{
	int64_t act;

	hist_check_when(text);
	if (!history_position(env->history, text, &act))
		errx(1, "%s", history_error(env->history));
	return act;
}

static bool
wants_color(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') &&
	       term != NULL && strcmp(term, "dumb") != 0;
}

/* "xenstore-log" gives "log"; NULL for the program's own name. */
static const char *
mode_of_name(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash != NULL ? slash + 1 : argv0;

	if (strncmp(name, "xenstore-", 9) != 0 ||
	    strcmp(name, "xenstore-history") == 0)
		return NULL;
	return name + 9;
}

int
main(int argc, char **argv)
{
	struct hist_options opt = { .domid = -1, .last = -1 };
	struct hist_env env = { .opt = &opt };
	const char *name = mode_of_name(argv[0]), *db = NULL;
	const struct hist_cmd *cmd;
	char why[HISTORY_WHY_SIZE];
	int ret;

	if (name == NULL) {
		if (argc < 2 || strcmp(argv[1], "-h") == 0 ||
		    strcmp(argv[1], "--help") == 0) {
			show_modes(argc < 2 ? stderr : stdout);
			return argc < 2 ? EXIT_USAGE : 0;
		}
		name = argv[1];
		argv++;
		argc--;
	}
	cmd = find_cmd(name);
	if (cmd == NULL) {
		show_modes(stderr);
		errx(EXIT_USAGE, "there is no mode '%s'", name);
	}
	parse_options(argc, argv, cmd, &opt, &db);
	env.args = argv + optind;
	env.nargs = argc - optind;
	if (env.nargs < cmd->min_args || env.nargs > cmd->max_args)
		usage(cmd);
	env.history =
	    history_open(db != NULL ? db : history_default_path(), why);
	if (env.history == NULL)
		errx(1, "%s", why);
	env.show.out = &env.out;
	env.show.color = !opt.json && wants_color();
	if (!history_newest_log(env.history, &env.show.log))
		return hist_failed(&env);
	ret = cmd->run(&env);
	hist_show(&env);
	out_free(&env.out);
	history_close(env.history);
	return ret;
}
