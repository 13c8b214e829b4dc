/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A state machine whose log is a file, a history, and a recorder between.
 */
#ifndef TESTS_XENHISTORYD_WORLD_H
#define TESTS_XENHISTORYD_WORLD_H

#include <stdlib.h>
#include <unistd.h>

#include "../xenstored/harness.h"

#include "tools/xenhistoryd/recorder.h"
#include "xenstored/apply.h"
#include "xenstored/log.h"

struct w {
	struct h h;
	struct log *log;
	struct history *history;
	struct recorder *recorder;
	char dir[64], log_path[96], db_path[96];
	char text[16384]; /* of the history */
	int64_t now;
};

static void
w_append(void *ctx, const struct record *record)
{
	struct w *w = ctx;

	log_append(w->log, record);
}

/* A log of SIZE bytes with its first record. */
static void
w_log(struct w *w, uint32_t size, uint64_t epoch)
{
	struct record_start start;
	struct record record;

	w->log = log_create(
	    w->log_path, size, epoch, (const uint8_t[LOG_BOOT_SIZE]){ 0 });
	assert_non_null(w->log);
	record = apply_start(&w->h.config, &start);
	log_append(w->log, &record);
}

static void
w_recorder(struct w *w)
{
	struct recorder_config config = { .dir = w->dir, .value_max = 16 };
	char why[HISTORY_WHY_SIZE];

	w->history = history_create(w->db_path, why);
	assert_non_null(w->history);
	config.history = w->history;
	w->recorder = recorder_new(&config);
	assert_non_null(w->recorder);
}

static void
w_start(struct w *w)
{
	memset(w, 0, sizeof(*w));
	snprintf(w->dir, sizeof(w->dir), "/tmp/history.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->log_path, sizeof(w->log_path), "%s/log", w->dir);
	snprintf(w->db_path, sizeof(w->db_path), "%s/db", w->dir);
	h_start(&w->h);
	w_log(w, 64 * 1024, 11);
	w->h.tap = w_append;
	w->h.tap_ctx = w;
	w->now = 1000000;
	w_recorder(w);
}

static void
w_end_recorder(struct w *w)
{
	recorder_free(w->recorder);
	history_close(w->history);
	w->recorder = NULL;
}

static void
w_stop(struct w *w)
{
	char command[128];

	if (w->recorder != NULL)
		w_end_recorder(w);
	h_stop(&w->h);
	log_close(w->log);
	snprintf(command, sizeof(command), "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
}

/* Records all that is there; whether it had to begin anew. */
static bool
w_record(struct w *w)
{
	char why[REPLICA_WHY_SIZE];
	enum replicated result;
	bool begun = false;

	do {
		result = recorder_step(w->recorder, w->now, why);
		begun = begun || result == REPLICA_BEGUN;
	} while (result == REPLICA_RECORD || result == REPLICA_BEGUN);
	assert_true(recorder_flush(w->recorder));
	return begun;
}

static bool
w_add_change(void *ctx, const struct history_change *c)
{
	struct w *w = ctx;
	size_t len = strlen(w->text);

	snprintf(w->text + len, sizeof(w->text) - len, " %s %s", c->path,
	    history_what_name[c->what]);
	len = strlen(w->text);
	if (c->value != NULL)
		snprintf(w->text + len, sizeof(w->text) - len, " '%.*s'",
		    (int)c->value_len, (const char *)c->value);
	len = strlen(w->text);
	if (c->has_before && c->before != NULL)
		snprintf(w->text + len, sizeof(w->text) - len, " was '%.*s'",
		    (int)c->before_len, (const char *)c->before);
	len = strlen(w->text);
	if (c->perms != NULL)
		snprintf(w->text + len, sizeof(w->text) - len, " %s", c->perms);
	return true;
}

static bool
w_add_act(void *ctx, const struct history_act *act)
{
	struct w *w = ctx;
	size_t len = strlen(w->text);

	snprintf(w->text + len, sizeof(w->text) - len, "%s%d %s%s%s%s%s",
	    act->who.kind, (int)act->who.domid, act->op,
	    act->path != NULL ? " " : "", act->path != NULL ? act->path : "",
	    act->error != NULL ? " " : "",
	    act->error != NULL ? act->error : "");
	len = strlen(w->text);
	if (act->why_op != NULL)
		snprintf(w->text + len, sizeof(w->text) - len, " %s %s by %s%d",
		    act->why_op, act->why_path, act->why.who.kind,
		    (int)act->why.who.domid);
	len = strlen(w->text);
	if (act->quota != NULL)
		snprintf(w->text + len, sizeof(w->text) - len,
		    " %s of %d: %d over %d", act->quota, (int)act->quota_domid,
		    (int)act->quota_value, (int)act->quota_limit);
	else if (act->note != NULL)
		snprintf(
		    w->text + len, sizeof(w->text) - len, " (%s)", act->note);
	assert_true(
	    history_changes(w->history, act->id, NULL, w_add_change, w));
	len = strlen(w->text);
	snprintf(w->text + len, sizeof(w->text) - len, "\n");
	return true;
}

/* The last N acts as text, a line each. */
static const char *
w_last(struct w *w, int n)
{
	struct history_filter filter = { .domid = -1, .last = n };

	w->text[0] = '\0';
	assert_true(history_acts(w->history, &filter, w_add_act, w));
	return w->text;
}

static inline void
w_use_all(void)
{
	h_use_all();
	(void)w_start;
	(void)w_stop;
	(void)w_record;
	(void)w_last;
}

#endif
