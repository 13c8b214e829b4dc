/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Following a log: in order, from a kept place on, to its end, and no further
 * than what is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/subscribe.h"

enum { SIZE = 8192 };

static char dir[64], path[96], why[SUBSCRIBE_WHY_SIZE];
static struct log *log_;

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/subscribe.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	log_ = log_create(path, SIZE, 5, (const uint8_t[LOG_BOOT_SIZE]){ 0 });
	assert_non_null(log_);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_close(log_);
	(void)unlink(path);
	return rmdir(dir);
}

static void
append(uint64_t a, size_t len)
{
	static const char data[SIZE];
	struct record record = { .type = RECORD_REQUEST, .a = a };

	record.data[0] = data;
	record.len[0] = len;
	log_append(log_, &record);
}

/* The next record's number A, or what else there is as a negative number. */
static int
next(struct subscriber *sub)
{
	struct log_entry entry;
	const void *data;
	enum subscribed result = subscribe_next(sub, &entry, &data);

	return result == SUBSCRIBE_RECORD ? (int)entry.a : -(int)result;
}

static void
records_come_in_their_order(void **state)
{
	struct subscriber *sub = subscribe_open(dir, why);

	(void)state;
	assert_non_null(sub);
	assert_int_equal(next(sub), -SUBSCRIBE_NONE);
	append(1, 10);
	append(2, 0);
	assert_int_equal(next(sub), 1);
	assert_int_equal(subscribe_lag(sub), 1);
	assert_int_equal(next(sub), 2);
	assert_int_equal(subscribe_lag(sub), 0);
	assert_int_equal(next(sub), -SUBSCRIBE_NONE);
	subscribe_close(sub);
}

static void
a_kept_place_is_gone_on_from(void **state)
{
	struct subscriber *sub = subscribe_open(dir, why);
	struct image_mark mark;

	(void)state;
	assert_non_null(sub);
	append(1, 10);
	append(2, 10);
	assert_int_equal(next(sub), 1);
	mark = subscribe_mark(sub);
	subscribe_close(sub);
	sub = subscribe_open(dir, why);
	assert_non_null(sub);
	assert_true(subscribe_seek(sub, &mark));
	assert_int_equal(next(sub), 2);
	subscribe_close(sub);
}

static void
a_place_that_was_overwritten_is_refused(void **state)
{
	struct subscriber *sub = subscribe_open(dir, why);
	struct image_mark mark, other;
	int i;

	(void)state;
	assert_non_null(sub);
	append(1, 10);
	assert_int_equal(next(sub), 1);
	mark = other = subscribe_mark(sub);
	for (i = 0; i < 100; i++)
		append(2, 200);
	assert_int_equal(next(sub), -SUBSCRIBE_LOST);
	subscribe_close(sub);
	sub = subscribe_open(dir, why);
	assert_non_null(sub);
	assert_false(subscribe_seek(sub, &mark));
	/* nor is one of another log, or of the future, a place */
	mark = subscribe_mark(sub);
	other = mark;
	other.epoch++;
	assert_false(subscribe_seek(sub, &other));
	other = mark;
	other.pos.offset = UINT64_MAX;
	assert_false(subscribe_seek(sub, &other));
	assert_int_equal(next(sub), 2);
	subscribe_close(sub);
}

static void
a_new_log_at_the_path_is_told_when_the_old_one_is_read(void **state)
{
	struct subscriber *sub = subscribe_open(dir, why);

	(void)state;
	assert_non_null(sub);
	append(1, 10);
	log_close(log_);
	log_ = log_create(path, SIZE, 6, (const uint8_t[LOG_BOOT_SIZE]){ 0 });
	assert_non_null(log_);
	assert_int_equal(next(sub), 1);
	assert_int_equal(next(sub), -SUBSCRIBE_OTHER);
	subscribe_close(sub);
}

static void
what_is_no_log_is_refused(void **state)
{
	FILE *file;

	(void)state;
	assert_int_equal(truncate(path, 4096), 0);
	assert_null(subscribe_open(dir, why));
	assert_non_null(strstr(why, "another size"));
	assert_int_equal(truncate(path, 10), 0);
	assert_null(subscribe_open(dir, why));
	assert_int_equal(unlink(path), 0);
	assert_null(subscribe_open(dir, why));
	assert_non_null(strstr(why, "No such file"));
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(truncate(path, 4096 + SIZE), 0);
	fclose(file);
	assert_null(subscribe_open(dir, why));
	assert_non_null(strstr(why, "no commit log"));
}

static void
without_a_daemon_there_is_no_snapshot(void **state)
{
	uint64_t ns;

	(void)state;
	unsetenv("XENSTORED_PATH");
	assert_int_equal(subscribe_snapshot(dir, 1, why), -1);
	assert_non_null(strstr(why, "socket"));
	assert_false(subscribe_probe(dir, &ns, why));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_come_in_their_order),
		TEST(a_kept_place_is_gone_on_from),
		TEST(a_place_that_was_overwritten_is_refused),
		TEST(a_new_log_at_the_path_is_told_when_the_old_one_is_read),
		TEST(what_is_no_log_is_refused),
		TEST(without_a_daemon_there_is_no_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
