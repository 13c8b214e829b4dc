/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches: how events reach their reader, and what ends the waiting. */
#include "fake_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* ASan does not follow glibc's unwinding of a cancelled thread: it takes the
 * stack that was left behind for one in use. */
#if defined(__SANITIZE_ADDRESS__)
enum { CAN_CANCEL = 0 };
#else
enum { CAN_CANCEL = 1 };
#endif

static struct fake fake;
static struct xs_handle *h;

static void
start(void (*script)(struct fake *f), unsigned long flags)
{
	fake_start(&fake, script);
	h = fake_open(flags);
}

static void
stop(void)
{
	xs_close(h);
	fake_stop(&fake);
}

static void
assert_event(char **event, const char *path, const char *token)
{
	assert_non_null(event);
	assert_string_equal(event[XS_WATCH_PATH], path);
	assert_string_equal(event[XS_WATCH_TOKEN], token);
	free(event);
}

/* Each request is answered; what it is about fires first. */
static void
fire_at_each(struct fake *f)
{
	while (fake_recv(f)) {
		fake_event(f, f->req.body, "t");
		fake_ok(f);
	}
}

/* Says OK to all; fires once after a watch was set. */
static void
fire_after_watch(struct fake *f)
{
	while (fake_recv(f)) {
		fake_ok(f);
		if (f->req.hdr.type == WIRE_WATCH)
			fake_event(f, f->req.body, "t");
	}
}

static void
a_watch_request_has_path_and_token(void **state)
{
	(void)state;
	start(fake_answer, 0);
	assert_true(xs_watch(h, "/a", ""));
	assert_int_equal(fake.req.hdr.type, WIRE_WATCH);
	assert_int_equal(fake.req.hdr.len, 4);
	assert_memory_equal(fake.req.body, "/a\0\0", 4);
	assert_true(xs_watch_depth(h, "/a", "t", 2));
	assert_int_equal(fake.req.hdr.len, 7);
	assert_memory_equal(fake.req.body, "/a\0t\0002\0", 7);
	assert_true(xs_unwatch(h, "/a", "t"));
	assert_int_equal(fake.req.hdr.type, WIRE_UNWATCH);
	assert_memory_equal(fake.req.body, "/a\0t\0", 5);
	stop();
}

static void
events_come_in_order(void **state)
{
	unsigned int num = 0;

	(void)state;
	start(fire_at_each, 0);
	assert_true(xs_watch(h, "/a", "t"));
	assert_true(xs_mkdir(h, 0, "/a/b"));
	assert_true(xs_mkdir(h, 0, "/a/c"));
	assert_event(xs_read_watch(h, &num), "/a", "t");
	assert_int_equal(num, 2);
	assert_event(xs_read_watch(h, &num), "/a/b", "t");
	assert_event(xs_check_watch(h), "/a/c", "t");
	assert_null(xs_check_watch(h));
	assert_int_equal(errno, EAGAIN);
	stop();
}

static void
the_descriptor_is_readable_just_while_events_wait(void **state)
{
	int fd;

	(void)state;
	start(fire_after_watch, 0);
	fd = xs_fileno(h);
	assert_true(fd >= 0);
	assert_false(fake_readable(fd, 0));
	assert_true(xs_watch(h, "/a", "t"));
	assert_true(fake_readable(fd, 60000)); /* nobody asks for it */
	assert_true(xs_watch(h, "/b", "t"));
	while (!xs_mkdir(h, 0, "/sync"))
		fail();
	assert_event(xs_check_watch(h), "/a", "t");
	assert_true(fake_readable(fd, 60000));
	assert_event(xs_check_watch(h), "/b", "t");
	assert_false(fake_readable(fd, 0));
	assert_int_equal(xs_fileno(h), fd);
	stop();
}

static void
the_descriptor_asked_for_late_shows_events_that_wait(void **state)
{
	(void)state;
	start(fire_at_each, 0);
	assert_true(xs_watch(h, "/a", "t"));
	assert_true(fake_readable(xs_fileno(h), 0));
	stop();
}

static void
events_met_before_any_watch_are_kept(void **state)
{
	unsigned int num;

	(void)state;
	start(fire_at_each, 0);
	assert_true(xs_mkdir(h, 0, "/a"));
	assert_event(xs_read_watch(h, &num), "/a", "t");
	stop();
}

static void
unwatch_keeps_queued_events(void **state)
{
	(void)state;
	start(fire_at_each, 0);
	assert_true(xs_watch(h, "/a", "t"));
	assert_true(xs_unwatch(h, "/a", "t"));
	assert_event(xs_check_watch(h), "/a", "t");
	assert_event(xs_check_watch(h), "/a", "t");
	stop();
}

/* Fires for two watches whenever one is ended. */
static void
fire_at_unwatch(struct fake *f)
{
	while (fake_recv(f)) {
		if (f->req.hdr.type == WIRE_UNWATCH) {
			fake_event(f, "/a/x", "t");
			fake_event(f, "/a/x", "other");
			fake_event(f, "/ab", "t");
			fake_event(f, "/a", "t");
		}
		fake_ok(f);
	}
}

static void
unwatch_with_filter_drops_its_events_and_no_others(void **state)
{
	(void)state;
	start(fire_at_unwatch, XS_UNWATCH_FILTER);
	assert_true(xs_watch(h, "/a", "t"));
	assert_true(xs_unwatch(h, "/a", "t"));
	assert_event(xs_check_watch(h), "/a/x", "other");
	assert_event(xs_check_watch(h), "/ab", "t");
	assert_null(xs_check_watch(h));
	assert_int_equal(errno, EAGAIN);
	assert_false(fake_readable(xs_fileno(h), 0));
	/* the queue still works at its end */
	assert_true(xs_unwatch(h, "/a", "other"));
	assert_event(xs_check_watch(h), "/a/x", "t");
	stop();
}

static void
refuse_unwatch(struct fake *f)
{
	fake_recv(f);
	fake_event(f, "/a", "t");
	fake_ok(f);
	fake_recv(f);
	fake_error(f, "ENOENT");
	fake_recv(f);
}

static void
a_refused_unwatch_drops_nothing(void **state)
{
	(void)state;
	start(refuse_unwatch, XS_UNWATCH_FILTER);
	assert_true(xs_watch(h, "/a", "t"));
	assert_false(xs_unwatch(h, "/a", "t"));
	assert_int_equal(errno, ENOENT);
	assert_event(xs_check_watch(h), "/a", "t");
	stop();
}

static void
fire_and_die(struct fake *f)
{
	fake_recv(f);
	fake_event(f, "/a", "t");
	fake_ok(f);
}

static void
a_dead_daemon_ends_the_wait_with_a_definite_error(void **state)
{
	unsigned int num;

	(void)state;
	start(fire_and_die, 0);
	assert_true(xs_watch(h, "/a", "t"));
	assert_event(xs_read_watch(h, &num), "/a", "t");
	for (int i = 0; i < 3; i++) {
		errno = 0;
		assert_null(xs_read_watch(h, &num));
		assert_int_equal(errno, EBADF);
		errno = 0;
		assert_null(xs_check_watch(h));
		assert_int_equal(errno, EBADF);
		assert_true(fake_readable(xs_fileno(h), 0));
	}
	stop();
}

static void
events_that_came_before_the_end_are_not_lost(void **state)
{
	(void)state;
	start(fire_and_die, 0);
	assert_true(xs_watch(h, "/a", "t"));
	while (xs_mkdir(h, 0, "/x"))
		fail();
	assert_int_equal(errno, EBADF);
	assert_event(xs_check_watch(h), "/a", "t");
	assert_null(xs_check_watch(h));
	assert_int_equal(errno, EBADF);
	stop();
}

static void *
wait_for_event(void *arg)
{
	unsigned int num;

	(void)arg;
	return xs_read_watch(h, &num);
}

static void
one_thread_can_wait_while_another_asks(void **state)
{
	pthread_t t;
	void *event;

	(void)state;
	start(fire_after_watch, 0);
	/* nobody reads for the waiting thread but itself: no watch yet */
	assert_int_equal(pthread_create(&t, NULL, wait_for_event, NULL), 0);
	usleep(20000);
	for (int i = 0; i < 100; i++)
		assert_true(xs_mkdir(h, 0, "/x"));
	assert_true(xs_watch(h, "/a", "t"));
	for (int i = 0; i < 100; i++)
		assert_true(xs_mkdir(h, 0, "/x"));
	pthread_join(t, &event);
	assert_event(event, "/a", "t");
	stop();
}

static void
a_thread_cancelled_while_it_waits_leaves_the_handle_usable(void **state)
{
	pthread_t t;
	void *result;

	(void)state;
	if (!CAN_CANCEL)
		skip();
	start(fire_after_watch, 0);
	assert_true(xs_watch(h, "/a", "t"));
	assert_true(fake_readable(xs_fileno(h), 60000));
	assert_event(xs_check_watch(h), "/a", "t");
	assert_int_equal(pthread_create(&t, NULL, wait_for_event, NULL), 0);
	usleep(20000);
	assert_int_equal(pthread_cancel(t), 0);
	pthread_join(t, &result);
	assert_ptr_equal(result, PTHREAD_CANCELED);
	assert_true(xs_mkdir(h, 0, "/x"));
	assert_null(xs_check_watch(h));
	stop();
}

static void
answer_with_path(struct fake *f)
{
	while (fake_recv(f))
		fake_send(f, f->req.hdr.type, f->req.body, f->req.hdr.len - 1);
}

static void *
ask_many(void *arg)
{
	const char *path = arg;

	for (int i = 0; i < 500; i++) {
		char *value = xs_read(h, 0, path, NULL);

		if (value == NULL || strcmp(value, path) != 0)
			return "wrong";
		free(value);
	}
	return NULL;
}

static void
threads_get_their_own_replies(void **state)
{
	static char paths[4][8] = { "/one", "/two", "/three", "/four" };
	pthread_t t[4];
	void *wrong;

	(void)state;
	start(answer_with_path, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&t[i], NULL, ask_many, paths[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &wrong);
		assert_null(wrong);
	}
	stop();
}

static void
the_reader_takes_no_signals(void **state)
{
	sigset_t set;
	int sig;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	start(fire_after_watch, 0); /* the server inherits that */
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	assert_true(xs_watch(h, "/a", "t"));
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	usleep(10000); /* the default action would end us */
	assert_int_equal(sigwait(&set, &sig), 0);
	assert_int_equal(sig, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	stop();
}

static void
a_child_can_forget_the_handle_and_the_parent_goes_on(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	start(fire_at_each, 0);
	assert_true(xs_watch(h, "/a", "t"));
	assert_true(xs_fileno(h) >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		xs_daemon_destroy_postfork(h);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(xs_mkdir(h, 0, "/b"));
	assert_event(xs_check_watch(h), "/a", "t");
	assert_event(xs_check_watch(h), "/b", "t");
	stop();
}

static int
count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
closing_gives_all_descriptors_back(void **state)
{
	int before = count_fds();

	(void)state;
	for (int i = 0; i < 3; i++) {
		start(fire_at_each, 0);
		assert_true(xs_watch(h, "/a", "t"));
		assert_true(xs_fileno(h) >= 0);
		stop();
	}
	assert_int_equal(count_fds(), before);
	xs_close(NULL);
	xs_daemon_destroy_postfork(NULL);
}

static void
offer_no_depth(struct fake *f)
{
	while (fake_recv(f))
		if (f->req.hdr.type == WIRE_GET_FEATURE)
			fake_error(f, "ENOSYS");
		else if (f->req.hdr.len > 5)
			fake_error(f, "EINVAL");
		else
			fake_ok(f);
}

static void
try_depth_falls_back_where_the_server_has_none(void **state)
{
	(void)state;
	start(offer_no_depth, 0);
	assert_true(xs_watch_try_depth(h, "/a", "t", 1));
	assert_int_equal(fake.requests, 2);
	assert_memory_equal(fake.req.body, "/a\0t\0", 5);
	assert_false(xs_watch_depth(h, "/a", "t", 1));
	assert_int_equal(errno, EINVAL);
	stop();
}

static void
offer_depth(struct fake *f)
{
	while (fake_recv(f))
		if (f->req.hdr.type == WIRE_GET_FEATURE)
			fake_send(f, WIRE_GET_FEATURE, "4", 2);
		else
			fake_ok(f);
}

static void
try_depth_uses_it_where_the_server_has_it(void **state)
{
	(void)state;
	start(offer_depth, 0);
	assert_true(xs_watch_try_depth(h, "/a", "t", 1));
	assert_memory_equal(fake.req.body, "/a\0t\0001\0", 7);
	stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_watch_request_has_path_and_token),
		cmocka_unit_test(events_come_in_order),
		cmocka_unit_test(
		    the_descriptor_is_readable_just_while_events_wait),
		cmocka_unit_test(
		    the_descriptor_asked_for_late_shows_events_that_wait),
		cmocka_unit_test(events_met_before_any_watch_are_kept),
		cmocka_unit_test(unwatch_keeps_queued_events),
		cmocka_unit_test(
		    unwatch_with_filter_drops_its_events_and_no_others),
		cmocka_unit_test(a_refused_unwatch_drops_nothing),
		cmocka_unit_test(
		    a_dead_daemon_ends_the_wait_with_a_definite_error),
		cmocka_unit_test(events_that_came_before_the_end_are_not_lost),
		cmocka_unit_test(one_thread_can_wait_while_another_asks),
		cmocka_unit_test(
		    a_thread_cancelled_while_it_waits_leaves_the_handle_usable),
		cmocka_unit_test(threads_get_their_own_replies),
		cmocka_unit_test(the_reader_takes_no_signals),
		cmocka_unit_test(
		    a_child_can_forget_the_handle_and_the_parent_goes_on),
		cmocka_unit_test(closing_gives_all_descriptors_back),
		cmocka_unit_test(
		    try_depth_falls_back_where_the_server_has_none),
		cmocka_unit_test(try_depth_uses_it_where_the_server_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
