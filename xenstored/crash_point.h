/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Places where a test kills the daemon: behind every store to what survives the
 * process. In the daemon that is installed each only keeps the compiler from
 * moving stores across it, so that it dies in just the states that were tried;
 * xenstored-crash is built with XENSTORED_CRASH_POINTS.
 *
 * There, a process of the role $XENSTORED_CRASH_ROLE (supervisor, standby,
 * takeover, primary) counts the places that it passes and kills itself at
 * number $XENSTORED_CRASH_AT, counted from 1. Only the first
 * $XENSTORED_CRASH_TIMES (1) processes of one daemon do. While it runs, a test
 * has the same done by setting struct flight's kill_in, as often as it likes.
 */
#ifndef XENSTORED_CRASH_POINT_H
#define XENSTORED_CRASH_POINT_H

#ifdef XENSTORED_CRASH_POINTS
#include <stdbool.h>

#define CRASH_POINT() crash_point(__FILE__, __LINE__)

/* Counts, and may not come back. */
void crash_point(const char *file, int line);

struct flight;

/* The process has ROLE now, and the count begins anew. FLIGHT, which survives,
 * gets how many died here, and where: nothing may be written to a descriptor,
 * as the bytes a process wrote are counted. */
void crash_role(const char *role, struct flight *flight);

/* Whether $XENSTORED_CRASH_FAULT names this RULE, which is to be broken, or
 * RULE@ROLE, and this process has that role: a test that does not find it is
 * none. */
bool crash_fault(const char *rule);
#else
#define CRASH_POINT() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define crash_role(role, flight) ((void)0)
#define crash_fault(rule) false
#endif

#endif
