/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program of tomorrow, for tests of how ours get on with it: it writes what
 * this one does not know. Nothing of it is in the daemon that is installed;
 * xenstored-next is built with XENSTORED_NEXT, xenstored-later with another
 * LOG_VERSION, too.
 *
 * $XENSTORED_NEXT says what it writes: "optional", what others may skip;
 * "part", a part of an image that they may not; "record", such a record.
 */
#ifndef XENSTORED_NEXT_H
#define XENSTORED_NEXT_H

#ifdef XENSTORED_NEXT
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool
next_writes(const char *what)
{
	const char *all = getenv("XENSTORED_NEXT");

	return all != NULL && strstr(all, what) != NULL;
}
#else
#define next_writes(what) false
#endif

#endif
