/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is the same: replies, events and trees of another daemon beside ours.
 */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A difference of target T. What the table says of it. */
enum allow
differ(int t, const char *what, const char *ours, const char *theirs)
{
	struct verdict *out = run.out;
	char step[TEXT_MAX] = "the end";
	char key[256];
	enum allow how;

	run.differences++;
	snprintf(key, sizeof(key), "%s%s%s", run.tag,
	    run.tag[0] != '\0' ? " " : "", what);
	how = allow_find(target_name(targets[t]), key);
	if (how == ALLOW_STOP)
		run.muted[t] = true;
	if (how != ALLOW_NO || out->failed)
		return how;
	if (run.at < run.seq->n)
		step_print(run.seq->step[run.at], step, sizeof(step));
	out->failed = true;
	out->at = run.at;
	snprintf(
	    out->daemon, sizeof(out->daemon), "%s", target_name(targets[t]));
	snprintf(out->key, sizeof(out->key), "%s", key);
	snprintf(out->text, sizeof(out->text),
	    "%s: %s\n    step: %s\n    %s: %s\n    %s: %s", out->daemon, key,
	    step, target_name(targets[0]), ours, out->daemon, theirs);
	return how;
}

enum allow
compare_replies(
    int t, uint32_t op, const struct reply *ours, const struct reply *theirs)
{
	char what[128], a[TEXT_MAX], b[TEXT_MAX];
	const char *how;

	if (!ours->there && !theirs->there)
		return ALLOW_SAME;
	if (strcmp(key_reply(ours), key_reply(theirs)) != 0) {
		snprintf(what, sizeof(what), "%s %s", key_reply(ours),
		    key_reply(theirs));
	} else {
		if (strcmp(key_reply(ours), "OK") != 0)
			return ALLOW_SAME;
		how = key_compare(op, ours, theirs);
		if (how == NULL)
			return ALLOW_SAME;
		snprintf(what, sizeof(what), "OK %s", how);
	}
	bytes_print(ours->payload, ours->len, a, sizeof(a));
	bytes_print(theirs->payload, theirs->len, b, sizeof(b));
	return differ(t, what, a, b);
}

/* What comes behind the last blank of an event's text: its token. */
static const char *
token_of(const struct event *e)
{
	const char *text =
	    strrchr(e->text, '"') == NULL ? e->text : e->text + strlen(e->path);

	return strchr(text, '\\') != NULL ? strchr(text, '\\') : text;
}

/* Whether X and Y are of one connection and token, X the earlier one. */
static bool
follows(const struct event *x, const struct event *y)
{
	return x->conn == y->conn && x->number < y->number &&
	       strcmp(token_of(x), token_of(y)) == 0;
}

/*
 * The N events are the same in both: whether those of one watch came in the
 * same order. A token stands for its watch; two of one token may tell of the
 * same change in any order.
 */
static void
compare_order(
    int t, const struct event *ours, const struct event *theirs, int n)
{
	int i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++)
			if (follows(&ours[i], &ours[j]) &&
			    !follows(&theirs[i], &theirs[j]) &&
			    !key_same_path(
				ours[i].path, ours[j].path, ours[i].conn)) {
				differ(t, "EVENT order", ours[i].text,
				    theirs[j].text);
				return;
			}
}

/* Events that only one of the two has. */
void
compare_events(int t, const struct step *step)
{
	unsigned long so_far = run.differences;
	struct event *ours, *theirs;
	int n = target_events(targets[0], &ours);
	int m = target_events(targets[t], &theirs), i = 0, j = 0;

	while (i < n || j < m) {
		int order = i == n   ? 1
			    : j == m ? -1
			    : ours[i].conn != theirs[j].conn
				? ours[i].conn - theirs[j].conn
				: strcmp(ours[i].text, theirs[j].text);
		const struct event *e = order <= 0 ? &ours[i] : &theirs[j];
		char what[128], text[TEXT_MAX + 64];

		i += order <= 0;
		j += order >= 0;
		if (order == 0)
			continue;
		snprintf(what, sizeof(what), "EVENT %s %s %s",
		    order < 0 ? "ours" : "theirs",
		    key_relation(step, e->path, e->conn),
		    conn_is_guest(e->conn) ? "guest" : "priv");
		snprintf(text, sizeof(text), "%s gets %s", conn_name(e->conn),
		    e->text);
		differ(t, what, order < 0 ? text : "-", order < 0 ? "-" : text);
	}
	if (run.differences != so_far || run.muted[t])
		return;
	compare_order(t, ours, theirs, n);
	for (i = 0; i < n; i++)
		if (ours[i].conn == step->conn &&
		    ours[i].late != theirs[i].late) {
			differ(t, ours[i].late ? "EVENT late" : "EVENT early",
			    ours[i].text, theirs[i].text);
			break;
		}
}

/* ---------------------------------------------------------------- trees -- */

/* What is different in two lines of a walk: PATH = "VALUE" "PERMS". */
static const char *
tree_difference(const char *a, const char *b)
{
	char p[512], q[512];
	size_t n = strlen(a), i, j, k;
	const char *from[2] = { a, b };
	char *to[2] = { p, q };
	size_t len[2];

	while (n > 0 && a[n] != ' ')
		n--;
	if (n == 0 || strncmp(a, b, n + 2) != 0 || strrchr(b, ' ') != b + n)
		return "differs";
	for (k = 0; k < 2; k++) {
		/* "n1\0r2\0" as the strings that it shows */
		for (i = n + 2, j = 0; from[k][i] != '"' && j < 500; i++)
			if (from[k][i] == '\\') {
				to[k][j++] = '\0';
				i++;
			} else {
				to[k][j++] = from[k][i];
			}
		len[k] = j;
	}
	if (key_shrunk(p, len[0], q, len[1]))
		return "shrunk";
	if (key_shrunk(q, len[1], p, len[0]))
		return "grown";
	return key_owner(p, len[0], q, len[1]) ? "owner" : "perms";
}

/* Line by line; the two walks are in the same order. */
void
compare_trees(int t, const char *ours, const char *theirs)
{
	char a[TEXT_MAX], b[TEXT_MAX], what[32];
	int na, nb;

	while (*ours != '\0' || *theirs != '\0') {
		na = (int)strcspn(ours, "\n");
		nb = (int)strcspn(theirs, "\n");
		if (na != nb || memcmp(ours, theirs, (size_t)na) != 0) {
			snprintf(a, sizeof(a), "%.*s", na, ours);
			snprintf(b, sizeof(b), "%.*s", nb, theirs);
			snprintf(what, sizeof(what), "TREE %s",
			    tree_difference(a, b));
			if (differ(t, what, a, b) != ALLOW_SAME)
				return;
		}
		ours += na + (ours[na] != '\0');
		theirs += nb + (theirs[nb] != '\0');
	}
}

/* A commit that both made although others had changed something meanwhile. */
void
compare_now(int t)
{
	char *ours = target_walk(targets[0]);
	char *theirs = target_walk(targets[t]);

	compare_trees(t, ours, theirs);
	free(ours);
	free(theirs);
}
