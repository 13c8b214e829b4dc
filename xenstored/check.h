/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Compares all accounting with a count, a part of it at a time: of the tree and
 * the books as they were when it began. One such comparison is made at a time.
 */
#ifndef XENSTORED_CHECK_H
#define XENSTORED_CHECK_H

#include "xenstored/core.h"

/* Room for a comparison, free()d by its owner; NULL: no memory. */
struct check *check_new(void);

/*
 * Goes on with the comparison that CONN asked for, or begins one, and looks at
 * about BUDGET nodes. False: it is not finished, or another's comes first: to
 * be called again. True: *WRONG_OUT is what state_check() says.
 */
bool check_some(
    struct state *st, struct conn *conn, size_t budget, const char **wrong_out);

/* CONN does not want to know any more. */
void check_forget(struct conn *conn);

#endif
