/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What was compared: for each operation how often each answer of ours.
 */
#include "diff.h"

#include <stdio.h>
#include <string.h>

enum { OPS = 27, ERRORS = 20 };

static struct {
	char name[16];
	unsigned long n;
} tally[OPS + 1][ERRORS]; /* the last row: no operation at all */

static unsigned
row_of(uint32_t op)
{
	return op < OPS ? op : OPS;
}

void
tally_reply(uint32_t op, const struct reply *ours)
{
	unsigned row = row_of(op), i;
	const char *name = !ours->there		      ? "unsent"
			   : ours->type != WIRE_ERROR ? "OK"
						      : ours->payload;

	for (i = 0; i < ERRORS; i++) {
		if (tally[row][i].n == 0)
			snprintf(tally[row][i].name, sizeof(tally[row][i].name),
			    "%.15s", name);
		if (strcmp(tally[row][i].name, name) == 0) {
			tally[row][i].n++;
			return;
		}
	}
}

/*
 * Every error path of the protocol that a privileged client or a guest can take
 * with the tester's sequences. What is not here and why: ENOMEM and EIO (need
 * faults: tests/unit), EAGAIN of anything but TRANSACTION_END (there is none),
 * EINVAL of SET_TARGET (the others must not be asked), ENOSPC of WATCH and
 * TRANSACTION_START (run
 * --limits).
 */
static const struct {
	uint32_t op;
	const char *errors;
} wanted[] = {
	{ WIRE_CONTROL, "OK EINVAL EACCES ENOENT" },
	{ WIRE_DIRECTORY, "OK EINVAL EACCES ENOENT E2BIG" },
	{ WIRE_READ, "OK EINVAL EACCES ENOENT" },
	{ WIRE_GET_PERMS, "OK EINVAL EACCES ENOENT" },
	{ WIRE_WATCH, "OK EINVAL EEXIST" },
	{ WIRE_UNWATCH, "OK EINVAL ENOENT" },
	{ WIRE_TRANSACTION_START, "OK EBUSY ENOENT" },
	{ WIRE_TRANSACTION_END, "OK EINVAL ENOENT EAGAIN ENOSPC" },
	{ WIRE_INTRODUCE, "OK EINVAL EACCES ENOENT" },
	{ WIRE_RELEASE, "OK EINVAL EACCES ENOENT" },
	{ WIRE_GET_DOMAIN_PATH, "OK EINVAL ENOENT" },
	{ WIRE_WRITE, "OK EINVAL EACCES ENOENT ENOSPC" },
	{ WIRE_MKDIR, "OK EINVAL EACCES ENOENT" },
	{ WIRE_RM, "OK EINVAL EACCES ENOENT" },
	{ WIRE_SET_PERMS, "OK EINVAL EACCES ENOENT EPERM" },
	{ WIRE_WATCH_EVENT, "ENOSYS" },
	{ WIRE_ERROR, "ENOSYS" },
	{ WIRE_IS_DOMAIN_INTRODUCED, "OK EINVAL EACCES ENOENT" },
	{ WIRE_RESUME, "OK EINVAL EACCES ENOENT" },
	{ WIRE_SET_TARGET, "OK EACCES ENOENT" },
	{ WIRE_RESTRICT, "ENOSYS" },
	{ WIRE_RESET_WATCHES, "OK ENOENT" },
	{ WIRE_DIRECTORY_PART, "OK EINVAL EACCES ENOENT" },
	{ WIRE_GET_FEATURE, "OK EINVAL EACCES ENOENT" },
	{ WIRE_SET_FEATURE, "OK EINVAL EACCES ENOENT EBUSY" },
	{ WIRE_GET_QUOTA, "OK EINVAL EACCES ENOENT" },
	{ WIRE_SET_QUOTA, "OK EINVAL EACCES ENOENT" },
};

static bool
was_seen(unsigned row, const char *name, size_t len)
{
	unsigned i;

	for (i = 0; i < ERRORS && tally[row][i].n > 0; i++)
		if (strncmp(tally[row][i].name, name, len) == 0 &&
		    tally[row][i].name[len] == '\0')
			return true;
	return false;
}

/* The answers of LIST that never came, if SAY on stdout. */
static int
missing(uint32_t op, const char *list, bool say)
{
	int n = 0;
	size_t len;

	for (; *list != '\0'; list += len + (list[len] == ' ')) {
		len = strcspn(list, " ");
		if (was_seen(row_of(op), list, len))
			continue;
		if (say)
			printf("  never: %s %.*s\n", wire_op_name(op), (int)len,
			    list);
		n++;
	}
	return n;
}

bool
tally_is_whole(void)
{
	size_t w;

	for (w = 0; w < sizeof(wanted) / sizeof(wanted[0]); w++)
		if (missing(wanted[w].op, wanted[w].errors, false) > 0)
			return false;
	return true;
}

int
tally_print(void)
{
	unsigned row, i;
	size_t w;
	int n = 0;

	for (row = 0; row <= OPS; row++) {
		printf("  %-21s", row == OPS ? "others"
				  : wire_op_name(row) != NULL
				      ? wire_op_name(row)
				      : "20");
		for (i = 0; i < ERRORS && tally[row][i].n > 0; i++)
			printf(" %s %lu", tally[row][i].name, tally[row][i].n);
		printf("\n");
	}
	for (w = 0; w < sizeof(wanted) / sizeof(wanted[0]); w++)
		n += missing(wanted[w].op, wanted[w].errors, true);
	return n;
}
