/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The child's part of a live update: it asks the supervisor for one, says
 * whether what it follows is sound, and leaves between two turns; for a daemon
 * of another kind with a migration stream.
 */
#ifndef XENSTORED_WORKER_UPDATE_H
#define XENSTORED_WORKER_UPDATE_H

#include "xenstored/live_update.h"
#include "xenstored/server.h"
#include "xenstored/supmsg.h"
#include "xenstored/update_program.h"

struct rings;
struct event;

struct worker_update {
	struct live_update lu;
	int sup;
	long since;	       /* seconds, when an update was asked for */
	struct server *server; /* NULL: another one serves */
	struct rings *rings;   /* NULL: there is no hypervisor */
	/* leaving for a stock daemon */
	struct update_fds *fds; /* NULL: it does not */
	unsigned version;
	struct event *event;
	unsigned tries;
};

/* SUP leads to the supervisor. */
void worker_update_init(struct worker_update *u, int sup);

/* SERVER serves from now on, with RINGS or without (NULL); as the new program
 * if DONE. */
void worker_update_serve(struct worker_update *u, struct server *server,
    struct rings *rings, bool done);

/* Tells whether ST, which is followed, is sound. */
void worker_update_audit(const struct worker_update *u, struct state *st);

/* Does what MSG says if it is about an update and came to one who serves.
 * False: it is about something else. */
bool worker_update_obey(struct worker_update *u, struct supmsg *msg,
    const int *fds, unsigned n_fds);

#endif
