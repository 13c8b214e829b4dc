/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of declared differences: DAEMON | PATTERN | ACTION | REASON, where
 * PATTERN is a shell pattern (fnmatch) for a difference's key.
 */
#include "diff.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 400 };

static struct line {
	char daemon[32], pattern[200];
	enum allow action;
	int number;
	unsigned long hits;
} lines[LINES_MAX];
static int n_lines;

static char *
trim(char *text)
{
	char *end = text + strlen(text);

	while (isspace((unsigned char)*text))
		text++;
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text;
}

static enum allow
action_named(const char *word)
{
	if (strcmp(word, "same") == 0)
		return ALLOW_SAME;
	if (strcmp(word, "stop") == 0)
		return ALLOW_STOP;
	if (strcmp(word, "skip") == 0)
		return ALLOW_SKIP;
	return strcmp(word, "retry") == 0 ? ALLOW_RETRY : ALLOW_NO;
}

static int
read_line(char *text, struct line *l)
{
	char *field[4];
	int i;

	for (i = 0; i < 4; i++) {
		field[i] = text;
		text = i < 3 ? strchr(text, '|') : NULL;
		if (i < 3 && text == NULL)
			return -1;
		if (text != NULL)
			*text++ = '\0';
		field[i] = trim(field[i]);
	}
	snprintf(l->daemon, sizeof(l->daemon), "%s", field[0]);
	snprintf(l->pattern, sizeof(l->pattern), "%s", field[1]);
	l->action = action_named(field[2]);
	return l->action == ALLOW_NO || *field[3] == '\0' ? -1 : 0;
}

int
allow_load(const char *file)
{
	FILE *f = fopen(file, "r");
	char text[1024];
	int number = 0;

	if (f == NULL) {
		fprintf(stderr, "diff: %s: cannot be read\n", file);
		exit(2);
	}
	while (fgets(text, sizeof(text), f) != NULL) {
		number++;
		if (text[0] == '#' || *trim(text) == '\0')
			continue;
		if (n_lines == LINES_MAX ||
		    read_line(text, &lines[n_lines]) != 0) {
			fprintf(stderr,
			    "diff: %s:%d: not DAEMON | PATTERN | ACTION | "
			    "REASON\n",
			    file, number);
			exit(2);
		}
		lines[n_lines++].number = number;
	}
	fclose(f);
	return n_lines;
}

enum allow
allow_find(const char *daemon, const char *key)
{
	size_t len = strlen(key);
	bool send = len > 5 && strcmp(key + len - 5, " SEND") == 0;
	int i;

	for (i = 0; i < n_lines; i++)
		if ((lines[i].action == ALLOW_SKIP) == send &&
		    fnmatch(lines[i].daemon, daemon, 0) == 0 &&
		    fnmatch(lines[i].pattern, key, 0) == 0) {
			lines[i].hits++;
			return lines[i].action;
		}
	return ALLOW_NO;
}

int
allow_unused(bool print)
{
	int i, n = 0;

	for (i = 0; i < n_lines; i++)
		if (lines[i].hits == 0) {
			n++;
			if (print)
				printf("unused: line %d: %s | %s\n",
				    lines[i].number, lines[i].daemon,
				    lines[i].pattern);
		}
	return n;
}
