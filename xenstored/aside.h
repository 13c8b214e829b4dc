/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a daemon left that the next one shall not go on with: it gets other
 * names instead of being lost. Knows names of files, nothing of what is in
 * them.
 */
#ifndef XENSTORED_ASIDE_H
#define XENSTORED_ASIDE_H

#include <stdbool.h>

/* Behind the names of such files. */
#define ASIDE_SUFFIX ".before"

/*
 * Renames the log, the flight and the checkpoints in DIR, in place of all that
 * was kept before, and says so. Those that cannot be renamed stay, with a
 * message. If there is none nothing happens.
 */
void aside_keep(const char *dir);

/* Removes what is kept in DIR, for want of room, and says so. Whether there was
 * anything. */
bool aside_drop(const char *dir);

#endif
