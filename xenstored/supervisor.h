/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The process that the pid file names: it holds the descriptors that must
 * survive - clients' sockets, event channels, log, flight -, accepts clients,
 * and sees to it that one process serves and another one stands by. It reads no
 * byte of a client.
 */
#ifndef XENSTORED_SUPERVISOR_H
#define XENSTORED_SUPERVISOR_H

#include "xenstored/server.h"

struct options;
struct files_rules;
struct sup_first;

/* Paths that are in use. */
struct supervisor_paths {
	const char *dir;    /* for log, flight, checkpoint, status */
	const char *socket; /* that clients connect to */
	int lock;	    /* daemon_claim() */
};

/*
 * Serves until it is told to stop; the exit status. ARGV is executed again for
 * the children. CONFIG is for a store that begins; RULES are for files. FIRST,
 * if it has a process, is a child by sup_child_fork() that calls worker_run().
 * Exits with a message if it cannot start.
 */
int supervisor_run(const struct options *options,
    const struct server_config *config, const struct supervisor_paths *paths,
    struct files_rules *rules, char *argv[], struct sup_first *first);

#endif
