/* SPDX-License-Identifier: BSD-2-Clause */
/* A server that goes and comes back: what its clients notice, and what not. */
#include "fake_server.h"

#include <time.h>

static struct fake fake;
static struct xs_handle *h;

static void
start(void (*script)(struct fake *f), int connections)
{
	fake_start_many(&fake, script, connections);
	h = fake_open(0);
}

static void
stop(void)
{
	xs_close(h);
	fake_stop(&fake);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
assert_event(char **event, const char *path, const char *token)
{
	assert_non_null(event);
	assert_string_equal(event[XS_WATCH_PATH], path);
	assert_string_equal(event[XS_WATCH_TOKEN], token);
	free(event);
}

/* OK to everything, and one event for each watch; a watch just once. */
static void
serve(struct fake *f)
{
	char known[8][16] = { "" };
	size_t n = 0;

	while (fake_recv(f)) {
		bool dup = false;

		for (size_t i = 0; i < n; i++)
			dup |= f->req.hdr.type == WIRE_WATCH &&
			       memcmp(known[i], f->req.body, 5) == 0;
		if (dup)
			fake_error(f, "EEXIST");
		else
			fake_ok(f);
		if (f->req.hdr.type != WIRE_WATCH || dup)
			continue;
		if (n < 8)
			memcpy(known[n++], f->req.body, 5);
		fake_event(
		    f, f->req.body, f->req.body + strlen(f->req.body) + 1);
	}
}

/* All but the last connection end in the middle of the first request. */
static void
break_at_once(struct fake *f)
{
	if (f->connection < f->connections - 1)
		fake_recv(f);
	else
		serve(f);
}

static void
what_may_be_done_twice_is_done_again(void **state)
{
	struct xs_permissions perm = { 0 };
	unsigned num;

	(void)state;
	start(break_at_once, 3);
	assert_true(xs_write(h, 0, "/a", "v", 1));
	assert_int_equal(errno, 0);
	stop();
	assert_int_equal(fake.requests, 3);
	assert_memory_equal(fake.req.body, "/a\0v", 4);

	for (int i = 0; i < 5; i++) {
		start(break_at_once, 2);
		errno = 0;
		if (i == 0)
			free(xs_read(h, 0, "/a", NULL));
		else if (i == 1)
			assert_true(xs_mkdir(h, 0, "/a"));
		else if (i == 2)
			assert_true(xs_rm(h, 0, "/a"));
		else if (i == 3)
			assert_true(xs_set_permissions(h, 0, "/a", &perm, 1));
		else
			free(xs_directory(h, 0, "/a", &num));
		assert_int_equal(errno, 0);
		stop();
		assert_int_equal(fake.requests, 2);
	}
}

static void
what_breaks_every_connection_is_not_done_for_ever(void **state)
{
	(void)state;
	start(break_at_once, 4);
	assert_false(xs_write(h, 0, "/a", "v", 1));
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(fake.requests, 3);
	assert_true(xs_mkdir(h, 0, "/b"));
	stop();
}

/* Hangs up as soon as somebody comes. */
static void
hang_up(struct fake *f)
{
	if (f->connection == 0) {
		fake_recv(f);
		fake_ok(f);
		fake_recv(f);
		fake_ok(f);
	} else if (f->connection == f->connections - 1) {
		serve(f);
	}
}

static void
a_server_that_hangs_up_is_not_stormed(void **state)
{
	int64_t from;

	(void)state;
	start(hang_up, 7);
	/* a thread, but no watch that a new connection would begin with */
	assert_true(xs_watch(h, "/a", "t"));
	from = now_ms();
	assert_true(xs_unwatch(h, "/a", "t"));
	while (fake.connection < 6)
		usleep(1000);
	/* after 0, 10, 20, 40, 80 ms */
	assert_in_range(now_ms() - from, 140, 60000);
	assert_true(xs_mkdir(h, 0, "/b"));
	stop();
}

static void
what_may_not_fails_with_econnreset_and_the_next_call_works(void **state)
{
	char arg[] = "";

	(void)state;
	for (int i = 0; i < 4; i++) {
		start(break_at_once, 2);
		errno = 0;
		if (i == 0)
			assert_null(xs_control_command(h, "check", arg, 1));
		else if (i == 1)
			assert_false(xs_introduce_domain(h, 1, 2, 3));
		else if (i == 2)
			assert_false(xs_release_domain(h, 1));
		else
			assert_false(xs_resume_domain(h, 1));
		assert_int_equal(errno, ECONNRESET);
		assert_true(xs_mkdir(h, 0, "/a"));
		stop();
		assert_int_equal(fake.requests, 2);
	}
}

/* Takes three requests, then ends. */
static void
serve_three_then_break(struct fake *f)
{
	if (f->connection == 1) {
		serve(f);
		return;
	}
	for (int i = 0; i < 3 && fake_recv(f); i++)
		fake_ok(f);
}

static void
watches_are_registered_again_and_give_one_event_each(void **state)
{
	unsigned num;
	int fd;

	(void)state;
	start(serve_three_then_break, 2);
	fd = xs_fileno(h);
	assert_true(xs_watch(h, "/a", "1"));
	assert_true(xs_watch_depth(h, "/b", "2", 7));
	assert_true(xs_watch(h, "/c", "3"));
	/* nobody asks for anything, and it happens all the same */
	assert_true(fake_readable(fd, 60000));
	assert_event(xs_read_watch(h, &num), "/a", "1");
	assert_event(xs_read_watch(h, &num), "/b", "2");
	assert_event(xs_read_watch(h, &num), "/c", "3");
	assert_true(xs_mkdir(h, 0, "/sync"));
	assert_null(xs_check_watch(h));
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(xs_fileno(h), fd);
	stop();
	assert_int_equal(fake.requests, 7);
}

static void
forget_one_then_break(struct fake *f)
{
	if (f->connection == 1) {
		serve(f);
		return;
	}
	for (int i = 0; i < 3 && fake_recv(f); i++)
		fake_ok(f);
	/* it ends in an unwatch */
	fake_recv(f);
}

static void
what_was_unwatched_is_not_registered_again(void **state)
{
	unsigned num;

	(void)state;
	start(forget_one_then_break, 2);
	assert_true(xs_watch(h, "/a", "1"));
	assert_true(xs_watch(h, "/b", "2"));
	assert_true(xs_unwatch(h, "/a", "1"));
	assert_true(xs_unwatch(h, "/b", "2")); /* breaks on the way */
	assert_true(xs_watch(h, "/c", "3"));
	assert_event(xs_read_watch(h, &num), "/c", "3");
	assert_null(xs_check_watch(h));
	stop();
	assert_int_equal(fake.requests, 5);
}

static void
refuse_the_second_time(struct fake *f)
{
	while (fake_recv(f)) {
		if (f->connection == 0) {
			fake_ok(f);
			return;
		}
		if (f->req.hdr.type == WIRE_WATCH)
			fake_error(f, "ENOSPC");
		else
			fake_ok(f);
	}
}

static void
a_watch_refused_the_second_time_fires(void **state)
{
	unsigned num;

	(void)state;
	start(refuse_the_second_time, 2);
	assert_true(xs_watch(h, "/a", "t"));
	assert_event(xs_read_watch(h, &num), "/a", "t");
	assert_true(xs_mkdir(h, 0, "/x"));
	stop();
}

static void
a_watch_that_breaks_on_the_way_is_set_once(void **state)
{
	unsigned num;

	(void)state;
	start(break_at_once, 2);
	assert_true(xs_watch(h, "/a", "t"));
	assert_event(xs_read_watch(h, &num), "/a", "t");
	assert_true(xs_mkdir(h, 0, "/sync"));
	assert_null(xs_check_watch(h));
	stop();
}

/* Transactions count from 1 on each connection, which ends at an operation on
 * "/break" or a commit, unless it is the last. */
static void
serve_txns(struct fake *f)
{
	char id[16];
	int n = 0;

	while (fake_recv(f)) {
		bool last = f->connection == f->connections - 1;

		if (!last && (strcmp(f->req.body, "/break") == 0 ||
				 f->req.hdr.type == WIRE_TRANSACTION_END))
			return;
		if (f->req.hdr.type == WIRE_TRANSACTION_START)
			fake_send(f, WIRE_TRANSACTION_START, id,
			    (size_t)snprintf(id, sizeof(id), "%d", ++n) + 1);
		else if (f->req.hdr.type == WIRE_READ)
			fake_send(f, WIRE_READ, id,
			    (size_t)snprintf(
				id, sizeof(id), "%u", f->req.hdr.tx_id));
		else
			fake_ok(f);
	}
}

static void
a_lost_transaction_goes_on_and_ends_with_eagain(void **state)
{
	xs_transaction_t txn, other;
	char *value;

	(void)state;
	start(serve_txns, 2);
	txn = xs_transaction_start(h);
	assert_int_equal(txn, 1);
	assert_true(xs_write(h, txn, "/a", "v", 1));
	assert_true(xs_write(h, txn, "/break", "v", 1));
	/* now the server's 1 is what it goes on in */
	value = xs_read(h, txn, "/a", NULL);
	assert_string_equal(value, "1");
	free(value);
	other = xs_transaction_start(h);
	assert_int_not_equal(other, XBT_NULL);
	assert_int_not_equal(other, txn);
	value = xs_read(h, other, "/a", NULL);
	assert_string_equal(value, "2");
	free(value);

	errno = 0;
	assert_false(xs_transaction_end(h, txn, false));
	assert_int_equal(errno, EAGAIN);
	/* it was thrown away at the server */
	assert_int_equal(fake.req.hdr.type, WIRE_TRANSACTION_END);
	assert_int_equal(fake.req.hdr.tx_id, 1);
	assert_string_equal(fake.req.body, "F");
	/* and has ended */
	assert_null(xs_read(h, txn, "/a", NULL));
	assert_int_equal(errno, ENOENT);

	assert_true(xs_transaction_end(h, other, false));
	assert_int_equal(fake.req.hdr.tx_id, 2);
	assert_string_equal(fake.req.body, "T");
	stop();
}

static void
lost_between_calls(struct fake *f)
{
	if (f->connection == 0) {
		fake_recv(f);
		fake_send(f, WIRE_TRANSACTION_START, "5", 2);
	} else {
		serve_txns(f);
	}
}

static void
an_untouched_lost_transaction_ends_with_eagain(void **state)
{
	xs_transaction_t txn;

	(void)state;
	for (int abort = 0; abort < 2; abort++) {
		start(lost_between_calls, 2);
		txn = xs_transaction_start(h);
		assert_int_equal(txn, 5);
		/* the loss may be found only by the end itself */
		assert_true(xs_mkdir(h, 0, "/x"));
		errno = 0;
		assert_int_equal(
		    xs_transaction_end(h, txn, abort != 0), abort != 0);
		assert_int_equal(errno, abort != 0 ? 0 : EAGAIN);
		stop();
	}
}

static void
a_commit_on_the_way_has_an_unknown_end(void **state)
{
	xs_transaction_t txn;

	(void)state;
	start(serve_txns, 2);
	txn = xs_transaction_start(h);
	errno = 0;
	assert_false(xs_transaction_end(h, txn, false));
	assert_int_equal(errno, ECONNRESET);
	assert_true(xs_mkdir(h, 0, "/x"));
	stop();

	start(serve_txns, 2);
	txn = xs_transaction_start(h);
	assert_true(xs_transaction_end(h, txn, true));
	assert_true(xs_mkdir(h, 0, "/x"));
	stop();
}

/* Ends for good after the first request: nobody listens any more. */
static void
go_away(struct fake *f)
{
	fake_recv(f);
	fake_ok(f);
	unlink(f->path);
	close(f->listener);
	f->listener = -1;
}

static void
a_server_that_stays_away_is_waited_for_so_long_and_no_longer(void **state)
{
	int64_t from, took;
	int i;

	(void)state;
	fake_start(&fake, go_away);
	setenv("XENSTORE_RECONNECT", "1", 1);
	h = fake_open(0);
	assert_true(xs_mkdir(h, 0, "/x"));
	from = now_ms();
	assert_false(xs_mkdir(h, 0, "/x"));
	assert_int_equal(errno, EBADF);
	took = now_ms() - from;
	assert_in_range(took, 900, 60000);
	/* now at once, unless somebody else has the processor */
	for (i = 0; i < 10 && took >= 500; i++) {
		from = now_ms();
		assert_false(xs_mkdir(h, 0, "/x"));
		assert_int_equal(errno, EBADF);
		took = now_ms() - from;
	}
	assert_true(took < 500);
	stop();
}

static void
nothing_is_waited_for_with_the_flag(void **state)
{
	int64_t from = now_ms();

	(void)state;
	fake_start_many(&fake, go_away, 1);
	setenv("XENSTORE_RECONNECT", "60", 1);
	h = fake_open(XS_OPEN_NO_RECONNECT);
	assert_true(xs_mkdir(h, 0, "/x"));
	assert_false(xs_mkdir(h, 0, "/x"));
	assert_int_equal(errno, EBADF);
	assert_true(now_ms() - from < 30000);
	stop();
}

static void
a_handle_that_waits_can_be_closed(void **state)
{
	int64_t from = now_ms();

	(void)state;
	fake_start_many(&fake, go_away, 1);
	setenv("XENSTORE_RECONNECT", "60", 1);
	h = fake_open(0);
	assert_true(xs_watch(h, "/x", "t"));
	usleep(50000); /* its thread has found out */
	stop();
	assert_true(now_ms() - from < 30000);
}

static void
break_the_protocol(struct fake *f)
{
	fake_recv(f);
	fake_send(f, WIRE_RM, "OK", 3);
	fake_recv(f);
}

static void
a_server_that_breaks_the_protocol_is_not_asked_again(void **state)
{
	(void)state;
	fake_start(&fake, break_the_protocol);
	setenv("XENSTORE_RECONNECT", "60", 1);
	h = fake_open(0);
	assert_false(xs_mkdir(h, 0, "/x"));
	assert_int_equal(errno, EBADF);
	assert_false(xs_mkdir(h, 0, "/x"));
	assert_int_equal(errno, EBADF);
	stop();
	assert_int_equal(fake.requests, 1);
}

/* Each connection but the last ends after some requests. */
static void
break_often(struct fake *f)
{
	bool last = f->connection == f->connections - 1;

	for (int i = 0; (last || i < 40) && fake_recv(f); i++)
		if (f->req.hdr.type == WIRE_READ)
			fake_send(
			    f, WIRE_READ, f->req.body, f->req.hdr.len - 1);
		else
			fake_ok(f);
}

static void *
ask_many(void *arg)
{
	const char *path = arg;

	for (int i = 0; i < 300; i++) {
		char *value = xs_read(h, 0, path, NULL);

		if (value == NULL || strcmp(value, path) != 0)
			return "wrong";
		free(value);
	}
	return NULL;
}

static void
many_threads(bool watch)
{
	static char paths[4][8] = { "/one", "/two", "/three", "/four" };
	pthread_t t[4];
	void *wrong;

	start(break_often, 7);
	if (watch)
		assert_true(xs_watch(h, "/w", "t"));
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&t[i], NULL, ask_many, paths[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &wrong);
		assert_null(wrong);
	}
	stop();
	assert_int_equal(fake.connection, 7);
}

static void
many_threads_do_not_notice(void **state)
{
	(void)state;
	many_threads(false);
}

static void
many_threads_beside_a_reader_do_not_notice(void **state)
{
	(void)state;
	many_threads(true);
}

/* --- xs_transaction_retry --- */

struct body {
	int runs;
	int result[8]; /* of the body, by run */
};

static int
run_body(struct xs_handle *handle, xs_transaction_t txn, void *ctx)
{
	struct body *b = ctx;

	assert_ptr_equal(handle, h);
	assert_int_equal(txn, 7);
	return b->result[b->runs++ % 8];
}

/* Commits fail so many times. */
static void
collide(struct fake *f)
{
	int left = (int)f->reply_len;

	while (fake_recv(f))
		if (f->req.hdr.type == WIRE_TRANSACTION_START)
			fake_send(f, WIRE_TRANSACTION_START, "7", 2);
		else if (f->req.body[0] == 'T' && left-- > 0)
			fake_error(f, "EAGAIN");
		else
			fake_ok(f);
}

static int
retry(struct body *b, int collisions, unsigned timeout_ms)
{
	int err;

	fake_start(&fake, collide);
	fake.reply_len = (size_t)collisions;
	h = fake_open(0);
	err = xs_transaction_retry(h, run_body, b, timeout_ms);
	stop();
	return err;
}

static void
a_transaction_is_retried_until_it_succeeds(void **state)
{
	struct body plain = { 0 }, eight = { 0 };
	struct body itself = { .result = { EAGAIN, EAGAIN, 0 } };

	(void)state;
	assert_int_equal(retry(&plain, 0, 0), 0);
	assert_int_equal(plain.runs, 1);
	assert_int_equal(retry(&eight, 7, 10000), 0);
	assert_int_equal(eight.runs, 8);
	assert_int_equal(retry(&itself, 0, 10000), 0);
	assert_int_equal(itself.runs, 3);
	assert_string_equal(fake.req.body, "T");
}

static void
a_transaction_is_not_retried_for_ever(void **state)
{
	struct body b = { 0 }, once = { 0 };
	int64_t from = now_ms();

	(void)state;
	assert_int_equal(retry(&b, 1000000, 1000), EAGAIN);
	assert_in_range(now_ms() - from, 990, 60000);
	assert_true(b.runs > 3);
	assert_true(b.runs < 100); /* it does not spin */
	assert_int_equal(retry(&once, 5, 0), EAGAIN);
	assert_int_equal(once.runs, 1);
}

static void
a_body_that_fails_throws_its_changes_away(void **state)
{
	struct body b = { .result = { ENOENT } };

	(void)state;
	assert_int_equal(retry(&b, 0, 10000), ENOENT);
	assert_int_equal(b.runs, 1);
	assert_int_equal(fake.req.hdr.type, WIRE_TRANSACTION_END);
	assert_string_equal(fake.req.body, "F");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_done_twice_is_done_again),
		cmocka_unit_test(
		    what_breaks_every_connection_is_not_done_for_ever),
		cmocka_unit_test(a_server_that_hangs_up_is_not_stormed),
		cmocka_unit_test(
		    what_may_not_fails_with_econnreset_and_the_next_call_works),
		cmocka_unit_test(
		    watches_are_registered_again_and_give_one_event_each),
		cmocka_unit_test(what_was_unwatched_is_not_registered_again),
		cmocka_unit_test(a_watch_refused_the_second_time_fires),
		cmocka_unit_test(a_watch_that_breaks_on_the_way_is_set_once),
		cmocka_unit_test(
		    a_lost_transaction_goes_on_and_ends_with_eagain),
		cmocka_unit_test(
		    an_untouched_lost_transaction_ends_with_eagain),
		cmocka_unit_test(a_commit_on_the_way_has_an_unknown_end),
		cmocka_unit_test(
		    a_server_that_stays_away_is_waited_for_so_long_and_no_longer),
		cmocka_unit_test(nothing_is_waited_for_with_the_flag),
		cmocka_unit_test(a_handle_that_waits_can_be_closed),
		cmocka_unit_test(
		    a_server_that_breaks_the_protocol_is_not_asked_again),
		cmocka_unit_test(many_threads_do_not_notice),
		cmocka_unit_test(many_threads_beside_a_reader_do_not_notice),
		cmocka_unit_test(a_transaction_is_retried_until_it_succeeds),
		cmocka_unit_test(a_transaction_is_not_retried_for_ever),
		cmocka_unit_test(a_body_that_fails_throws_its_changes_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
