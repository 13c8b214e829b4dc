/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xs/lsprint.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "xenstore.h"

enum {
	DEFAULT_WIDTH = 80,
	TTY_MARGIN = 2,
	TAG_LEN = 8, /* kept free for what surrounds a cut value */
	PERMS_COLUMN = 60
};

static int
terminal_width(bool flat)
{
	struct winsize ws;

	if (!isatty(STDOUT_FILENO))
		return flat ? -1 : DEFAULT_WIDTH;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) != 0)
		return DEFAULT_WIDTH;
	return ws.ws_col - TTY_MARGIN;
}

void
lsprint_init(struct lsprint *p, bool flat)
{
	*p = (struct lsprint){ .flat = flat, .width = terminal_width(flat) };
}

void
lsprint_free(struct lsprint *p)
{
	out_free(&p->text);
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
show_name(const struct lsprint *p, const struct walk_node *node)
{
	if (p->flat) {
		fputs(node->path, stdout);
		return 0;
	}
	printf("%*s", node->depth, "");
	return node->depth +
	       show_cut(node->name, p->width - TAG_LEN - node->depth);
}

/* Shows the value; returns the column, or -1 if it was cut. */
static int
show_value(struct lsprint *p, const struct walk_node *node, int column)
{
	int room = p->width - TAG_LEN - column;

	out_clear(&p->text);
	out_escaped(&p->text, node->value, node->len);
	out_bytes(&p->text, "", 0);
	if (p->width >= 0 && room < (int)node->len) {
		printf(" = \"");
		show_cut(p->text.text, room);
		printf("\\...\"");
		return -1;
	}
	return column + printf(" = \"%s\"", p->text.text);
}

/* The rights in the answer to GET_PERMS; nothing if they are none. */
static void
show_rights(const struct walk_node *node)
{
	static const char letters[] = "nrwb";
	const char *end = node->perms + node->perms_len;

	for (const char *s = node->perms; s < end; s += strlen(s) + 1) {
		struct xs_permissions perm;

		if (!xs_strings_to_perms(&perm, 1, s))
			break;
		printf("%s%c%u", s > node->perms ? "," : "",
		    letters[perm.perms & 3], perm.id);
	}
}

static void
show_perms(const struct lsprint *p, const struct walk_node *node, int column)
{
	int end = p->width < PERMS_COLUMN ? p->width : PERMS_COLUMN;

	if (column >= 0)
		putchar(' ');
	if (column >= 0 && !p->flat)
		for (column++; column < end; column++)
			putchar(column % 2 == 1 ? '.' : ' ');
	printf("  (");
	show_rights(node);
	putchar(')');
}

void
lsprint_node(struct lsprint *p, const struct walk_node *node)
{
	int column = show_name(p, node);

	if (node->value == NULL) {
		fputs(":\n", stdout);
		return;
	}
	column = show_value(p, node, column);
	if (node->perms != NULL)
		show_perms(p, node, column);
	putchar('\n');
}
