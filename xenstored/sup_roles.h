/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who serves and who stands by: children begin, are promoted, end and are
 * succeeded. Knows nothing of what clients ask.
 */
#ifndef XENSTORED_SUP_ROLES_H
#define XENSTORED_SUP_ROLES_H

#include "xenstored/sup_core.h"

/* Who serves and who stands by, for people and scripts. */
void sup_roles_tell(struct supervisor *s);

/* CHILD gets what it is to begin with. False: there is nothing yet. */
bool sup_roles_feed(struct supervisor *s, struct sup_child *child);

/* Starts one if there is none and it is time. */
void sup_roles_start_standby(struct supervisor *s);

/* The standby is not wanted, and another one is. */
void sup_roles_drop_standby(struct supervisor *s);

/* The standby, or where there is none a new child, is to serve. */
void sup_roles_promote(struct supervisor *s);

/* Waits for all that have ended, and sees to who comes after them. */
void sup_roles_reap(struct supervisor *s);

/* From now on the end of a primary is heard of early: S->ENDS is readable. */
void sup_roles_watch_ends(struct supervisor *s);

/* S->ENDS is readable: somebody says that the primary is ending. */
void sup_roles_hear_of_end(struct supervisor *s);

#endif
