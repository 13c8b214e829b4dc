/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How another process follows the store: mirrors, histories and exporters read
 * the daemon's commit log through this and through nothing else. It can neither
 * slow nor crash the daemon: the log is mapped for reading, and whoever is too
 * slow loses records, is told so, and starts again from a snapshot.
 *
 * A place in the log is an epoch (which log) and a sequence number with its
 * offset (struct image_mark). A follower starts either at the log's first
 * record, if that is still there (it is START), or at the mark of a snapshot,
 * and may go on at any place it kept, as long as the log reaches back to it.
 *
 * Knows the log's file, the daemon's socket and the request for a snapshot;
 * knows no record's meaning. replica.h adds the state machine.
 */
#ifndef XENSTORED_SUBSCRIBE_H
#define XENSTORED_SUBSCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include "xenstored/image.h"
#include "xenstored/log.h"

enum { SUBSCRIBE_WHY_SIZE = 160 };

struct subscriber;

/*
 * The log in DIR, the daemon's run directory, at its oldest record. NULL: WHY
 * says why; there may be one later.
 */
struct subscriber *subscribe_open(
    const char *dir, char why[SUBSCRIBE_WHY_SIZE]);
void subscribe_close(struct subscriber *sub);

/* Goes on behind MARK. False, and nothing changed: that is a place in another
 * log, or what follows it is gone. */
bool subscribe_seek(struct subscriber *sub, const struct image_mark *mark);

/* Where it is. Before the first record the sequence number is UINT64_MAX. */
struct image_mark subscribe_mark(const struct subscriber *sub);

/* The log's header, for looking only. */
const struct log_header *subscribe_log(const struct subscriber *sub);

/* Records that are there and not read yet. */
uint64_t subscribe_lag(const struct subscriber *sub);

enum subscribed {
	SUBSCRIBE_RECORD,
	SUBSCRIBE_NONE,	 /* nothing new now; ask again later */
	SUBSCRIBE_LOST,	 /* what comes next was overwritten, or is damaged */
	SUBSCRIBE_OTHER, /* nothing new, and the file is another one now */
};

/* The next record: the log's entry, and its data, which stays until the next
 * call. */
enum subscribed subscribe_next(
    struct subscriber *sub, struct log_entry *entry_out, const void **data_out);

/*
 * Whether the daemon of DIR answers a small request within a second; how long
 * that took to *NS_OUT. False: WHY says why not.
 */
bool subscribe_probe(
    const char *dir, uint64_t *ns_out, char why[SUBSCRIBE_WHY_SIZE]);

/*
 * Asks the daemon of DIR for a snapshot, an image (image.h) with its mark, and
 * waits for it up to SECONDS. A descriptor of the file, which has no name any
 * more; -1: WHY says why.
 */
int subscribe_snapshot(
    const char *dir, int seconds, char why[SUBSCRIBE_WHY_SIZE]);

#endif
