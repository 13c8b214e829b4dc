/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/common/clock.h"
#include "tools/history/db.h"

/* All of TEXT as a number. */
static bool
whole_number(const char *text, size_t len, int64_t *out)
{
	int64_t n = 0;
	size_t i;

	if (len == 0 || len > 18)
		return false;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		n = n * 10 + (text[i] - '0');
	}
	*out = n;
	return true;
}

/* "N" with a unit behind: milliseconds. */
static bool
ago(const char *text, int64_t *ms_out)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {
		{ 's', 1000 },
		{ 'm', 60000 },
		{ 'h', 3600000 },
		{ 'd', 86400000 },
	};
	size_t len = strlen(text), i;
	int64_t n;

	if (len < 2 || !whole_number(text, len - 1, &n) || n > 1000000)
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].unit == text[len - 1]) {
			*ms_out = n * units[i].ms;
			return true;
		}
	return false;
}

/* A local date and time, or a time of today. */
static bool
date(const char *text, time_t now, int64_t *ms_out)
{
	static const char *const formats[] = {
		"%Y-%m-%d %H:%M:%S",
		"%Y-%m-%dT%H:%M:%S",
		"%Y-%m-%d %H:%M",
		"%Y-%m-%dT%H:%M",
		"%Y-%m-%d",
		"%H:%M:%S",
		"%H:%M",
	};
	const char *end;
	struct tm tm;
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		localtime_r(&now, &tm);
		if (formats[i][1] == 'Y')
			tm.tm_hour = tm.tm_min = 0;
		tm.tm_sec = 0;
		tm.tm_isdst = -1;
		end = strptime(text, formats[i], &tm);
		if (end != NULL && *end == '\0') {
			/* up to the end of that second */
			*ms_out = (int64_t)mktime(&tm) * 1000 + 999;
			return true;
		}
	}
	return false;
}

/* What TEXT says about time; false: nothing. */
static bool
moment(const char *text, int64_t *ms_out)
{
	int64_t now = clock_wall_ms(), n;

	if (text[0] == '@' && whole_number(text + 1, strlen(text + 1), &n)) {
		*ms_out = n * 1000 + 999;
		return true;
	}
	if (ago(text, &n)) {
		*ms_out = now - n;
		return true;
	}
	return date(text, now / 1000, ms_out);
}

static bool
complain(struct history *h, const char *text, const char *what)
{
	snprintf(h->why, sizeof(h->why), "'%.60s': %s", text, what);
	return false;
}

/* "N" or "L:N". */
static bool
sequence(const char *text, int64_t *log, int64_t *seq_out)
{
	const char *colon = strchr(text, ':');

	if (colon == NULL)
		return whole_number(text, strlen(text), seq_out);
	/* "20:31" is a time: a log's number has an L */
	return text[0] == 'L' &&
	       whole_number(text + 1, (size_t)(colon - text - 1), log) &&
	       whole_number(colon + 1, strlen(colon + 1), seq_out);
}

bool
history_is_when(const char *text)
{
	int64_t n;

	if (strcmp(text, "now") == 0 || moment(text, &n))
		return true;
	return sequence(text[0] == '#' ? text + 1 : text, &n, &n);
}

/*
 * The last act up to (not including, by EARLIER) what TEXT says: 1; 0: there is
 * none; -1.
 */
static int
last_up_to(struct history *h, const char *text, int earlier, int64_t *act_out)
{
	int64_t log = 0, seq = 0, ms = 0;
	sqlite3_stmt *stmt;

	if (db_number(h, db_stmt(h, DB_LAST_LOG), &log) < 0)
		return -1;
	if (text[0] == '#')
		text++;
	if (sequence(text, &log, &seq)) {
		stmt = db_stmt(h, DB_ACT_AT_SEQ);
		if (stmt == NULL)
			return -1;
		sqlite3_bind_int64(stmt, 1, log);
		sqlite3_bind_int64(stmt, 2, seq - earlier);
	} else if (moment(text, &ms)) {
		/* up to its end, this second has begun */
		if (ms - 999 > clock_wall_ms()) {
			complain(h, text, "that is still to come");
			return -1;
		}
		stmt = db_stmt(h, DB_ACT_AT_TIME);
		if (stmt == NULL)
			return -1;
		sqlite3_bind_int64(stmt, 1, ms - 1000 * earlier);
	} else {
		complain(h, text, "neither a time nor a sequence number");
		return -1;
	}
	return db_number(h, stmt, act_out);
}

bool
history_position(struct history *h, const char *text, int64_t *act_out)
{
	int64_t horizon = 0;
	int found;

	if (strcmp(text, "now") == 0)
		return history_last_act(h, act_out);
	found = last_up_to(h, text, 0, act_out);
	if (found < 0 || !history_mark(h, "horizon", &horizon))
		return false;
	if (found == 0 || *act_out + 1 < horizon)
		return complain(h, text, "that is before the history begins");
	return true;
}

bool
history_since(struct history *h, const char *text, int64_t *after_out)
{
	*after_out = 0;
	if (strcmp(text, "now") == 0)
		return history_last_act(h, after_out);
	return last_up_to(h, text, 1, after_out) >= 0;
}
