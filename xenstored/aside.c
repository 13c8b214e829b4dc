/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/aside.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "xenstored/crash_point.h"
#include "xenstored/msg.h"

enum { PATH_SIZE = 4096, NAMES = 4 };

/* The log last: without it the others say nothing. */
static const char *const names[NAMES] = { "checkpoint.0", "checkpoint.1",
	"flight", "log" };

/* NAME in DIR, and the name it is kept under. */
static bool
name_both(const char *dir, const char *name, char from[PATH_SIZE],
    char to[PATH_SIZE + sizeof(ASIDE_SUFFIX)])
{
	if ((size_t)snprintf(from, PATH_SIZE, "%s/%s", dir, name) >= PATH_SIZE)
		return false;
	snprintf(
	    to, PATH_SIZE + sizeof(ASIDE_SUFFIX), "%s%s", from, ASIDE_SUFFIX);
	return true;
}

/* Removes what was kept, except where no log was: then that was not kept to
 * the end, and is a part of what is there now. */
static void
remove_older(const char *dir)
{
	char from[PATH_SIZE], to[PATH_SIZE + sizeof(ASIDE_SUFFIX)];
	size_t i;

	if (!name_both(dir, "log", from, to) || access(to, F_OK) != 0)
		return;
	for (i = 0; i < NAMES; i++) {
		if (name_both(dir, names[i], from, to))
			(void)unlink(to);
		CRASH_POINT();
	}
}

void
aside_keep(const char *dir)
{
	char from[PATH_SIZE], to[PATH_SIZE + sizeof(ASIDE_SUFFIX)];
	bool older = true, kept = false;
	size_t i;

	for (i = 0; i < NAMES; i++) {
		if (!name_both(dir, names[i], from, to))
			return;
		if (access(from, F_OK) != 0)
			continue;
		if (older)
			remove_older(dir);
		older = false;
		if (rename(from, to) == 0)
			kept = true;
		else
			msg_warn("cannot keep %s as %s", from, to);
		CRASH_POINT();
	}
	if (kept)
		msg_info("what the daemon before left in %s is kept there as "
			 "*" ASIDE_SUFFIX,
		    dir);
}

bool
aside_drop(const char *dir)
{
	char from[PATH_SIZE], to[PATH_SIZE + sizeof(ASIDE_SUFFIX)];
	bool dropped = false;
	size_t i;

	for (i = 0; i < NAMES; i++)
		if (name_both(dir, names[i], from, to) && unlink(to) == 0)
			dropped = true;
	if (dropped)
		msg_warnx("there is no room in %s: what was kept there as "
			  "*" ASIDE_SUFFIX " was removed",
		    dir);
	return dropped;
}
