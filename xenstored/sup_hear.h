/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What children say to the supervisor, and what it does about it.
 */
#ifndef XENSTORED_SUP_HEAR_H
#define XENSTORED_SUP_HEAR_H

#include "xenstored/sup_core.h"

/* Hears all that CHILD has said; stops if it is replaced by that. */
void sup_hear(struct supervisor *s, struct sup_child *child);

#endif
