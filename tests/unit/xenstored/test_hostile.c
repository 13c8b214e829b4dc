/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

/* What a guest may try to make the daemon take memory or time. */

static unsigned asked; /* how often the world was */

static struct domain_info
counted_info(void *ctx, uint32_t domid)
{
	asked++;
	return h_domain_info(ctx, domid);
}

static void
start(struct h *h, struct conn **s, struct conn **g)
{
	h_start(h);
	*s = h_socket(h);
	*g = h_guest(h, *s, 1);
}

static int64_t
memory_of(const struct conn *conn)
{
	return conn->who.self->usage.n[QUOTA_MEMORY];
}

static void
a_transaction_of_reads_without_end_is_given_up(void **unused)
{
	char path[2001];
	struct conn *s, *g;
	int64_t limit = quota_defaults().n[QUOTA_MEMORY], before;
	struct h h;
	uint32_t tx;
	int i;

	(void)unused;
	start(&h, &s, &g);
	before = memory_of(g);
	memset(path, 'p', sizeof(path));
	path[2000] = '\0';
	tx = h_begin(&h, g);
	for (i = 0; i < 5000; i++) {
		assert_string_equal(h_read(&h, g, tx, path), "ENOENT");
		assert_true(memory_of(g) <= limit);
	}
	assert_true(memory_of(g) > limit / 2); /* much is allowed */
	assert_int_equal(h_end(&h, g, tx, "T"), XS_ENOMEM);
	assert_int_equal(memory_of(g), before);
	h_stop(&h);
}

static void
a_transaction_that_used_up_the_memory_takes_no_more_values(void **unused)
{
	char path[16], value[2001];
	struct conn *s, *g;
	enum xs_err err = XS_OK;
	struct h h;
	uint32_t tx;
	int i;

	(void)unused;
	start(&h, &s, &g);
	memset(value, 'v', sizeof(value));
	value[2000] = '\0';
	tx = h_begin(&h, g);
	for (i = 0; i < 5000 && err == XS_OK; i++) {
		snprintf(path, sizeof(path), "n%d", i % 500);
		err = h_write(&h, g, tx, path, value);
	}
	assert_int_equal(err, XS_ENOMEM);
	/* also where it wrote before */
	assert_int_equal(h_write(&h, g, tx, "n0", "v"), XS_ENOMEM);
	assert_int_equal(h_end(&h, g, tx, "T"), XS_ENOMEM);
	assert_string_equal(h_read(&h, g, 0, "n0"), "ENOENT");
	assert_int_equal(h_write(&h, g, 0, "n0", value), XS_OK);
	h_stop(&h);
}

static void
what_fits_the_memory_can_be_committed_over_anothers_change(void **unused)
{
	struct h_message m;
	char path[16], value[1501];
	struct conn *s, *g;
	struct h h;
	uint32_t tx;
	int i;

	(void)unused;
	start(&h, &s, &g);
	assert_int_equal(h_strings(&h, s, WIRE_SET_QUOTA, 0, &m, "1", "memory",
			     "120000", NULL),
	    XS_OK);
	memset(value, 'v', sizeof(value));
	value[1500] = '\0';
	tx = h_begin(&h, g);
	for (i = 0; i < 30; i++) {
		snprintf(path, sizeof(path), "n%d", i);
		assert_int_equal(h_write(&h, g, tx, path, value), XS_OK);
	}
	assert_int_equal(h_write(&h, s, 0, "/local/domain/1/z", ""), XS_OK);
	assert_int_equal(h_end(&h, g, tx, "T"), XS_OK);
	assert_string_equal(h_read(&h, g, 0, "n29"), value);
	h_stop(&h);
}

static void
permissions_are_counted_before_the_world_is_asked_for_each(void **unused)
{
	char payload[WIRE_PAYLOAD_MAX];
	struct h_message m;
	struct conn *s, *g;
	size_t len = 0;
	struct h h;

	(void)unused;
	start(&h, &s, &g);
	assert_int_equal(h_write(&h, g, 0, "a", ""), XS_OK);
	memcpy(payload, "a\0n1", 5);
	for (len = 5; len + 4 <= sizeof(payload); len += 4)
		memcpy(payload + len, "r77", 4);
	h.env.domain_info = counted_info;
	asked = 0;
	assert_int_equal(
	    h_call(&h, g, WIRE_SET_PERMS, 0, payload, len, &m), XS_ENOSPC);
	assert_int_equal(asked, 0);
	assert_string_equal(h_text(&h, g, WIRE_GET_PERMS, 0, "a"), "n1");
	h_stop(&h);
}

static void
a_watch_costs_what_its_depth_takes(void **unused)
{
	char path[2001], token[16];
	struct conn *s, *g;
	enum xs_err err = XS_OK;
	struct h h;
	int64_t before, first;
	int i;

	(void)unused;
	start(&h, &s, &g);
	for (i = 0; i < 2000; i += 2)
		memcpy(path + i, "a/", 2);
	path[1999] = '\0';
	before = memory_of(g);
	assert_int_equal(h_watch(&h, g, "a", "t"), XS_OK);
	first = memory_of(g) - before;
	assert_int_equal(h_watch(&h, g, path, "t"), XS_OK);
	/* 999 places more, each of several words */
	assert_true(memory_of(g) - before - 2 * first > 999 * 32);
	for (i = 0; i < 127 && err == XS_OK; i++) {
		path[0] = (char)('b' + i % 24);
		snprintf(token, sizeof(token), "%d", i);
		err = h_watch(&h, g, path, token);
	}
	assert_int_equal(err, XS_ENOMEM);
	assert_int_equal(h_one(&h, g, WIRE_RESET_WATCHES, 0, ""), XS_OK);
	assert_int_equal(memory_of(g), before);
	h_stop(&h);
}

static void
introduce_again_that_fails_leaves_the_connection_as_it_was(void **unused)
{
	struct h_message m;
	struct conn *s, *g;
	struct h h;
	uint32_t tx;

	(void)unused;
	start(&h, &s, &g);
	assert_int_equal(h_watch(&h, g, "a", "t"), XS_OK);
	tx = h_begin(&h, g);
	h.ring_error = XS_ENOENT;
	assert_int_equal(
	    h_strings(&h, s, WIRE_INTRODUCE, 0, &m, "1", "1", "5", NULL),
	    XS_ENOENT);
	assert_int_equal(h_write(&h, s, 0, "/local/domain/1/a", ""), XS_OK);
	assert_string_equal(h_events(&h, g), "a|t;");
	assert_int_equal(h_end(&h, g, tx, "T"), XS_OK);
	h.ring_error = XS_OK;
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_transaction_of_reads_without_end_is_given_up),
		cmocka_unit_test(
		    a_transaction_that_used_up_the_memory_takes_no_more_values),
		cmocka_unit_test(
		    what_fits_the_memory_can_be_committed_over_anothers_change),
		cmocka_unit_test(
		    permissions_are_counted_before_the_world_is_asked_for_each),
		cmocka_unit_test(a_watch_costs_what_its_depth_takes),
		cmocka_unit_test(
		    introduce_again_that_fails_leaves_the_connection_as_it_was),
	};

	h_use_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
