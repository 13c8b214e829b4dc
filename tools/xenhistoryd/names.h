/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the processes at the sockets were called when they came, as the daemon
 * has noted it.
 */
#ifndef TOOLS_XENHISTORYD_NAMES_H
#define TOOLS_XENHISTORYD_NAMES_H

#include "tools/history/history.h"
#include "xenstored/core.h"

struct names;

/* Of the daemon with the run directory DIR. NULL: no memory. */
struct names *names_new(const char *dir);
void names_free(struct names *names);

/* Fills in WHO's command if that of CONN's process is known. */
void names_find(
    struct names *names, const struct conn *conn, struct history_who *who);

#endif
