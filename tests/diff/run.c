/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One sequence on all daemons at once: after each step replies and events are
 * compared with ours, after the last one the trees.
 *
 * Daemons decide differently about conflicts. Where ours commits and another
 * one says EAGAIN, the tester does there what every client does: the whole
 * transaction again. What the requests then see must be what ours showed them
 * the first time, since ours says that it happened at the moment of its commit.
 */
#include "diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key.h"

enum { TXN_MAX = 256 };

struct txn {
	bool open;
	bool disturbed; /* somebody else changed something since its start */
	bool wrote, poisoned;
	bool odd[TARGETS]; /* it saw there what it did not see with ours */
	uint32_t id[TARGETS];
	int n;
	int step[TXN_MAX];	    /* what was asked in it */
	struct reply *was[TXN_MAX]; /* and what ours answered */
};

static struct run {
	const struct sequence *seq;
	struct verdict *out;
	struct txn txn[CONNS][SLOTS + 1];
	bool muted[TARGETS];
	unsigned strayed;  /* guests that made something outside their home */
	unsigned watching; /* connections that asked for watches */
	int at;
	unsigned long differences; /* declared or not */
	char tag[128]; /* "OP class tx subject" of the current step */
} run;

unsigned long run_steps, run_compared;
static struct sequence before; /* the last one that was run to its end */
static bool dirty = true;      /* the last sequence did things to domains */

/* --------------------------------------------------------------- txns ---- */

static void
txn_close(struct txn *x)
{
	while (x->n > 0)
		free(x->was[--x->n]);
	memset(x, 0, sizeof(*x));
}

static void
txns_close(int conn)
{
	int i;

	for (i = 1; i <= SLOTS; i++)
		run.txn[conn][i].open = false;
}

static void
disturb_others(const struct txn *but)
{
	int conn, i;

	for (conn = 0; conn < CONNS; conn++)
		for (i = 1; i <= SLOTS; i++)
			if (&run.txn[conn][i] != but)
				run.txn[conn][i].disturbed = true;
}

static struct txn *
txn_of(const struct step *step)
{
	return step->slot >= 1 && step->slot <= SLOTS
		   ? &run.txn[step->conn][step->slot]
		   : NULL;
}

static uint32_t
txn_id(const struct step *step, int target)
{
	const struct txn *x = txn_of(step);

	if (step->slot == 0 ||
	    (step->op == WIRE_TRANSACTION_START && step->slot != SLOT_DEAD))
		return 0;
	return x != NULL && x->id[target] != 0 ? x->id[target] : 0xdead;
}

static const char *
txn_word(const struct step *step, int t)
{
	const struct txn *x = txn_of(step);

	if (step->slot == 0 ||
	    (step->op == WIRE_TRANSACTION_START && step->slot != SLOT_DEAD))
		return "none";
	if (x == NULL || !x->open)
		return "dead";
	if (x->poisoned)
		return "poisoned";
	if (x->odd[t])
		return "diverged";
	if (x->disturbed)
		return x->wrote ? "disturbed" : "disturbed-ro";
	return "clean";
}

static bool
is_write(uint32_t op)
{
	return op == WIRE_WRITE || op == WIRE_MKDIR || op == WIRE_RM ||
	       op == WIRE_SET_PERMS;
}

static bool
honours_txn(uint32_t op)
{
	return is_write(op) || op == WIRE_READ || op == WIRE_DIRECTORY ||
	       op == WIRE_GET_PERMS || op == WIRE_DIRECTORY_PART;
}

/* --------------------------------------------------------- differences ---- */

/* A difference of target T. What the table says of it. */
static enum allow
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

static enum allow
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

/* Events that only one of the two has. */
static void
compare_events(int t, const struct step *step)
{
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
}

/* ---------------------------------------------------------------- retry -- */

/* The transaction X once more on T, where its commit was refused. */
static void
retry(int t, const struct step *end, const struct txn *x)
{
	static const struct reply commit = { .there = true,
		.type = WIRE_TRANSACTION_END,
		.len = 3,
		.payload = "OK" };
	char tag[sizeof(run.tag)];
	const struct reply *r;
	uint32_t id;
	int i;

	if (!x->wrote)
		return;
	memcpy(tag, run.tag, sizeof(tag));
	target_send(targets[t], end->conn, WIRE_TRANSACTION_START, 0, "", 1);
	targets_wait();
	r = target_reply(targets[t], end->conn);
	id = (uint32_t)strtoul(r->payload, NULL, 10);
	for (i = 0; i < x->n && !run.muted[t]; i++) {
		const struct step *step = run.seq->step[x->step[i]];
		char subject[32];

		/* it changed nothing, and may be what T is not asked */
		if (strcmp(key_reply(x->was[i]), "EINVAL") == 0)
			continue;
		target_send(targets[t], step->conn, step->op, id, step->payload,
		    step->len);
		targets_wait();
		key_subject(step, subject, sizeof(subject));
		snprintf(run.tag, sizeof(run.tag), "RETRY %s %s %s",
		    wire_op_name(step->op),
		    conn_is_guest(step->conn) ? "guest" : "priv", subject);
		compare_replies(t, step->op, x->was[i],
		    target_reply(targets[t], step->conn));
	}
	target_send(targets[t], end->conn, WIRE_TRANSACTION_END, id, "T", 2);
	targets_wait();
	snprintf(run.tag, sizeof(run.tag), "RETRY TRANSACTION_END");
	if (!run.muted[t])
		compare_replies(t, WIRE_TRANSACTION_END, &commit,
		    target_reply(targets[t], end->conn));
	memcpy(run.tag, tag, sizeof(tag));
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
static void
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
static void
compare_merge(int t)
{
	char *ours = target_walk(targets[0]);
	char *theirs = target_walk(targets[t]);

	compare_trees(t, ours, theirs);
	free(ours);
	free(theirs);
}

/* ---------------------------------------------------------------- steps -- */

static void
note_start(const struct step *step, const struct reply *ours)
{
	struct txn *x = txn_of(step);
	int t;

	if (x == NULL || strcmp(key_reply(ours), "OK") != 0)
		return;
	txn_close(x);
	x->open = true;
	for (t = 0; t < n_targets; t++)
		x->id[t] = (uint32_t)strtoul(
		    target_reply(targets[t], step->conn)->payload, NULL, 10);
}

static void
note_in_txn(struct txn *x, const struct step *step, const struct reply *ours)
{
	const char *how = key_reply(ours);

	if (is_write(step->op) &&
	    (strcmp(how, "ENOSPC") == 0 || strcmp(how, "ENOMEM") == 0))
		x->poisoned = true;
	if (is_write(step->op) && strcmp(how, "OK") == 0)
		x->wrote = true;
	if (x->n < TXN_MAX) {
		x->step[x->n] = run.at;
		x->was[x->n] = malloc(sizeof(*ours));
		*x->was[x->n++] = *ours;
	}
}

/* Whether a guest's STEP is about nodes outside of its home. */
static bool
strayed(const struct step *step)
{
	char home[32];

	snprintf(
	    home, sizeof(home), "/local/domain/%u", conn_domid(step->conn));
	return conn_is_guest(step->conn) && step->payload[0] == '/' &&
	       strncmp(step->payload, home, strlen(home)) != 0;
}

/* What the step means for the transactions of everybody. */
static void
note(const struct step *step, const struct reply *ours)
{
	struct txn *x = txn_of(step);
	bool ok = ours->there && ours->type != WIRE_ERROR;

	if (step->op == WIRE_TRANSACTION_START) {
		note_start(step, ours);
	} else if (step->op == WIRE_TRANSACTION_END) {
		if (x != NULL && strcmp(key_reply(ours), "EINVAL") != 0) {
			if (x->wrote && ok && step->payload[0] == 'T')
				disturb_others(x);
			x->open = false;
		}
	} else if (honours_txn(step->op) && x != NULL && x->open) {
		note_in_txn(x, step, ours);
	} else if (ok && is_write(step->op)) {
		disturb_others(NULL);
	} else if (ok && step->op == WIRE_RESET_WATCHES) {
		txns_close(step->conn);
	} else if (ok &&
		   (step->op == WIRE_INTRODUCE || step->op == WIRE_RELEASE)) {
		disturb_others(NULL);
	}
	if (ok && is_write(step->op) && strayed(step))
		run.strayed |= 1u << step->conn;
	if (step->op == WIRE_WATCH && ok)
		run.watching |= 1u << step->conn;
	if (step->op == WIRE_INTRODUCE || step->op == WIRE_RELEASE ||
	    step->op == WIRE_SET_TARGET || step->op == WIRE_SET_FEATURE ||
	    step->op == WIRE_SET_QUOTA)
		dirty = dirty || ok;
}

static bool
may_cause_events(const struct step *step)
{
	return step->kind != STEP_REQUEST || is_write(step->op) ||
	       step->op == WIRE_TRANSACTION_END || step->op == WIRE_WATCH ||
	       step->op == WIRE_INTRODUCE || step->op == WIRE_RELEASE;
}

static void
set_tag(const struct step *step, int t)
{
	char subject[32], number[16];
	const char *op = wire_op_name(step->op);

	snprintf(number, sizeof(number), "%u", step->op);
	key_subject(step, subject, sizeof(subject));
	if (step->kind == STEP_DIE)
		op = "die";
	else if (step->kind == STEP_BIRTH)
		op = "birth";
	else if (step->kind == STEP_CLOSE)
		op = "close";
	snprintf(run.tag, sizeof(run.tag), "%s %s %s %s",
	    op != NULL ? op : number,
	    conn_is_guest(step->conn) ? "guest" : "priv", txn_word(step, t),
	    subject);
}

/* Whether the table says that T is not to be asked this. */
static bool
is_skipped(int t, const struct step *step)
{
	char key[sizeof(run.tag) + 8];

	set_tag(step, t);
	snprintf(key, sizeof(key), "%s SEND", run.tag);
	return t > 0 && allow_find(target_name(targets[t]), key) == ALLOW_SKIP;
}

/* T's answer to STEP beside OURS. */
static void
compare_step(int t, const struct step *step, const struct reply *ours)
{
	const struct reply *theirs = target_reply(targets[t], step->conn);
	struct txn *x = txn_of(step);
	unsigned long so_far = run.differences;
	bool in_txn;

	set_tag(step, t);
	run_compared++;
	in_txn = x != NULL && x->open && honours_txn(step->op);
	if (compare_replies(t, step->op, ours, theirs) == ALLOW_RETRY &&
	    x != NULL)
		retry(t, step, x);
	if (in_txn && x->disturbed && run.differences != so_far)
		x->odd[t] = true;
	if (x != NULL && x->open && x->odd[t] &&
	    step->op == WIRE_TRANSACTION_END && step->payload[0] == 'T' &&
	    theirs->type != WIRE_ERROR)
		differ(t, "OK another", "-", "-");
	if (x != NULL && x->open && x->disturbed && x->wrote &&
	    step->op == WIRE_TRANSACTION_END && theirs->type != WIRE_ERROR &&
	    ours->type != WIRE_ERROR && !run.muted[t])
		compare_merge(t);
}

static void
do_request(const struct step *step)
{
	static struct reply ours;
	bool skipped[TARGETS];
	int t;

	for (t = 0; t < n_targets; t++) {
		skipped[t] = is_skipped(t, step);
		if (!skipped[t])
			target_send(targets[t], step->conn, step->op,
			    txn_id(step, t), step->payload, step->len);
	}
	targets_wait();
	ours = *target_reply(targets[0], step->conn);
	for (t = 1; t < n_targets; t++) {
		if (skipped[t] && ours.type != WIRE_ERROR)
			run.muted[t] = true;
		if (!skipped[t] && !run.muted[t])
			compare_step(t, step, &ours);
	}
	note(step, &ours);
}

static void
do_happening(const struct step *step)
{
	int t;

	for (t = 0; t < n_targets; t++)
		if (step->kind == STEP_CLOSE)
			target_reopen(targets[t], step->conn);
		else if (step->kind == STEP_DIE)
			target_guest_die(targets[t], step->conn);
		else
			target_guest_birth(targets[t], step->conn);
	for (t = 1; t < n_targets && step->kind == STEP_DIE; t++)
		if ((run.strayed >> step->conn & 1) != 0 &&
		    allow_find(target_name(targets[t]), "die STRAYED") ==
			ALLOW_STOP)
			run.muted[t] = true;
	txns_close(step->conn);
	run.watching &= ~(1u << step->conn);
	if (step->kind != STEP_CLOSE) {
		disturb_others(NULL);
		dirty = true;
	}
}

static void
do_step(const struct step *step)
{
	int t;

	set_tag(step, 0);
	run_steps++;
	if (step->kind == STEP_REQUEST)
		do_request(step);
	else
		do_happening(step);
	for (t = 0; t < n_targets; t++)
		if (target_hung_up(targets[t])) {
			fprintf(stderr, "diff: %s hung up\n",
			    target_name(targets[t]));
			run_print();
			exit(1);
		}
	if (run.watching == 0 || !may_cause_events(step))
		return;
	targets_barrier(run.watching | 1u << step->conn);
	for (t = 1; t < n_targets; t++)
		if (!run.muted[t])
			compare_events(t, step);
	for (t = 0; t < n_targets; t++)
		target_clear_events(targets[t]);
}

static void
end(void)
{
	char *ours;
	int t, conn, i;

	run.at = run.seq->n;
	run.tag[0] = '\0';
	ours = target_walk(targets[0]);
	for (t = 1; t < n_targets; t++) {
		char *theirs;

		if (run.muted[t])
			continue;
		theirs = target_walk(targets[t]);
		compare_trees(t, ours, theirs);
		free(theirs);
	}
	free(ours);
	for (conn = 0; conn < CONNS; conn++)
		for (i = 1; i <= SLOTS; i++)
			txn_close(&run.txn[conn][i]);
}

void
run_print(void)
{
	struct sequence part;

	sequence_write(&before, "-", "the sequence before");
	if (run.seq == NULL)
		return;
	part = *run.seq;
	if (run.at < part.n)
		part.n = run.at + 1;
	sequence_write(&part, "-", "the sequence so far");
}

void
run_sequence(const struct sequence *seq, struct verdict *out)
{
	int t, i;

	memset(out, 0, sizeof(*out));
	memset(&run, 0, sizeof(run));
	run.out = out;
	for (t = 0; t < n_targets; t++)
		target_reset(targets[t], dirty);
	run.seq = seq;
	dirty = false;
	for (run.at = 0; run.at < seq->n && !out->failed; run.at++)
		do_step(seq->step[run.at]);
	if (!out->failed)
		end();
	for (t = 0; t < n_targets; t++)
		target_clear_events(targets[t]);
	sequence_clear(&before);
	for (i = 0; i < seq->n; i++)
		sequence_add(&before, seq->step[i]);
}
