/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who the connections are, by their numbers. Knows nothing else.
 */
#ifndef TOOLS_XENHISTORYD_KNOWN_H
#define TOOLS_XENHISTORYD_KNOWN_H

#include <stdint.h>

#include "tools/history/history.h"

struct known {
	struct known *next;
	uint32_t conn;
	int64_t id; /* of the row, 0: there is none yet */
	struct history_who who;
};

enum { KNOWN_LISTS = 1024 };

struct known_table {
	struct known *list[KNOWN_LISTS];
};

/* NULL: there is none. */
struct known *known_find(const struct known_table *table, uint32_t conn);

/* CONN, which is not in the table. NULL: no memory. */
struct known *known_add(
    struct known_table *table, uint32_t conn, const struct history_who *who);

/* The rows may be gone: they are made again. */
void known_unwrite(struct known_table *table);

void known_forget(struct known_table *table, uint32_t conn);
void known_forget_all(struct known_table *table);

#endif
