/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

static enum xs_err
watch_depth(struct h *h, struct conn *conn, const char *path, const char *token,
    const char *depth)
{
	struct h_message m;

	return h_strings(h, conn, WIRE_WATCH, 0, &m, path, token, depth, NULL);
}

static void
ok_comes_first_then_the_event_with_the_path_as_sent(void **unused)
{
	static const char *const path[] = { "/none", "none", "@releaseDomain",
		"@whatever", "/" };
	char want[64];
	struct conn *s, *g;
	struct h h;
	size_t i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	for (i = 0; i < 5; i++) {
		snprintf(want, sizeof(want), "%s|;", path[i]);
		assert_int_equal(h_watch(&h, s, path[i], ""), XS_OK);
		assert_int_equal(h.n_late, 1);
		assert_string_equal(h.event, want);
		/* also where it may not read */
		assert_int_equal(h_watch(&h, g, path[i], ""), XS_OK);
		assert_string_equal(h.event, want);
	}
	h_stop(&h);
}

static void
one_path_and_token_is_one_watch(void **unused)
{
	struct h_message m;
	struct conn *s;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_int_equal(h_watch(&h, s, "/a", "t"), XS_OK);
	assert_int_equal(h_watch(&h, s, "/a", "t"), XS_EEXIST);
	assert_int_equal(watch_depth(&h, s, "/a", "t", "3"), XS_EEXIST);
	assert_int_equal(h_watch(&h, s, "/a", "u"), XS_OK);
	assert_int_equal(
	    h_strings(&h, s, WIRE_UNWATCH, 0, &m, "/a", "x", NULL), XS_ENOENT);
	assert_int_equal(
	    h_strings(&h, s, WIRE_UNWATCH, 0, &m, "/a", "t", NULL), XS_OK);
	assert_int_equal(
	    h_strings(&h, s, WIRE_UNWATCH, 0, &m, "/a", "t", NULL), XS_ENOENT);
	assert_int_equal(h_write(&h, s, 0, "/a", "1"), XS_OK);
	assert_string_equal(h.event, "/a|u;");
	h_stop(&h);
}

/* The path of a watch may be sent in two forms; both are the same watch, and
 * its events have the form that it was set with. */
static void
both_forms_of_a_path_are_one_watch(void **unused)
{
	static const char *const form[] = { "dev", "/local/domain/1/dev" };
	struct h_message m;
	struct conn *s, *g;
	char want[64];
	int64_t before;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	assert_int_equal(
	    h_write(&h, s, 0, "/local/domain/1/dev/x", "1"), XS_OK);
	before = g->who.self->usage.n[QUOTA_MEMORY];
	for (int i = 0; i < 2; i++) {
		assert_int_equal(h_watch(&h, g, form[i], "t"), XS_OK);
		assert_int_equal(h_watch(&h, g, form[!i], "t"), XS_EEXIST);
		assert_int_equal(g->who.self->usage.n[QUOTA_WATCHES], 1);
		assert_int_equal(h_watch(&h, g, form[!i], "u"), XS_OK);
		assert_null(state_check(h.st));
		assert_int_equal(
		    h_strings(&h, g, WIRE_UNWATCH, 0, &m, form[i], "u", NULL),
		    XS_OK);
		assert_int_equal(
		    h_write(&h, s, 0, "/local/domain/1/dev/x", "1"), XS_OK);
		snprintf(want, sizeof(want), "%s/x|t;", form[i]);
		assert_string_equal(h_events(&h, g), want);
		assert_int_equal(
		    h_strings(&h, g, WIRE_UNWATCH, 0, &m, form[!i], "t", NULL),
		    XS_OK);
		assert_int_equal(
		    h_strings(&h, g, WIRE_UNWATCH, 0, &m, form[i], "t", NULL),
		    XS_ENOENT);
		assert_int_equal(g->who.self->usage.n[QUOTA_MEMORY], before);
	}
	/* domain 0's home is another one */
	assert_int_equal(h_watch(&h, s, "dev", "t"), XS_OK);
	assert_int_equal(h_watch(&h, s, "/local/domain/1/dev", "t"), XS_OK);
	assert_int_equal(h_watch(&h, s, "/local/domain/0/dev", "t"), XS_EEXIST);
	h_stop(&h);
}

static void
a_watch_tells_of_everything_at_and_below_it(void **unused)
{
	struct conn *s, *o;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	assert_int_equal(h_watch(&h, o, "/a", "t"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/a/b/c", "1"), XS_OK);
	assert_string_equal(h_events(&h, o), "/a/b/c|t;");
	assert_int_equal(h_write(&h, s, 0, "/a/b/c", "1"), XS_OK);
	assert_string_equal(h_events(&h, o), "/a/b/c|t;");
	assert_int_equal(h_write(&h, s, 0, "/ab", "1"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_MKDIR, 0, "/a/b"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/a/nope"), XS_OK);
	assert_string_equal(h_events(&h, o), "");
	assert_int_equal(h_one(&h, s, WIRE_MKDIR, 0, "/a/m"), XS_OK);
	assert_int_equal(h_perms(&h, s, 0, "/a/m", "n0", "r1", NULL), XS_OK);
	assert_string_equal(h_events(&h, o), "/a/m|t;");
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/a"), XS_OK);
	assert_string_equal(h_events(&h, o), "/a|t;");
	h_stop(&h);
}

static void
a_relative_watch_gives_relative_paths(void **unused)
{
	struct conn *s, *g;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	assert_int_equal(h_watch(&h, g, "dev", "r"), XS_OK);
	assert_int_equal(h_watch(&h, g, "/local/domain/1/dev", "a"), XS_OK);
	assert_int_equal(h_watch(&h, s, "dev", "s"), XS_OK);
	assert_int_equal(
	    h_write(&h, s, 0, "/local/domain/1/dev/x", "1"), XS_OK);
	assert_string_equal(h.event, "");
	assert_string_equal(
	    h_events(&h, g), "dev/x|r;/local/domain/1/dev/x|a;");
	assert_int_equal(h_write(&h, s, 0, "dev", "1"), XS_OK);
	assert_string_equal(h.event, "dev|s;");
	h_stop(&h);
}

static void
events_come_before_the_reply_of_what_caused_them(void **unused)
{
	struct conn *s;
	struct h h;
	uint32_t tx;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_int_equal(h_watch(&h, s, "/a", "t"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/a", "1"), XS_OK);
	assert_int_equal(h.n_events, 1);
	assert_int_equal(h.n_late, 0);
	tx = h_begin(&h, s);
	assert_int_equal(h_write(&h, s, tx, "/a", "2"), XS_OK);
	assert_int_equal(h.n_events, 0);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	assert_int_equal(h.n_events, 1);
	assert_int_equal(h.n_late, 0);
	h_stop(&h);
}

static void
removal_tells_watches_below_only_of_their_own_nodes(void **unused)
{
	struct conn *s, *o;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	assert_int_equal(h_write(&h, s, 0, "/a/b/c/d", ""), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/a/e", ""), XS_OK);
	assert_int_equal(h_watch(&h, o, "/a/b/c/d", "d"), XS_OK);
	assert_int_equal(h_watch(&h, o, "/a/b", "b"), XS_OK);
	assert_int_equal(h_watch(&h, o, "/a/e", "e"), XS_OK);
	assert_int_equal(h_watch(&h, o, "/a/never", "n"), XS_OK);
	assert_int_equal(h_watch(&h, o, "/", "r"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/a"), XS_OK);
	assert_string_equal(h_events(&h, o), "/a/b/c/d|d;/a/b|b;/a/e|e;/a|r;");
	h_stop(&h);
}

static void
only_who_may_read_the_node_or_its_parent_is_told(void **unused)
{
	struct conn *s, *g;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	assert_int_equal(h_watch(&h, g, "/", "t"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/dir/secret", "1"), XS_OK);
	assert_string_equal(h_events(&h, g), "");
	/* a readable parent shows what happens to its children */
	assert_int_equal(h_perms(&h, s, 0, "/dir", "n0", "r1", NULL), XS_OK);
	assert_string_equal(h_events(&h, g), "/dir|t;");
	assert_int_equal(h_write(&h, s, 0, "/dir/secret", "2"), XS_OK);
	assert_string_equal(h_events(&h, g), "/dir/secret|t;");
	/* losing the right is seen, and the last thing that is */
	assert_int_equal(h_perms(&h, s, 0, "/dir", "n0", NULL, NULL), XS_OK);
	assert_string_equal(h_events(&h, g), "/dir|t;");
	assert_int_equal(h_perms(&h, s, 0, "/dir", "n0", NULL, NULL), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/dir/secret", "3"), XS_OK);
	assert_string_equal(h_events(&h, g), "");
	h_stop(&h);
}

static void
depth_limits_what_is_told(void **unused)
{
	struct h_message m;
	struct conn *s, *g;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_int_equal(watch_depth(&h, s, "/a", "0", "0"), XS_OK);
	assert_int_equal(watch_depth(&h, s, "/a", "1", "1"), XS_OK);
	assert_int_equal(watch_depth(&h, s, "/a", "many", "65535"), XS_OK);
	assert_int_equal(watch_depth(&h, s, "/", "root", "1"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/a", ""), XS_OK);
	assert_string_equal(h.event, "/a|root;/a|0;/a|1;/a|many;");
	assert_int_equal(h_write(&h, s, 0, "/a/b", ""), XS_OK);
	assert_string_equal(h.event, "/a/b|1;/a/b|many;");
	assert_int_equal(h_write(&h, s, 0, "/a/b/c", ""), XS_OK);
	assert_string_equal(h.event, "/a/b/c|many;");
	/* a guest that is not offered it must not use it */
	assert_int_equal(
	    h_strings(&h, s, WIRE_SET_FEATURE, 0, &m, "1", "3", NULL), XS_OK);
	g = h_guest(&h, s, 1);
	assert_int_equal(watch_depth(&h, g, "a", "t", "1"), XS_EINVAL);
	assert_int_equal(h_watch(&h, g, "a", "t"), XS_OK);
	assert_int_equal(
	    h_strings(&h, s, WIRE_SET_FEATURE, 0, &m, "1", "7", NULL),
	    XS_EBUSY);
	h_stop(&h);
}

static void
specials_tell_of_domains_in_the_documented_order(void **unused)
{
	struct domain_info stopped = { true, true, false, 101 };
	struct domain_info gone = { .exists = false };
	struct conn *s, *o, *g;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	g = h_guest(&h, s, 2);
	assert_int_equal(h_watch(&h, o, "@introduceDomain", "i"), XS_OK);
	assert_int_equal(h_watch(&h, o, "@releaseDomain", "r"), XS_OK);
	assert_int_equal(watch_depth(&h, o, "@releaseDomain", "d", "1"), XS_OK);
	assert_int_equal(watch_depth(&h, o, "@releaseDomain", "z", "0"), XS_OK);
	assert_int_equal(h_watch(&h, o, "@releaseDomain/1", "one"), XS_OK);
	assert_int_equal(h_watch(&h, g, "@introduceDomain", "i"), XS_OK);
	assert_int_equal(h_watch(&h, g, "@releaseDomain", "r"), XS_OK);
	h_guest(&h, s, 1);
	assert_string_equal(h_events(&h, o), "@introduceDomain|i;");
	assert_string_equal(h_events(&h, g), "");
	state_domain_changed(h.st, 1, &stopped);
	assert_string_equal(h_events(&h, o),
	    "@releaseDomain/1|d;@releaseDomain/1|one;@releaseDomain|r;");
	assert_string_equal(h_events(&h, g), "@releaseDomain|r;");
	state_domain_changed(h.st, 1, &stopped);
	assert_string_equal(h_events(&h, o), "");
	assert_int_equal(h_one(&h, s, WIRE_RESUME, 0, "1"), XS_OK);
	state_domain_changed(h.st, 1, &stopped);
	h_events(&h, o);
	assert_int_equal(h.n_events, 3);
	state_domain_changed(h.st, 1, &gone);
	assert_string_equal(h_events(&h, o),
	    "@releaseDomain|r;@releaseDomain/1|d;@releaseDomain/1|one;");
	h_stop(&h);
}

static void
unwatch_and_reset_take_back_what_was_not_sent(void **unused)
{
	struct h_message m;
	struct conn *s, *o;
	struct h h;
	uint32_t tx;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	assert_int_equal(h_watch(&h, o, "/a", "t"), XS_OK);
	assert_int_equal(h_watch(&h, o, "/a", "u"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/a", "1"), XS_OK);
	assert_int_equal(
	    h_strings(&h, o, WIRE_UNWATCH, 0, &m, "/a", "t", NULL), XS_OK);
	assert_string_equal(h.event, "/a|u;");
	tx = h_begin(&h, o);
	assert_int_equal(h_write(&h, s, 0, "/a", "1"), XS_OK);
	/* a dead transaction drops nothing */
	assert_int_equal(
	    h_one(&h, o, WIRE_RESET_WATCHES, tx + 1, ""), XS_ENOENT);
	assert_int_equal(h_one(&h, o, WIRE_RESET_WATCHES, tx, ""), XS_OK);
	assert_int_equal(h.n_events, 0);
	assert_int_equal(h_end(&h, o, tx, "T"), XS_ENOENT);
	assert_int_equal(h_write(&h, s, 0, "/a", "1"), XS_OK);
	assert_string_equal(h_events(&h, o), "");
	h_stop(&h);
}

static void
an_event_that_waits_stands_for_later_ones(void **unused)
{
	struct conn *s, *o;
	struct h h;
	int i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	assert_int_equal(h_watch(&h, o, "/a", "t"), XS_OK);
	for (i = 0; i < 100; i++) {
		assert_int_equal(h_write(&h, s, 0, "/a", "1"), XS_OK);
		assert_int_equal(h_write(&h, s, 0, "/a/b", "1"), XS_OK);
	}
	assert_string_equal(h_events(&h, o), "/a|t;/a/b|t;");
	assert_int_equal(h_write(&h, s, 0, "/a", "1"), XS_OK);
	assert_string_equal(h_events(&h, o), "/a|t;");
	h_stop(&h);
}

static void
a_reader_that_never_reads_costs_little_and_learns_that_it_missed(void **unused)
{
	struct conn *s, *g;
	char path[64];
	struct h h;
	unsigned i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	assert_int_equal(h_watch(&h, g, "dir", "t"), XS_OK);
	assert_int_equal(h_watch(&h, g, "other", "u"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/local/domain/1/other", ""), XS_OK);
	for (i = 0; i < 100000; i++) {
		snprintf(path, sizeof(path), "/local/domain/1/dir/n%u", i);
		assert_int_equal(h_write(&h, s, 0, path, ""), XS_OK);
		assert_int_equal(h_one(&h, s, WIRE_RM, 0, path), XS_OK);
		assert_true(g->q.event_bytes <= GUEST_EVENT_LIMIT);
	}
	assert_true(g->q.collapses > 0);
	/* the watch as a whole, and the other one untouched */
	assert_string_equal(h_events(&h, g), "other|u;dir|t;");
	assert_int_equal(g->q.event_bytes, 0);
	assert_int_equal(h_write(&h, s, 0, "/local/domain/1/dir/x", ""), XS_OK);
	assert_string_equal(h_events(&h, g), "dir/x|t;");
	h_stop(&h);
}

static void
what_does_not_fit_a_message_is_dropped_and_counted(void **unused)
{
	char token[3000], path[3000], bytes[WIRE_MESSAGE_MAX];
	struct conn *s, *o;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	memset(token, 't', sizeof(token));
	token[2900] = '\0';
	memset(path, 'p', sizeof(path));
	memcpy(path, "/a/", 3);
	path[2900] = '\0';
	assert_int_equal(h_send(o, WIRE_WATCH, 0, bytes, 0), INPUT_MORE);
	while (state_output(o, bytes, sizeof(bytes)) > 0)
		;
	memcpy(bytes, "/a", 3);
	memcpy(bytes + 3, token, 2901);
	assert_int_equal(h_send(o, WIRE_WATCH, 0, bytes, 2904), INPUT_MORE);
	while (state_output(o, bytes, sizeof(bytes)) > 0)
		;
	assert_int_equal(h_write(&h, s, 0, path, ""), XS_OK);
	assert_false(state_has_output(o));
	assert_int_equal(o->q.drops, 1);
	assert_int_equal(h_write(&h, s, 0, "/a/b", ""), XS_OK);
	assert_true(state_has_output(o));
	h_stop(&h);
}

static void
ten_thousand_watches_on_one_path_are_all_told(void **unused)
{
	struct conn *s, *o;
	struct h_message m;
	char token[16];
	struct h h;
	int i, n = 0;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	for (i = 0; i < 10000; i++) {
		snprintf(token, sizeof(token), "%d", i);
		assert_int_equal(h_watch(&h, o, "/a", token), XS_OK);
	}
	assert_int_equal(h_write(&h, s, 0, "/a", ""), XS_OK);
	while (h_take(o, &m)) {
		snprintf(token, sizeof(token), "%d", n++);
		assert_string_equal(m.payload + 3, token);
	}
	assert_int_equal(n, 10000);
	h_stop(&h);
}

static void
messages_can_be_taken_in_any_pieces(void **unused)
{
	struct conn *s, *o;
	char all[256], byte;
	size_t n = 0;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	assert_int_equal(h_watch(&h, o, "/a", "t"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/a", ""), XS_OK);
	assert_int_equal(state_output(o, all, 1), 1);
	/* what has begun is not taken back, nor does it stand for others */
	assert_int_equal(h_write(&h, s, 0, "/a", ""), XS_OK);
	state_reset(o);
	assert_false(state_has_output(o));
	assert_int_equal(h_watch(&h, o, "/a", "t"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/a", ""), XS_OK);
	assert_int_equal(state_output(o, all, 1), 1);
	assert_int_equal(h_write(&h, s, 0, "/a", ""), XS_OK);
	for (n = 1; state_output(o, &byte, 1) == 1; n++)
		all[n] = byte;
	assert_int_equal(n, 2 * (16 + 5));
	assert_memory_equal(all, all + n / 2, n / 2);
	/* the memory of a short event must not be taken for a longer reply */
	assert_int_equal(h_write(&h, s, 0,
			     "/d/a-name-of-forty-characters-as-it-happens", ""),
	    XS_OK);
	assert_string_equal(h_text(&h, o, WIRE_DIRECTORY, 0, "/d"),
	    "a-name-of-forty-characters-as-it-happens");
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    ok_comes_first_then_the_event_with_the_path_as_sent),
		cmocka_unit_test(one_path_and_token_is_one_watch),
		cmocka_unit_test(both_forms_of_a_path_are_one_watch),
		cmocka_unit_test(a_watch_tells_of_everything_at_and_below_it),
		cmocka_unit_test(a_relative_watch_gives_relative_paths),
		cmocka_unit_test(
		    events_come_before_the_reply_of_what_caused_them),
		cmocka_unit_test(
		    removal_tells_watches_below_only_of_their_own_nodes),
		cmocka_unit_test(
		    only_who_may_read_the_node_or_its_parent_is_told),
		cmocka_unit_test(depth_limits_what_is_told),
		cmocka_unit_test(
		    specials_tell_of_domains_in_the_documented_order),
		cmocka_unit_test(unwatch_and_reset_take_back_what_was_not_sent),
		cmocka_unit_test(an_event_that_waits_stands_for_later_ones),
		cmocka_unit_test(
		    a_reader_that_never_reads_costs_little_and_learns_that_it_missed),
		cmocka_unit_test(
		    what_does_not_fit_a_message_is_dropped_and_counted),
		cmocka_unit_test(ten_thousand_watches_on_one_path_are_all_told),
		cmocka_unit_test(messages_can_be_taken_in_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
