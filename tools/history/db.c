/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/history/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/paths.h"

enum { BUSY_MS = 5000 };

const char *const history_what_name[HISTORY_WHATS] = {
	[HISTORY_MADE] = "made",
	[HISTORY_WRITTEN] = "written",
	[HISTORY_PERMITTED] = "permitted",
	[HISTORY_REMOVED] = "removed",
};

/* clang-format off */
/* The rows that history_acts() and history_act() give, as read.c takes them. */
#define ACT_COLUMNS \
	"a.id, a.log, a.seq, a.time, a.who, w.kind, w.domid, w.unique_id," \
	" w.uid, w.pid, w.command, a.op, a.txn, p.path, a.error, a.why_op," \
	" y.path, a.why_act, a.quota, a.quota_domid, a.quota_value," \
	" a.quota_limit, a.note," \
	" (SELECT count(*) FROM change WHERE act = a.id)," \
	" z.log, z.seq, z.time, z.op, z.txn, v.kind, v.domid, v.unique_id," \
	" v.uid, v.pid, v.command" \
	" FROM act a JOIN who w ON w.id = a.who" \
	" LEFT JOIN path p ON p.id = a.path" \
	" LEFT JOIN path y ON y.id = a.why_path" \
	" LEFT JOIN act z ON z.id = a.why_act" \
	" LEFT JOIN who v ON v.id = z.who"
#define CHANGE_COLUMNS \
	"c.id, c.act, p.path, c.what, c.born, c.old_digest, c.new_digest," \
	" c.size, c.value, c.perms, b.id, b.value, b.size, b.perms"
/* One step back in an index, however many changes the node has seen. */
#define BEFORE \
	" LEFT JOIN change b ON b.id = (SELECT id FROM change" \
	"  WHERE path = c.path AND act <= c.act AND id < c.id" \
	"  ORDER BY act DESC, id DESC LIMIT 1)"

static const char *const statement[DB_STATEMENTS] = {
	[DB_BEGIN] = "BEGIN",
	[DB_COMMIT] = "COMMIT",
	[DB_ROLLBACK] = "ROLLBACK",
	[DB_FIND_LOG] = "SELECT id FROM log WHERE epoch = ?1",
	[DB_ADD_LOG] = "INSERT INTO log (epoch, since) VALUES (?1, ?2)",
	[DB_ADD_WHO] =
	    "INSERT INTO who (kind, domid, unique_id, uid, pid, command)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[DB_FIND_PATH] = "SELECT id FROM path WHERE path = ?1",
	[DB_ADD_PATH] = "INSERT INTO path (path) VALUES (?1)",
	[DB_LAST_CHANGE_ACT] =
	    "SELECT act FROM change WHERE path = ?1"
	    " ORDER BY act DESC, id DESC LIMIT 1",
	/* a child of ?1 was made or removed */
	[DB_LAST_KID_ACT] =
	    "SELECT c.act FROM change c JOIN path p ON p.id = c.path"
	    " WHERE p.path >= ?1 || '/' AND p.path < ?1 || '0'"
	    " AND c.what IN ('made', 'removed')"
	    " AND instr(substr(p.path, length(?1) + 2), '/') = 0"
	    " ORDER BY c.act DESC LIMIT 1",
	[DB_ADD_ACT] =
	    "INSERT INTO act (log, seq, time, who, op, txn, path, error,"
	    " why_op, why_path, why_act, quota, quota_domid, quota_value,"
	    " quota_limit, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
	    " ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
	[DB_ADD_CHANGE] =
	    "INSERT INTO change (act, path, what, born, old_digest, new_digest,"
	    " size, value, perms) VALUES (?1, ?2, ?3, CASE WHEN ?3 = 'made'"
	    "  THEN (SELECT coalesce(max(id), 0) + 1 FROM change)"
	    "  ELSE coalesce((SELECT born FROM change WHERE path = ?2"
	    "   ORDER BY act DESC, id DESC LIMIT 1), 0) END,"
	    " ?4, ?5, ?6, ?7, ?8)",
	[DB_SET_MARK] =
	    "INSERT INTO mark (name, value) VALUES (?1, ?2)"
	    " ON CONFLICT (name) DO UPDATE SET value = ?2",
	[DB_GET_MARK] = "SELECT value FROM mark WHERE name = ?1",
	[DB_LAST_ACT] = "SELECT coalesce(max(id), 0) FROM act",
	[DB_LAST_LOG] = "SELECT coalesce(max(id), 0) FROM log",
	[DB_ACT_AT_SEQ] =
	    "SELECT id FROM act WHERE log = ?1 AND seq <= ?2"
	    " ORDER BY seq DESC, id DESC LIMIT 1",
	[DB_ACT_AT_TIME] =
	    /* times need not rise as ids do: clocks are set, and a SNAPSHOT is
	     * younger than what the log still has of before */
	    "SELECT id FROM act WHERE time <= ?1 ORDER BY id DESC LIMIT 1",
	/* the ?2-th act after the horizon, or the first that is not older */
	[DB_FORGET_TO] =
	    "SELECT min(coalesce((SELECT id FROM act WHERE id >= ?3"
	    "   ORDER BY id LIMIT 1 OFFSET ?2), 9223372036854775807),"
	    "  coalesce((SELECT id FROM act WHERE id >= ?3 AND time >= ?1"
	    "   ORDER BY id LIMIT 1), 9223372036854775807),"
	    "  (SELECT coalesce(max(id), 0) FROM act))",
	/* of the nodes that the acts from ?2 up to ?1 are about, all but what
	 * they were before ?1 */
	[DB_FORGET_CHANGES] =
	    "DELETE FROM change WHERE id IN (SELECT o.id FROM"
	    "  (SELECT DISTINCT path FROM change WHERE act >= ?2 AND act < ?1) w"
	    "  JOIN change o ON o.path = w.path AND o.act < ?1"
	    "  WHERE o.what = 'removed' OR o.id <> (SELECT id FROM change n"
	    "   WHERE n.path = w.path AND n.act < ?1"
	    "   ORDER BY n.act DESC, n.id DESC LIMIT 1))",
	[DB_FORGET_ACTS] =
	    "DELETE FROM act WHERE id >= ?2 AND id < ?1 AND NOT EXISTS"
	    "  (SELECT 1 FROM change WHERE act = act.id)",
	[DB_FORGET_PATHS] =
	    "DELETE FROM path WHERE id NOT IN (SELECT path FROM change)"
	    " AND id NOT IN (SELECT path FROM act WHERE path NOT NULL)"
	    " AND id NOT IN (SELECT why_path FROM act WHERE why_path NOT NULL)",
	[DB_FORGET_WHO] =
	    "DELETE FROM who WHERE id NOT IN (SELECT who FROM act)",
	[DB_VACUUM] = "PRAGMA incremental_vacuum",
	[DB_SIZE] =
	    "SELECT (c.page_count - f.freelist_count) * s.page_size"
	    " FROM pragma_page_count c, pragma_freelist_count f,"
	    " pragma_page_size s",
	[DB_ACT] = "SELECT " ACT_COLUMNS " WHERE a.id = ?1",
	[DB_CHANGES] =
	    "SELECT " CHANGE_COLUMNS " FROM change c"
	    " JOIN path p ON p.id = c.path" BEFORE
	    " WHERE c.act = ?2 AND (?3 OR" DB_BELOW ") ORDER BY p.path, c.id",
	[DB_NODE] =
	    "SELECT " CHANGE_COLUMNS " FROM path p JOIN change c ON c.id ="
	    "  (SELECT id FROM change WHERE path = p.id AND act <= ?2"
	    "   ORDER BY act DESC, id DESC LIMIT 1)" BEFORE
	    " WHERE p.path = ?1",
	[DB_EVERY_CHANGE] =
	    "SELECT " CHANGE_COLUMNS " FROM path p JOIN change c"
	    " ON c.path = p.id" BEFORE
	    " WHERE p.path = ?1 AND c.act <= ?2 ORDER BY c.id",
	[DB_TREE] =
	    "SELECT " CHANGE_COLUMNS " FROM path p JOIN change c ON c.id ="
	    "  (SELECT id FROM change WHERE path = p.id AND act <= ?2"
	    "   ORDER BY act DESC, id DESC LIMIT 1)" BEFORE
	    " WHERE" DB_BELOW " AND (?3 OR c.what <> 'removed')"
	    " ORDER BY p.path",
};
/* clang-format on */

bool
db_failed(struct history *h)
{
	snprintf(h->why, sizeof(h->why), "%s", sqlite3_errmsg(h->db));
	return false;
}

const char *
history_error(const struct history *h)
{
	return h->why;
}

sqlite3_stmt *
db_stmt(struct history *h, enum db_statement which)
{
	sqlite3_stmt **stmt = &h->stmt[which];

	if (*stmt == NULL &&
	    sqlite3_prepare_v3(h->db, statement[which], -1,
		SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK) {
		db_failed(h);
		return NULL;
	}
	sqlite3_reset(*stmt);
	sqlite3_clear_bindings(*stmt);
	return *stmt;
}

bool
db_run(struct history *h, sqlite3_stmt *stmt)
{
	int rc = stmt != NULL ? sqlite3_step(stmt) : SQLITE_ERROR;

	if (stmt == NULL)
		return false;
	while (rc == SQLITE_ROW)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_DONE)
		db_failed(h);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE;
}

int
db_number(struct history *h, sqlite3_stmt *stmt, int64_t *value_out)
{
	int rc;

	if (stmt == NULL)
		return -1;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*value_out = sqlite3_column_int64(stmt, 0);
	else if (rc != SQLITE_DONE)
		db_failed(h);
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

/* --- opening --- */

const char *
history_default_path(void)
{
	static char path[4096];
	const char *given = getenv("XENSTORE_HISTORY");

	if (given != NULL && given[0] != '\0')
		return given;
	if (paths_join(path, sizeof(path), PATHS_LOG, "%s", HISTORY_FILE) != 0)
		return HISTORY_FILE;
	return path;
}

static bool
refuse(char *why, const char *path, const char *text)
{
	snprintf(why, HISTORY_WHY_SIZE, "%.120s: %.120s", path, text);
	return false;
}

/* The version of the schema in the file; -1 on error, 0 for a new file. */
static int
version(sqlite3 *db)
{
	sqlite3_stmt *stmt;
	int n = -1;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL) !=
	    SQLITE_OK)
		return -1;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

static bool
check_version(sqlite3 *db, const char *path, char *why)
{
	int n = version(db);

	if (n == HISTORY_VERSION)
		return true;
	if (n < 0)
		return refuse(why, path, sqlite3_errmsg(db));
	if (n == 0)
		return refuse(why, path, "this is no history of a store");
	snprintf(why, HISTORY_WHY_SIZE,
	    "%.120s: a history of version %d; this program knows %d", path, n,
	    HISTORY_VERSION);
	return false;
}

/* Whether the file has no table at all. */
static bool
is_new(sqlite3 *db)
{
	sqlite3_stmt *stmt;
	bool none = false;

	if (sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_master", -1, &stmt,
		NULL) == SQLITE_OK)
		none = sqlite3_step(stmt) == SQLITE_DONE;
	sqlite3_finalize(stmt);
	return none;
}

static bool
make(sqlite3 *db, const char *path, char *why)
{
	char *schema = db_schema(), mark[64];
	bool ok;

	if (schema == NULL)
		return refuse(why, path, "no memory");
	snprintf(
	    mark, sizeof(mark), "PRAGMA user_version = %d", HISTORY_VERSION);
	ok = sqlite3_exec(db, "PRAGMA auto_vacuum = INCREMENTAL", NULL, NULL,
		 NULL) == SQLITE_OK &&
	     sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) ==
		 SQLITE_OK &&
	     sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) ==
		 SQLITE_OK &&
	     sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK &&
	     sqlite3_exec(db, mark, NULL, NULL, NULL) == SQLITE_OK &&
	     sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
	free(schema);
	return ok || refuse(why, path, sqlite3_errmsg(db));
}

static struct history *
open_file(const char *path, int flags, char why[HISTORY_WHY_SIZE])
{
	struct history *h = calloc(1, sizeof(*h));
	mode_t mask;
	int rc;

	if (h == NULL) {
		refuse(why, path, "no memory");
		return NULL;
	}
	/* Values may be secrets: nobody else reads it. */
	mask = umask(0077);
	rc = sqlite3_open_v2(path, &h->db, flags, NULL);
	umask(mask);
	if (rc != SQLITE_OK) {
		refuse(why, path,
		    h->db != NULL ? sqlite3_errmsg(h->db) : "no memory");
		history_close(h);
		return NULL;
	}
	sqlite3_busy_timeout(h->db, BUSY_MS);
	return h;
}

struct history *
history_create(const char *path, char why[HISTORY_WHY_SIZE])
{
	struct history *h =
	    open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, why);

	if (h == NULL)
		return NULL;
	/* A history may lose its last moments with the machine: the store
	 * itself does. */
	if (((is_new(h->db) && make(h->db, path, why)) ||
		check_version(h->db, path, why)) &&
	    sqlite3_exec(h->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL) ==
		SQLITE_OK)
		return h;
	history_close(h);
	return NULL;
}

struct history *
history_open(const char *path, char why[HISTORY_WHY_SIZE])
{
	struct history *h;

	if (access(path, F_OK) != 0 && errno == ENOENT) {
		refuse(
		    why, path, "there is no history (does xenhistoryd run?)");
		return NULL;
	}
	h = open_file(path, SQLITE_OPEN_READONLY, why);
	if (h != NULL && !check_version(h->db, path, why)) {
		history_close(h);
		return NULL;
	}
	return h;
}

void
history_close(struct history *h)
{
	int i;

	if (h == NULL)
		return;
	for (i = 0; i < DB_STATEMENTS; i++)
		sqlite3_finalize(h->stmt[i]);
	sqlite3_close(h->db);
	free(h);
}
