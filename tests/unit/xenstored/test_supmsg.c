/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/supmsg.h"

static int pair[2];

static int
set_up(void **unused)
{
	(void)unused;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int
tear_down(void **unused)
{
	(void)unused;
	close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
	return 0;
}

static void
leave(void)
{
	close(pair[1]);
	pair[1] = -1;
}

static int
receive(struct supmsg *msg)
{
	int fds[SUPMSG_FDS];
	unsigned n_fds = 1;
	int got = supmsg_receive(pair[0], msg, fds, &n_fds);

	assert_int_equal(n_fds, 0);
	return got;
}

static void
what_is_said_arrives_and_then_nothing(void **unused)
{
	struct supmsg msg;

	(void)unused;
	assert_true(supmsg_say_text(pair[1], SUPMSG_LOST, 3, "why"));
	assert_int_equal(receive(&msg), 1);
	assert_int_equal(msg.type, SUPMSG_LOST);
	assert_int_equal(msg.a, 3);
	assert_string_equal(supmsg_text(&msg), "why");
	errno = 0;
	assert_int_equal(receive(&msg), -1);
	assert_int_equal(errno, EAGAIN);
	leave();
	assert_int_equal(receive(&msg), 0);
}

static void
last_words_are_heard_of_one_that_left_without_listening(void **unused)
{
	struct supmsg msg;

	(void)unused;
	assert_true(supmsg_say(pair[0], SUPMSG_AUDIT, 0)); /* nobody reads it */
	assert_true(supmsg_say(pair[1], SUPMSG_READY, 0));
	assert_true(supmsg_say_text(pair[1], SUPMSG_LOST, 0, "last"));
	leave();
	assert_int_equal(receive(&msg), 1);
	assert_int_equal(msg.type, SUPMSG_READY);
	assert_int_equal(receive(&msg), 1);
	assert_int_equal(msg.type, SUPMSG_LOST);
	assert_string_equal(supmsg_text(&msg), "last");
	assert_int_equal(receive(&msg), 0);
	assert_int_equal(receive(&msg), 0);
}

static void
who_leaves_in_silence_is_gone(void **unused)
{
	struct supmsg msg;

	(void)unused;
	assert_true(supmsg_say(pair[0], SUPMSG_AUDIT, 0));
	leave();
	assert_int_equal(receive(&msg), 0);
}

static void
what_is_no_message_is_refused(void **unused)
{
	struct supmsg msg;

	(void)unused;
	assert_int_equal(send(pair[1], "short", 5, 0), 5);
	errno = 0;
	assert_int_equal(receive(&msg), -1);
	assert_int_equal(errno, EPROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    what_is_said_arrives_and_then_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    last_words_are_heard_of_one_that_left_without_listening,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    who_leaves_in_silence_is_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_is_no_message_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
