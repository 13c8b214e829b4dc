/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/listener.h"

enum { MANY = 200 }; /* more than wait to be accepted */

/* Connects so many that no more can; how many. */
static int
fill(const char *path, int fds[MANY])
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int n;

	strcpy(at.sun_path, path);
	for (n = 0; n < MANY; n++) {
		fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(fds[n] >= 0);
		if (connect(fds[n], (const void *)&at, sizeof(at)) == 0)
			continue;
		assert_int_equal(errno, EAGAIN);
		close(fds[n]);
		break;
	}
	assert_true(n < MANY);
	return n;
}

static void
one_at_which_too_many_wait_is_gone_on_with_at_once(void **unused)
{
	char dir[] = "/tmp/test_listener.XXXXXX", path[64];
	int fds[MANY], listener, n;

	(void)unused;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	listener = listener_open(path);
	n = fill(path, fds);
	alarm(60); /* it would wait for itself */
	assert_int_equal(listener_again(path, listener), listener);
	alarm(0);
	while (n > 0)
		close(fds[--n]);
	close(listener);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
one_whose_name_is_another_ones_is_made_again(void **unused)
{
	char dir[] = "/tmp/test_listener.XXXXXX", path[64];
	int before, listener, fds[MANY], n;

	(void)unused;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	before = listener_open(path);
	assert_int_equal(unlink(path), 0);
	listener = listener_again(path, before);
	assert_true(listener >= 0);
	n = fill(path, fds);
	assert_true(n > 0);
	while (n > 0)
		close(fds[--n]);
	close(listener);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    one_at_which_too_many_wait_is_gone_on_with_at_once),
		cmocka_unit_test(one_whose_name_is_another_ones_is_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
