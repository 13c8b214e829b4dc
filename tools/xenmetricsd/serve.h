/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The page over HTTP, at a socket of the file system or a port of this machine
 * that nobody else reaches. Knows libevent's HTTP.
 */
#ifndef TOOLS_XENMETRICSD_SERVE_H
#define TOOLS_XENMETRICSD_SERVE_H

#include "tools/xenmetricsd/collect.h"

struct event_base;
struct serve;

enum { SERVE_WHY_SIZE = 256 };

/*
 * Serves /metrics of COLLECT at WHERE: "[ADDRESS:]PORT" with an address of the
 * loopback, or a path, at which a socket is made with mode 0600. NULL: WHY says
 * why.
 */
struct serve *serve_start(struct event_base *base, struct collect *collect,
    const char *where, char why[SERVE_WHY_SIZE]);

/* Removes a socket that it made. */
void serve_stop(struct serve *serve);

#endif
