/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept of a guest's output, and what its log looks like. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/xenconsoled/logfile.h"
#include "tools/xenconsoled/outbuf.h"
#include "tools/xenconsoled/pty.h"

static void
what_goes_in_comes_out_in_order(void **state)
{
	struct outbuf buf;
	const char *data;
	size_t len;

	(void)state;
	outbuf_init(&buf, 0);
	assert_int_equal(buf.limit, OUTBUF_LIMIT_MIN);
	assert_true(outbuf_append(&buf, "abc", 3));
	assert_true(outbuf_append(&buf, "def", 3));
	outbuf_consume(&buf, 2);
	assert_true(outbuf_append(&buf, "ghi", 3));
	data = outbuf_peek(&buf, &len);
	assert_int_equal(len, 7);
	assert_memory_equal(data, "cdefghi", 7);
	assert_int_equal(outbuf_room(&buf), OUTBUF_LIMIT_MIN - 7);
	outbuf_consume(&buf, 7);
	outbuf_peek(&buf, &len);
	assert_int_equal(len, 0);
	outbuf_free(&buf);
}

static void
too_much_output_keeps_its_beginning_and_its_end(void **state)
{
	struct outbuf buf;
	const char *data;
	size_t len;
	char c = 0;

	(void)state;
	outbuf_init(&buf, 8192);
	/* up to 5/4 nothing is lost */
	for (int i = 0; i < 10240; i++) {
		c = i < 4096 ? 'b' : i < 6144 ? 'm' : 'e';
		assert_true(outbuf_append(&buf, &c, 1));
	}
	outbuf_peek(&buf, &len);
	assert_int_equal(len, 10240);
	assert_int_equal(outbuf_room(&buf), 0);
	/* one more, and the middle goes */
	assert_true(outbuf_append(&buf, "E", 1));
	data = outbuf_peek(&buf, &len);
	assert_int_equal(len, 8192);
	assert_int_equal(data[4095], 'b');
	assert_int_equal(data[4096], 'e');
	assert_int_equal(data[8191], 'E');
	for (size_t i = 4096; i < 8191; i++)
		assert_int_equal(data[i], 'e');
	outbuf_free(&buf);
}

static void
memory_stays_bounded(void **state)
{
	struct outbuf buf;
	char chunk[2048];

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	outbuf_init(&buf, SIZE_MAX);
	assert_int_equal(buf.limit, OUTBUF_LIMIT_MAX);
	outbuf_init(&buf, 65536);
	for (int i = 0; i < 5000; i++) {
		assert_true(outbuf_append(&buf, chunk, sizeof(chunk)));
		outbuf_consume(&buf, 100);
	}
	assert_true(buf.size <= 4 * 65536);
	outbuf_free(&buf);
}

/* ---- logs ---- */

static char path[] = "/tmp/kernbus-test-XXXXXX";

static int
setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/kernbus-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void
contents(char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, size - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
}

static void
a_plain_log_is_what_the_guest_wrote(void **state)
{
	struct logfile *log = logfile_open(path, 0);
	char text[200];

	(void)state;
	assert_non_null(log);
	logfile_write(log, "one\ntw", 6);
	logfile_write(log, "o\033[0m\n", 6);
	contents(text, sizeof(text));
	assert_string_equal(text, "one\ntwo\033[0m\n");
	logfile_close(log);
}

static void
times_stand_at_the_beginning_of_lines_only(void **state)
{
	struct logfile *log = logfile_open(path, LOGFILE_TIME);
	char text[400];

	(void)state;
	logfile_write(log, "one\ntw", 6);
	logfile_write(log, "o\n", 2);
	logfile_write(log, "\n", 1);
	contents(text, sizeof(text));
	/* "[YYYY-MM-DD HH:MM:SS] " is 22 characters */
	assert_int_equal(strlen(text), 3 * 22 + 9);
	assert_memory_equal(text + 20, "] one\n[", 7);
	assert_memory_equal(text + 26 + 20, "] two\n[", 7);
	assert_memory_equal(text + 52 + 20, "] \n", 3);
	logfile_close(log);
}

static void
escapes_are_replaced_if_wanted(void **state)
{
	struct logfile *log = logfile_open(path, LOGFILE_ESCAPE);
	char text[100];

	(void)state;
	logfile_write(log, "\033[2Ja\033\033b\033", 9);
	contents(text, sizeof(text));
	assert_string_equal(text, ".[2Ja..b.");
	logfile_close(log);
}

static void
a_rotated_log_is_begun_anew(void **state)
{
	struct logfile *log = logfile_open(path, 0);
	char text[100], old[64];

	(void)state;
	snprintf(old, sizeof(old), "%s.old", path);
	logfile_write(log, "one", 3);
	assert_int_equal(rename(path, old), 0);
	logfile_reopen(log);
	logfile_write(log, "two", 3);
	contents(text, sizeof(text));
	assert_string_equal(text, "two");
	logfile_close(log);
	unlink(old);
	logfile_write(NULL, "x", 1);
	logfile_reopen(NULL);
	logfile_close(NULL);
}

static void
a_log_in_no_folder_is_an_error(void **state)
{
	(void)state;
	assert_null(logfile_open("/nonexistent/x", 0));
	assert_int_equal(errno, ENOENT);
}

/* ---- terminals ---- */

static void
a_terminal_passes_bytes_unchanged_both_ways(void **state)
{
	struct pty pty;
	char buf[16];
	struct pollfd pfd = { .events = POLLIN };
	int fd;

	(void)state;
	assert_int_equal(pty_open(&pty), 0);
	fd = open(pty.name, O_RDWR | O_NOCTTY);
	assert_true(fd >= 0);
	pfd.fd = fd;
	assert_true(pty_drained(&pty));
	assert_int_equal(write(pty.master, "a\n\003\004\r", 5), 5);
	assert_int_equal(poll(&pfd, 1, 60000), 1);
	assert_false(pty_drained(&pty));
	assert_int_equal(read(fd, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "a\n\003\004\r", 5);
	assert_true(pty_drained(&pty));
	assert_int_equal(write(fd, "\r\003x", 3), 3);
	pfd.fd = pty.master;
	assert_int_equal(poll(&pfd, 1, 60000), 1);
	assert_int_equal(read(pty.master, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "\r\003x", 3);
	close(fd);
	/* without a client it stays usable */
	assert_int_equal(read(pty.master, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EAGAIN);
	pty_close(&pty);
	assert_int_equal(pty.master, -1);
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out_in_order),
		cmocka_unit_test(
		    too_much_output_keeps_its_beginning_and_its_end),
		cmocka_unit_test(memory_stays_bounded),
		LOG_TEST(a_plain_log_is_what_the_guest_wrote),
		LOG_TEST(times_stand_at_the_beginning_of_lines_only),
		LOG_TEST(escapes_are_replaced_if_wanted),
		LOG_TEST(a_rotated_log_is_begun_anew),
		cmocka_unit_test(a_log_in_no_folder_is_an_error),
		cmocka_unit_test(a_terminal_passes_bytes_unchanged_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
