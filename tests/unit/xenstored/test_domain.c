/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

static enum xs_err
introduce(struct h *h, struct conn *s, const char *domid)
{
	struct h_message m;

	return h_strings(h, s, WIRE_INTRODUCE, 0, &m, domid, "1", "5", NULL);
}

static void
introduce_fires_once_and_again_starts_the_connection_anew(void **unused)
{
	struct conn *s, *g;
	struct h h;
	uint32_t tx;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_int_equal(h_watch(&h, s, "@introduceDomain", "i"), XS_OK);
	assert_int_equal(introduce(&h, s, "1"), XS_OK);
	assert_string_equal(h.event, "@introduceDomain|i;");
	g = h.last_ring;
	assert_int_equal(h_watch(&h, g, "@releaseDomain", "t"), XS_OK);
	tx = h_begin(&h, g);
	/* output waits, and a message is half read */
	assert_int_equal(h_send(g, WIRE_READ, 0, "x\0", 2), INPUT_MORE);
	assert_true(state_input_part(
	    g, &(struct wire_header){ .type = WIRE_READ, .len = 100 }, 16));
	assert_int_equal(introduce(&h, s, "1"), XS_OK);
	assert_int_equal(h.n_events, 0);
	assert_int_equal(h.n_ring_open, 2);
	assert_ptr_equal(h.last_ring, g);
	assert_false(state_has_output(g));
	assert_null(g->part);
	assert_int_equal(h_end(&h, g, tx, "T"), XS_ENOENT);
	assert_int_equal(g->who.self->usage.n[QUOTA_WATCHES], 0);
	h_stop(&h);
}

static void
a_ring_that_cannot_be_had_changes_nothing(void **unused)
{
	struct conn *s;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_int_equal(h_watch(&h, s, "@introduceDomain", "i"), XS_OK);
	h.ring_error = XS_ENOENT;
	assert_int_equal(introduce(&h, s, "1"), XS_ENOENT);
	assert_int_equal(h.n_events, 0);
	assert_string_equal(
	    h_text(&h, s, WIRE_IS_DOMAIN_INTRODUCED, 0, "1"), "F");
	h.ring_error = XS_OK;
	assert_int_equal(introduce(&h, s, "1"), XS_OK);
	assert_string_equal(
	    h_text(&h, s, WIRE_IS_DOMAIN_INTRODUCED, 0, "1"), "T");
	assert_string_equal(
	    h_text(&h, s, WIRE_IS_DOMAIN_INTRODUCED, 0, "32752"), "T");
	assert_string_equal(
	    h_text(&h, s, WIRE_IS_DOMAIN_INTRODUCED, 0, "0"), "T");
	assert_int_equal(introduce(&h, s, "0"), XS_OK);
	assert_int_equal(h.n_ring_open, 2);
	h_stop(&h);
}

static void
release_removes_the_domain_and_what_it_owns(void **unused)
{
	struct conn *s, *g;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	h_guest(&h, s, 2);
	assert_int_equal(h_write(&h, s, 0, "/shared/x", "1"), XS_OK);
	assert_int_equal(h_perms(&h, s, 0, "/shared", "b0", NULL, NULL), XS_OK);
	assert_int_equal(h_write(&h, g, 0, "/shared/of1/deep", "1"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/local/domain/1/by0", "1"), XS_OK);
	assert_int_equal(h_watch(&h, s, "/", "t"), XS_OK);
	assert_int_equal(h_watch(&h, s, "@releaseDomain", "r"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_RELEASE, 0, "1"), XS_OK);
	assert_string_equal(
	    h.event, "/local/domain/1|t;/shared/of1|t;@releaseDomain|r;");
	assert_int_equal(h.n_ring_close, 1);
	assert_string_equal(h_text(&h, s, WIRE_DIRECTORY, 0, "/shared"), "x");
	assert_string_equal(
	    h_text(&h, s, WIRE_DIRECTORY, 0, "/local/domain"), "2");
	assert_int_equal(h_one(&h, s, WIRE_RELEASE, 0, "1"), XS_ENOENT);
	h_stop(&h);
}

static void
nodes_owned_by_others_go_with_the_parent(void **unused)
{
	struct domain_info gone = { .exists = false };
	struct conn *s, *g, *o;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	o = h_guest(&h, s, 2);
	assert_int_equal(h_write(&h, g, 0, "a", "1"), XS_OK);
	assert_int_equal(h_perms(&h, g, 0, "a", "b1", NULL, NULL), XS_OK);
	assert_int_equal(h_write(&h, o, 0, "/local/domain/1/a/b", "1"), XS_OK);
	assert_int_equal(o->who.self->usage.n[QUOTA_NODES], 2);
	state_domain_changed(h.st, 1, &gone);
	assert_int_equal(o->who.self->usage.n[QUOTA_NODES], 1);
	h_stop(&h);
}

static void
the_root_survives_an_owner_that_dies(void **unused)
{
	struct domain_info gone = { .exists = false };
	struct conn *s;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_int_equal(h_perms(&h, s, 0, "/", "r1", NULL, NULL), XS_OK);
	assert_int_equal(
	    h_perms(&h, s, 0, "@releaseDomain", "n1", NULL, NULL), XS_OK);
	state_domain_changed(h.st, 1, &gone);
	assert_string_equal(h_text(&h, s, WIRE_GET_PERMS, 0, "/"), "r0");
	assert_string_equal(
	    h_text(&h, s, WIRE_GET_PERMS, 0, "@releaseDomain"), "n0");
	h_stop(&h);
}

static void
orphans_are_kept_if_so_configured(void **unused)
{
	struct domain_info gone = { .exists = false };
	struct conn *s, *g;
	struct h h;

	(void)unused;
	h_start(&h);
	h.st->config.keep_orphans = true;
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	assert_int_equal(h_write(&h, g, 0, "a/b", "1"), XS_OK);
	state_domain_changed(h.st, 1, &gone);
	assert_string_equal(
	    h_text(&h, s, WIRE_GET_PERMS, 0, "/local/domain/1/a/b"), "n0");
	h_stop(&h);
}

static void
a_bad_client_is_ignored_but_not_forgotten(void **unused)
{
	struct domain_info gone = { .exists = false };
	struct conn *s, *g;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	assert_int_equal(h_watch(&h, g, "a", "t"), XS_OK);
	assert_int_equal(h_watch(&h, s, "@releaseDomain", "r"), XS_OK);
	state_ignore(g);
	assert_int_equal(h_write(&h, s, 0, "/local/domain/1/a", ""), XS_OK);
	assert_false(state_has_output(g));
	assert_string_equal(
	    h_text(&h, s, WIRE_IS_DOMAIN_INTRODUCED, 0, "1"), "T");
	/* introducing it again is a new start */
	assert_int_equal(introduce(&h, s, "1"), XS_OK);
	assert_false(g->ignored);
	assert_string_equal(h_read(&h, g, 0, "a"), "");
	state_ignore(g);
	state_domain_changed(h.st, 1, &gone);
	assert_string_equal(h_events(&h, s), "@releaseDomain|r;");
	h_stop(&h);
}

static void
messages_longer_than_a_ring_come_in_parts(void **unused)
{
	char bytes[WIRE_MESSAGE_MAX];
	struct wire_header header = { .type = WIRE_WRITE, .len = 4000 };
	struct conn *s, *g;
	int budget = 100;
	size_t used, at;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	g->who.self->limit.n[QUOTA_NODESIZE] = 0;
	memset(bytes, 'v', sizeof(bytes));
	memcpy(bytes, &header, 16);
	memcpy(bytes + 16, "a", 2);
	assert_int_equal(
	    state_input(g, bytes, 1024, &budget, &used), INPUT_MORE);
	assert_int_equal(used, 0);
	assert_true(state_input_part(g, bytes, 1024));
	for (at = 1024; at < 4016; at += used) {
		size_t n = 4016 - at < 1000 ? 4016 - at : 1000;

		assert_int_equal(
		    state_input(g, bytes + at, n, &budget, &used), INPUT_MORE);
		assert_int_equal(used, n);
	}
	assert_true(state_has_output(g));
	while (state_output(g, bytes, sizeof(bytes)) > 0)
		;
	assert_int_equal(strlen(h_read(&h, g, 0, "a")), 3998);
	h_stop(&h);
}

static void
a_length_beyond_the_limit_is_bad_at_once(void **unused)
{
	static const uint32_t lens[] = { 4097, 0x80000000u, 0xffffffffu,
		(uint32_t)-16 };
	struct conn *s;
	struct h h;
	size_t i, used;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	for (i = 0; i < 4; i++) {
		struct wire_header header = { .type = 2, .len = lens[i] };
		int budget = 10;

		assert_int_equal(
		    state_input(s, &header, 16, &budget, &used), INPUT_BAD);
		assert_int_equal(used, 0);
	}
	h_stop(&h);
}

static void
a_budget_ends_a_turn_and_nothing_is_lost(void **unused)
{
	char bytes[18 * 10];
	struct wire_header header = { .type = WIRE_READ, .len = 2 };
	size_t used, at = 0;
	struct conn *s;
	struct h h;
	int i, budget, turns = 0;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	for (i = 0; i < 10; i++) {
		memcpy(bytes + 18 * i, &header, 16);
		memcpy(bytes + 18 * i + 16, "/", 2);
	}
	do {
		budget = 3;
		turns++;
		i = state_input(
		    s, bytes + at, sizeof(bytes) - at, &budget, &used);
		at += used;
	} while (i == INPUT_BUSY);
	assert_int_equal(i, INPUT_MORE);
	assert_int_equal(at, sizeof(bytes));
	assert_int_equal(turns, 4);
	assert_int_equal(s->q.n_replies, 10);
	h_stop(&h);
}

static void
what_changes_the_state_is_recorded_and_what_does_not_is_not(void **unused)
{
	struct conn *s;
	struct h h;
	uint32_t tx;
	unsigned n;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	n = h.n_records;
	h_read(&h, s, 0, "/tool");
	h_read(&h, s, 0, "/none");
	h_text(&h, s, WIRE_DIRECTORY, 0, "/");
	h_text(&h, s, WIRE_GET_DOMAIN_PATH, 0, "1");
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/"), XS_EINVAL);
	assert_int_equal(h.n_records, n);
	assert_int_equal(h_write(&h, s, 0, "/a", ""), XS_OK);
	assert_int_equal(h.n_records, n + 1);
	assert_int_equal(h.last_record, RECORD_REQUEST);
	tx = h_begin(&h, s);
	h_read(&h, s, tx, "/a");
	assert_int_equal(h_write(&h, s, 0, "/a", "other"), XS_OK);
	assert_int_equal(h_write(&h, s, tx, "/a", ""), XS_OK);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_EAGAIN);
	assert_int_equal(h.n_records, n + 6);
	assert_int_equal(h_watch(&h, s, "/a", "t"), XS_OK);
	assert_int_equal(h.n_records, n + 7);
	state_close(s);
	assert_int_equal(h.last_record, RECORD_CLOSE);
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    introduce_fires_once_and_again_starts_the_connection_anew),
		cmocka_unit_test(a_ring_that_cannot_be_had_changes_nothing),
		cmocka_unit_test(release_removes_the_domain_and_what_it_owns),
		cmocka_unit_test(nodes_owned_by_others_go_with_the_parent),
		cmocka_unit_test(the_root_survives_an_owner_that_dies),
		cmocka_unit_test(orphans_are_kept_if_so_configured),
		cmocka_unit_test(a_bad_client_is_ignored_but_not_forgotten),
		cmocka_unit_test(messages_longer_than_a_ring_come_in_parts),
		cmocka_unit_test(a_length_beyond_the_limit_is_bad_at_once),
		cmocka_unit_test(a_budget_ends_a_turn_and_nothing_is_lost),
		cmocka_unit_test(
		    what_changes_the_state_is_recorded_and_what_does_not_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
