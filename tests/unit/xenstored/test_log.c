/* SPDX-License-Identifier: BSD-2-Clause */
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

#include "xenstored/log.h"

enum { SIZE = 8192 };

static void
append(struct log *log, uint64_t n, size_t len)
{
	static char data[5000];
	struct record record = { .type = RECORD_REQUEST, .a = n, .b = len };

	memset(data, (int)('a' + n % 26), len);
	record.data[0] = data;
	record.len[0] = len / 2;
	record.data[1] = data;
	record.len[1] = len - len / 2;
	log_append(log, &record);
}

/* Reads the next record; it must be number N. */
static void
assert_next(struct log *log, struct log_pos *pos, uint64_t n)
{
	static char buf[5000];
	struct log_entry entry;
	size_t i;

	assert_int_equal(
	    log_read(log_header(log), pos, &entry, buf, sizeof(buf)),
	    LOG_READ_OK);
	assert_int_equal(entry.a, n);
	assert_int_equal(entry.seq, n);
	assert_int_equal(entry.type, RECORD_REQUEST);
	assert_int_equal(entry.len, entry.b);
	for (i = 0; i < entry.len; i++)
		assert_int_equal(buf[i], 'a' + n % 26);
}

static void
a_follower_reads_what_was_appended_across_many_wraps(void **unused)
{
	struct log *log = log_private(SIZE, 1);
	struct log_entry entry;
	struct log_pos pos;
	char buf[8];
	uint64_t n;

	(void)unused;
	assert_non_null(log);
	pos = log_oldest(log_header(log));
	srand(7);
	for (n = 0; n < 5000; n++) {
		append(log, n, (size_t)(rand() % 1500));
		assert_next(log, &pos, n);
	}
	assert_int_equal(
	    log_read(log_header(log), &pos, &entry, buf, sizeof(buf)),
	    LOG_READ_NONE);
	log_close(log);
}

static void
the_oldest_give_way_and_a_slow_follower_is_told(void **unused)
{
	struct log *log = log_private(SIZE, 1);
	struct log_pos slow = { 0, 0 }, pos;
	struct log_entry entry;
	char buf[2000];
	uint64_t n, first;

	(void)unused;
	slow = log_oldest(log_header(log));
	for (n = 0; n < 100; n++)
		append(log, n, 1000);
	assert_int_equal(
	    log_read(log_header(log), &slow, &entry, buf, sizeof(buf)),
	    LOG_READ_LOST);
	pos = log_oldest(log_header(log));
	assert_int_equal(
	    log_read(log_header(log), &pos, &entry, buf, sizeof(buf)),
	    LOG_READ_OK);
	first = entry.a;
	assert_true(first > 90);
	while (++first < 100)
		assert_next(log, &pos, first);
	log_close(log);
}

static void
damage_is_found(void **unused)
{
	struct log *log = log_private(SIZE, 1);
	struct log_pos pos = log_oldest(log_header(log));
	struct log_entry entry;
	char buf[100], *area;

	(void)unused;
	append(log, 0, 40);
	append(log, 1, 40);
	assert_next(log, &pos, 0);
	area = (char *)(uintptr_t)log_header(log) + LOG_HEADER_SIZE;
	area[pos.offset + sizeof(entry) + 3] ^= 1;
	assert_int_equal(
	    log_read(log_header(log), &pos, &entry, buf, sizeof(buf)),
	    LOG_READ_LOST);
	log_close(log);
}

static void
the_file_is_private_new_and_outlives_the_writer(void **unused)
{
	char dir[] = "/tmp/xenstored-test-log.XXXXXX", path[64];
	struct log_header header;
	struct stat st;
	struct log *log;
	FILE *file;

	(void)unused;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	file = fopen(path, "w");
	fputs("old", file);
	fclose(file);
	log = log_create(path, SIZE, 42, (const uint8_t[LOG_BOOT_SIZE]){ 0 });
	assert_non_null(log);
	append(log, 0, 100);
	log_close(log);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, LOG_HEADER_SIZE + SIZE);
	file = fopen(path, "r");
	assert_int_equal(fread(&header, sizeof(header), 1, file), 1);
	fclose(file);
	assert_true(header.magic == LOG_MAGIC);
	assert_int_equal(header.epoch, 42);
	assert_int_equal(header.next_seq, 1);
	unlink(path);
	rmdir(dir);
	assert_null(log_create("/nonexistent/dir/log", SIZE, 1,
	    (const uint8_t[LOG_BOOT_SIZE]){ 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_follower_reads_what_was_appended_across_many_wraps),
		cmocka_unit_test(
		    the_oldest_give_way_and_a_slow_follower_is_told),
		cmocka_unit_test(damage_is_found),
		cmocka_unit_test(
		    the_file_is_private_new_and_outlives_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
