/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree as text. Lines are cut to the terminal's width or to 80 columns.
 * Whether a value fits is judged by its bytes, but what is cut is its escaped
 * text: this is what scripts have always been shown.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "tools/xs/cmd.h"

enum {
	DEFAULT_WIDTH = 80,
	TTY_MARGIN = 2,
	TAG_LEN = 8, /* kept free for what surrounds a cut value */
	PERMS_COLUMN = 60
};

struct walk {
	struct cmd_env *env;
	int width; /* negative: lines are not cut */
	struct out text;
	char path[CMD_PATH_SIZE];
};

static int
terminal_width(const struct options *opt)
{
	struct winsize ws;

	if (!isatty(STDOUT_FILENO))
		return opt->flat ? -1 : DEFAULT_WIDTH;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) != 0)
		return DEFAULT_WIDTH;
	return ws.ws_col - TTY_MARGIN;
}

/* Shows at most ROOM bytes of TEXT; all if ROOM is negative, since there is
 * nothing sensible to cut to. Returns how many. */
static int
show_cut(const char *text, int room)
{
	return printf("%.*s", room, text);
}

/* Shows indentation and name, or the whole path, which counts as nothing.
 * Returns the column. */
static int
show_name(const struct walk *w, const char *name, int depth)
{
	if (w->env->opt->flat) {
		printf("%s", w->path);
		return 0;
	}
	printf("%*s", depth, "");
	return depth + show_cut(name, w->width - TAG_LEN - depth);
}

/* Shows the value; returns the column, or -1 if it was cut. */
static int
show_value(struct walk *w, const char *value, unsigned int len, int column)
{
	int room = w->width - TAG_LEN - column;

	out_clear(&w->text);
	out_escaped(&w->text, value, len);
	out_bytes(&w->text, "", 0);
	if (w->width >= 0 && room < (int)len) {
		printf(" = \"");
		show_cut(w->text.text, room);
		printf("\\...\"");
		return -1;
	}
	return column + printf(" = \"%s\"", w->text.text);
}

static void
show_perms(struct walk *w, int column)
{
	static const char letters[] = "nrwb";
	int end = w->width < PERMS_COLUMN ? w->width : PERMS_COLUMN;
	struct xs_permissions *perms;
	unsigned int num;

	perms = xs_get_permissions(w->env->xs, XBT_NULL, w->path, &num);
	if (perms == NULL)
		return;
	if (column >= 0)
		putchar(' ');
	if (column >= 0 && !w->env->opt->flat)
		for (column++; column < end; column++)
			putchar(column % 2 == 1 ? '.' : ' ');
	printf("  (");
	for (unsigned int i = 0; i < num; i++)
		printf("%s%c%u", i > 0 ? "," : "", letters[perms[i].perms & 3],
		    perms[i].id);
	putchar(')');
	free(perms);
}

/* One node: a line. False if it vanished meanwhile. */
static bool
show_node(struct walk *w, const char *name, int depth)
{
	unsigned int len;
	char *value = xs_read(w->env->xs, XBT_NULL, w->path, &len);
	int column;

	if (value == NULL && errno == ENOENT)
		return false;
	column = show_name(w, name, depth);
	if (value == NULL) {
		printf(":\n");
		return true;
	}
	column = show_value(w, value, len, column);
	free(value);
	if (w->env->opt->prefix)
		show_perms(w, column);
	putchar('\n');
	return true;
}

/* What lies below the node at w->path, which has LEN characters. */
static int
walk(struct walk *w, size_t len, int depth)
{
	unsigned int num;
	char **names = xs_directory(w->env->xs, XBT_NULL, w->path, &num);
	int ret = 0;

	if (names == NULL && depth > 0 && errno == ENOENT)
		return 0; /* it vanished meanwhile */
	if (names == NULL) {
		warn("xs_directory (%s)", w->path);
		return 1;
	}
	for (unsigned int i = 0; i < num && ret == 0; i++) {
		char saved = w->path[len];
		size_t child_len = len;

		if (!cmd_path_push(w->path, &child_len, names[i])) {
			warnx("path below %s is too long", w->path);
			ret = 1;
			break;
		}
		if (show_node(w, names[i], depth))
			ret = walk(w, child_len, depth + 1);
		w->path[len] = saved;
	}
	free(names);
	return ret;
}

static int
run(struct cmd_env *env)
{
	static char root[] = "/";
	static char *const roots[] = { root };
	char *const *args = env->nargs > 0 ? env->args : roots;
	int nargs = env->nargs > 0 ? env->nargs : 1;
	struct walk w = { .env = env, .width = terminal_width(env->opt) };
	int ret = 0;

	for (int i = 0; i < nargs && ret == 0; i++) {
		size_t len = strlen(args[i]);

		if (len >= sizeof(w.path)) {
			warnx("path too long");
			ret = 1;
			break;
		}
		memcpy(w.path, args[i], len + 1);
		ret = walk(&w, len, 0);
	}
	out_free(&w.text);
	if (fflush(stdout) != 0) {
		warn("stdout");
		ret = 1;
	}
	return ret;
}

const struct cmd cmd_ls = {
	.name = "ls",
	.options = "fp",
	.usage = "[-h] [-f] [-p] [-s] [path]",
	.help = "Shows everything below PATH, or the whole store.\n"
		"  -f, --flat     show whole paths\n"
		"  -p, --prefix   show rights as well\n",
	.min_args = 0,
	.args_step = 1,
	.txn = CMD_TXN_NEVER,
	.run = run,
};
