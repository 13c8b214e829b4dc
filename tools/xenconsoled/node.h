/* SPDX-License-Identifier: BSD-2-Clause */
/* Single nodes of the store, checked: a guest may have written them. */
#ifndef XENCONSOLED_NODE_H
#define XENCONSOLED_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xenstore.h"

/* The decimal number in DIR/NAME. False if there is none, or above MAX. */
bool node_number(struct xs_handle *xs, const char *dir, const char *name,
    uint64_t max, uint64_t *value_out);

/* Has DIR/NAME this value? */
bool node_is(
    struct xs_handle *xs, const char *dir, const char *name, const char *value);

/* Is the console in DIR served by us? (And not by a device model.) */
bool node_is_ours(struct xs_handle *xs, const char *dir);

/* Sets DIR/NAME so that only privileged domains can read or change it. False
 * with errno. */
bool node_write_private(
    struct xs_handle *xs, const char *dir, const char *name, const char *value);

/* DOMID's name as part of a file name; its number if it has none. */
void node_domain_name(
    struct xs_handle *xs, uint32_t domid, char *buf, size_t size);

#endif
