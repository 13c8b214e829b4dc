/* SPDX-License-Identifier: BSD-2-Clause */
/* The asynchronous interface when its server breaks and comes back. */
#include "async_fixture.h"

/* The first connection takes some requests and ends; the second answers. */
static void
break_once(struct fake *f)
{
	if (f->connection == 0) {
		for (size_t i = 0; i < f->reply_len; i++)
			fake_recv(f);
		return;
	}
	fire_at_watch(f);
}

static void
break_all_but_the_last(struct fake *f)
{
	if (f->connection < f->connections - 1)
		fake_recv(f);
	else
		fire_at_watch(f);
}

static void
start_breaking(int after)
{
	fake_start_many(&fake, break_once, 2);
	fake.reply_len = (size_t)after;
	a = xs_async_open(XS_ASYNC_RECONNECT);
	assert_non_null(a);
}

static void
what_may_be_done_twice_is_sent_again(void **state)
{
	struct got got[4] = { { 0 } };
	struct iovec iov = { "check", 6 };

	(void)state;
	start_breaking(4);
	assert_non_null(xs_async_read(a, 0, "/a", keep, &got[0]));
	assert_non_null(xs_async_write(a, 0, "/a", "v", 1, keep, &got[1]));
	assert_non_null(
	    xs_async_submit(a, XS_ASYNC_CONTROL, 0, &iov, 1, keep, &got[2]));
	assert_non_null(xs_async_directory(a, 0, "/a", keep, &got[3]));
	assert_int_equal(xs_async_finish(a), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(got[i].calls, 1);
		assert_int_equal(got[i].err, i == 2 ? ECONNRESET : 0);
	}
	stop();
	assert_int_equal(fake.requests, 7);
}

static void
what_breaks_every_connection_is_not_sent_for_ever(void **state)
{
	struct got got = { 0 }, other = { 0 };

	(void)state;
	fake_start_many(&fake, break_all_but_the_last, 4);
	a = xs_async_open(XS_ASYNC_RECONNECT);
	assert_non_null(a);
	assert_non_null(xs_async_read(a, 0, "/a", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, ECONNRESET);
	assert_non_null(xs_async_read(a, 0, "/b", keep, &other));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(other.err, 0);
	stop();
	assert_int_equal(fake.requests, 4);
}

static void
answer_once_then_break(struct fake *f)
{
	if (f->connection == 0) {
		fake_recv(f);
		fake_ok(f);
		fake_event(f, "/w", f->req.body + 3);
		return;
	}
	fire_at_watch(f);
}

static void
watches_are_registered_again_with_one_event(void **state)
{
	struct got watch = { 0 }, got = { 0 };

	(void)state;
	start_many(answer_once_then_break, 2, XS_ASYNC_RECONNECT);
	assert_non_null(xs_async_watch(a, "/w", 3, keep_event, NULL, &watch));
	wait_calls(&watch, 2);
	assert_non_null(xs_async_read(a, 0, "/x", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(watch.calls, 2);
	assert_string_equal(watch.data, "/w");
	stop();
	assert_int_equal(fake.requests, 3);
}

static void
start_txn_then_break(struct fake *f)
{
	fake_recv(f);
	fake_send(f, WIRE_TRANSACTION_START, "1", 2);
	if (f->connection == 0) {
		fake_recv(f);
		return;
	}
	while (fake_recv(f))
		fake_ok(f);
}

static void
a_lost_transaction_fails_with_eagain_and_the_next_one_is_another(void **state)
{
	struct got first = { 0 }, got = { 0 };
	xs_transaction_t txn, second;

	(void)state;
	start_many(start_txn_then_break, 2, XS_ASYNC_RECONNECT);
	assert_non_null(xs_async_transaction_start(a, keep, &first));
	assert_int_equal(xs_async_finish(a), 0);
	txn = (xs_transaction_t)strtoul(first.data, NULL, 10);
	assert_int_equal(txn, 1);
	assert_non_null(xs_async_read(a, txn, "/a", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, EAGAIN);

	/* the server starts counting anew; the user sees two numbers */
	assert_non_null(xs_async_transaction_start(a, keep, &first));
	assert_int_equal(xs_async_finish(a), 0);
	second = (xs_transaction_t)strtoul(first.data, NULL, 10);
	assert_int_not_equal(second, 0);
	assert_int_not_equal(second, txn);

	assert_non_null(xs_async_read(a, txn, "/a", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, EAGAIN);
	assert_non_null(xs_async_transaction_end(a, txn, false, keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, EAGAIN);
	assert_non_null(xs_async_transaction_end(a, txn, true, keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, ENOENT); /* it has ended */

	assert_non_null(xs_async_transaction_end(a, second, false, keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, 0);
	stop();
	assert_int_equal(fake.req.hdr.type, WIRE_TRANSACTION_END);
	assert_int_equal(fake.req.hdr.tx_id, 1);
}

static void
a_commit_on_the_way_has_an_unknown_end(void **state)
{
	struct got got = { 0 };

	(void)state;
	start_many(start_txn_then_break, 2, XS_ASYNC_RECONNECT);
	assert_non_null(xs_async_transaction_start(a, keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_non_null(xs_async_transaction_end(a, 1, false, keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, ECONNRESET);
	/* the connection is there again: end the second one's script */
	assert_non_null(xs_async_transaction_start(a, keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, 0);
	stop();
}

static void
requests_are_taken_while_the_server_is_away(void **state)
{
	struct got got = { 0 };

	(void)state;
	start_breaking(0);
	assert_int_equal(xs_async_wait(a, 60000), 0); /* meets the end */
	assert_non_null(xs_async_read(a, 0, "/a", keep, &got));
	assert_int_equal(xs_async_finish(a), 0);
	assert_int_equal(got.err, 0);
	stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_done_twice_is_sent_again),
		cmocka_unit_test(
		    what_breaks_every_connection_is_not_sent_for_ever),
		cmocka_unit_test(watches_are_registered_again_with_one_event),
		cmocka_unit_test(
		    a_lost_transaction_fails_with_eagain_and_the_next_one_is_another),
		cmocka_unit_test(a_commit_on_the_way_has_an_unknown_end),
		cmocka_unit_test(requests_are_taken_while_the_server_is_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
