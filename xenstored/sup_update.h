/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The supervisor's part of a live update: which program its children are to be,
 * how far the new one is, and what to do when it fails. The new program stands
 * by, says that what it follows is sound, and takes the place of the old one,
 * which ends between two turns; until then nothing is lost by giving it up.
 * Daemons of another kind are executed in the supervisor's own place.
 */
#ifndef XENSTORED_SUP_UPDATE_H
#define XENSTORED_SUP_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "xenstored/live_update.h"
#include "xenstored/sup_child.h"
#include "xenstored/sup_leave.h"
#include "xenstored/supmsg.h"

struct sup_update {
	enum {
		SUP_UPDATE_NONE,
		SUP_UPDATE_LOOKING, /* at the program */
		SUP_UPDATE_WANTED,  /* the next standby is to be the program */
		SUP_UPDATE_LOADING, /* it was started */
		SUP_UPDATE_AUDIT,   /* it was asked whether all is well */
		SUP_UPDATE_STEP,    /* the primary was told to end */
		SUP_UPDATE_STREAM,  /* the primary is to make a stream */
		SUP_UPDATE_LEAVING, /* it did, and ends */
	} phase;
	bool stepped;	   /* the old primary has ended */
	pid_t checker;	   /* looks at a program that was chosen; 0: nobody */
	pid_t examiner;	   /* at one that is asked for */
	uint64_t patience; /* ms, that they have */
	uint64_t end_by;   /* ms, when a primary that has to end is killed */
	int verdict;	   /* what it says, if that is for us; -1 */
	struct live_update_request request;
	char **words;	   /* of the new program */
	uint64_t deadline; /* ms */
	uint64_t again;	   /* ms, when the stream is asked for again */
	char last[LIVE_UPDATE_TEXT]; /* why there is none yet */
	char
	    failure[LIVE_UPDATE_TEXT]; /* the next to serve is told; "": none */
	int stream_fd;		       /* -1: none */
	/* what children are now; NULL: this program with its own words */
	char *program;
	char **argv;
};

void sup_update_init(struct sup_update *u);

/* MSG of the PRIMARY with its descriptors: it asks, or tells. False: it is
 * about something else. ARGV are the daemon's words, NOW is in ms. Files that
 * it names are looked at by a process of its own, whom nobody waits for: the
 * primary is believed neither that they are files nor that it will read. */
bool sup_update_hear(struct sup_update *u, const struct sup_child *primary,
    struct supmsg *msg, int *fds, unsigned n_fds, char *argv[], uint64_t now);

/*
 * The process PID, which may be one that looked at a program, ended with STATUS
 * (-1: it was killed). ARGV and NOW are as above. True: the standby is to make
 * room for the program.
 */
bool sup_update_examined(struct sup_update *u, const struct sup_child *primary,
    pid_t pid, int status, char *argv[], uint64_t now);

/* What a standby that is started now is to be; NULL: this program. */
const char *sup_update_program(const struct sup_update *u);

/* Its words; ARGV are those of this program. */
char **sup_update_words(const struct sup_update *u, char *argv[]);

/* A standby was started; it follows; it said MSG: SUPMSG_AUDITED. */
void sup_update_started(struct sup_update *u);
void sup_update_ready(struct sup_update *u, const struct sup_child *standby);
void sup_update_audited(
    struct sup_update *u, const struct sup_child *primary, struct supmsg *msg);

/* The standby says WHY it will end. */
void sup_update_lost(struct sup_update *u, const char *why);

/* The standby, or the primary, ended as HOW says. True: the standby must not
 * take over, as it is not known to be sound. */
void sup_update_standby_died(
    struct sup_update *u, const struct sup_child *primary, const char *how);
bool sup_update_primary_died(struct sup_update *u, const char *how);

/* PRIMARY serves: the update is over if there was one. True: there was, and
 * children are PROGRAM with ARGV from now on. */
bool sup_update_serving(struct sup_update *u, const struct sup_child *primary);

/* Time goes by. True: the standby is to be killed. */
bool sup_update_tick(struct sup_update *u, const struct sup_child *primary,
    const struct sup_socks *socks, int listener, int evtchn, uint64_t now);

/* In what time sup_update_tick() has to be called; at most MS. */
int sup_update_wait(const struct sup_update *u, int ms);

/* Whether who is promoted now is the new program. */
static inline bool
sup_update_is_new(const struct sup_update *u)
{
	return u->phase == SUP_UPDATE_STEP;
}

/* Whether another daemon shall accept who comes now. */
static inline bool
sup_update_leaves(const struct sup_update *u)
{
	return u->phase == SUP_UPDATE_STREAM || u->phase == SUP_UPDATE_LEAVING;
}

/*
 * Executes the other daemon in this process, in which no child is left, with
 * what L has of the supervisor's; ARGV are the daemon's words. Returns only if
 * that fails, with a message; all is as it was then.
 */
void sup_update_leave(struct sup_update *u, struct sup_leave *l, char *argv[]);

#endif
