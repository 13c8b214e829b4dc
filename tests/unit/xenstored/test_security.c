/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"
#include "xenstored/domain.h"

/*
 * What went wrong in Xenstores before, case by case: identity, domains that
 * end, paths. Each test names its case and advisory; security.tbl lists them
 * all, and those that other tests cover.
 */

static const struct domain_info gone = { .exists = false };

static void
start(struct h *h, struct conn **s, struct conn **g)
{
	h_start(h);
	*s = h_socket(h);
	*g = h_guest(h, *s, 1);
}

static enum xs_err
introduce(struct h *h, struct conn *s, const char *domid)
{
	struct h_message m;

	return h_strings(h, s, WIRE_INTRODUCE, 0, &m, domid, "1", "5", NULL);
}

/* Case 15, XSA-322: the domain went and its id came back between two looks. */
static void
a_domain_behind_a_used_id_ends_the_one_before(void **unused)
{
	struct domain_info next = { .exists = true, .unique_id = 777 };
	struct conn *s, *g;
	struct h h;

	(void)unused;
	start(&h, &s, &g);
	assert_int_equal(h_write(&h, g, 0, "mine", "1"), XS_OK);
	assert_int_equal(h_watch(&h, s, "@releaseDomain", "r"), XS_OK);
	h.domain[1] = next;
	state_domain_changed(h.st, 1, &next);
	assert_string_equal(h_events(&h, s), "@releaseDomain|r;");
	assert_int_equal(h.n_ring_close, 1);
	assert_string_equal(
	    h_text(&h, s, WIRE_IS_DOMAIN_INTRODUCED, 0, "1"), "F");
	assert_string_equal(h_read(&h, s, 0, "/local/domain/1/mine"), "ENOENT");
	/* nobody said so: it is found out at the next INTRODUCE */
	g = h_guest(&h, s, 1);
	h.domain[1].unique_id = 778;
	assert_int_equal(introduce(&h, s, "1"), XS_OK);
	assert_string_equal(h.event, "@releaseDomain|r;");
	assert_int_equal(h.n_ring_close, 2);
	h_stop(&h);
}

/* Case 16, XSA-483: what the one before used is not on the next one's bill. */
static void
a_domain_with_a_used_id_starts_with_nothing_used(void **unused)
{
	struct conn *s, *g;
	struct h h;
	unsigned i;

	(void)unused;
	start(&h, &s, &g);
	assert_int_equal(h_write(&h, g, 0, "a/b/c", "1"), XS_OK);
	assert_int_equal(h_watch(&h, g, "a", "t"), XS_OK);
	assert_int_equal(h_write(&h, g, h_begin(&h, g), "a", "2"), XS_OK);
	assert_int_equal(h_send(g, WIRE_READ, 0, "a\0", 2), INPUT_MORE);
	h.domain[1] = gone;
	state_domain_changed(h.st, 1, &gone);
	h.domain[1] = (struct domain_info){ .exists = true, .unique_id = 9 };
	assert_int_equal(introduce(&h, s, "1"), XS_OK);
	for (i = 0; i < QUOTA_COUNT; i++)
		assert_int_equal(h.last_ring->who.self->usage.n[i], 0);
	h_stop(&h);
}

/* Case 17, XSA-233, XSA-325: who goes first, and how. */
static void
a_stubdom_and_its_target_may_end_in_any_order(void **unused)
{
	struct conn *s, *g;
	struct h_message m;
	struct h h;
	int how;

	(void)unused;
	for (how = 0; how < 6; how++) {
		start(&h, &s, &g);
		h_guest(&h, s, 2);
		assert_int_equal(
		    h_strings(&h, s, WIRE_SET_TARGET, 0, &m, "1", "2", NULL),
		    XS_OK);
		assert_int_equal(h_write(&h, s, 0, "/n", "1"), XS_OK);
		assert_int_equal(
		    h_perms(&h, s, 0, "/n", "n0", "r2", NULL), XS_OK);
		/* a request is half there, an answer is not taken */
		assert_int_equal(
		    h_send(g, WIRE_READ, 0, "/n\0", 3), INPUT_MORE);
		assert_true(state_input_part(g,
		    &(struct wire_header){ .type = WIRE_READ, .len = 3 }, 16));
		if (how & 1)
			state_domain_changed(h.st, how & 2 ? 1 : 2, &gone);
		else
			assert_int_equal(
			    h_one(&h, s, WIRE_RELEASE, 0, how & 2 ? "1" : "2"),
			    XS_OK);
		if (how & 4)
			assert_int_equal(
			    introduce(&h, s, how & 2 ? "1" : "2"), XS_OK);
		state_domain_changed(h.st, 2, &gone);
		state_domain_changed(h.st, 1, &gone);
		assert_int_equal(h.n_ring_open, h.n_ring_close);
		h_stop(&h);
	}
}

/* Case 26: permissions that are none, at every place of the list. */
static void
permissions_that_are_none_are_refused(void **unused)
{
	static const char *const bad[] = { "", "r", "x0", "b6junk", "r-1",
		"r99999999999", "r 1", "R1", "r1 ", "1", "rr1", "r+1", "r32752",
		"n4294967296" };
	struct conn *s, *g;
	struct h h;
	size_t i;

	(void)unused;
	start(&h, &s, &g);
	assert_int_equal(h_write(&h, g, 0, "a", ""), XS_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    h_perms(&h, g, 0, "a", bad[i], NULL, NULL), XS_EINVAL);
		assert_int_equal(
		    h_perms(&h, g, 0, "a", "r1", "w2", bad[i]), XS_EINVAL);
		assert_string_equal(
		    h_text(&h, g, WIRE_GET_PERMS, 0, "a"), "n1");
	}
	h_stop(&h);
}

/* Case 27, XSA-481: paths that other parsers fell over. */
static void
odd_paths_have_fixed_answers(void **unused)
{
	static const struct {
		const char *path;
		enum xs_err read, watch, write; /* by domain 1 */
	} table[] = {
		{ "/local/domain/", XS_EINVAL, XS_EINVAL, XS_EINVAL },
		{ "/local/domain//x", XS_EINVAL, XS_EINVAL, XS_EINVAL },
		{ "/local/domain/x", XS_EACCES, XS_OK, XS_EACCES },
		{ "/local/domain/4294967296/a", XS_EACCES, XS_OK, XS_EACCES },
		{ "/local/domain/01/a", XS_EACCES, XS_OK, XS_EACCES },
		{ "/local/domain", XS_EACCES, XS_OK, XS_EACCES },
		{ "local/domain", XS_ENOENT, XS_OK, XS_OK },
		{ "", XS_EINVAL, XS_EINVAL, XS_EINVAL },
		{ "/", XS_EACCES, XS_OK, XS_EACCES },
		{ "//", XS_EINVAL, XS_EINVAL, XS_EINVAL },
		{ "/a/", XS_EINVAL, XS_EINVAL, XS_EINVAL },
		{ "a//b", XS_EINVAL, XS_EINVAL, XS_EINVAL },
		{ "a/", XS_EINVAL, XS_EINVAL, XS_EINVAL },
		{ "@", XS_EINVAL, XS_OK, XS_EINVAL },
		{ "..", XS_EINVAL, XS_EINVAL, XS_EINVAL },
	};
	struct conn *s, *g;
	struct h h;
	size_t i;

	(void)unused;
	start(&h, &s, &g);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (h_one(&h, g, WIRE_READ, 0, table[i].path) !=
			table[i].read ||
		    h_watch(&h, g, table[i].path, "t") != table[i].watch ||
		    h_write(&h, g, 0, table[i].path, "v") != table[i].write)
			fail_msg("'%s'", table[i].path);
		if (h_one(&h, s, WIRE_READ, 0, table[i].path) == XS_EACCES)
			fail_msg("'%s' for domain 0", table[i].path);
	}
	assert_string_equal(h_read(&h, g, 0, "local/domain"), "v");
	h_stop(&h);
}

/* Case 28, XSA-323: whatever can be made can be seen and removed. */
static void
the_longest_path_of_a_guest_can_be_removed_by_others(void **unused)
{
	char path[WIRE_REL_PATH_MAX + 1], whole[WIRE_ABS_PATH_MAX];
	struct conn *s, *g;
	struct h h;

	(void)unused;
	start(&h, &s, &g);
	memset(path, 'x', sizeof(path));
	path[1000] = '/';
	path[WIRE_REL_PATH_MAX] = '\0';
	snprintf(whole, sizeof(whole), "/local/domain/1/%s", path);
	assert_int_equal(h_write(&h, g, 0, path, "v"), XS_OK);
	assert_string_equal(h_read(&h, s, 0, whole), "v");
	assert_int_equal(
	    strlen(h_text(&h, s, WIRE_DIRECTORY, 0, "/local/domain/1")), 1000);
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, whole), XS_OK);
	assert_int_equal(h_write(&h, g, 0, path, "v"), XS_OK);
	state_domain_changed(h.st, 1, &gone);
	assert_string_equal(h_read(&h, s, 0, "/local/domain/1"), "ENOENT");
	h_stop(&h);
}

/* Case 43, XSA-425: a domain is released with its requests under way. */
static void
a_domain_released_with_requests_under_way_is_gone_at_once(void **unused)
{
	struct conn *s, *g;
	struct h h;
	int budget = 1;
	size_t used;
	char two[36];

	(void)unused;
	start(&h, &s, &g);
	/* it did one of two requests, and has a third in part */
	memset(two, 0, sizeof(two));
	two[0] = two[18] = WIRE_READ;
	two[12] = two[30] = 2;
	two[16] = two[34] = 'a';
	assert_int_equal(
	    state_input(g, two, sizeof(two), &budget, &used), INPUT_BUSY);
	assert_int_equal(used, 18);
	assert_true(state_input_part(g, two, 16));
	assert_int_equal(h_watch(&h, s, "@releaseDomain", "r"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_RELEASE, 0, "1"), XS_OK);
	assert_string_equal(h.event, "@releaseDomain|r;");
	assert_int_equal(h_one(&h, s, WIRE_RELEASE, 0, "1"), XS_ENOENT);
	assert_int_equal(h.n_events, 0);
	assert_int_equal(h.n_ring_close, 1);
	/* a new start, of which nothing of before is part */
	assert_int_equal(introduce(&h, s, "1"), XS_OK);
	assert_false(state_has_output(h.last_ring));
	assert_null(h.last_ring->part);
	h_stop(&h);
}

/* Case 49: depths at and beyond their ends. */
static void
depths_end_where_numbers_do(void **unused)
{
	static const struct {
		const char *depth;
		enum xs_err err;
	} table[] = {
		{ "0", XS_OK },
		{ "1", XS_OK },
		{ "65534", XS_OK },
		{ "65535", XS_OK },
		{ "4294967295", XS_EINVAL },
		{ "4294967296", XS_EINVAL },
		{ "99999999999999999999", XS_EINVAL },
		{ "-1", XS_EINVAL },
		{ "abc", XS_EINVAL },
		{ "1 ", XS_EINVAL },
		{ "", XS_EINVAL },
	};
	struct h_message m;
	struct conn *s, *g;
	struct h h;
	size_t i;

	(void)unused;
	start(&h, &s, &g);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (h_strings(&h, g, WIRE_WATCH, 0, &m, "a", "t",
			table[i].depth, NULL) != table[i].err)
			fail_msg("'%s'", table[i].depth);
		assert_int_equal(h_write(&h, g, 0, "a/b", "1"), XS_OK);
		assert_int_equal(g->who.self->usage.n[QUOTA_WATCHES],
		    table[i].err == XS_OK ? 1 : 0);
		assert_int_equal(
		    h_one(&h, g, WIRE_RESET_WATCHES, 0, ""), XS_OK);
	}
	h_stop(&h);
}

/* Case 51, XSA-72: no reply is longer than a message may be. */
static void
the_longest_replies_fit_a_message(void **unused)
{
	static const uint32_t ops[] = { WIRE_GET_PERMS, WIRE_READ,
		WIRE_DIRECTORY, WIRE_GET_QUOTA, WIRE_GET_FEATURE };
	char payload[WIRE_PAYLOAD_MAX];
	struct h_message m;
	struct conn *s, *g;
	size_t len, i;
	struct h h;

	(void)unused;
	start(&h, &s, &g);
	/* the most permissions that fit a request, and a path as long */
	memcpy(payload, "/n\0n0", 6);
	for (len = 6; len + 7 <= sizeof(payload); len += 7)
		memcpy(payload + len, "b32757", 7);
	assert_int_equal(h_one(&h, s, WIRE_MKDIR, 0, "/n"), XS_OK);
	assert_int_equal(
	    h_call(&h, s, WIRE_SET_PERMS, 0, payload, len, &m), XS_OK);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		/* h_call() and h_take() see to the length */
		(void)h_one(&h, s, ops[i], 0, "/n");
		(void)h_one(&h, g, ops[i], 0, "/n");
	}
	assert_int_equal(
	    h_strings(&h, g, WIRE_GET_PERMS, 0, &m, "/n", NULL), XS_OK);
	assert_int_equal(m.header.len, len - 3);
	assert_int_equal(
	    h_strings(&h, s, WIRE_CONTROL, 0, &m, "help", NULL), XS_OK);
	assert_int_equal(
	    h_strings(&h, s, WIRE_CONTROL, 0, &m, "quota", NULL), XS_OK);
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_behind_a_used_id_ends_the_one_before),
		cmocka_unit_test(
		    a_domain_with_a_used_id_starts_with_nothing_used),
		cmocka_unit_test(a_stubdom_and_its_target_may_end_in_any_order),
		cmocka_unit_test(permissions_that_are_none_are_refused),
		cmocka_unit_test(odd_paths_have_fixed_answers),
		cmocka_unit_test(
		    the_longest_path_of_a_guest_can_be_removed_by_others),
		cmocka_unit_test(
		    a_domain_released_with_requests_under_way_is_gone_at_once),
		cmocka_unit_test(depths_end_where_numbers_do),
		cmocka_unit_test(the_longest_replies_fit_a_message),
	};

	h_use_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
