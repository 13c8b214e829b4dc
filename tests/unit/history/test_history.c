/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The history's file: moments, filters, forgetting, refusing what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tools/history/history.h"

static char dir[64], path[96];
static struct history *h;
static int64_t log_id, who_id;
static char text[8192];

static int
setup(void **state)
{
	struct history_who who = {
		.kind = "ring", .domid = 3, .uid = -1, .pid = -1
	};
	char why[HISTORY_WHY_SIZE];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/history.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/db", dir);
	h = history_create(path, why);
	assert_non_null(h);
	assert_true(history_begin(h));
	assert_true(history_log(h, UINT64_MAX, 1000, &log_id));
	assert_true(history_add_who(h, &who, &who_id));
	assert_true(history_commit(h));
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	history_close(h);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* An act at SEQ and TIME that does WHAT to PATH_; VALUE for what is not gone.
 */
static int64_t
add(uint64_t seq, int64_t time, enum history_what what, const char *path_,
    const char *value)
{
	struct history_act act = {
		.log = log_id,
		.seq = seq,
		.time = time,
		.who_id = who_id,
		.op = "WRITE",
		.path = path_,
	};
	struct history_change change = {
		.path = path_,
		.what = what,
		.has_old = what != HISTORY_MADE,
		.has_new = what != HISTORY_REMOVED,
		.value = value,
		.value_len = value != NULL ? strlen(value) : 0,
		.size = value != NULL ? strlen(value) : 0,
		.perms = value != NULL ? "n0" : NULL,
	};

	assert_true(history_begin(h));
	assert_true(history_add_act(h, &act));
	change.act = act.id;
	assert_true(history_add_change(h, &change));
	assert_true(history_commit(h));
	return act.id;
}

static bool
note_change(void *ctx, const struct history_change *c)
{
	size_t len = strlen(text);

	(void)ctx;
	snprintf(text + len, sizeof(text) - len, "%s=%.*s ", c->path,
	    (int)c->value_len, c->value != NULL ? (const char *)c->value : "");
	return true;
}

/* The tree at AT as text. */
static const char *
tree(int64_t at)
{
	text[0] = '\0';
	assert_true(history_tree(h, "/", at, false, note_change, NULL));
	return text;
}

static bool
note_act(void *ctx, const struct history_act *act)
{
	size_t len = strlen(text);

	(void)ctx;
	snprintf(text + len, sizeof(text) - len, "%d ", (int)act->seq);
	return true;
}

static const char *
acts(const struct history_filter *filter)
{
	text[0] = '\0';
	assert_true(history_acts(h, filter, note_act, NULL));
	return text;
}

static int64_t
position(const char *when)
{
	int64_t act = -1;

	return history_position(h, when, &act) ? act : -1;
}

/* --- */

static void
the_tree_of_a_moment_is_what_was_written_up_to_it(void **state)
{
	int64_t a = add(5, 1000, HISTORY_MADE, "/a", "1");
	int64_t b = add(6, 2000, HISTORY_MADE, "/a/b", "2");
	int64_t c = add(7, 3000, HISTORY_WRITTEN, "/a", "3");
	int64_t d = add(9, 4000, HISTORY_REMOVED, "/a/b", NULL);

	(void)state;
	assert_string_equal(tree(a - 1), "");
	assert_string_equal(tree(a), "/a=1 ");
	assert_string_equal(tree(b), "/a=1 /a/b=2 ");
	assert_string_equal(tree(c), "/a=3 /a/b=2 ");
	assert_string_equal(tree(d), "/a=3 ");
}

static void
below_a_path_are_no_neighbours(void **state)
{
	int64_t last;

	(void)state;
	add(1, 1000, HISTORY_MADE, "/a", "1");
	add(2, 1000, HISTORY_MADE, "/a-b", "2");
	add(3, 1000, HISTORY_MADE, "/ab", "3");
	last = add(4, 1000, HISTORY_MADE, "/a/x", "4");
	text[0] = '\0';
	assert_true(history_tree(h, "/a", last, false, note_change, NULL));
	assert_string_equal(text, "/a=1 /a/x=4 ");
}

static void
moments_are_numbers_or_times(void **state)
{
	int64_t a = add(5, 1000, HISTORY_MADE, "/a", "1");
	int64_t b = add(7, 5000, HISTORY_WRITTEN, "/a", "2");

	(void)state;
	assert_int_equal(position("now"), b);
	assert_int_equal(position("5"), a);
	assert_int_equal(position("#6"), a);
	assert_int_equal(position("7"), b);
	assert_int_equal(position("L1:5"), a);
	assert_int_equal(position("@1"), a);
	assert_int_equal(position("@4"), a);
	assert_int_equal(position("@5"), b);
	assert_int_equal(position("1970-01-03"), b);
	assert_int_equal(position("1s"), b);
}

/* What there was at first is written down later than what the log has of it. */
static void
acts_have_their_order_whatever_the_clock_says(void **state)
{
	int64_t b;

	(void)state;
	add(5, 9000, HISTORY_MADE, "/a", "1");
	b = add(6, 3000, HISTORY_WRITTEN, "/a", "2");
	assert_int_equal(position("@2"), -1);
	assert_int_equal(position("@3"), b);
	assert_int_equal(position("@9"), b);
	assert_int_equal(position("1s"), b);
}

static void
what_is_no_moment_is_refused(void **state)
{
	int64_t after;

	(void)state;
	add(5, 1000, HISTORY_MADE, "/a", "1");
	assert_int_equal(position("yesterday"), -1);
	assert_non_null(strstr(history_error(h), "yesterday"));
	assert_int_equal(position(""), -1);
	assert_int_equal(position("1x"), -1);
	assert_int_equal(position("12:99"), -1);
	assert_int_equal(position("4"), -1);
	assert_non_null(strstr(history_error(h), "before"));
	assert_int_equal(position("@99999999999"), -1);
	assert_non_null(strstr(history_error(h), "still to come"));
	assert_int_equal(position("2999-01-01 20:45"), -1);
	assert_false(history_since(h, "2999-01-01", &after));
	assert_true(history_is_when("2999-01-01"));
	assert_true(history_is_when("now"));
	assert_true(history_is_when("#4"));
	assert_false(history_is_when("yesterday"));
	assert_false(history_is_when(""));
	assert_int_equal(position("L9:5"), -1);
	assert_int_equal(position("99999999999999999999"), -1);
}

static void
a_beginning_includes_its_own_moment(void **state)
{
	int64_t a = add(5, 1000, HISTORY_MADE, "/a", "1"), after;

	(void)state;
	add(7, 5000, HISTORY_WRITTEN, "/a", "2");
	assert_true(history_since(h, "7", &after));
	assert_int_equal(after, a);
	assert_true(history_since(h, "5", &after));
	assert_int_equal(after, 0);
	assert_true(history_since(h, "@5", &after));
	assert_int_equal(after, a);
	assert_false(history_since(h, "tomorrow", &after));
}

static void
filters_take_what_they_name(void **state)
{
	struct history_filter none = { .domid = -1 };
	struct history_filter last = { .domid = -1, .last = 1 };
	struct history_filter below = { .domid = -1, .path = "/a" };
	struct history_filter domid = { .domid = 4 };
	struct history_filter refused = { .domid = -1, .refused = true };

	(void)state;
	add(1, 1000, HISTORY_MADE, "/a", "1");
	add(2, 1000, HISTORY_MADE, "/b", "1");
	add(3, 1000, HISTORY_MADE, "/a/c", "1");
	assert_string_equal(acts(&none), "1 2 3 ");
	assert_string_equal(acts(&last), "3 ");
	assert_string_equal(acts(&below), "1 3 ");
	below.after = 1;
	assert_string_equal(acts(&below), "3 ");
	assert_string_equal(acts(&domid), "");
	assert_string_equal(acts(&refused), "");
}

static void
a_node_keeps_its_birth_until_it_is_removed(void **state)
{
	int64_t last;

	(void)state;
	add(1, 1000, HISTORY_MADE, "/b", "1");
	add(2, 1000, HISTORY_MADE, "/a", "1");
	add(3, 1000, HISTORY_WRITTEN, "/b", "2");
	last = add(4, 1000, HISTORY_WRITTEN, "/b", "3");
	text[0] = '\0';
	assert_true(history_every_change(h, "/b", last, note_change, NULL));
	assert_string_equal(text, "/b=1 /b=2 /b=3 ");
}

/* --- forgetting --- */

static void
forgetting_leaves_the_later_moments_as_they_were(void **state)
{
	char before[256], now[256];
	int64_t n, c, d;

	(void)state;
	add(1, 1000, HISTORY_MADE, "/a", "1");
	add(2, 2000, HISTORY_MADE, "/gone", "1");
	add(3, 2000, HISTORY_REMOVED, "/gone", NULL);
	add(4, 3000, HISTORY_WRITTEN, "/a", "2");
	c = add(5, 4000, HISTORY_MADE, "/c", "1");
	d = add(6, 5000, HISTORY_WRITTEN, "/a", "3");
	snprintf(before, sizeof(before), "%s", tree(c));
	snprintf(now, sizeof(now), "%s", tree(d));
	assert_true(history_begin(h));
	assert_true(history_forget(h, 4000, 100, &n));
	assert_true(history_tidy(h));
	assert_true(history_commit(h));
	assert_true(n > 0);
	assert_string_equal(tree(c), before);
	assert_string_equal(tree(d), now);
	/* and what was forgotten is refused, not made up */
	assert_int_equal(position("1"), -1);
	assert_int_equal(position("5"), c);
}

static void
forgetting_goes_in_shares_and_never_takes_the_last(void **state)
{
	int64_t n, last = 0, i, rounds = 0;

	(void)state;
	for (i = 0; i < 50; i++)
		last = add((uint64_t)i, 1000 + i,
		    i == 0 ? HISTORY_MADE : HISTORY_WRITTEN, "/a", "x");
	do {
		assert_true(history_begin(h));
		assert_true(history_forget(h, INT64_MAX, 20, &n));
		assert_true(history_commit(h));
		assert_true(n <= 20);
		rounds++;
	} while (n > 0);
	assert_true(rounds >= 3);
	assert_string_equal(tree(last), "/a=x ");
	assert_int_equal(position("now"), last);
}

static void
forgetting_makes_it_smaller(void **state)
{
	char value[4001];
	int64_t n, before, after, i;

	(void)state;
	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	for (i = 0; i < 50; i++)
		add((uint64_t)i, 1000 + i,
		    i == 0 ? HISTORY_MADE : HISTORY_WRITTEN, "/a", value);
	assert_true(history_size(h, &before));
	assert_true(history_begin(h));
	assert_true(history_forget(h, INT64_MAX, 1000, &n));
	assert_true(history_commit(h));
	assert_true(history_size(h, &after));
	assert_true(after < before / 2);
}

/* --- files --- */

static void
the_file_is_for_its_owner_only(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
others_read_while_it_is_written(void **state)
{
	char why[HISTORY_WHY_SIZE];
	struct history *reader = history_open(path, why);
	int64_t last = -1;

	(void)state;
	assert_non_null(reader);
	add(1, 1000, HISTORY_MADE, "/a", "1");
	assert_true(history_last_act(reader, &last));
	assert_int_equal(last, 1);
	assert_false(history_set_mark(reader, "x", 1));
	history_close(reader);
}

static void
what_is_no_history_is_refused_and_left_alone(void **state)
{
	char other[128], why[HISTORY_WHY_SIZE], bytes[16];
	FILE *file;

	(void)state;
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_null(history_open(other, why));
	assert_non_null(strstr(why, "no history"));
	file = fopen(other, "w");
	assert_non_null(file);
	fputs("not a database", file);
	fclose(file);
	assert_null(history_create(other, why));
	assert_null(history_open(other, why));
	file = fopen(other, "r");
	assert_int_equal(fread(bytes, 1, sizeof(bytes), file), 14);
	assert_memory_equal(bytes, "not a database", 14);
	fclose(file);
}

static void
a_version_from_the_future_is_refused(void **state)
{
	char why[HISTORY_WHY_SIZE];
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	assert_null(history_open(path, why));
	assert_non_null(strstr(why, "version 99"));
	assert_null(history_create(path, why));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_tree_of_a_moment_is_what_was_written_up_to_it),
		TEST(below_a_path_are_no_neighbours),
		TEST(moments_are_numbers_or_times),
		TEST(acts_have_their_order_whatever_the_clock_says),
		TEST(what_is_no_moment_is_refused),
		TEST(a_beginning_includes_its_own_moment),
		TEST(filters_take_what_they_name),
		TEST(a_node_keeps_its_birth_until_it_is_removed),
		TEST(forgetting_leaves_the_later_moments_as_they_were),
		TEST(forgetting_goes_in_shares_and_never_takes_the_last),
		TEST(forgetting_makes_it_smaller),
		TEST(the_file_is_for_its_owner_only),
		TEST(others_read_while_it_is_written),
		TEST(what_is_no_history_is_refused_and_left_alone),
		TEST(a_version_from_the_future_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
