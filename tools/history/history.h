/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The history of the store in its file, schema/history.sql. One process writes
 * it, any number read it. Knows sqlite and the schema; knows no log, state
 * machine or terminal.
 */
#ifndef TOOLS_HISTORY_HISTORY_H
#define TOOLS_HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_FILE "xenstore-history.db" /* in XEN_LOG_DIR */

enum {
	HISTORY_VERSION = 1,
	HISTORY_WHY_SIZE = 256,
	HISTORY_PERMS_SIZE = 4096, /* of any permissions as text */
};

struct history;

/* Who did something; what is not known is -1 or "". */
struct history_who {
	char kind[12]; /* socket ring hypervisor unknown */
	int64_t domid;
	uint64_t unique_id;
	int64_t uid, pid;
	char command[32];
};

/* Something that happened. Strings are the caller's; NULL: there is none. */
struct history_act {
	int64_t id;
	int64_t log;
	uint64_t seq;
	int64_t time; /* ms since 1970 */
	int64_t who_id;
	struct history_who who; /* as read; not looked at when written */
	const char *op;
	uint32_t txn;
	const char *path;
	const char *error;
	const char *why_op, *why_path;
	int64_t why_act; /* 0: unknown; found when it is written */
	struct {	 /* as read: of that act */
		int64_t log;
		uint64_t seq;
		int64_t time;
		const char *op;
		uint32_t txn;
		struct history_who who;
	} why;
	const char *quota;
	int64_t quota_domid, quota_value, quota_limit;
	const char *note;
	int64_t n_changes; /* as read */
};

enum history_what {
	HISTORY_MADE,
	HISTORY_WRITTEN,
	HISTORY_PERMITTED,
	HISTORY_REMOVED,
	HISTORY_WHATS
};

extern const char *const history_what_name[HISTORY_WHATS];

/* What an act did to one node. */
struct history_change {
	int64_t id, act;
	const char *path;
	enum history_what what;
	int64_t born;
	bool has_old, has_new;
	uint64_t old_digest, new_digest;
	uint64_t size;
	const void *value; /* NULL: none, or too long to be kept */
	size_t value_len;
	const char *perms;
	/* as read: the node before, when that is known */
	bool has_before;
	const void *before;
	size_t before_len;
	uint64_t before_size;
	const char *before_perms;
};

/* --- opening; NULL: WHY says why --- */

/* The default file. Never NULL; valid until the next call. */
const char *history_default_path(void);

/* For the one who writes: made if missing, with mode 0600. */
struct history *history_create(const char *path, char why[HISTORY_WHY_SIZE]);

/* For reading. */
struct history *history_open(const char *path, char why[HISTORY_WHY_SIZE]);

void history_close(struct history *h);

/* The reason for the last failure of any function here. */
const char *history_error(const struct history *h);

/* --- writing; between begin and commit. False: history_error() --- */

bool history_begin(struct history *h);
bool history_commit(struct history *h);
void history_rollback(struct history *h);

/* The id of the log with EPOCH, made at TIME if it is new. */
bool history_log(
    struct history *h, uint64_t epoch, int64_t time, int64_t *id_out);

bool history_add_who(
    struct history *h, const struct history_who *who, int64_t *id_out);

/* Its id to ACT->id. */
bool history_add_act(struct history *h, struct history_act *act);

/* CHANGE->act must be the newest act. */
bool history_add_change(struct history *h, const struct history_change *change);

bool history_set_mark(struct history *h, const char *name, int64_t value);

/* Bytes in use in the file. */
bool history_size(struct history *h, int64_t *bytes_out);

/*
 * Forgets up to MAX acts that are older than TIME, or the oldest whatever their
 * age if TIME is INT64_MAX; but what the newest state before them was stays.
 * *N_OUT: how many there were.
 */
bool history_forget(
    struct history *h, int64_t time, int64_t max, int64_t *n_out);

/* Gives back what nothing refers to any more: rows of history_add_who() without
 * an act, too. Takes time in large files. */
bool history_tidy(struct history *h);

/* --- reading --- */

/* *VALUE_OUT stays as it is if there is no such mark. */
bool history_mark(struct history *h, const char *name, int64_t *value_out);

/* 0: there is none. */
bool history_last_act(struct history *h, int64_t *id_out);

/* The id of the log that was followed last; 0: there is none. */
bool history_newest_log(struct history *h, int64_t *id_out);

/*
 * The last act up to what TEXT says: "now", "N" (sequence number in the newest
 * log), "L:N" (in log L), "YYYY-MM-DD[ hh:mm[:ss]]" (or with T), "hh:mm[:ss]"
 * (today), "@SECONDS" since 1970, or "N" with s, m, h or d behind (ago). False:
 * history_error() says why: TEXT means none (see history_is_when()), a moment
 * before the history or one that is still to come, or the database failed.
 */
bool history_position(struct history *h, const char *text, int64_t *act_out);

/* Whether TEXT is in one of these forms. */
bool history_is_when(const char *text);

/* The same as a beginning: the act after which the first one at that time or
 * number comes; 0 if that is the very first. */
bool history_since(struct history *h, const char *text, int64_t *after_out);

/* Which acts. */
struct history_filter {
	int64_t after;	  /* acts with a larger id */
	int64_t domid;	  /* by this domain; -1: any */
	const char *path; /* about this node or below; NULL: any */
	bool refused;	  /* only those with an error */
	uint32_t txn;	  /* in this transaction; 0: any */
	int64_t last;	  /* only the last so many; 0: all */
};

typedef bool history_act_fn(void *ctx, const struct history_act *act);
typedef bool history_change_fn(void *ctx, const struct history_change *change);

/* Tells FN of each act in order until it says false. */
bool history_acts(struct history *h, const struct history_filter *filter,
    history_act_fn *fn, void *ctx);

/* The act ID; FN is called once, or not at all. */
bool history_act(struct history *h, int64_t id, history_act_fn *fn, void *ctx);

/* The changes of act ID; if PATH is not NULL, of this node and below. */
bool history_changes(struct history *h, int64_t id, const char *path,
    history_change_fn *fn, void *ctx);

/*
 * The newest change up to act AT of each node at PATH or below ("/": all) that
 * existed then, by path; with GONE also of those that did not any more.
 */
bool history_tree(struct history *h, const char *path, int64_t at, bool gone,
    history_change_fn *fn, void *ctx);

/* All changes of PATH up to act AT, the first one first. */
bool history_every_change(struct history *h, const char *path, int64_t at,
    history_change_fn *fn, void *ctx);

/* The newest change up to act AT of PATH alone, also if it was removed. */
bool history_node(struct history *h, const char *path, int64_t at,
    history_change_fn *fn, void *ctx);

#endif
