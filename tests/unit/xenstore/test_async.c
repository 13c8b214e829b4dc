/* SPDX-License-Identifier: BSD-2-Clause */
/* The asynchronous interface against a server that says what a test wants. */
#include "async_fixture.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

/* Takes ten requests before it answers the first one. */
static void
answer_ten_at_once(struct fake *f)
{
	struct request reqs[10];

	for (;;) {
		for (int i = 0; i < 10; i++) {
			if (!fake_recv(f))
				return;
			reqs[i] = f->req;
		}
		for (int i = 0; i < 10; i++) {
			f->req = reqs[i];
			fake_send(f, f->req.hdr.type, f->req.body,
			    f->req.hdr.len - 1);
		}
	}
}

static void
requests_are_sent_before_others_are_answered(void **state)
{
	struct got got[100] = { { 0 } };

	(void)state;
	start(answer_ten_at_once);
	for (int i = 0; i < 100; i++) {
		char path[24];

		snprintf(path, sizeof(path), "/node%d", i);
		assert_non_null(xs_async_read(a, 0, path, keep, &got[i]));
	}
	assert_int_equal(xs_async_pending(a), 100);
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(xs_async_pending(a), 0);
	for (int i = 0; i < 100; i++) {
		char path[24];

		snprintf(path, sizeof(path), "/node%d", i);
		assert_int_equal(got[i].calls, 1);
		assert_int_equal(got[i].err, 0);
		assert_string_equal(got[i].data, path);
	}
	stop();
}

static void
nothing_is_called_before_dispatch(void **state)
{
	struct got got = { 0 };

	(void)state;
	start(fake_answer);
	assert_false(fake_readable(xs_async_fd(a), 0));
	assert_non_null(xs_async_read(a, 0, "/x", keep, &got));
	assert_int_equal(got.calls, 0);
	/* there is something to send: the descriptor says so, until it is */
	assert_true(fake_readable(xs_async_fd(a), 0));
	wait_calls(&got, 1);
	assert_string_equal(got.data, "OK");
	assert_false(fake_readable(xs_async_fd(a), 0));
	assert_int_equal(xs_async_wait(a, 0), -1);
	assert_int_equal(errno, ETIMEDOUT);
	stop();
}

static void
answer_backwards(struct fake *f)
{
	struct request reqs[3];

	for (int i = 0; i < 3; i++) {
		fake_recv(f);
		reqs[i] = f->req;
	}
	for (int i = 2; i >= 0; i--) {
		f->req = reqs[i];
		fake_send(f, f->req.hdr.type, f->req.body, f->req.hdr.len - 1);
	}
	fake_recv(f);
}

static void
answers_out_of_order_find_their_requests(void **state)
{
	static const char *const paths[] = { "/1", "/2", "/3" };
	struct got got[3] = { { 0 } };

	(void)state;
	start(answer_backwards);
	for (int i = 0; i < 3; i++)
		assert_non_null(xs_async_read(a, 0, paths[i], keep, &got[i]));
	assert_int_equal(xs_async_finish(a), 0);
	for (int i = 0; i < 3; i++)
		assert_string_equal(got[i].data, paths[i]);
	stop();
}

static void
errors_become_errno(void **state)
{
	struct got got = { 0 };

	(void)state;
	start(fake_answer);
	fake.reply_type = WIRE_ERROR;
	fake.reply = "ENOENT";
	fake.reply_len = 7;
	assert_non_null(xs_async_read(a, 0, "/x", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, ENOENT);
	assert_true(got.null);
	stop();
}

static void
a_request_too_long_is_refused_and_not_sent(void **state)
{
	static char value[WIRE_PAYLOAD_MAX];

	(void)state;
	start(fake_answer);
	assert_null(xs_async_write(
	    a, 0, "/x", value, sizeof(value), must_not_be_called, NULL));
	assert_int_equal(errno, E2BIG);
	assert_null(xs_async_submit(
	    a, (enum xs_async_op)WIRE_WATCH, 0, NULL, 0, NULL, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(
	    xs_async_submit(a, (enum xs_async_op)99, 0, NULL, 0, NULL, NULL));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(xs_async_pending(a), 0);
	assert_false(fake_readable(xs_async_fd(a), 0));
	stop();
	assert_int_equal(fake.requests, 0);
}

static void
each_request_has_its_payload(void **state)
{
	static const struct {
		uint32_t type;
		const char *body;
		size_t len;
	} want[] = {
		{ WIRE_READ, "/x", 3 },
		{ WIRE_GET_PERMS, "/x", 3 },
		{ WIRE_WRITE, "/x\0v", 4 },
		{ WIRE_MKDIR, "/x", 3 },
		{ WIRE_RM, "/x", 3 },
		{ WIRE_TRANSACTION_END, "F", 2 },
		{ WIRE_TRANSACTION_END, "T", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct got got = { 0 };
		struct xs_async_request *req[sizeof(want) / sizeof(want[0])];

		start(fake_answer);
		req[0] =
		    i == 0   ? xs_async_read(a, 7, "/x", keep, &got)
		    : i == 1 ? xs_async_get_permissions(a, 7, "/x", keep, &got)
		    : i == 2 ? xs_async_write(a, 7, "/x", "v", 1, keep, &got)
		    : i == 3 ? xs_async_mkdir(a, 7, "/x", keep, &got)
		    : i == 4
			? xs_async_rm(a, 7, "/x", keep, &got)
			: xs_async_transaction_end(a, 7, i == 5, keep, &got);
		assert_non_null(req[0]);
		assert_int_equal(xs_async_finish(a), 0);
		assert_int_equal(got.err, 0);
		stop();
		assert_int_equal(fake.req.hdr.type, want[i].type);
		assert_int_equal(fake.req.hdr.tx_id, 7);
		assert_int_equal(fake.req.hdr.len, want[i].len);
		assert_memory_equal(fake.req.body, want[i].body, want[i].len);
	}
}

/* A directory in two parts, which changes once in between. */
static void
answer_in_parts(struct fake *f)
{
	for (int i = 0; fake_recv(f); i++) {
		const char *offset = f->req.body + strlen(f->req.body) + 1;

		if (f->req.hdr.type == WIRE_DIRECTORY)
			fake_error(f, "E2BIG");
		else if (strcmp(offset, "0") == 0)
			fake_send(f, WIRE_DIRECTORY_PART,
			    i == 1 ? "1\0one\0two\0" : "2\0one\0two\0", 10);
		else if (strcmp(offset, "8") == 0)
			fake_send(f, WIRE_DIRECTORY_PART, "2\0three\0", 9);
		else
			fake_error(f, "EINVAL");
	}
}

static void
a_long_directory_comes_whole(void **state)
{
	struct got got = { 0 };

	(void)state;
	start(answer_in_parts);
	assert_non_null(xs_async_directory(a, 0, "/x", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.calls, 1);
	assert_int_equal(got.err, 0);
	assert_int_equal(got.len, 14);
	assert_memory_equal(got.data, "one\0two\0three\0", 14);
	stop();
	/* the list, 0, 8 (changed), 0, 8 */
	assert_int_equal(fake.requests, 5);
}

static void
offer_no_parts(struct fake *f)
{
	fake_recv(f);
	fake_error(f, "E2BIG");
	fake_recv(f);
	fake_error(f, "ENOSYS");
	fake_recv(f);
}

static void
a_long_directory_without_parts_is_too_big(void **state)
{
	struct got got = { 0 };

	(void)state;
	start(offer_no_parts);
	assert_non_null(xs_async_directory(a, 0, "/x", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, E2BIG);
	stop();
}

/* Says of anything that it is too long, and then ends the connection. */
static void
find_all_too_long(struct fake *f)
{
	while (fake_recv(f)) {
		if (f->req.hdr.type == WIRE_DIRECTORY_PART)
			return;
		fake_error(f, "E2BIG");
	}
}

/* The library must not look for the end of a path behind what it was given. */
static void
a_raw_request_need_not_end_with_a_nul(void **state)
{
	static const char raw[] = { '/', 'x' };
	const struct iovec iov = { (void *)raw, sizeof(raw) };
	struct got got = { 0 };

	(void)state;
	start(find_all_too_long);
	assert_non_null(
	    xs_async_submit(a, XS_ASYNC_DIRECTORY, 0, &iov, 1, keep, &got));
	(void)xs_async_finish(a);
	assert_int_equal(got.calls, 1);
	assert_int_not_equal(got.err, 0);
	stop();
	assert_int_equal(fake.req.hdr.type, WIRE_DIRECTORY_PART);
	assert_int_equal(fake.req.hdr.len, 5);
	assert_memory_equal(fake.req.body, "/x\0000\0", 5);
}

static void
what_is_cancelled_before_it_was_sent_is_not_sent(void **state)
{
	struct got got = { 0 };
	struct xs_async_request *req;

	(void)state;
	start(fake_answer);
	req = xs_async_read(a, 0, "/a", must_not_be_called, NULL);
	assert_non_null(req);
	assert_non_null(xs_async_read(a, 0, "/b", keep, &got));
	xs_async_cancel(a, req);
	assert_int_equal(xs_async_pending(a), 1);
	req = xs_async_read(a, 0, "/c", must_not_be_called, NULL);
	xs_async_cancel(a, req);
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.calls, 1);
	stop();
	assert_int_equal(fake.requests, 1);
	assert_string_equal(fake.req.body, "/b");
}

/* Answers, late, what it got first. */
static void
answer_when_there_are_two(struct fake *f)
{
	struct request first;

	fake_recv(f);
	first = f->req;
	while (fake_recv(f)) {
		struct request second = f->req;

		f->req = first;
		fake_send(f, f->req.hdr.type, "7", 2);
		f->req = second;
		fake_ok(f);
		first = second;
		if (!fake_recv(f))
			return;
		first = f->req;
	}
}

static void
what_is_cancelled_after_it_was_sent_is_not_answered(void **state)
{
	struct got got = { 0 };
	struct xs_async_request *req;

	(void)state;
	start(answer_when_there_are_two);
	req = xs_async_read(a, 0, "/a", must_not_be_called, NULL);
	assert_non_null(req);
	assert_int_equal(xs_async_dispatch(a), 0);
	xs_async_cancel(a, req);
	assert_int_equal(xs_async_pending(a), 0);
	assert_non_null(xs_async_read(a, 0, "/b", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.calls, 1);
	stop();
}

static void
a_transaction_cancelled_while_it_is_started_is_ended(void **state)
{
	struct got got = { 0 };
	struct xs_async_request *req;

	(void)state;
	start(answer_when_there_are_two);
	req = xs_async_transaction_start(a, must_not_be_called, NULL);
	assert_int_equal(xs_async_dispatch(a), 0);
	xs_async_cancel(a, req);
	assert_non_null(xs_async_read(a, 0, "/b", keep, &got));
	wait_calls(&got, 1);
	xs_async_dispatch(a);
	while (fake.requests < 3)
		usleep(1000);
	assert_int_equal(fake.req.hdr.type, WIRE_TRANSACTION_END);
	assert_int_equal(fake.req.hdr.tx_id, 7);
	assert_string_equal(fake.req.body, "F");
	stop();
}

static void
events_reach_the_function_of_their_watch(void **state)
{
	struct got one = { 0 }, two = { 0 }, sync = { 0 };
	struct xs_async_watch *w1, *w2;

	(void)state;
	start(fire_at_watch);
	w1 = xs_async_watch(a, "/a", -1, keep_event, NULL, &one);
	w2 = xs_async_watch(a, "/a", 2, keep_event, NULL, &two);
	assert_non_null(w1);
	assert_non_null(w2);
	wait_calls(&two, 1);
	assert_int_equal(one.calls, 1);
	assert_string_equal(one.data, "/a");
	/* what the server says after the unwatch was made reaches nobody */
	xs_async_unwatch(a, w1);
	xs_async_unwatch(a, w2);
	assert_non_null(xs_async_read(a, 0, "/x", keep, &sync));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(one.calls, 1);
	assert_int_equal(two.calls, 1);
	stop();
	assert_int_equal(fake.requests, 5);
}

static void
a_watch_ended_before_it_was_sent_is_not_registered(void **state)
{
	struct got got = { 0 };
	struct xs_async_watch *w;

	(void)state;
	start(fire_at_watch);
	w = xs_async_watch(a, "/a", -1, keep_event, must_not_be_called, NULL);
	assert_non_null(w);
	xs_async_unwatch(a, w);
	assert_non_null(xs_async_read(a, 0, "/x", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	stop();
	assert_int_equal(fake.requests, 1);
}

static void
refuse_all(struct fake *f)
{
	while (fake_recv(f))
		fake_error(f, "EINVAL");
}

static void
a_refused_watch_says_so_and_is_gone(void **state)
{
	struct got got = { 0 };

	(void)state;
	start(refuse_all);
	assert_non_null(xs_async_watch(a, "/a", -1, keep_event, keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.calls, 1);
	assert_int_equal(got.err, EINVAL);
	stop();
}

static void
close_it(void *ctx, int err, const char *data, size_t len)
{
	(void)err;
	(void)data;
	(void)len;
	++*(int *)ctx;
	xs_async_close(a);
}

static void
it_may_be_closed_from_inside(void **state)
{
	int calls = 0;

	(void)state;
	start(fake_answer);
	assert_non_null(xs_async_read(a, 0, "/a", close_it, &calls));
	assert_non_null(xs_async_read(a, 0, "/b", must_not_be_called, NULL));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(calls, 1);
	fake_stop(&fake);
}

static void
wait_inside(void *ctx, int err, const char *data, size_t len)
{
	(void)err;
	assert_int_equal(xs_async_dispatch(a), -1);
	assert_int_equal(errno, EDEADLK);
	assert_int_equal(xs_async_wait(a, -1), -1);
	assert_int_equal(errno, EDEADLK);
	assert_non_null(xs_async_read(a, 0, "/c", keep, ctx));
	assert_int_equal(xs_async_finish(a), -1);
	assert_int_equal(errno, EDEADLK);
	assert_memory_equal(data, "OK", len);
}

static void
it_does_not_wait_for_itself(void **state)
{
	struct got got = { 0 };

	(void)state;
	start(fake_answer);
	assert_non_null(xs_async_read(a, 0, "/a", wait_inside, &got));
	assert_non_null(xs_async_read(a, 0, "/b", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.calls, 2);
	stop();
}

static void
ask_again(void *ctx, int err, const char *data, size_t len)
{
	int *left = ctx;

	(void)data;
	(void)len;
	assert_int_equal(err, 0);
	if (--*left > 0)
		assert_non_null(xs_async_read(a, 0, "/x", ask_again, left));
}

static void
requests_made_in_answers_go_on(void **state)
{
	int left = 1000;

	(void)state;
	start(fake_answer);
	assert_non_null(xs_async_read(a, 0, "/x", ask_again, &left));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(left, 0);
	stop();
}

static void
many_requests_fit(void **state)
{
	struct got got = { 0 };
	static char value[3000];

	(void)state;
	start(fake_answer);
	for (int i = 0; i < 5000; i++)
		assert_non_null(xs_async_write(
		    a, 0, "/x", value, sizeof(value), keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.calls, 5000);
	stop();
	assert_int_equal(fake.requests, 5000);
}

/* --- ends --- */

static void
hang_up(struct fake *f)
{
	fake_recv(f);
	fake_recv(f);
	fake_send(f, WIRE_READ, "last", 4);
}

static void
a_connection_that_ends_answers_all_with_ebadf(void **state)
{
	struct got got[2] = { { 0 } }, watch = { 0 };

	(void)state;
	start(hang_up);
	assert_non_null(xs_async_watch(a, "/w", -1, keep_event, keep, &watch));
	assert_non_null(xs_async_read(a, 0, "/a", keep, &got[0]));
	assert_non_null(xs_async_read(a, 0, "/b", keep, &got[1]));
	assert_int_equal(xs_async_finish(a), -1);
	assert_int_equal(errno, EBADF);
	/* what was said before the end counts */
	assert_int_equal(got[0].err, 0);
	assert_string_equal(got[0].data, "last");
	assert_int_equal(got[1].calls, 1);
	assert_int_equal(got[1].err, EBADF);
	assert_int_equal(watch.err, EBADF);
	assert_true(fake_readable(xs_async_fd(a), 0));
	assert_int_equal(xs_async_dispatch(a), -1);
	assert_null(xs_async_read(a, 0, "/c", must_not_be_called, NULL));
	assert_int_equal(errno, EBADF);
	assert_true(fake_readable(xs_async_fd(a), 0));
	stop();
}

static void
answer_another(struct fake *f)
{
	fake_recv(f);
	f->req.hdr.req_id += (uint32_t)f->reply_len;
	fake_send(f, f->reply_type, f->reply, strlen(f->reply));
	fake_recv(f);
}

static void
a_server_that_breaks_the_protocol_ends_it(void **state)
{
	static const struct {
		uint32_t type;
		size_t id; /* beyond the request's */
		const char *body;
	} bad[] = {
		{ WIRE_READ, 1, "x" },
		{ WIRE_WRITE, 0, "x" },
		{ WIRE_WATCH_EVENT, 0, "x" },
		{ WIRE_ERROR, 1u << 31, "EIO" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct got got = { 0 };

		/* the same with the flag: this is no way to come back */
		start_many(answer_another, 1, i & 1 ? XS_ASYNC_RECONNECT : 0);
		fake.reply_type = bad[i].type;
		fake.reply = bad[i].body;
		fake.reply_len = bad[i].id;
		assert_non_null(xs_async_read(a, 0, "/a", keep, &got));
		assert_int_equal(xs_async_finish(a), -1);
		assert_int_equal(got.err, EBADF);
		stop();
	}
}

static void
send_huge_length(struct fake *f)
{
	struct wire_header hdr = { .type = WIRE_READ, .len = 0xffffffff };

	fake_recv(f);
	fake_bytes(f, &hdr, sizeof(hdr));
	fake_recv(f);
}

static void
a_huge_length_ends_it(void **state)
{
	struct got got = { 0 };

	(void)state;
	start(send_huge_length);
	assert_non_null(xs_async_read(a, 0, "/a", keep, &got));
	assert_int_equal(xs_async_finish(a), -1);
	assert_int_equal(got.err, EBADF);
	stop();
}

/* --- devices --- */

/* A FIFO gives back what is written: each request is its own answer. */
static void
on_a_device(enum conn_kind kind)
{
	char dir[] = "/tmp/kernbus-test-XXXXXX", path[64];
	struct got got[20] = { { 0 } };
	struct conn conn;
	int n;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(conn_open_path(&conn, path), 0);
	conn.kind = kind;
	a = async_open(&conn, XS_ASYNC_RECONNECT);
	assert_non_null(a);
	for (int i = 0; i < 20; i++)
		assert_non_null(xs_async_mkdir(a, 0, "/x", keep, &got[i]));
	assert_true(fake_readable(xs_async_fd(a), 0));
	/* what was written and not read again yet */
	for (int i = 0; i < 20 && xs_async_pending(a) > 0; i++) {
		assert_int_equal(xs_async_wait(a, 60000), 0);
		assert_int_equal(ioctl(conn.fd, FIONREAD, &n), 0);
		assert_true(n <= 16 + 3);
	}
	assert_int_equal(xs_async_finish(a), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(got[i].err, 0);
		assert_string_equal(got[i].data, "/x");
	}
	xs_async_close(a);
	unlink(path);
	rmdir(dir);
}

static void
a_device_gets_one_request_at_a_time(void **state)
{
	(void)state;
	on_a_device(CONN_DEVICE);
}

static void
a_device_that_cannot_be_waited_for_works(void **state)
{
	(void)state;
	on_a_device(CONN_DEVICE_SYNC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_sent_before_others_are_answered),
		cmocka_unit_test(nothing_is_called_before_dispatch),
		cmocka_unit_test(answers_out_of_order_find_their_requests),
		cmocka_unit_test(errors_become_errno),
		cmocka_unit_test(a_request_too_long_is_refused_and_not_sent),
		cmocka_unit_test(each_request_has_its_payload),
		cmocka_unit_test(a_long_directory_comes_whole),
		cmocka_unit_test(a_long_directory_without_parts_is_too_big),
		cmocka_unit_test(a_raw_request_need_not_end_with_a_nul),
		cmocka_unit_test(
		    what_is_cancelled_before_it_was_sent_is_not_sent),
		cmocka_unit_test(
		    what_is_cancelled_after_it_was_sent_is_not_answered),
		cmocka_unit_test(
		    a_transaction_cancelled_while_it_is_started_is_ended),
		cmocka_unit_test(events_reach_the_function_of_their_watch),
		cmocka_unit_test(
		    a_watch_ended_before_it_was_sent_is_not_registered),
		cmocka_unit_test(a_refused_watch_says_so_and_is_gone),
		cmocka_unit_test(it_may_be_closed_from_inside),
		cmocka_unit_test(it_does_not_wait_for_itself),
		cmocka_unit_test(requests_made_in_answers_go_on),
		cmocka_unit_test(many_requests_fit),
		cmocka_unit_test(a_connection_that_ends_answers_all_with_ebadf),
		cmocka_unit_test(a_server_that_breaks_the_protocol_ends_it),
		cmocka_unit_test(a_huge_length_ends_it),
		cmocka_unit_test(a_device_gets_one_request_at_a_time),
		cmocka_unit_test(a_device_that_cannot_be_waited_for_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
