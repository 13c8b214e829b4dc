/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The transactions of a sequence. Daemons decide differently about conflicts.
 * Where ours commits and another one says EAGAIN, the tester does there what
 * every client does: the whole transaction again. What the requests then see
 * must be what ours showed them the first time, since ours says that it
 * happened at the moment of its commit.
 */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
txn_close(struct txn *x)
{
	while (x->n > 0)
		free(x->was[--x->n]);
	memset(x, 0, sizeof(*x));
}

void
txns_close(int conn)
{
	int i;

	for (i = 1; i <= SLOTS; i++)
		run.txn[conn][i].open = false;
}

void
disturb_others(const struct txn *but)
{
	int conn, i;

	for (conn = 0; conn < CONNS; conn++)
		for (i = 1; i <= SLOTS; i++)
			if (&run.txn[conn][i] != but)
				run.txn[conn][i].disturbed = true;
}

struct txn *
txn_of(const struct step *step)
{
	return step->slot >= 1 && step->slot <= SLOTS
		   ? &run.txn[step->conn][step->slot]
		   : NULL;
}

bool
is_nested_start(const struct step *step)
{
	return step->op == WIRE_TRANSACTION_START &&
	       strcmp(step->payload, "in") == 0;
}

/* Whether STEP is asked in no transaction at all. */
static bool
is_outside(const struct step *step)
{
	return step->slot == 0 ||
	       (step->op == WIRE_TRANSACTION_START && step->slot != SLOT_DEAD &&
		   !is_nested_start(step));
}

uint32_t
txn_id(const struct step *step, int target)
{
	const struct txn *x = txn_of(step);

	if (is_outside(step))
		return 0;
	return x != NULL && x->id[target] != 0 ? x->id[target] : 0xdead;
}

const char *
txn_word(const struct step *step, int t)
{
	const struct txn *x = txn_of(step);

	if (is_outside(step))
		return "none";
	if (x == NULL || !x->open)
		return "dead";
	if (!honours_txn(step->op) && step->op != WIRE_TRANSACTION_END)
		return "live";
	if (x->poisoned)
		return "poisoned";
	if (x->odd[t])
		return "diverged";
	if (x->disturbed)
		return x->wrote ? "disturbed" : "disturbed-ro";
	return "clean";
}

bool
is_write(uint32_t op)
{
	return op == WIRE_WRITE || op == WIRE_MKDIR || op == WIRE_RM ||
	       op == WIRE_SET_PERMS;
}

bool
honours_txn(uint32_t op)
{
	return is_write(op) || op == WIRE_READ || op == WIRE_DIRECTORY ||
	       op == WIRE_GET_PERMS || op == WIRE_DIRECTORY_PART;
}

/* The transaction X once more on T, where its commit was refused. */
void
txn_retry(int t, const struct step *end, const struct txn *x)
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
