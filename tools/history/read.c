/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/history/db.h"

bool
history_mark(struct history *h, const char *name, int64_t *value_out)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_GET_MARK);

	if (stmt == NULL)
		return false;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	return db_number(h, stmt, value_out) >= 0;
}

bool
history_last_act(struct history *h, int64_t *id_out)
{
	return db_number(h, db_stmt(h, DB_LAST_ACT), id_out) > 0;
}

bool
history_newest_log(struct history *h, int64_t *id_out)
{
	return db_number(h, db_stmt(h, DB_LAST_LOG), id_out) > 0;
}

/* --- rows --- */

static const char *
text(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

static void
copy_text(char *buf, size_t size, sqlite3_stmt *stmt, int column)
{
	const char *from = text(stmt, column);

	snprintf(buf, size, "%s", from != NULL ? from : "");
}

static int64_t
number(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt, column);
}

/* -1 for NULL. */
static int64_t
number_or_none(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) != SQLITE_NULL
		   ? sqlite3_column_int64(stmt, column)
		   : -1;
}

/* Six columns from the one with the kind on. */
static struct history_who
who_of_row(sqlite3_stmt *stmt, int column)
{
	struct history_who who = {
		.domid = number(stmt, column + 1),
		.unique_id = (uint64_t)number(stmt, column + 2),
		.uid = number_or_none(stmt, column + 3),
		.pid = number_or_none(stmt, column + 4),
	};

	copy_text(who.kind, sizeof(who.kind), stmt, column);
	copy_text(who.command, sizeof(who.command), stmt, column + 5);
	return who;
}

/* A row of ACT_COLUMNS, valid until the next step of STMT. */
static struct history_act
act_of_row(sqlite3_stmt *stmt)
{
	struct history_act act = {
		.id = number(stmt, 0),
		.log = number(stmt, 1),
		.seq = (uint64_t)number(stmt, 2),
		.time = number(stmt, 3),
		.who_id = number(stmt, 4),
		.who = who_of_row(stmt, 5),
		.op = text(stmt, 11),
		.txn = (uint32_t)number(stmt, 12),
		.path = text(stmt, 13),
		.error = text(stmt, 14),
		.why_op = text(stmt, 15),
		.why_path = text(stmt, 16),
		.why_act = number(stmt, 17),
		.quota = text(stmt, 18),
		.quota_domid = number(stmt, 19),
		.quota_value = number(stmt, 20),
		.quota_limit = number(stmt, 21),
		.note = text(stmt, 22),
		.n_changes = number(stmt, 23),
	};

	if (act.why_act == 0)
		return act;
	act.why.log = number(stmt, 24);
	act.why.seq = (uint64_t)number(stmt, 25);
	act.why.time = number(stmt, 26);
	act.why.op = text(stmt, 27);
	act.why.txn = (uint32_t)number(stmt, 28);
	act.why.who = who_of_row(stmt, 29);
	return act;
}

static enum history_what
what_of_name(const char *name)
{
	int what = HISTORY_WHATS - 1;

	while (name != NULL && what > 0 &&
	       strcmp(history_what_name[what], name) != 0)
		what--;
	return (enum history_what)what;
}

/* *DATA_OUT is not NULL if the column is not. */
static void
blob(sqlite3_stmt *stmt, int column, const void **data_out, size_t *len_out)
{
	const void *data = sqlite3_column_blob(stmt, column);

	*len_out = (size_t)sqlite3_column_bytes(stmt, column);
	if (data == NULL && sqlite3_column_type(stmt, column) != SQLITE_NULL)
		data = ""; /* an empty one */
	*data_out = data;
}

/* A row of CHANGE_COLUMNS, valid until the next step of STMT. */
static struct history_change
change_of_row(sqlite3_stmt *stmt)
{
	struct history_change c = {
		.id = number(stmt, 0),
		.act = number(stmt, 1),
		.path = text(stmt, 2),
		.what = what_of_name(text(stmt, 3)),
		.born = number(stmt, 4),
		.has_old = sqlite3_column_type(stmt, 5) != SQLITE_NULL,
		.has_new = sqlite3_column_type(stmt, 6) != SQLITE_NULL,
		.old_digest = (uint64_t)number(stmt, 5),
		.new_digest = (uint64_t)number(stmt, 6),
		.size = (uint64_t)number(stmt, 7),
		.perms = text(stmt, 9),
		.before_size = (uint64_t)number(stmt, 12),
		.before_perms = text(stmt, 13),
	};

	blob(stmt, 8, &c.value, &c.value_len);
	/* What stood there before it was removed is not before this node. */
	c.has_before = c.has_old && number(stmt, 10) != 0;
	if (c.has_before)
		blob(stmt, 11, &c.before, &c.before_len);
	return c;
}

static bool
each_act(struct history *h, sqlite3_stmt *stmt, history_act_fn *fn, void *ctx)
{
	struct history_act act;
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		act = act_of_row(stmt);
		if (!fn(ctx, &act)) {
			rc = SQLITE_DONE;
			break;
		}
	}
	if (rc != SQLITE_DONE)
		db_failed(h);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE;
}

static bool
each_change(
    struct history *h, sqlite3_stmt *stmt, history_change_fn *fn, void *ctx)
{
	struct history_change change;
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		change = change_of_row(stmt);
		if (!fn(ctx, &change)) {
			rc = SQLITE_DONE;
			break;
		}
	}
	if (rc != SQLITE_DONE)
		db_failed(h);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE;
}

/* --- acts --- */

bool
history_act(struct history *h, int64_t id, history_act_fn *fn, void *ctx)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_ACT);

	if (stmt == NULL)
		return false;
	sqlite3_bind_int64(stmt, 1, id);
	return each_act(h, stmt, fn, ctx);
}

/* ?1 of BELOW: the root is "" there. */
static void
bind_below(sqlite3_stmt *stmt, const char *path)
{
	if (path == NULL || strcmp(path, "/") == 0)
		path = "";
	sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
}

/* clang-format off */
/* Acts that changed something at ?1 or below: for all acts, and for few. */
#define CHANGED_BELOW \
	" AND (a.id IN (SELECT c.act FROM change c JOIN path p" \
	"  ON p.id = c.path WHERE" DB_BELOW ")"
#define CHANGES_BELOW \
	" AND (EXISTS (SELECT 1 FROM change c JOIN path p" \
	"  ON p.id = c.path WHERE c.act = a.id AND" DB_BELOW ")"
#define ASKED_BELOW \
	" OR (SELECT" DB_BELOW " FROM path p WHERE p.id = a.path)" \
	" OR (SELECT" DB_BELOW " FROM path p WHERE p.id = a.why_path))"
/* clang-format on */

/* Ids in the order of the filter, by a statement made for it. */
static sqlite3_stmt *
filter_stmt(struct history *h, const struct history_filter *f)
{
	sqlite3_stmt *stmt = NULL;
	const char *below = "";
	char sql[1536];

	if (f->path != NULL)
		below = f->after > 0 ? CHANGES_BELOW ASKED_BELOW
				     : CHANGED_BELOW ASKED_BELOW;
	snprintf(sql, sizeof(sql),
	    "SELECT id FROM (SELECT a.id FROM act a JOIN who w ON w.id = a.who"
	    " WHERE a.id > ?2%s%s%s%s ORDER BY a.id DESC%s) ORDER BY 1",
	    f->domid >= 0 ? " AND w.domid = ?3" : "",
	    f->refused ? " AND a.error IS NOT NULL" : "",
	    f->txn != 0 ? " AND a.txn = ?5" : "", below,
	    f->last > 0 ? " LIMIT ?4" : "");
	if (sqlite3_prepare_v2(h->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
		db_failed(h);
		return NULL;
	}
	bind_below(stmt, f->path);
	sqlite3_bind_int64(stmt, 2, f->after);
	sqlite3_bind_int64(stmt, 3, f->domid);
	sqlite3_bind_int64(stmt, 4, f->last);
	sqlite3_bind_int64(stmt, 5, f->txn);
	return stmt;
}

/* Takes FN's answer out through history_act(). */
struct stop {
	history_act_fn *fn;
	void *ctx;
	bool stop;
};

static bool
forward(void *ctx, const struct history_act *act)
{
	struct stop *s = ctx;

	s->stop = !s->fn(s->ctx, act);
	return true;
}

bool
history_acts(struct history *h, const struct history_filter *filter,
    history_act_fn *fn, void *ctx)
{
	sqlite3_stmt *stmt = filter_stmt(h, filter);
	struct stop s = { fn, ctx, false };
	int rc = SQLITE_DONE;
	bool ok = true;

	if (stmt == NULL)
		return false;
	while (ok && !s.stop && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		ok = history_act(h, number(stmt, 0), forward, &s);
	if (ok && !s.stop && rc != SQLITE_DONE)
		ok = db_failed(h);
	sqlite3_finalize(stmt);
	return ok;
}

/* --- changes --- */

bool
history_changes(struct history *h, int64_t id, const char *path,
    history_change_fn *fn, void *ctx)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_CHANGES);

	if (stmt == NULL)
		return false;
	bind_below(stmt, path);
	sqlite3_bind_int64(stmt, 2, id);
	sqlite3_bind_int(stmt, 3, path == NULL);
	return each_change(h, stmt, fn, ctx);
}

bool
history_every_change(struct history *h, const char *path, int64_t at,
    history_change_fn *fn, void *ctx)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_EVERY_CHANGE);

	if (stmt == NULL)
		return false;
	sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, at);
	return each_change(h, stmt, fn, ctx);
}

bool
history_node(struct history *h, const char *path, int64_t at,
    history_change_fn *fn, void *ctx)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_NODE);

	if (stmt == NULL)
		return false;
	sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, at);
	return each_change(h, stmt, fn, ctx);
}

bool
history_tree(struct history *h, const char *path, int64_t at, bool gone,
    history_change_fn *fn, void *ctx)
{
	sqlite3_stmt *stmt = db_stmt(h, DB_TREE);

	if (stmt == NULL)
		return false;
	bind_below(stmt, path);
	sqlite3_bind_int64(stmt, 2, at);
	sqlite3_bind_int(stmt, 3, gone);
	return each_change(h, stmt, fn, ctx);
}
