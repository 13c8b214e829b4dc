/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of the history share: the file and its prepared statements.
 */
#ifndef TOOLS_HISTORY_DB_H
#define TOOLS_HISTORY_DB_H

#include <sqlite3.h>

#include "tools/history/history.h"

/* Statements that are kept; their text is in db.c. */
enum db_statement {
	DB_BEGIN,
	DB_COMMIT,
	DB_ROLLBACK,
	DB_FIND_LOG,
	DB_ADD_LOG,
	DB_ADD_WHO,
	DB_FIND_PATH,
	DB_ADD_PATH,
	DB_LAST_CHANGE_ACT,
	DB_LAST_KID_ACT,
	DB_ADD_ACT,
	DB_ADD_CHANGE,
	DB_SET_MARK,
	DB_GET_MARK,
	DB_LAST_ACT,
	DB_LAST_LOG,
	DB_ACT_AT_SEQ,
	DB_ACT_AT_TIME,
	DB_FORGET_TO,
	DB_FORGET_CHANGES,
	DB_FORGET_ACTS,
	DB_FORGET_PATHS,
	DB_FORGET_WHO,
	DB_VACUUM,
	DB_SIZE,
	DB_ACT,
	DB_CHANGES,
	DB_TREE,
	DB_NODE,
	DB_EVERY_CHANGE,
	DB_STATEMENTS
};

/* PATH and what is below it; ?1 is the path without the slash of the root. */
#define DB_BELOW                                                               \
	" (p.path = ?1 OR (p.path >= ?1 || '/' AND p.path < ?1 || '0'))"

struct history {
	sqlite3 *db;
	sqlite3_stmt *stmt[DB_STATEMENTS];
	char why[HISTORY_WHY_SIZE];
};

/* The schema as one string; the caller frees it. NULL: no memory. */
char *db_schema(void);

/* The statement, reset and without arguments. NULL: see h->why. */
sqlite3_stmt *db_stmt(struct history *h, enum db_statement which);

/* Runs STMT, whose arguments are bound, and wants no row. */
bool db_run(struct history *h, sqlite3_stmt *stmt);

/* Runs STMT for its first row: 1, 0 (none; *VALUE_OUT stays), -1 error. */
int db_number(struct history *h, sqlite3_stmt *stmt, int64_t *value_out);

/* Keeps sqlite's words for what went wrong; false. */
bool db_failed(struct history *h);

#endif
