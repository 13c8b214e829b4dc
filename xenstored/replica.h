/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A state machine in another process that follows the daemon's: subscribe.h and
 * apply.h together. Whatever happens to the log, the daemon or this process,
 * the replica is either right as of its mark or says that it had to begin anew.
 */
#ifndef XENSTORED_REPLICA_H
#define XENSTORED_REPLICA_H

#include "xenstored/apply.h"
#include "xenstored/subscribe.h"

enum { REPLICA_WHY_SIZE = 2 * SUBSCRIBE_WHY_SIZE };

struct replica;

struct replica_hooks {
	struct apply_hooks apply;

	/* The state goes: no reference into it may be left. Gets APPLY.CTX; may
	 * be NULL. Not called by replica_free(). */
	void (*ending)(void *ctx);
};

/* Of the daemon with the run directory DIR, which need not run yet. HOOKS are
 * copied. NULL: no memory. */
struct replica *replica_new(const char *dir, const struct replica_hooks *hooks);
void replica_free(struct replica *r);

/*
 * Begins with the image in FD, one that replica_save() wrote, if the log
 * reaches back to it; false: it does not, or the image is of no use, as WHY
 * says.
 */
bool replica_load(struct replica *r, int fd, char why[REPLICA_WHY_SIZE]);

/* Writes the state to FD. False with errno; EAGAIN: not before the next record
 * was applied. */
bool replica_save(const struct replica *r, int fd);

enum replicated {
	REPLICA_RECORD, /* a record was applied */
	REPLICA_NONE,	/* nothing new */
	REPLICA_BEGUN,	/* the state is one that did not come of the last:
			 * from a snapshot, or a log's first record */
	REPLICA_AWAY,	/* there is no daemon to follow, as WHY says */
};

/*
 * Goes one record on; *ENTRY_OUT is the record's, for REPLICA_RECORD. After
 * REPLICA_NONE and REPLICA_AWAY the caller waits before it asks again. WHY says
 * for REPLICA_BEGUN how the last state ended, too.
 */
enum replicated replica_next(struct replica *r, struct log_entry *entry_out,
    const void **data_out, char why[REPLICA_WHY_SIZE]);

/* The state; NULL before REPLICA_BEGUN or replica_load(). */
struct state *replica_state(const struct replica *r);

/* Its place in the log. All zero: there is none. */
struct image_mark replica_mark(const struct replica *r);

/* The log that it follows; NULL: there is none now. */
const struct log_header *replica_log(const struct replica *r);

/* Records that it is behind. */
uint64_t replica_lag(const struct replica *r);

#endif
