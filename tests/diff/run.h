/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What run.c (steps), compare.c (what is the same) and txns.c (transactions)
 * know together: the sequence under way.
 */
#ifndef TESTS_DIFF_RUN_H
#define TESTS_DIFF_RUN_H

#include "diff.h"
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

struct run {
	const struct sequence *seq;
	struct verdict *out;
	struct txn txn[CONNS][SLOTS + 1];
	bool muted[TARGETS];
	unsigned strayed;  /* guests that made something outside their home */
	bool targeted;	   /* a domain has become another one's target */
	unsigned released; /* guests whose domain was, and still is */
	unsigned once_released; /* or was introduced again */
	unsigned watching;	/* connections that asked for watches */
	int at;
	unsigned long differences; /* declared or not */
	char tag[128]; /* "OP class tx subject" of the current step */
};

extern struct run run;

/* --- txns.c --- */

void txn_close(struct txn *x);
/* None of CONN's is open any more. */
void txns_close(int conn);
/* Somebody changed something, seen by all transactions but BUT. */
void disturb_others(const struct txn *but);
/* The one that STEP is about, or NULL. */
struct txn *txn_of(const struct step *step);
/* Whether STEP asks for a transaction with the id of another one. */
bool is_nested_start(const struct step *step);
/* Its id for TARGET; what never was an id if it is not open; or 0. */
uint32_t txn_id(const struct step *step, int target);
/* "none" "dead" "clean" ... for the key of T. */
const char *txn_word(const struct step *step, int t);
bool is_write(uint32_t op);
bool honours_txn(uint32_t op);
/* The transaction X once more on T, where its commit END was refused. */
void txn_retry(int t, const struct step *end, const struct txn *x);

/* --- compare.c --- */

/* A difference of target T. What the table says of it. */
enum allow differ(
    int t, const char *what, const char *ours, const char *theirs);
enum allow compare_replies(
    int t, uint32_t op, const struct reply *ours, const struct reply *theirs);
/* The events since the last step: which there are, and their order. */
void compare_events(int t, const struct step *step);
/* Line by line of two walks. */
void compare_trees(int t, const char *ours, const char *theirs);
/* The trees as they are now. */
void compare_now(int t);

#endif
