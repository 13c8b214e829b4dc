/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nodes as changes in the history: one that became another, and a whole tree
 * that is to be what the history says, after nobody looked for a while.
 */
#ifndef TOOLS_XENHISTORYD_RESYNC_H
#define TOOLS_XENHISTORYD_RESYNC_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/history/history.h"
#include "xenstored/core.h"

/*
 * What became of a node as a change, without its act and path; a value of up
 * to VALUE_MAX bytes is kept. PERMS holds text that *CHANGE_OUT refers to.
 * False: nothing, as only something below it changed.
 */
bool resync_change(const struct node *before, const struct node *after,
    size_t value_max, char perms[HISTORY_PERMS_SIZE],
    struct history_change *change_out);

/*
 * Writes ACT, and as its changes all that ST has in another way than the
 * history. False: history_error().
 */
bool resync_write(struct history *h, struct state *st, struct history_act *act,
    size_t value_max);

#endif
