/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/plat.h"
#include "xenstored/stream_copy.h"

enum { SIZE = 200 * 1000 };

static char sent[SIZE], got[SIZE + 1];

static void
a_copy_has_all_bytes_and_does_not_change(void **unused)
{
	int fd = plat_memory_file("test"), copy;
	size_t i;

	(void)unused;
	for (i = 0; i < SIZE; i++)
		sent[i] = (char)(i * 7 + i / 256);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, sent, SIZE), SIZE);
	copy = stream_copy(fd);
	assert_true(copy >= 0);
	assert_int_equal(fcntl(copy, F_GETFD), FD_CLOEXEC);
	assert_int_equal(pwrite(fd, "other", 5, 0), 5);
	assert_int_equal(pread(copy, got, sizeof(got), 0), SIZE);
	assert_memory_equal(sent, got, SIZE);
	close(copy);
	close(fd);
}

static void
what_is_no_file_is_refused(void **unused)
{
	int ends[2];

	(void)unused;
	assert_int_equal(stream_copy(-1), -1);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(stream_copy(ends[0]), -1);
	close(ends[0]);
	close(ends[1]);
}

/* Nothing of it is copied: that would take minutes, and all memory. */
static void
a_large_file_of_nothing_is_refused(void **unused)
{
	static const off_t bad[] = { (off_t)1 << 40, (off_t)STREAM_COPY_MAX + 1,
		(off_t)STREAM_COPY_MAX, (off_t)STREAM_COPY_HOLES + 1 };
	int fd = plat_memory_file("test"), copy;
	struct stat st;
	size_t i;

	(void)unused;
	assert_true(fd >= 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ftruncate(fd, bad[i]), 0);
		assert_int_equal(stream_copy(fd), -1);
	}
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	copy = stream_copy(fd);
	assert_true(copy >= 0);
	assert_int_equal(fstat(copy, &st), 0);
	assert_int_equal(st.st_size, 1 << 20);
	close(copy);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_has_all_bytes_and_does_not_change),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(a_large_file_of_nothing_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
