/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection: what it has besides the queue, and its life.
 */
#ifndef XENSTORED_CONN_H
#define XENSTORED_CONN_H

#include "xenstored/core.h"

/* A connection of SELF, of which it takes a reference. NULL: no memory. */
struct conn *conn_new(struct state *st, struct principal *self, bool privileged,
    bool is_ring, void *shell);

/* Ends it with its watches, transactions and output. Domain and transport must
 * have let go. */
void conn_free(struct conn *conn);

void conn_drop_watches(struct conn *conn);
void conn_drop_txns(struct conn *conn);
void conn_drop_stash(struct conn *conn);

/* Nothing of before is left: no watch, transaction, partial input, output. */
void conn_clear(struct conn *conn);

#endif
