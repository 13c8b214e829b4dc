/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Brings to an end what a process that is dead was in the middle of: from the
 * flight, the end of the log, and what the kernel and the guest's page tell.
 * Each step is in the log or in the flight before the next, so that whoever
 * takes over from one that died here goes on in the same way.
 */
#ifndef XENSTORED_TAKEOVER_H
#define XENSTORED_TAKEOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "xenstored/log.h"
#include "xenstored/server.h"

/* The last records of the kinds that matter: of which connection, which number
 * they had. All zero at first. */
struct tail {
	struct tail_mark {
		uint64_t conn, seq, upto;
	} used, take, keep, sent, unstash;
};

/* ENTRY was read. */
void tail_note(struct tail *tail, const struct log_entry *entry);

/*
 * Ends the flight of SERVER, whose state is that at the end of the log, which
 * TAIL belongs to, and whose connections have their transports. Those that
 * cannot be served on are closed or, if they are rings, put out of order.
 */
void takeover_finish(struct server *server, const struct tail *tail);

/* A process crashed: whom it served at that moment is to blame. */
void takeover_blame(struct flight *flight);

#endif
