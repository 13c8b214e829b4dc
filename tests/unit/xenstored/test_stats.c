/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The page of counters: what is counted where, who can read it, what is not
 * one.
 */
#include <errno.h>
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

#include "xenstored/stats.h"

static char dir[64], path[96];

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/stats.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/stats", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static uint64_t
count(const struct stats_histogram *histogram)
{
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < STATS_BUCKETS; i++)
		n += histogram->bucket[i];
	return n;
}

static void
requests_are_counted_by_operation_and_error(void **state)
{
	struct stats *stats = stats_open(path);
	const struct stats_page *page;

	(void)state;
	assert_non_null(stats);
	page = stats_map(path);
	assert_non_null(page);
	stats_mark(stats);
	stats_request(stats, 2, XS_OK);
	stats_request(stats, 2, XS_ENOENT);
	stats_request(stats, 11, XS_OK);
	stats_request(stats, UINT32_MAX, XS_ENOSYS);
	assert_int_equal(page->turns, 1);
	assert_int_equal(count(&page->request[2]), 2);
	assert_int_equal(count(&page->request[11]), 1);
	assert_int_equal(count(&page->request[STATS_OPS - 1]), 1);
	assert_int_equal(page->error[XS_ENOENT], 1);
	assert_int_equal(page->error[XS_ENOSYS], 1);
	assert_true(page->request[2].ns > 0);
	stats_unmap(page);
	stats_close(stats);
}

static void
time_falls_into_its_bucket(void **state)
{
	struct stats *stats = stats_open(NULL);
	const struct stats_page *page;
	unsigned i;

	(void)state;
	assert_non_null(stats);
	page = stats_page(stats);
	stats_mark(stats);
	usleep(3000);
	stats_request(stats, 2, XS_OK);
	for (i = 0; i < STATS_BUCKETS; i++)
		if (page->request[2].bucket[i] != 0)
			break;
	assert_true(i < STATS_BUCKETS);
	assert_true(stats_limit(i) > page->request[2].ns);
	assert_true(i == 0 || stats_limit(i - 1) <= page->request[2].ns ||
		    i == STATS_BUCKETS - 1);
	assert_true(page->request[2].ns >= 3000000);
	stats_close(stats);
}

static void
a_successor_goes_on_counting(void **state)
{
	struct stats *stats = stats_open(path);

	(void)state;
	assert_non_null(stats);
	stats_mark(stats);
	stats_request(stats, 2, XS_OK);
	stats_serve(stats, false);
	stats_close(stats);
	stats = stats_open(path);
	assert_non_null(stats);
	stats_serve(stats, true);
	stats_mark(stats);
	stats_request(stats, 2, XS_OK);
	stats_standby(stats, 77);
	assert_int_equal(count(&stats_page(stats)->request[2]), 2);
	assert_int_equal(stats_page(stats)->takeovers, 1);
	assert_int_equal(stats_page(stats)->standby_seq, 77);
	assert_int_equal(stats_page(stats)->pid, getpid());
	stats_close(stats);
}

static void
what_is_no_page_is_not_read(void **state)
{
	struct stat st;
	FILE *file;

	(void)state;
	assert_null(stats_map(path));
	assert_int_equal(errno, ENOENT);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("short", file);
	fclose(file);
	assert_null(stats_map(path));
	assert_int_equal(errno, EINVAL);
	/* who counts makes a page of it */
	stats_close(stats_open(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, sizeof(struct stats_page));
}

static void
another_version_is_begun_anew(void **state)
{
	struct stats *stats = stats_open(path);

	(void)state;
	assert_non_null(stats);
	stats_mark(stats);
	stats_page(stats)->version = STATS_VERSION + 1;
	assert_null(stats_map(path));
	stats_close(stats);
	stats = stats_open(path);
	assert_non_null(stats);
	assert_int_equal(stats_page(stats)->version, STATS_VERSION);
	assert_int_equal(stats_page(stats)->turns, 0);
	stats_close(stats);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
rounds_are_counted_and_the_longest_is_kept(void **state)
{
	struct stats *stats = stats_open(path);
	const struct stats_page *page = stats_page(stats);
	uint64_t longest, ns, rounds = 1;

	(void)state;
	/* nothing was done: that is no round, however long */
	stats_round(stats, false);
	assert_int_equal(count(&page->round), 0);
	stats_mark(stats);
	usleep(2000);
	stats_mark(stats);
	stats_round(stats, false);
	assert_int_equal(count(&page->round), 1);
	longest = page->longest_round;
	assert_true(longest >= 2000000);
	assert_int_equal(page->round.ns, longest);
	/* a shorter one, which it is unless somebody else had the processor */
	do {
		assert_true(rounds++ < 100);
		longest = page->longest_round;
		ns = page->round.ns;
		stats_mark(stats);
		stats_round(stats, true);
		ns = page->round.ns - ns;
		assert_int_equal(
		    page->longest_round, ns > longest ? ns : longest);
	} while (ns >= longest);
	/* and one of work that goes on */
	usleep(3000);
	stats_round(stats, false);
	assert_int_equal(count(&page->round), rounds + 1);
	assert_true(page->longest_round >= 3000000);
	/* whoever takes over begins anew */
	stats_serve(stats, true);
	assert_int_equal(page->longest_round, 0);
	assert_int_equal(count(&page->round), rounds + 1);
	stats_close(stats);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_are_counted_by_operation_and_error),
		TEST(time_falls_into_its_bucket),
		TEST(a_successor_goes_on_counting),
		TEST(what_is_no_page_is_not_read),
		TEST(another_version_is_begun_anew),
		TEST(rounds_are_counted_and_the_longest_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
