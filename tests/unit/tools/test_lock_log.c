/* SPDX-License-Identifier: BSD-2-Clause */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/common/lock.h"
#include "tools/common/log.h"

static char dir[] = "/tmp/kernbus-test-XXXXXX";
static char path[64];

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kernbus-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int
teardown(void **state)
{
	char old[80];

	(void)state;
	snprintf(old, sizeof(old), "%s.old", path);
	unlink(old);
	unlink(path);
	rmdir(dir);
	return 0;
}

static void
a_lock_tells_its_owner_and_refuses_others(void **state)
{
	pid_t owner = 0;
	int fd = lock_take(path, NULL);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(lock_owner(path), getpid());
	assert_int_equal(lock_take(path, &owner), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(owner, getpid());
	lock_release(fd, path);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(lock_owner(path), 0);
}

static void
a_file_left_behind_is_no_lock(void **state)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(fd, "12345678\nrest", 13), 13);
	close(fd);
	assert_int_equal(lock_owner(path), 0);
	fd = lock_take(path, NULL);
	assert_true(fd >= 0);
	assert_int_equal(lock_owner(path), getpid());
	lock_release(fd, path);
}

static void
a_lock_ends_with_its_process(void **state)
{
	pid_t pid = fork(), owner = 0;
	int fd;

	(void)state;
	if (pid == 0) {
		if (lock_take(path, NULL) < 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	fd = lock_take(path, &owner);
	assert_true(fd >= 0);
	lock_release(fd, path);
}

static void
waiting_for_a_lock_has_an_end(void **state)
{
	int fd = lock_take(path, NULL);
	pid_t owner = 0;
	pid_t pid;
	int other;

	(void)state;
	assert_int_equal(lock_wait(path, 50, &owner), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(owner, getpid());
	pid = fork();
	if (pid == 0) { /* removes the file that the parent waits for */
		usleep(50000);
		lock_release(fd, path);
		_exit(0);
	}
	close(fd);
	other = lock_wait(path, 60000, NULL);
	assert_true(other >= 0);
	assert_int_equal(lock_owner(path), getpid());
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	lock_release(other, path);
}

static void
a_lock_in_no_folder_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(lock_take("/nonexistent/lock", NULL), -1);
	assert_int_equal(errno, ENOENT);
	lock_release(-1, path);
}

/* The text of the log file; the caller frees it. */
static char *
contents(void)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 4096);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 4095, f) < 4095);
	fclose(f);
	return text;
}

static void
a_log_has_times_and_one_line_a_message(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(log_to_file(path), 0);
	log_set_level(LOG_LEVEL_INFO);
	errno = ENOENT;
	log_warn("cannot open %s", "x\n\033[2J");
	assert_int_equal(errno, ENOENT);
	log_debug("not shown");
	text = contents();
	assert_int_equal(text[0], '[');
	assert_string_equal(text + 20,
	    "] cannot open x\\x0a\\x1b[2J: No such file or directory\n");
	free(text);
}

static void
a_rotated_log_is_begun_anew(void **state)
{
	char old[80];
	char *text;

	(void)state;
	snprintf(old, sizeof(old), "%s.old", path);
	assert_int_equal(log_to_file(path), 0);
	log_info("one");
	assert_int_equal(rename(path, old), 0);
	log_info("two");
	assert_int_equal(log_reopen(), 0);
	log_info("three");
	text = contents();
	assert_null(strstr(text, "two"));
	assert_non_null(strstr(text, "three"));
	free(text);
	assert_int_equal(log_to_file("/nonexistent/x"), -1);
	assert_int_equal(errno, ENOENT);
	log_info("four"); /* still goes there */
	text = contents();
	assert_non_null(strstr(text, "four"));
	free(text);
}

static void
a_long_message_is_cut(void **state)
{
	char big[5000];
	char *text;

	(void)state;
	memset(big, '\001', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(log_to_file(path), 0);
	log_warnx("%s", big);
	text = contents();
	assert_true(strlen(text) < 2049);
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lock_tells_its_owner_and_refuses_others),
		TEST(a_file_left_behind_is_no_lock),
		TEST(a_lock_ends_with_its_process),
		TEST(waiting_for_a_lock_has_an_end),
		TEST(a_lock_in_no_folder_is_an_error),
		TEST(a_log_has_times_and_one_line_a_message),
		TEST(a_rotated_log_is_begun_anew),
		TEST(a_long_message_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
