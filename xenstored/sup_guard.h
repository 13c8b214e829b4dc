/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether a daemon of another kind, executed in the supervisor's place, serves
 * what it was given. Nothing else is known of it but its process, the socket's
 * path and what was in the store; so it is asked, as a client.
 */
#ifndef XENSTORED_SUP_GUARD_H
#define XENSTORED_SUP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { GUARD_NODES = 16, GUARD_WHY = 120 };

/* Some nodes of a store; none: it has none but those each daemon makes. */
struct guard_nodes {
	const char *path[GUARD_NODES]; /* in the stream */
	unsigned n;
};

/* Picks some from LEN bytes of a migration stream of ours at DATA. */
void guard_pick(const void *data, size_t len, struct guard_nodes *nodes_out);

struct guard_case {
	pid_t pid;
	int process;	    /* plat_open_process() of it, or -1 */
	const char *socket; /* path */
	struct guard_nodes nodes;
	int ms; /* it has to answer in */
};

/* Waits until the daemon answered for a node. False: it ended, or serves
 * something else, or nothing, as WHY says. */
bool guard_watch(const struct guard_case *g, char why[GUARD_WHY]);

#endif
