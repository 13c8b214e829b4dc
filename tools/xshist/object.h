/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The history as JSON for scripts, into a buffer.
 */
#ifndef TOOLS_XSHIST_OBJECT_H
#define TOOLS_XSHIST_OBJECT_H

#include "tools/history/history.h"
#include "tools/xs/out.h"

/* The members of an act, without braces and without its changes. */
void object_act(struct out *out, const struct history_act *act);

/* A change as an object. */
void object_change(struct out *out, const struct history_change *change);

#endif
