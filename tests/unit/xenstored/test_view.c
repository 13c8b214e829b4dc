/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

enum { CAN_READ = 1, CAN_WRITE = 2, CAN_GIVE = 4 };

/* What domain 1 may do with a node that has these permissions. Domain 2 is its
 * target; 3 is somebody else; 12 does not exist. */
static const struct {
	const char *perm[3];
	unsigned can;
} rights[] = {
	/* clang-format off */
	{ { "n1" },               CAN_READ | CAN_WRITE | CAN_GIVE },
	{ { "n1", "n1" },         CAN_READ | CAN_WRITE | CAN_GIVE },
	{ { "n2" },               CAN_READ | CAN_WRITE | CAN_GIVE },
	{ { "n0" },               0 },
	{ { "r0" },               CAN_READ },
	{ { "w0" },               CAN_WRITE },
	{ { "b0" },               CAN_READ | CAN_WRITE },
	{ { "n0", "r1" },         CAN_READ },
	{ { "n0", "w1" },         CAN_WRITE },
	{ { "n0", "b1" },         CAN_READ | CAN_WRITE },
	{ { "b0", "n1" },         0 },
	{ { "n0", "r1", "b1" },   CAN_READ },
	{ { "n0", "r2" },         CAN_READ },
	{ { "n0", "r3" },         0 },
	{ { "b0", "n3" },         CAN_READ | CAN_WRITE },
	{ { "n3", "w3", "r1" },   CAN_READ },
	{ { "n0", "r32757" },     CAN_READ },
	{ { "n0", "n1", "r32757" }, 0 },
	{ { "n0", "b32757", "n1" }, CAN_READ | CAN_WRITE },
	{ { "n0", "b12" },        0 },
	/* clang-format on */
};

static void
rights_are_those_of_the_first_entry_that_matches(void **unused)
{
	struct h_message m;
	struct conn *s, *g;
	struct h h;
	size_t i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	h_guest(&h, s, 2);
	h_guest(&h, s, 3);
	g = h_guest(&h, s, 1);
	assert_int_equal(
	    h_strings(&h, s, WIRE_SET_TARGET, 0, &m, "1", "2", NULL), XS_OK);
	for (i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
		unsigned can = rights[i].can;
		const char *owner = rights[i].perm[0];
		enum xs_err read = (can & CAN_READ) ? XS_OK : XS_EACCES;
		enum xs_err write = (can & CAN_WRITE) ? XS_OK : XS_EACCES;
		enum xs_err give = (can & CAN_GIVE) ? XS_OK : XS_EACCES;

		assert_int_equal(h_write(&h, s, 0, "/n/k", "v"), XS_OK);
		assert_int_equal(h_perms(&h, s, 0, "/n", rights[i].perm[0],
				     rights[i].perm[1], rights[i].perm[2]),
		    XS_OK);
		if (h_one(&h, g, WIRE_READ, 0, "/n") != read ||
		    h_one(&h, g, WIRE_DIRECTORY, 0, "/n") != read ||
		    h_one(&h, g, WIRE_GET_PERMS, 0, "/n") != read ||
		    h_strings(&h, g, WIRE_DIRECTORY_PART, 0, &m, "/n", "0",
			NULL) != read)
			fail_msg("row %zu: reading", i);
		if (h_write(&h, g, 0, "/n", "v") != write ||
		    h_one(&h, g, WIRE_MKDIR, 0, "/n") != write ||
		    h_write(&h, g, 0, "/n/new/deep", "v") != write)
			fail_msg("row %zu: writing", i);
		if (h_perms(&h, g, 0, "/n", owner, NULL, NULL) != give)
			fail_msg("row %zu: giving rights", i);
		assert_int_equal(h_perms(&h, s, 0, "/n", rights[i].perm[0],
				     rights[i].perm[1], rights[i].perm[2]),
		    XS_OK);
		if (h_one(&h, g, WIRE_RM, 0, "/n") != write)
			fail_msg("row %zu: removing", i);
		assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/n"), XS_OK);
	}
	h_stop(&h);
}

static void
a_guest_cannot_tell_missing_from_hidden(void **unused)
{
	static const uint32_t ops[] = { WIRE_READ, WIRE_DIRECTORY,
		WIRE_GET_PERMS, WIRE_RM, WIRE_MKDIR };
	struct conn *s, *g;
	struct h h;
	size_t i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	assert_int_equal(h_write(&h, s, 0, "/secret/there", "1"), XS_OK);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		assert_int_equal(
		    h_one(&h, g, ops[i], 0, "/secret/there"), XS_EACCES);
		assert_int_equal(
		    h_one(&h, g, ops[i], 0, "/secret/not"), XS_EACCES);
		assert_int_equal(
		    h_one(&h, g, ops[i], 0, "/not/not/not"), XS_EACCES);
	}
	assert_int_equal(h_write(&h, g, 0, "/secret/not", ""), XS_EACCES);
	assert_int_equal(
	    h_perms(&h, g, 0, "/secret/not", "n1", NULL, NULL), XS_EACCES);
	assert_int_equal(
	    h_perms(&h, g, 0, "/secret/there", "n1", NULL, NULL), XS_EACCES);
	/* where it may look, it is told */
	assert_int_equal(h_one(&h, g, WIRE_READ, 0, "missing"), XS_ENOENT);
	assert_int_equal(h_one(&h, g, WIRE_RM, 0, "missing"), XS_OK);
	assert_int_equal(h_one(&h, g, WIRE_RM, 0, "missing/x"), XS_ENOENT);
	h_stop(&h);
}

static void
the_root_and_the_specials_are_not_the_guests(void **unused)
{
	static const char *const path[] = { "/", "/tool", "/tool/xenstored" };
	struct conn *s, *g;
	struct h h;
	size_t i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(
		    h_one(&h, g, WIRE_READ, 0, path[i]), XS_EACCES);
		assert_int_equal(h_one(&h, g, WIRE_RM, 0, path[i]), XS_EACCES);
		assert_int_equal(h_write(&h, g, 0, path[i], "x"), XS_EACCES);
		assert_int_equal(
		    h_perms(&h, g, 0, path[i], "n1", NULL, NULL), XS_EACCES);
	}
	assert_int_equal(
	    h_perms(&h, g, 0, "@releaseDomain", "n1", NULL, NULL), XS_EACCES);
	/* what is wrong with the list is said first */
	assert_int_equal(
	    h_perms(&h, g, 0, "@releaseDomain", "x1", NULL, NULL), XS_EINVAL);
	assert_int_equal(
	    h_perms(&h, g, 0, "@releaseDomain", "n12", NULL, NULL), XS_ENOENT);
	assert_string_equal(
	    h_text(&h, g, WIRE_GET_PERMS, 0, "@introduceDomain"), "EACCES");
	assert_string_equal(
	    h_text(&h, g, WIRE_GET_PERMS, 0, "@releaseDomain"), "n0 r32757");
	assert_string_equal(
	    h_text(&h, s, WIRE_GET_PERMS, 0, "@introduceDomain"), "n0");
	assert_int_equal(
	    h_perms(&h, s, 0, "@introduceDomain", "n0", "r1", NULL), XS_OK);
	assert_string_equal(
	    h_text(&h, g, WIRE_GET_PERMS, 0, "@introduceDomain"), "n0 r1");
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/"), XS_EINVAL);
	assert_string_equal(
	    h_text(&h, s, WIRE_DIRECTORY, 0, "/"), "tool local");
	h_stop(&h);
}

static void
new_nodes_inherit_and_belong_to_the_guest_that_made_them(void **unused)
{
	struct h h;
	struct conn *s, *g;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	h_guest(&h, s, 6);
	g = h_guest(&h, s, 5);
	assert_int_equal(h_one(&h, s, WIRE_MKDIR, 0, "/p"), XS_OK);
	assert_int_equal(h_perms(&h, s, 0, "/p", "n0", "b5", "r6"), XS_OK);
	assert_int_equal(h_write(&h, g, 0, "/p/a/b", "x"), XS_OK);
	assert_string_equal(
	    h_text(&h, s, WIRE_GET_PERMS, 0, "/p/a"), "n5 b5 r6");
	assert_string_equal(
	    h_text(&h, s, WIRE_GET_PERMS, 0, "/p/a/b"), "n5 b5 r6");
	assert_int_equal(h_write(&h, s, 0, "/p/c", "x"), XS_OK);
	assert_string_equal(
	    h_text(&h, s, WIRE_GET_PERMS, 0, "/p/c"), "n0 b5 r6");
	/* under a guest's home the privileged make nodes of the guest */
	assert_int_equal(h_write(&h, s, 0, "/local/domain/5/x", "x"), XS_OK);
	assert_string_equal(
	    h_text(&h, s, WIRE_GET_PERMS, 0, "/local/domain/5/x"), "n5");
	assert_int_equal(g->who.self->usage.n[QUOTA_NODES], 4);
	h_stop(&h);
}

static void
a_guest_cannot_give_its_nodes_away(void **unused)
{
	struct h h;
	struct conn *s, *g;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	h_guest(&h, s, 2);
	assert_int_equal(h_write(&h, g, 0, "a", ""), XS_OK);
	assert_int_equal(h_perms(&h, g, 0, "a", "n2", NULL, NULL), XS_EPERM);
	assert_int_equal(h_perms(&h, g, 0, "a", "n0", NULL, NULL), XS_EPERM);
	assert_string_equal(h_text(&h, g, WIRE_GET_PERMS, 0, "a"), "n1");
	assert_int_equal(h_perms(&h, g, 0, "a", "r1", "w2", NULL), XS_OK);
	assert_string_equal(h_text(&h, g, WIRE_GET_PERMS, 0, "a"), "r1 w2");
	h_stop(&h);
}

static void
a_right_dies_with_its_domain_and_is_not_inherited_by_the_next(void **unused)
{
	struct domain_info next = { .exists = true, .unique_id = 777 };
	struct h h;
	struct conn *s, *g;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	h_guest(&h, s, 7);
	assert_int_equal(h_write(&h, s, 0, "/n", "1"), XS_OK);
	assert_int_equal(h_perms(&h, s, 0, "/n", "n0", "r7", NULL), XS_OK);
	/* another 7 is there before anybody saw the first one go */
	h.domain[7] = next;
	state_domain_changed(h.st, 7, &next);
	assert_int_equal(h.n_ring_close, 1);
	assert_string_equal(h_text(&h, s, WIRE_GET_PERMS, 0, "/n"), "n0");
	assert_string_equal(h_read(&h, s, 0, "/local/domain/7"), "ENOENT");
	g = h_guest(&h, s, 7);
	assert_string_equal(h_read(&h, g, 0, "/n"), "EACCES");
	assert_int_equal(g->who.self->usage.n[QUOTA_NODES], 1);
	assert_int_equal(g->who.self->usage.n[QUOTA_WATCHES], 0);
	h_stop(&h);
}

static void
a_right_for_a_domain_that_does_not_exist_is_shown_and_dead(void **unused)
{
	struct h h;
	struct conn *s, *g;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	h.domain[7].exists = false;
	assert_int_equal(h_write(&h, s, 0, "/n", "1"), XS_OK);
	assert_int_equal(h_perms(&h, s, 0, "/n", "n0", "r7", NULL), XS_OK);
	h.domain[7].exists = true;
	g = h_guest(&h, s, 7);
	assert_string_equal(h_read(&h, g, 0, "/n"), "EACCES");
	assert_string_equal(h_text(&h, s, WIRE_GET_PERMS, 0, "/n"), "n0 r7");
	/* given again, it is alive */
	assert_int_equal(h_perms(&h, s, 0, "/n", "n0", "r7", NULL), XS_OK);
	assert_string_equal(h_read(&h, g, 0, "/n"), "1");
	h_stop(&h);
}

static void
a_right_given_before_the_domain_is_introduced_counts(void **unused)
{
	struct h h;
	struct conn *s, *g;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_int_equal(h_write(&h, s, 0, "/n", "1"), XS_OK);
	assert_int_equal(h_perms(&h, s, 0, "/n", "n0", "r7", NULL), XS_OK);
	g = h_guest(&h, s, 7);
	assert_string_equal(h_read(&h, g, 0, "/n"), "1");
	h_stop(&h);
}

static void
a_stubdom_loses_its_targets_rights_when_the_target_dies(void **unused)
{
	struct domain_info gone = { .exists = false };
	struct h_message m;
	struct h h;
	struct conn *s, *g;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	h_guest(&h, s, 2);
	g = h_guest(&h, s, 1);
	assert_int_equal(
	    h_strings(&h, s, WIRE_SET_TARGET, 0, &m, "1", "2", NULL), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/n", "1"), XS_OK);
	assert_int_equal(h_perms(&h, s, 0, "/n", "n0", "r2", NULL), XS_OK);
	assert_string_equal(h_read(&h, g, 0, "/n"), "1");
	state_domain_changed(h.st, 2, &gone);
	assert_string_equal(h_read(&h, g, 0, "/n"), "EACCES");
	/* and it may die itself, then or before */
	state_domain_changed(h.st, 1, &gone);
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    rights_are_those_of_the_first_entry_that_matches),
		cmocka_unit_test(a_guest_cannot_tell_missing_from_hidden),
		cmocka_unit_test(the_root_and_the_specials_are_not_the_guests),
		cmocka_unit_test(
		    new_nodes_inherit_and_belong_to_the_guest_that_made_them),
		cmocka_unit_test(a_guest_cannot_give_its_nodes_away),
		cmocka_unit_test(
		    a_right_dies_with_its_domain_and_is_not_inherited_by_the_next),
		cmocka_unit_test(
		    a_right_for_a_domain_that_does_not_exist_is_shown_and_dead),
		cmocka_unit_test(
		    a_right_given_before_the_domain_is_introduced_counts),
		cmocka_unit_test(
		    a_stubdom_loses_its_targets_rights_when_the_target_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
