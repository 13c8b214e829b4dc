/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is to be measured: the daemon's own page of numbers, and a replica of
 * its state, which says what each domain uses and counts what was refused.
 * Knows the daemon's files; knows no format.
 */
#ifndef TOOLS_XENMETRICSD_COLLECT_H
#define TOOLS_XENMETRICSD_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "xenstored/core.h"
#include "xenstored/replica.h"
#include "xenstored/stats.h"

/* What was refused to a domain since we look. */
struct collect_domain {
	uint64_t conflicts;
	uint64_t refused[QUOTA_COUNT];
	uint64_t denied; /* for want of rights */
};

struct collect;

/* For the daemon with the run directory DIR. NULL: no memory. */
struct collect *collect_new(const char *dir);
void collect_free(struct collect *c);

/* Follows the log for up to MAX records. REPLICA_AWAY: nothing to follow. */
enum replicated collect_turn(struct collect *c, unsigned max);

/* A moment's look at everything. */
struct collect_view {
	bool up;
	uint64_t probe_ns;
	const struct stats_page *stats; /* NULL: there is none */
	const struct log_header *log;	/* NULL: there is none */
	const struct state *state;	/* NULL: there is none yet */
	uint64_t lag;			/* records that STATE is behind */
	uint64_t begins;		/* how often it had to begin anew */
	struct collect_domain *const *domain; /* by domid; NULL: nothing */
};

/* What a turn more and a question to the daemon tell. Valid until the next call
 * of a function here. */
struct collect_view collect_look(struct collect *c);

#endif
