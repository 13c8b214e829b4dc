/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Clients come: their sockets are accepted by the supervisor, which keeps them
 * and gives them to its children.
 */
#ifndef XENSTORED_SUP_ACCEPT_H
#define XENSTORED_SUP_ACCEPT_H

#include "xenstored/sup_core.h"

/* Accepts who waits, a batch at most. Without descriptors S->FULL says until
 * when nobody is. */
void sup_accept(struct supervisor *s);

#endif
