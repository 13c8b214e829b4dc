/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a mode of xenstore-history(1) is: main() parses the options, opens the
 * history and runs one of these.
 */
#ifndef TOOLS_XSHIST_CMD_H
#define TOOLS_XSHIST_CMD_H

#include <stdbool.h>

#include "tools/history/history.h"
#include "tools/xshist/object.h"
#include "tools/xshist/show.h"

struct hist_options {
	bool all, flat, follow, json, perms, recurse, refused;
	int64_t domid; /* -1: any */
	int64_t last;  /* -1: all */
	const char *path, *since, *at;
};

struct hist_env {
	struct history *history;
	const struct hist_options *opt;
	struct show show;
	struct out out;
	char **args;
	int nargs;
};

struct hist_cmd {
	const char *name;
	const char *options; /* letters of those it takes */
	const char *usage;   /* behind the name */
	const char *help;
	int min_args, max_args;
	int (*run)(struct hist_env *env); /* the exit code; it has said why */
};

enum { EXIT_USAGE = 2 };

extern const struct hist_cmd hist_blame;
extern const struct hist_cmd hist_diff;
extern const struct hist_cmd hist_log;
extern const struct hist_cmd hist_ls;
extern const struct hist_cmd hist_why;

/* Writes what ENV->out has to stdout. Ends the program if that fails. */
void hist_show(struct hist_env *env);

/* Says what the history's last error was; 1. */
int hist_failed(struct hist_env *env);

/* PATH without slashes at its end, absolute; ends the program if it is not. */
const char *hist_path(char *path);

/* Ends the program if TEXT is neither a time nor a sequence number. */
void hist_check_when(const char *text);

/* The act up to which TEXT means; ends the program if it means none. */
int64_t hist_position(struct hist_env *env, const char *text);

#endif
