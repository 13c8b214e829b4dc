/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How much there is of what in a state machine, for stats.h. Costs a look at
 * each connection.
 */
#ifndef XENSTORED_GAUGE_H
#define XENSTORED_GAUGE_H

#include "xenstored/state.h"
#include "xenstored/stats.h"

/* Writes the numbers of ST to PAGE. */
void gauge_state(const struct state *st, struct stats_page *page);

#endif
