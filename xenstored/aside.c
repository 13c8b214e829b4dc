/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/aside.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "xenstored/crash_point.h"
#include "xenstored/msg.h"

enum { PATH_SIZE = 4096 };

bool
aside_keep(const char *dir)
{
	/* the log last: without it the others say nothing */
	static const char *const names[] = { "checkpoint.0", "checkpoint.1",
		"flight", "log" };
	char from[PATH_SIZE], to[PATH_SIZE + sizeof(ASIDE_SUFFIX)];
	bool kept = false;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((size_t)snprintf(from, sizeof(from), "%s/%s", dir,
			names[i]) >= sizeof(from))
			return false;
		snprintf(to, sizeof(to), "%s%s", from, ASIDE_SUFFIX);
		kept = rename(from, to) == 0;
		if (!kept && errno != ENOENT)
			msg_warn("cannot keep %s as %s", from, to);
		CRASH_POINT();
	}
	return kept;
}
