/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * After a live update the supervisor becomes the program that its children are:
 * it executes it in its own place, with all it holds (handover.h). Before that
 * another process tries whether the program can read what it is going to get;
 * if it cannot, or cannot be executed, the supervisor goes on as it is. If it
 * fails all the same once it is there, it executes the program before again.
 * The children serve all that time and notice nothing.
 */
#ifndef XENSTORED_SUP_EXEC_H
#define XENSTORED_SUP_EXEC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct options;
struct supervisor;

struct sup_exec {
	bool wanted;
	bool tried;	/* and it can be done */
	pid_t trial;	/* 0: there is none */
	uint64_t limit; /* ms, for the trial */
};

/* Does what is due between two turns. Does not come back if this process became
 * the other program. */
void sup_exec_tick(struct supervisor *s, uint64_t now);

/* The supervisor's signals are held back (YES), to be caught after that. */
void sup_exec_hold_signals(bool yes);

/* The process PID, which may be a trial, has ended; WELL: with status 0. */
void sup_exec_ended(
    struct supervisor *s, pid_t pid, bool well, const char *how);

/*
 * In the program that was executed, in place of a beginning: S, whose options
 * say so, gets what was handed over. Does not come back if that cannot be used:
 * the program before goes on.
 */
void sup_exec_resume(struct supervisor *s);

/* The trial: the exit status, with a message. */
int sup_exec_try(const struct options *options);

#endif
