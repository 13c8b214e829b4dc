/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the daemon counts, in a page that others map for reading: requests and
 * how long they took, errors, how much waits. Whoever looks costs it nothing.
 * The file outlives the process, and a successor goes on counting in it.
 *
 * Each number has one writer: the process that serves, but for those that say
 * otherwise. Knows no state machine and no event loop.
 */
#ifndef XENSTORED_STATS_H
#define XENSTORED_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

#define STATS_MAGIC UINT64_C(0x317374617362726b) /* "krbsats1" */

enum {
	STATS_VERSION = 1,
	STATS_OPS = 32, /* numbers of operations, the last for all others */
	STATS_ERRORS = 32,
	/* BUCKET[i] counts what took less than 2^(STATS_SHIFT + i) ns, and not
	 * less than the one before; the last has no limit. */
	STATS_SHIFT = 9,
	STATS_BUCKETS = 20,
};

struct stats_histogram {
	uint64_t bucket[STATS_BUCKETS];
	uint64_t ns; /* sum */
};

/* How much there is of what, not older than a second when something is done. */
struct stats_gauges {
	uint64_t sockets, rings;
	uint64_t replies, reply_bytes; /* that wait for clients */
	uint64_t event_bytes;
	uint64_t waiting; /* connections for which something waits */
	uint64_t largest_queue;
	uint64_t collapses, drops; /* of events, of connections that are open */
	uint64_t transactions;
	uint64_t nodes; /* versions of nodes in memory */
};

struct stats_page {
	uint64_t magic;
	uint32_t version, size;
	uint64_t pid;
	uint64_t takeovers;
	uint64_t turns;
	uint64_t commits, conflicts, replays; /* of transactions */
	uint64_t error[STATS_ERRORS];	      /* by enum xs_err */
	struct stats_histogram request[STATS_OPS];
	struct stats_gauges gauges;
	/* From one look at who wants something to the next, which is what
	 * anybody may have to wait; and the longest since this process serves,
	 * ns. */
	struct stats_histogram round;
	uint64_t longest_round;
	/* the standby's own: what it has applied */
	uint64_t standby_seq __attribute__((aligned(64)));
};

struct stats;

/* The page in the file PATH, made (mode 0600) or continued; NULL: in memory
 * that nobody else sees. NULL with errno. */
struct stats *stats_open(const char *path);
void stats_close(struct stats *stats);

/* For a reader: maps the file PATH; NULL with errno (EINVAL: it is none). */
const struct stats_page *stats_map(const char *path);
void stats_unmap(const struct stats_page *page);

struct stats_page *stats_page(struct stats *stats);

/* This process serves from now on; TAKEOVER: in place of one that died. */
void stats_serve(struct stats *stats, bool takeover);

/* The time from now on belongs to the next request. */
void stats_mark(struct stats *stats);

/* A request of TYPE was answered with ERR; it took the time since the last call
 * of this or of stats_mark(). */
void stats_request(struct stats *stats, uint32_t type, enum xs_err err);

/* Microseconds from the last stats_round() to the last stats_mark(). */
uint64_t stats_round_us(const struct stats *stats);

/* All who wanted something had a turn. MORE: work goes on without waiting. */
void stats_round(struct stats *stats, bool more);

/* Whether a second has passed since it last said so. */
bool stats_due(struct stats *stats);

/* The standby has applied all up to SEQ. */
void stats_standby(struct stats *stats, uint64_t seq);

/* The upper limit of bucket I in nanoseconds. */
static inline uint64_t
stats_limit(unsigned i)
{
	return UINT64_C(1) << (STATS_SHIFT + i);
}

#endif
