/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the records of the commit log meant, as history: each is applied to a
 * replica of the state machine, and what became different is written down, with
 * who did it; so is what was refused, and why. Knows the state machine and the
 * history; knows no file, clock but the one it is told, or event loop.
 */
#ifndef TOOLS_XENHISTORYD_RECORDER_H
#define TOOLS_XENHISTORYD_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/history/history.h"
#include "xenstored/replica.h"

struct recorder;

struct recorder_config {
	const char *dir;	 /* the store daemon's */
	struct history *history; /* must live longer */
	size_t value_max;	 /* bytes of a value that are kept */
};

/* NULL: no memory. */
struct recorder *recorder_new(const struct recorder_config *config);
void recorder_free(struct recorder *r);

/* Begins with an image of recorder_save(), before the first recorder_step().
 * False: it is of no use, as WHY says, and R is to be freed. */
bool recorder_load(struct recorder *r, int fd, char why[REPLICA_WHY_SIZE]);

/* Writes what recorder_load() wants. Only after recorder_flush(). */
bool recorder_save(const struct recorder *r, int fd);

/*
 * Goes one record on and writes what it meant at NOW, ms since 1970, unless the
 * log knows better. REPLICA_BEGUN: the history has an act that says that it is
 * not known what happened before, or nothing if it has no gap.
 */
enum replicated recorder_step(
    struct recorder *r, int64_t now, char why[REPLICA_WHY_SIZE]);

/* Makes what was written visible. False: it is lost, as history_error() says;
 * what is missing is written as a gap when writing works again. */
bool recorder_flush(struct recorder *r);

/* history_tidy(). Only after recorder_flush(). */
void recorder_tidy(struct recorder *r);

/* Whether it writes; false after a failure. */
bool recorder_works(const struct recorder *r);

/* Tries again after a failure. */
void recorder_retry(struct recorder *r, int64_t now);

/* Records since the last flush. */
size_t recorder_pending(const struct recorder *r);

#endif
