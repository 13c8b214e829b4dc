/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A child of the supervisor: it follows the log as the standby until it is
 * promoted, and serves from then on.
 */
#ifndef XENSTORED_WORKER_H
#define XENSTORED_WORKER_H

#include "xenstored/server.h"

struct options;

/* The exit status of one that cannot follow as what it was given is of a
 * program that knows more. */
enum { WORKER_NOT_KNOWN = 3 };

/*
 * Does what the supervisor at the other end of SUP says, to the end; the exit
 * status. CONFIG says how it serves; its state's part is in the log.
 */
int worker_run(
    const struct options *options, const struct server_config *config, int sup);

#endif
