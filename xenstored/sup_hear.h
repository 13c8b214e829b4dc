/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What children say to the supervisor, and what it does about it.
 */
#ifndef XENSTORED_SUP_HEAR_H
#define XENSTORED_SUP_HEAR_H

#include "xenstored/sup_core.h"

/* Hears some of what CHILD has said; stops if it is replaced by that. One that
 * closed its end or says what no message is is killed. */
void sup_hear(struct supervisor *s, struct sup_child *child);

/* Hears all that CHILD, which can say no more, has said. */
void sup_hear_last(struct supervisor *s, struct sup_child *child);

#endif
