/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "tools/history/db.h"

bool
history_begin(struct history *h)
{
	return db_run(h, db_stmt(h, DB_BEGIN));
}

bool
history_commit(struct history *h)
{
	return db_run(h, db_stmt(h, DB_COMMIT));
}

void
history_rollback(struct history *h)
{
	if (!sqlite3_get_autocommit(h->db))
		(void)db_run(h, db_stmt(h, DB_ROLLBACK));
}

static void
bind_text(sqlite3_stmt *stmt, int i, const char *text)
{
	if (text != NULL)
		sqlite3_bind_text(stmt, i, text, -1, SQLITE_STATIC);
}

/* --- who and where --- */

bool
history_log(struct history *h, uint64_t epoch, int64_t time, int64_t *id_out)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_FIND_LOG);
	int found;

	if (stmt == NULL)
		return false;
	sqlite3_bind_int64(stmt, 1, (int64_t)epoch);
	found = db_number(h, stmt, id_out);
	if (found != 0)
		return found > 0;
	stmt = db_stmt(h, DB_ADD_LOG);
	if (stmt == NULL)
		return false;
	sqlite3_bind_int64(stmt, 1, (int64_t)epoch);
	sqlite3_bind_int64(stmt, 2, time);
	if (!db_run(h, stmt))
		return false;
	*id_out = sqlite3_last_insert_rowid(h->db);
	return true;
}

bool
history_add_who(
    struct history *h, const struct history_who *who, int64_t *id_out)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_ADD_WHO);

	if (stmt == NULL)
		return false;
	bind_text(stmt, 1, who->kind);
	sqlite3_bind_int64(stmt, 2, who->domid);
	sqlite3_bind_int64(stmt, 3, (int64_t)who->unique_id);
	if (who->uid >= 0)
		sqlite3_bind_int64(stmt, 4, who->uid);
	if (who->pid >= 0)
		sqlite3_bind_int64(stmt, 5, who->pid);
	if (who->command[0] != '\0')
		bind_text(stmt, 6, who->command);
	if (!db_run(h, stmt))
		return false;
	*id_out = sqlite3_last_insert_rowid(h->db);
	return true;
}

/* The id of PATH, 0 for NULL. */
static bool
path_id(struct history *h, const char *path, int64_t *id_out)
{
	sqlite3_stmt *stmt;
	int found;

	*id_out = 0;
	if (path == NULL)
		return true;
	stmt = db_stmt(h, DB_FIND_PATH);
	if (stmt == NULL)
		return false;
	bind_text(stmt, 1, path);
	found = db_number(h, stmt, id_out);
	if (found != 0)
		return found > 0;
	stmt = db_stmt(h, DB_ADD_PATH);
	if (stmt == NULL)
		return false;
	bind_text(stmt, 1, path);
	if (!db_run(h, stmt))
		return false;
	*id_out = sqlite3_last_insert_rowid(h->db);
	return true;
}

static void
bind_id(sqlite3_stmt *stmt, int i, int64_t id)
{
	if (id != 0)
		sqlite3_bind_int64(stmt, i, id);
}

/* The act that last gave PATH other children. */
static bool
last_kid_act(struct history *h, const char *path, int64_t *act_out)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_LAST_KID_ACT);

	if (stmt == NULL)
		return false;
	bind_text(stmt, 1, strcmp(path, "/") == 0 ? "" : path);
	return db_number(h, stmt, act_out) >= 0;
}

static bool
last_change_act(struct history *h, int64_t path, int64_t *act_out)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_LAST_CHANGE_ACT);

	if (stmt == NULL)
		return false;
	sqlite3_bind_int64(stmt, 1, path);
	return db_number(h, stmt, act_out) >= 0;
}

/* The act that is why ACT's transaction failed, as far as the history knows; 0:
 * it does not. PATH is the id of ACT->why_path. */
static bool
find_why(struct history *h, struct history_act *act, int64_t path)
{
	act->why_act = 0;
	if (path == 0)
		return true;
	if (strncmp(act->why_op, "DIRECTORY", 9) == 0 &&
	    !last_kid_act(h, act->why_path, &act->why_act))
		return false;
	return act->why_act != 0 || last_change_act(h, path, &act->why_act);
}

bool
history_add_act(struct history *h, struct history_act *act)
{
	int64_t path, why_path;
	sqlite3_stmt *stmt;

	if (!path_id(h, act->path, &path) ||
	    !path_id(h, act->why_path, &why_path) ||
	    !find_why(h, act, why_path))
		return false;
	stmt = db_stmt(h, DB_ADD_ACT);
	if (stmt == NULL)
		return false;
	sqlite3_bind_int64(stmt, 1, act->log);
	sqlite3_bind_int64(stmt, 2, (int64_t)act->seq);
	sqlite3_bind_int64(stmt, 3, act->time);
	sqlite3_bind_int64(stmt, 4, act->who_id);
	bind_text(stmt, 5, act->op);
	sqlite3_bind_int64(stmt, 6, act->txn);
	bind_id(stmt, 7, path);
	bind_text(stmt, 8, act->error);
	bind_text(stmt, 9, act->why_op);
	bind_id(stmt, 10, why_path);
	bind_id(stmt, 11, act->why_act);
	if (act->quota != NULL) {
		bind_text(stmt, 12, act->quota);
		sqlite3_bind_int64(stmt, 13, act->quota_domid);
		sqlite3_bind_int64(stmt, 14, act->quota_value);
		sqlite3_bind_int64(stmt, 15, act->quota_limit);
	}
	bind_text(stmt, 16, act->note);
	if (!db_run(h, stmt))
		return false;
	act->id = sqlite3_last_insert_rowid(h->db);
	return true;
}

bool
history_add_change(struct history *h, const struct history_change *change)
{
	sqlite3_stmt *stmt;
	int64_t path;

	if (!path_id(h, change->path, &path))
		return false;
	stmt = db_stmt(h, DB_ADD_CHANGE);
	if (stmt == NULL)
		return false;
	sqlite3_bind_int64(stmt, 1, change->act);
	sqlite3_bind_int64(stmt, 2, path);
	bind_text(stmt, 3, history_what_name[change->what]);
	if (change->has_old)
		sqlite3_bind_int64(stmt, 4, (int64_t)change->old_digest);
	if (change->has_new)
		sqlite3_bind_int64(stmt, 5, (int64_t)change->new_digest);
	sqlite3_bind_int64(stmt, 6, (int64_t)change->size);
	if (change->value != NULL)
		sqlite3_bind_blob64(
		    stmt, 7, change->value, change->value_len, SQLITE_STATIC);
	bind_text(stmt, 8, change->perms);
	return db_run(h, stmt);
}

bool
history_set_mark(struct history *h, const char *name, int64_t value)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_SET_MARK);

	if (stmt == NULL)
		return false;
	bind_text(stmt, 1, name);
	sqlite3_bind_int64(stmt, 2, value);
	return db_run(h, stmt);
}

/* --- forgetting --- */

bool
history_size(struct history *h, int64_t *bytes_out)
{
	return db_number(h, db_stmt(h, DB_SIZE), bytes_out) > 0;
}

/* Runs WHICH with the arguments A and B. */
static bool
run2(struct history *h, enum db_statement which, int64_t a, int64_t b)
{
	sqlite3_stmt *stmt = db_stmt(h, which);

	if (stmt == NULL)
		return false;
	sqlite3_bind_int64(stmt, 1, a);
	sqlite3_bind_int64(stmt, 2, b);
	return db_run(h, stmt);
}

bool
history_forget(struct history *h, int64_t time, int64_t max, int64_t *n_out)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_FORGET_TO);
	int64_t horizon = 1, to = 0; /* the first act has id 1 */

	*n_out = 0;
	if (stmt == NULL || !history_mark(h, "horizon", &horizon))
		return false;
	sqlite3_bind_int64(stmt, 1, time);
	sqlite3_bind_int64(stmt, 2, max);
	sqlite3_bind_int64(stmt, 3, horizon);
	if (db_number(h, stmt, &to) < 0)
		return false;
	if (to <= horizon)
		return true;
	if (!run2(h, DB_FORGET_CHANGES, to, horizon) ||
	    !run2(h, DB_FORGET_ACTS, to, horizon) ||
	    !history_set_mark(h, "horizon", to))
		return false;
	*n_out = to - horizon;
	return true;
}

bool
history_tidy(struct history *h)
{
	int64_t horizon = 0;

	return history_mark(h, "horizon", &horizon) &&
	       run2(h, DB_FORGET_ACTS, horizon, 0) &&
	       db_run(h, db_stmt(h, DB_FORGET_WHO)) &&
	       db_run(h, db_stmt(h, DB_FORGET_PATHS)) &&
	       db_run(h, db_stmt(h, DB_VACUUM));
}
