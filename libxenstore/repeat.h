/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which requests may be made again when nobody knows whether they were carried
 * out: the policy that xenstore.h and xenstore_async.h promise.
 */
#ifndef LIBXENSTORE_REPEAT_H
#define LIBXENSTORE_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

/* How often a request is made at most. It may be the very thing that its
 * connection, or the server, dies of. */
enum { REPEAT_TRIES = 3 };

/* Twice is as good as once for a request of TYPE (enum wire_op) outside a
 * transaction. */
bool repeat_allowed(uint32_t type);

#endif
