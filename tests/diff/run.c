/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One sequence on all daemons at once: after each step replies and events are
 * compared with ours, after the last one the trees.
 */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run run;
unsigned long run_steps, run_compared;
static struct sequence before; /* the last one that was run to its end */
static bool dirty = true;      /* the last sequence did things to domains */

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

/* The guest in whose home STEP gives a node to another one, as a bit. */
static unsigned
given_away(const struct step *step)
{
	const char *perm = step->payload + strlen(step->payload) + 1;
	unsigned domid;

	if (sscanf(step->payload, "/local/domain/%u", &domid) != 1 ||
	    domid < 1 || domid > GUESTS || strtoul(perm + 1, NULL, 10) == domid)
		return 0;
	return 1u << (SOCKETS + domid - 1);
}

/* What the step means for the transactions of everybody. */
static void
note(const struct step *step, const struct reply *ours)
{
	struct txn *x = txn_of(step);
	bool ok = ours->there && ours->type != WIRE_ERROR;

	if (is_nested_start(step)) {
		/* refused, or none of the slots' */
	} else if (step->op == WIRE_TRANSACTION_START) {
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
	if (ok && step->op == WIRE_SET_PERMS)
		run.strayed |= given_away(step);
	if (ok && is_write(step->op) && strayed(step))
		run.strayed |= 1u << step->conn;
	if (step->op == WIRE_SET_TARGET && ok)
		run.targeted = true;
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
	static const char *const happens[] = { "", "close", "die", "birth",
		"release", "introduce", "shutdown" };
	char subject[32], number[16];
	const char *op = wire_op_name(step->op);

	snprintf(number, sizeof(number), "%u", step->op);
	key_subject(step, subject, sizeof(subject));
	if (step->kind == STEP_INTRODUCE &&
	    target_guest_state(targets[0], step->conn) == GUEST_UP)
		op = "again";
	else if (step->kind != STEP_REQUEST)
		op = happens[step->kind];
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
	tally_reply(step->op, ours);
	in_txn = x != NULL && x->open && honours_txn(step->op);
	if (compare_replies(t, step->op, ours, theirs) == ALLOW_RETRY &&
	    x != NULL)
		txn_retry(t, step, x);
	if (in_txn && x->disturbed && run.differences != so_far)
		x->odd[t] = true;
	if (x != NULL && x->open && x->odd[t] &&
	    step->op == WIRE_TRANSACTION_END && step->payload[0] == 'T' &&
	    theirs->type != WIRE_ERROR)
		differ(t, "OK another", "-", "-");
	if (x != NULL && x->open && x->disturbed && x->wrote &&
	    step->op == WIRE_TRANSACTION_END && theirs->type != WIRE_ERROR &&
	    ours->type != WIRE_ERROR && !run.muted[t])
		compare_now(t);
}

bool run_planted;

/* Sends STEP to T. With a planted difference ours makes /t/ab, not /t/b. */
static void
send_step(int t, const struct step *step)
{
	const struct step *what = step;
	static struct step other;

	if (run_planted && t == 0 && step->op == WIRE_MKDIR &&
	    strcmp(step->payload, "/t/b") == 0) {
		other = *step;
		other.len = 6;
		memcpy(other.payload, "/t/ab", 6);
		what = &other;
	}
	target_send(targets[t], step->conn, step->op, txn_id(step, t),
	    what->payload, what->len);
}

static void
do_request(const struct step *step)
{
	static struct reply ours;
	bool skipped[TARGETS];
	int t;

	for (t = 0; t < n_targets; t++) {
		skipped[t] = run.muted[t] || is_skipped(t, step);
		if (!skipped[t])
			send_step(t, step);
	}
	targets_wait();
	ours = *target_reply(targets[0], step->conn);
	for (t = 1; t < n_targets; t++)
		if (!skipped[t])
			compare_step(t, step, &ours);
		else if (ours.type != WIRE_ERROR)
			run.muted[t] = true;
	note(step, &ours);
}

/* Whether STEP can happen, as things are with ours. */
static bool
can_happen(const struct step *step)
{
	enum guest_state state = target_guest_state(targets[0], step->conn);

	switch (step->kind) {
	case STEP_RELEASE:
	case STEP_SHUTDOWN:
		return state == GUEST_UP;
	case STEP_INTRODUCE:
		return state == GUEST_UP || state == GUEST_RELEASED;
	default:
		return true;
	}
}

/* Whether T cannot take STEP since its domain is another one's target. */
static bool
is_targeted(int t, const struct step *step)
{
	return run.targeted && step->kind >= STEP_DIE &&
	       step->kind != STEP_BIRTH &&
	       allow_find(target_name(targets[t]), "die TARGETED") ==
		   ALLOW_STOP;
}

/* The reply to what the tester had to ask for that; NULL: nothing. */
static const struct reply *
happen(struct target *t, const struct step *step)
{
	switch (step->kind) {
	case STEP_CLOSE:
		target_reopen(t, step->conn);
		return NULL;
	case STEP_DIE:
		target_guest_die(t, step->conn);
		return NULL;
	case STEP_BIRTH:
		target_guest_birth(t, step->conn);
		return NULL;
	case STEP_RELEASE:
		return target_guest_release(t, step->conn);
	case STEP_INTRODUCE:
		return target_guest_introduce(t, step->conn);
	default:
		target_guest_shutdown(t, step->conn);
		return NULL;
	}
}

/* Leaves out the daemons for which the table says so of KEY, if IT is so. */
static void
mute_for(unsigned it, const char *key)
{
	int t;

	for (t = 1; it != 0 && t < n_targets; t++)
		if (allow_find(target_name(targets[t]), key) == ALLOW_STOP)
			run.muted[t] = true;
}

/* What else than the reply has changed by STEP. */
static void
note_happening(const struct step *step)
{
	if (step->kind == STEP_DIE || step->kind == STEP_RELEASE)
		mute_for(run.strayed >> step->conn & 1, "die STRAYED");
	if (step->kind == STEP_DIE)
		mute_for(run.released >> step->conn & 1, "die RELEASED");
	if (step->kind == STEP_BIRTH)
		mute_for(run.once_released >> step->conn & 1, "birth RELEASED");
	if (step->kind == STEP_RELEASE) {
		run.released |= 1u << step->conn;
		run.once_released |= 1u << step->conn;
	}
	if (step->kind == STEP_BIRTH || step->kind == STEP_INTRODUCE)
		run.released &= ~(1u << step->conn);
	txns_close(step->conn);
	run.watching &= ~(1u << step->conn);
	if (step->kind != STEP_CLOSE) {
		disturb_others(NULL);
		dirty = true;
	}
}

static void
do_happening(const struct step *step)
{
	static struct reply ours;
	const struct reply *r;
	int t;

	if (!can_happen(step))
		return;
	for (t = 0; t < n_targets; t++) {
		if (is_skipped(t, step) || (t > 0 && is_targeted(t, step)))
			run.muted[t] = true;
		/* the next sequence begins with new domains */
		if (run.muted[t] && step->kind != STEP_CLOSE)
			continue;
		r = happen(targets[t], step);
		if (t == 0 && r != NULL)
			ours = *r;
		set_tag(step, t);
		if (t > 0 && r != NULL && !run.muted[t]) {
			tally_reply(step->kind == STEP_RELEASE ? WIRE_RELEASE
							       : WIRE_INTRODUCE,
			    &ours);
			compare_replies(t, 0, &ours, r);
		}
	}
	note_happening(step);
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
