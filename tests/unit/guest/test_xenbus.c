/* The store client against a server that is slow, hostile, or just right. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/error.h"
#include "hv-core/guest/xenbus.h"
#include "tests/unit/guest/fake_store.h"

#define SECOND UINT64_C(1000000000)

struct fixture {
	union {
		struct xenstore_domain_interface page;
		char bytes[4096];
	} u;
	struct fake_store fs;
	struct xenbus *xb;
	uint64_t now;
	int notified;
	int nested; /* what a call made from wait answered */
	int try_nested;
	int waits;
};

static struct xenstore_domain_interface *
page_of(struct fixture *f)
{
	return &f->u.page;
}

static void
on_notify(void *arg)
{
	((struct fixture *)arg)->notified++;
}

static int
on_wait(void *arg, uint64_t deadline)
{
	struct fixture *f = arg;

	assert_true(++f->waits < 100000);
	if (f->try_nested)
		f->nested = xenbus_mkdir(f->xb, 0, "a", NULL);
	f->now += SECOND / 100;
	(void)fake_store_step(&f->fs);
	return f->now >= deadline ? -ETIMEDOUT : 0;
}

static uint64_t
on_now(void *arg)
{
	return ((struct fixture *)arg)->now;
}

static void
start(struct fixture *f, uint32_t index)
{
	struct xenbus_transport t = {
		.page = page_of(f),
		.notify = on_notify,
		.wait = on_wait,
		.now = on_now,
		.arg = f,
	};

	memset(f, 0, sizeof(*f));
	page_of(f)->req_cons = page_of(f)->req_prod = index;
	page_of(f)->rsp_cons = page_of(f)->rsp_prod = index;
	fake_store_init(&f->fs, page_of(f));
	f->xb = xenbus_open(&t);
	assert_non_null(f->xb);
}

static int
setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	start(f, 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	xenbus_close(f->xb);
	fake_store_free(&f->fs);
	free(f);
	return 0;
}

static void
assert_broken(struct fixture *f)
{
	unsigned int before = f->fs.requests;

	assert_int_equal(xenbus_error(f->xb), -EIO);
	assert_non_null(xenbus_reason(f->xb));
	assert_int_equal(xenbus_mkdir(f->xb, 0, "b", NULL), -EIO);
	assert_int_equal(xenbus_poll(f->xb), -EIO);
	(void)fake_store_step(&f->fs);
	assert_int_equal(f->fs.requests, before); /* nothing more is sent */
}

/* --- requests ----------------------------------------------------------- */

static void
a_value_comes_back_as_it_was_written(void **state)
{
	struct fixture *f = *state;
	char *value;
	size_t len;

	assert_int_equal(xenbus_write(f->xb, 0, "a/b", "c", "x\0y", 3), 0);
	assert_int_equal(xenbus_read(f->xb, 0, "a", "b/c", &value, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(value, "x\0y", 4); /* and a NUL */
	free(value);
	assert_true(f->notified > 0);
}

static void
any_chunking_and_any_start_of_the_indexes_will_do(void **state)
{
	static const uint32_t starts[] = { 0, 1000, 0xfffffff0u, 0x7fffffffu };
	static const size_t chunks[] = { 1, 7, 1023, 1024, 5000 };
	struct fixture *f = *state;
	char big[4000];
	char *value;
	size_t len;

	memset(big, 'q', sizeof(big));
	for (size_t i = 0; i < 20; i++) {
		xenbus_close(f->xb);
		fake_store_free(&f->fs);
		start(f, starts[i % 4]);
		f->fs.chunk = chunks[i / 4];
		big[i] = (char)('a' + i);
		assert_int_equal(
		    xenbus_write(f->xb, 0, "big", NULL, big, sizeof(big)), 0);
		assert_int_equal(
		    xenbus_read(f->xb, 0, "big", NULL, &value, &len), 0);
		assert_int_equal(len, sizeof(big));
		assert_memory_equal(value, big, len);
		free(value);
	}
}

static void
every_error_string_becomes_its_errno(void **state)
{
	struct fixture *f = *state;

	for (int e = XS_OK + 1; e < XS_ERR_COUNT; e++) {
		f->fs.error = error_name((enum xs_err)e);
		assert_int_equal(xenbus_rm(f->xb, 0, "a", NULL),
		    -error_to_errno((enum xs_err)e));
	}
	f->fs.error = "EQUOTA";
	assert_int_equal(xenbus_rm(f->xb, 0, "a", NULL), -EINVAL);
	f->fs.error = "";
	assert_int_equal(xenbus_rm(f->xb, 0, "a", NULL), -EINVAL);
	assert_int_equal(xenbus_error(f->xb), 0); /* still connected */
}

static void
what_does_not_fit_a_message_is_refused_unsent(void **state)
{
	struct fixture *f = *state;
	char *long_path = malloc(5000);
	char value[4096];

	memset(value, 'v', sizeof(value));
	memset(long_path, 'p', 4999);
	long_path[4999] = '\0';
	assert_int_equal(xenbus_mkdir(f->xb, 0, long_path, NULL), -E2BIG);
	assert_int_equal(xenbus_mkdir(f->xb, 0, "a", long_path), -E2BIG);
	assert_int_equal(
	    xenbus_write(f->xb, 0, "a", NULL, value, sizeof(value)), -E2BIG);
	assert_int_equal(
	    xenbus_printf(f->xb, 0, "a", NULL, "%s", long_path), -E2BIG);
	assert_int_equal(xenbus_mkdir(f->xb, 0, "", NULL), -EINVAL);
	assert_int_equal(page_of(f)->req_prod, 0);
	assert_int_equal(f->notified, 0);
	free(long_path);
}

static void
numbers_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "007", 0, 7 },
		{ "255", 0, 255 },
		{ "256", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x1", -EINVAL, 0 },
		{ "1\n", -EINVAL, 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t out = 12345;

		fake_set(&f->fs, "n", cases[i].text);
		assert_int_equal(
		    xenbus_read_num(f->xb, 0, "n", NULL, 255, &out),
		    cases[i].rc);
		assert_int_equal(
		    out, cases[i].rc == 0 ? cases[i].value : 12345);
	}
	fake_set_bytes(&f->fs, "n", "1\0002", 3);
	uint64_t out;
	assert_int_equal(
	    xenbus_read_num(f->xb, 0, "n", NULL, 255, &out), -EINVAL);
	assert_int_equal(
	    xenbus_read_num_or(f->xb, 0, "none", NULL, 255, 9, &out), 0);
	assert_int_equal(out, 9);
	assert_int_equal(
	    xenbus_read_num_or(f->xb, 0, "n", NULL, 255, 9, &out), -EINVAL);
}

static void
strings_fit_or_are_refused(void **state)
{
	struct fixture *f = *state;
	char buf[4] = "old";

	fake_set(&f->fs, "s", "abc");
	assert_int_equal(
	    xenbus_read_str(f->xb, 0, "s", NULL, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "abc");
	fake_set(&f->fs, "s", "abcd");
	assert_int_equal(
	    xenbus_read_str(f->xb, 0, "s", NULL, buf, sizeof(buf)), -EMSGSIZE);
	assert_string_equal(buf, "");
	fake_set_bytes(&f->fs, "s", "a\0b", 3);
	assert_int_equal(
	    xenbus_read_str(f->xb, 0, "s", NULL, buf, sizeof(buf)), -EINVAL);
}

static void
a_directory_is_taken_apart(void **state)
{
	struct fixture *f = *state;
	char **names;
	size_t count;

	fake_set(&f->fs, "d", "");
	assert_int_equal(
	    xenbus_directory(f->xb, 0, "d", NULL, &names, &count), 0);
	assert_int_equal(count, 0);
	assert_null(names);
	fake_set(&f->fs, "d/one", "");
	fake_set(&f->fs, "d/two/x", "");
	assert_int_equal(
	    xenbus_directory(f->xb, 0, "d", NULL, &names, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "one");
	assert_string_equal(names[1], "two");
	free(names);
	assert_int_equal(
	    xenbus_directory(f->xb, 0, "e", NULL, &names, &count), -ENOENT);
}

static void
a_call_from_within_the_wait_is_refused(void **state)
{
	struct fixture *f = *state;

	f->try_nested = 1;
	assert_int_equal(xenbus_mkdir(f->xb, 0, "a", NULL), 0);
	assert_int_equal(f->nested, -EBUSY);
	assert_int_equal(f->fs.requests, 1);
}

/* --- a server that is not to be trusted --------------------------------- */

static void
a_reply_to_another_request_breaks_the_connection(void **state)
{
	struct fixture *f = *state;

	f->fs.wrong_id = 1;
	assert_int_equal(xenbus_mkdir(f->xb, 0, "a", NULL), -EIO);
	assert_broken(f);
}

static void
a_reply_of_another_kind_breaks_the_connection(void **state)
{
	struct fixture *f = *state;

	f->fs.wrong_type = WIRE_READ;
	assert_int_equal(xenbus_mkdir(f->xb, 0, "a", NULL), -EIO);
	assert_broken(f);
}

static void
a_reply_beyond_the_limit_breaks_the_connection(void **state)
{
	struct fixture *f = *state;

	f->fs.wrong_len = WIRE_PAYLOAD_MAX + 1;
	assert_int_equal(xenbus_mkdir(f->xb, 0, "a", NULL), -EIO);
	assert_broken(f);
}

static void
a_reply_nobody_asked_for_breaks_the_connection(void **state)
{
	struct fixture *f = *state;

	fake_queue(&f->fs, WIRE_READ, 1, 0, "x", 1);
	(void)fake_store_step(&f->fs);
	assert_int_equal(xenbus_poll(f->xb), -EIO);
	assert_broken(f);
}

static void
impossible_reply_indexes_break_the_connection(void **state)
{
	struct fixture *f = *state;

	page_of(f)->rsp_prod = 1025;
	assert_int_equal(xenbus_poll(f->xb), -EIO);
	assert_broken(f);
}

static void
impossible_request_indexes_break_the_connection(void **state)
{
	struct fixture *f = *state;

	page_of(f)->req_cons = 5; /* ahead of us */
	f->fs.deaf = 1;
	assert_int_equal(xenbus_mkdir(f->xb, 0, "a", NULL), -EIO);
	assert_int_equal(page_of(f)->req_prod, 0);
	assert_broken(f);
}

static void
a_server_that_refuses_the_ring_breaks_the_connection(void **state)
{
	struct fixture *f = *state;

	page_of(f)->error = XENSTORE_ERROR_RINGIDX;
	f->fs.deaf = 1;
	assert_int_equal(xenbus_mkdir(f->xb, 0, "a", NULL), -EIO);
	assert_broken(f);
}

static void
a_bad_transaction_number_breaks_the_connection(void **state)
{
	struct fixture *f = *state;
	uint32_t tx = 77;

	f->fs.last_tx = UINT32_MAX; /* the next one is 0 */
	assert_int_equal(xenbus_tx_start(f->xb, &tx), -EIO);
	assert_int_equal(tx, 77);
	assert_broken(f);
}

/* --- patience ----------------------------------------------------------- */

static void
a_late_reply_is_thrown_away(void **state)
{
	struct fixture *f = *state;
	char *value;

	fake_set(&f->fs, "old", "1");
	fake_set(&f->fs, "new", "2");
	f->fs.chunk = 1; /* far too slow for half a second */
	xenbus_set_timeout(f->xb, SECOND / 20);
	assert_int_equal(
	    xenbus_read(f->xb, 0, "old", NULL, &value, NULL), -ETIMEDOUT);
	f->fs.chunk = SIZE_MAX;
	xenbus_set_timeout(f->xb, XENBUS_FOREVER);
	assert_int_equal(xenbus_read(f->xb, 0, "new", NULL, &value, NULL), 0);
	assert_string_equal(value, "2");
	free(value);
	assert_int_equal(f->fs.requests, 2);
}

static void
a_request_that_never_got_out_is_withdrawn(void **state)
{
	struct fixture *f = *state;

	f->fs.deaf = 1;
	page_of(f)->req_prod = XENSTORE_RING_SIZE; /* full of something */
	xenbus_set_timeout(f->xb, SECOND);
	assert_int_equal(xenbus_mkdir(f->xb, 0, "gone", NULL), -ETIMEDOUT);
	f->fs.deaf = 0;
	page_of(f)->req_cons = XENSTORE_RING_SIZE;
	assert_int_equal(xenbus_mkdir(f->xb, 0, "here", NULL), 0);
	assert_int_equal(f->fs.requests, 1);
	assert_null(fake_find(&f->fs, "gone"));
	assert_non_null(fake_find(&f->fs, "here"));
}

/* --- transactions ------------------------------------------------------- */

struct body {
	int runs;
	int fail_with;
};

static int
count_and_write(struct xenbus *xb, uint32_t tx, void *arg)
{
	struct body *b = arg;

	b->runs++;
	assert_int_not_equal(tx, XENBUS_NO_TX);
	if (b->fail_with != 0)
		return b->fail_with;
	return xenbus_printf(xb, tx, "t", NULL, "%d", b->runs);
}

static void
a_transaction_is_run_again_until_it_commits(void **state)
{
	struct fixture *f = *state;
	struct body b = { 0, 0 };

	f->fs.fail_commits = 3;
	assert_int_equal(xenbus_transaction(f->xb, count_and_write, &b), 0);
	assert_int_equal(b.runs, 4);
	assert_string_equal(fake_get(&f->fs, "t"), "4");
}

static void
a_failed_body_aborts_its_transaction(void **state)
{
	struct fixture *f = *state;
	struct body b = { 0, -ENOENT };

	assert_int_equal(
	    xenbus_transaction(f->xb, count_and_write, &b), -ENOENT);
	assert_int_equal(b.runs, 1);
	assert_int_equal(f->fs.last_type, WIRE_TRANSACTION_END);
	assert_null(fake_find(&f->fs, "t"));
}

static void
retries_come_to_an_end(void **state)
{
	struct fixture *f = *state;
	struct body b = { 0, 0 };

	f->fs.fail_commits = 1000000;
	assert_int_equal(
	    xenbus_transaction(f->xb, count_and_write, &b), -EAGAIN);
	assert_int_equal(b.runs, XENBUS_TX_TRIES);
}

/* --- watches ------------------------------------------------------------ */

struct seen {
	struct fixture *f;
	struct xenbus_watch *watch;
	int count;
	char last[256];
	int unwatch;
	int write;
};

static void
note(void *arg, const char *path)
{
	struct seen *s = arg;

	s->count++;
	snprintf(s->last, sizeof(s->last), "%s", path);
	if (s->unwatch)
		assert_int_equal(xenbus_unwatch(s->f->xb, s->watch), 0);
	if (s->write-- > 0)
		assert_int_equal(
		    xenbus_printf(s->f->xb, 0, "w/x", NULL, "%d", s->write), 0);
}

/* Registers a watch on PATH and lets its first event pass. */
static void
watch(struct fixture *f, const char *path, struct seen *s)
{
	memset(s, 0, sizeof(*s));
	s->f = f;
	assert_int_equal(
	    xenbus_watch(f->xb, path, NULL, note, s, &s->watch), 0);
	(void)fake_store_step(&f->fs);
	(void)xenbus_poll(f->xb);
	s->count = 0;
}

static void
events_are_delivered_by_poll_only_and_once(void **state)
{
	struct fixture *f = *state;
	struct seen s = { .f = f };
	char *value;

	assert_int_equal(xenbus_watch(f->xb, "w", NULL, note, &s, NULL), 0);
	fake_set(&f->fs, "w/a", "1");
	fake_set(&f->fs, "w/a", "2");
	assert_int_equal(xenbus_read(f->xb, 0, "w/a", NULL, &value, NULL), 0);
	free(value);
	assert_int_equal(s.count, 0);
	assert_true(xenbus_pending(f->xb));
	assert_int_equal(xenbus_poll(f->xb), 2); /* the first one, and w/a */
	assert_int_equal(s.count, 2);
	assert_string_equal(s.last, "w/a");
	assert_false(xenbus_pending(f->xb));
	assert_int_equal(xenbus_poll(f->xb), 0);
}

static void
a_flood_of_events_collapses_but_is_not_lost(void **state)
{
	struct fixture *f = *state;
	struct seen s, quiet;
	char path[32];

	watch(f, "quiet", &quiet);
	watch(f, "w", &s);
	for (int i = 0; i < XENBUS_QUEUE_MAX + 50; i++) {
		snprintf(path, sizeof(path), "w/%d", i);
		fake_event(&f->fs, path, "2");
	}
	fake_event(&f->fs, "quiet/x", "1");
	assert_int_equal(xenbus_mkdir(f->xb, 0, "z", NULL), 0);
	assert_int_equal(s.count, 0);
	assert_int_equal(xenbus_poll(f->xb), XENBUS_QUEUE_MAX + 2);
	assert_int_equal(s.count, XENBUS_QUEUE_MAX + 1);
	assert_int_equal(quiet.count, 1);
	assert_string_equal(quiet.last, "quiet");
	assert_string_equal(s.last, "w");
}

static void
a_callback_may_end_its_own_watch(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	watch(f, "w", &s);
	s.unwatch = 1;
	fake_set(&f->fs, "w/a", "");
	fake_set(&f->fs, "w/b", "");
	(void)fake_store_step(&f->fs);
	assert_int_equal(xenbus_poll(f->xb), 1);
	assert_int_equal(s.count, 1);
	assert_int_equal(f->fs.watch[0].path[0], '\0');
	assert_int_equal(xenbus_poll(f->xb), 0);
}

static void
a_callback_may_cause_events(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	watch(f, "w", &s);
	s.write = 3;
	fake_set(&f->fs, "w/x", "");
	(void)fake_store_step(&f->fs);
	while (xenbus_pending(f->xb))
		assert_true(xenbus_poll(f->xb) >= 0);
	assert_int_equal(s.count, 4);
}

static void
a_watch_that_is_refused_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct seen s = { .f = f };

	f->fs.error = "ENOSPC";
	assert_int_equal(
	    xenbus_watch(f->xb, "w", NULL, note, &s, &s.watch), -ENOSPC);
	assert_null(s.watch);
	fake_event(&f->fs, "w", "1");
	(void)fake_store_step(&f->fs);
	assert_int_equal(xenbus_poll(f->xb), 0);
	assert_int_equal(s.count, 0);
}

static void
events_of_unknown_tokens_are_ignored(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	watch(f, "w", &s);
	fake_event(&f->fs, "w", "2");
	fake_event(&f->fs, "w", "zebra");
	fake_event(&f->fs, "w", "");
	fake_event(&f->fs, "w", "ffffffffffffffffffff");
	(void)fake_store_step(&f->fs);
	assert_int_equal(xenbus_poll(f->xb), 0);
	assert_int_equal(s.count, 0);
	assert_int_equal(xenbus_error(f->xb), 0);
}

static void
an_event_from_elsewhere_names_the_watched_path(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	watch(f, "w", &s);
	fake_event(&f->fs, "/etc/passwd", "1");
	(void)fake_store_step(&f->fs);
	assert_int_equal(xenbus_poll(f->xb), 1);
	assert_string_equal(s.last, "w");
}

static void
malformed_events_break_the_connection(void **state)
{
	static const struct {
		const char *body;
		size_t len;
	} bad[] = { { "", 0 }, { "w", 1 }, { "w\0", 2 }, { "w\0001", 3 } };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fake_queue(
		    &f->fs, WIRE_WATCH_EVENT, 0, 0, bad[i].body, bad[i].len);
		(void)fake_store_step(&f->fs);
		assert_int_equal(xenbus_poll(f->xb), -EIO);
		assert_broken(f);
		assert_int_equal(xenbus_reset(f->xb), 0);
	}
}

static void
a_reset_brings_the_watches_back(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	watch(f, "w", &s);
	f->fs.wrong_id = 1;
	assert_int_equal(xenbus_mkdir(f->xb, 0, "a", NULL), -EIO);
	memset(f->fs.watch, 0, sizeof(f->fs.watch)); /* a new server */
	memset(page_of(f), 0, sizeof(*page_of(f)));
	assert_int_equal(xenbus_reset(f->xb), 0);
	assert_string_equal(f->fs.watch[0].path, "w");
	(void)fake_store_step(&f->fs);
	assert_int_equal(xenbus_poll(f->xb), 1);
	assert_int_equal(s.count, 1);
}

/* --- devices ------------------------------------------------------------ */

static void
a_state_is_written_only_where_one_is(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    xenbus_switch_state(f->xb, 0, "device/vbd/1", XenbusStateClosed),
	    0);
	assert_null(fake_find(&f->fs, "device/vbd/1/state"));
	fake_set(&f->fs, "device/vbd/1/state", "1");
	assert_int_equal(
	    xenbus_switch_state(f->xb, 0, "device/vbd/1", XenbusStateClosed),
	    0);
	assert_string_equal(fake_get(&f->fs, "device/vbd/1/state"), "6");
	assert_int_equal(
	    xenbus_read_state(f->xb, 0, "device/vbd/1"), XenbusStateClosed);
	fake_set(&f->fs, "device/vbd/1/state", "9");
	assert_int_equal(
	    xenbus_read_state(f->xb, 0, "device/vbd/1"), XenbusStateUnknown);
}

static void
the_other_end_is_found_or_refused(void **state)
{
	struct fixture *f = *state;
	struct xenbus_otherend other;

	assert_int_equal(
	    xenbus_find_otherend(f->xb, "d", "backend", "backend-id", &other),
	    -ENOENT);
	fake_set(&f->fs, "d/backend-id", "40000");
	assert_int_equal(
	    xenbus_find_otherend(f->xb, "d", "backend", "backend-id", &other),
	    -ERANGE);
	fake_set(&f->fs, "d/backend-id", "3");
	fake_set(&f->fs, "d/backend", "");
	assert_int_equal(
	    xenbus_find_otherend(f->xb, "d", "backend", "backend-id", &other),
	    -EINVAL);
	fake_set(&f->fs, "d/backend", "/local/domain/3/backend/x");
	assert_int_equal(
	    xenbus_find_otherend(f->xb, "d", "backend", "backend-id", &other),
	    0);
	assert_int_equal(other.domid, 3);
	assert_string_equal(other.path, "/local/domain/3/backend/x");
}

static void
waiting_for_a_state_ends_with_it_or_in_time(void **state)
{
	struct fixture *f = *state;

	fake_set(&f->fs, "d/state", "2");
	assert_int_equal(
	    xenbus_wait_state(f->xb, "d",
		1u << XenbusStateInitWait | 1u << XenbusStateConnected,
		f->now + SECOND),
	    XenbusStateInitWait);
	assert_int_equal(xenbus_wait_state(f->xb, "d",
			     1u << XenbusStateConnected, f->now + SECOND),
	    -ETIMEDOUT);
	assert_int_equal(f->fs.watch[0].path[0], '\0'); /* unwatched */
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_value_comes_back_as_it_was_written),
		T(any_chunking_and_any_start_of_the_indexes_will_do),
		T(every_error_string_becomes_its_errno),
		T(what_does_not_fit_a_message_is_refused_unsent),
		T(numbers_are_read_strictly),
		T(strings_fit_or_are_refused),
		T(a_directory_is_taken_apart),
		T(a_call_from_within_the_wait_is_refused),
		T(a_reply_to_another_request_breaks_the_connection),
		T(a_reply_of_another_kind_breaks_the_connection),
		T(a_reply_beyond_the_limit_breaks_the_connection),
		T(a_reply_nobody_asked_for_breaks_the_connection),
		T(impossible_reply_indexes_break_the_connection),
		T(impossible_request_indexes_break_the_connection),
		T(a_server_that_refuses_the_ring_breaks_the_connection),
		T(a_bad_transaction_number_breaks_the_connection),
		T(a_late_reply_is_thrown_away),
		T(a_request_that_never_got_out_is_withdrawn),
		T(a_transaction_is_run_again_until_it_commits),
		T(a_failed_body_aborts_its_transaction),
		T(retries_come_to_an_end),
		T(events_are_delivered_by_poll_only_and_once),
		T(a_flood_of_events_collapses_but_is_not_lost),
		T(a_callback_may_end_its_own_watch),
		T(a_callback_may_cause_events),
		T(a_watch_that_is_refused_leaves_nothing),
		T(events_of_unknown_tokens_are_ignored),
		T(an_event_from_elsewhere_names_the_watched_path),
		T(malformed_events_break_the_connection),
		T(a_reset_brings_the_watches_back),
		T(a_state_is_written_only_where_one_is),
		T(the_other_end_is_found_or_refused),
		T(waiting_for_a_state_ends_with_it_or_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
