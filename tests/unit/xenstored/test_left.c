/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "xenstored/aside.h"
#include "xenstored/checkpoint.h"
#include "xenstored/image_io.h"
#include "xenstored/left.h"

enum { SIZE = 64 << 10 };

static const uint8_t boot[LOG_BOOT_SIZE] = { 1, 2, 3 };
static const uint8_t other[LOG_BOOT_SIZE] = { 3, 2, 1 };

static char dir[64], why[LEFT_WHY_SIZE];

static const char *
in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int
set_up(void **state)
{
	(void)state;
	h_use_all();
	snprintf(dir, sizeof(dir), "/tmp/left-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "log", "flight", "checkpoint.0",
		"checkpoint.1", "log.before", "flight.before",
		"checkpoint.0.before", "checkpoint.1.before" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(in_dir(names[i]));
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static bool
is_there(const char *name)
{
	return access(in_dir(name), F_OK) == 0;
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
assert_text(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "r");
	char buf[32] = "";

	assert_non_null(f);
	assert_non_null(fgets(buf, sizeof(buf), f));
	fclose(f);
	assert_string_equal(buf, text);
}

/* A log of this boot, not closed. */
static void
leave_log(void)
{
	int fd = log_make(in_dir("log"), SIZE, 7, boot);

	assert_true(fd >= 0);
	close(fd);
}

static void
change_log(size_t at, const void *data, size_t len)
{
	FILE *f = fopen(in_dir("log"), "r+");

	assert_non_null(f);
	assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
	assert_int_equal(fwrite(data, len, 1, f), 1);
	assert_int_equal(fclose(f), 0);
}
#define CHANGE(field, value)                                                   \
	change_log(offsetof(struct log_header, field), &(value), sizeof(value))

static void
leave_checkpoint(const uint8_t of[LOG_BOOT_SIZE])
{
	char wrong[IMAGE_WHY_SIZE];
	struct checkpoint *cp = checkpoint_open(in_dir("checkpoint"), wrong);
	struct image img = { NULL, 0, 0, false };
	struct boot_id id;
	uint64_t sum;

	assert_non_null(cp);
	memcpy(id.byte, of, sizeof(id.byte));
	put_u64(&img, IMAGE_MAGIC);
	put_u32(&img, IMAGE_VERSION);
	put_u32(&img, IMAGE_HEADER_SIZE);
	put_u64(&img, IMAGE_HEADER_SIZE + 16);
	while (img.len < IMAGE_HEADER_SIZE + 16)
		put_u8(&img, 0);
	memset(img.data + IMAGE_HEADER_SIZE - 8, 0, 8);
	sum = image_sum(img.data, img.len);
	memcpy(img.data + IMAGE_HEADER_SIZE - 8, &sum, 8);
	assert_true(checkpoint_put(cp, &id, &img, wrong));
	image_free(&img);
	checkpoint_close(cp);
}

/* Judged as WHAT, with a text that has TEXT in it (NULL: with none). */
static void
assert_left(enum left what, const char *text)
{
	assert_int_equal(left_judge(dir, boot, why), what);
	if (text == NULL)
		assert_string_equal(why, "");
	else
		assert_non_null(strstr(why, text));
}

static void
test_a_log_of_this_boot_is_a_store(void **state)
{
	uint64_t how = LOG_RESTS;

	(void)state;
	leave_log();
	assert_left(LEFT_STORE, NULL);
	CHANGE(closed, how);
	assert_left(LEFT_STORE, NULL);
}

static void
test_a_closed_log_is_nothing_whatever_its_version(void **state)
{
	uint64_t how = LOG_CLOSED, first = 99;
	uint32_t version = LOG_VERSION - 1;

	(void)state;
	leave_log();
	assert_false(left_is_closed(dir));
	CHANGE(closed, how);
	assert_left(LEFT_NOTHING, NULL);
	CHANGE(version, version);
	CHANGE(first, first);
	assert_left(LEFT_NOTHING, NULL);
	assert_true(left_is_closed(dir));
}

static void
test_a_log_of_another_boot_is_nothing_whatever_its_version(void **state)
{
	uint64_t first = 99;
	uint32_t version = LOG_VERSION - 1;

	(void)state;
	leave_log();
	put("flight", "x");
	CHANGE(boot, other);
	assert_left(LEFT_NOTHING, "another boot");
	CHANGE(first, first);
	assert_left(LEFT_NOTHING, "another boot");
	CHANGE(version, version);
	assert_left(LEFT_NOTHING, "another boot");
}

static void
test_another_version_of_this_boot_is_refused(void **state)
{
	uint32_t version = LOG_VERSION - 1;

	(void)state;
	leave_log();
	CHANGE(version, version);
	assert_left(LEFT_USELESS, "is of version");
}

static void
test_a_damaged_log_of_this_boot_is_refused(void **state)
{
	uint64_t first = 99;

	(void)state;
	leave_log();
	CHANGE(first, first);
	assert_left(LEFT_USELESS, "damaged");
	assert_int_equal(truncate(in_dir("log"), 20), 0);
	assert_left(LEFT_USELESS, "damaged");
}

static void
test_a_log_without_a_head_is_unfinished_only_if_it_is_alone(void **state)
{
	static const char zero[LOG_HEADER_SIZE];

	(void)state;
	assert_left(LEFT_NOTHING, NULL);
	leave_log();
	change_log(0, zero, sizeof(zero));
	assert_left(LEFT_NOTHING, NULL);
	put("flight", "x");
	assert_left(LEFT_USELESS, "damaged");
	assert_int_equal(truncate(in_dir("log"), 0), 0);
	assert_left(LEFT_USELESS, "damaged");
	assert_int_equal(unlink(in_dir("flight")), 0);
	assert_left(LEFT_NOTHING, NULL);
	leave_checkpoint(boot);
	assert_left(LEFT_USELESS, "damaged");
}

static void
test_a_log_without_a_head_beside_a_checkpoint_of_another_boot_is_nothing(
    void **state)
{
	static const char zero[LOG_HEADER_SIZE];

	(void)state;
	leave_log();
	change_log(0, zero, sizeof(zero));
	put("flight", "x");
	leave_checkpoint(other);
	assert_left(LEFT_NOTHING, "another boot");
}

static void
test_a_checkpoint_whose_log_is_missing_is_refused(void **state)
{
	(void)state;
	leave_checkpoint(boot);
	assert_left(LEFT_USELESS, "missing");
	left_clear(dir);
	assert_left(LEFT_NOTHING, NULL);
	leave_checkpoint(other);
	assert_left(LEFT_NOTHING, "another boot");
}

static void
test_what_is_kept_replaces_all_that_was_kept_before(void **state)
{
	(void)state;
	put("log", "one");
	put("checkpoint.0", "one");
	aside_keep(dir);
	assert_false(is_there("log"));
	aside_keep(dir); /* nothing to keep */
	assert_text("log.before", "one");
	assert_text("checkpoint.0.before", "one");

	put("log", "two");
	aside_keep(dir);
	assert_text("log.before", "two");
	assert_false(is_there("checkpoint.0.before"));
}

static void
test_keeping_that_was_broken_off_loses_nothing(void **state)
{
	(void)state;
	put("checkpoint.0.before", "one");
	put("log", "one");
	aside_keep(dir);
	assert_text("checkpoint.0.before", "one");
	assert_text("log.before", "one");
}

static void
test_what_is_kept_is_removed_for_want_of_room(void **state)
{
	(void)state;
	put("log", "one");
	put("flight", "one");
	assert_false(aside_drop(dir));
	aside_keep(dir);
	put("log", "two");
	assert_true(aside_drop(dir));
	assert_false(is_there("log.before"));
	assert_false(is_there("flight.before"));
	assert_text("log", "two");
	assert_false(aside_drop(dir));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_a_log_of_this_boot_is_a_store),
		T(test_a_closed_log_is_nothing_whatever_its_version),
		T(test_a_log_of_another_boot_is_nothing_whatever_its_version),
		T(test_another_version_of_this_boot_is_refused),
		T(test_a_damaged_log_of_this_boot_is_refused),
		T(test_a_log_without_a_head_is_unfinished_only_if_it_is_alone),
		T(test_a_log_without_a_head_beside_a_checkpoint_of_another_boot_is_nothing),
		T(test_a_checkpoint_whose_log_is_missing_is_refused),
		T(test_what_is_kept_replaces_all_that_was_kept_before),
		T(test_keeping_that_was_broken_off_loses_nothing),
		T(test_what_is_kept_is_removed_for_want_of_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
