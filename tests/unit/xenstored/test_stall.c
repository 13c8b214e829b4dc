/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What takes long is done in pieces, between which others are served: how much
 * is done at once, without a clock.
 */
#include "harness.h"

#include "xenstored/apply.h"
#include "xenstored/cost.h"
#include "xenstored/domain.h"
#include "xenstored/txn.h"

enum { MANY = 4000, STEP = 1000 };

static struct h h;
static struct conn *s, *o;

static void
set_up(void)
{
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
}

static void
write_many(struct conn *conn, uint32_t tx, const char *dir, int from, int to)
{
	char path[64];
	int i;

	for (i = from; i < to; i++) {
		snprintf(path, sizeof(path), "%s/n%d", dir, i);
		assert_int_equal(h_write(&h, conn, tx, path, "v"), XS_OK);
	}
}

static uint32_t
children(const char *path)
{
	struct node *node = store_get(&h.st->heap, h.st->live, path);

	return node != NULL ? kids_count(node->kids) : 0;
}

static void
memory_of_a_removed_directory_goes_back_in_turns(void **unused)
{
	size_t before, at_once;

	(void)unused;
	set_up();
	before = h.st->heap.live;
	write_many(s, 0, "/d", 0, MANY);
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/d"), XS_OK);
	assert_int_equal(children("/"), 1);
	at_once = before + 1 + MANY - h.st->heap.live;
	assert_true(at_once < MANY / 10);
	assert_true(state_step(h.st, STEP));
	assert_true(before + 1 + MANY - h.st->heap.live < at_once + 2 * STEP);
	while (state_step(h.st, STEP))
		;
	assert_int_equal(h.st->heap.live, before);
	h_stop(&h);
}

static void
so_does_that_of_a_footprint(void **unused)
{
	unsigned n = 1;
	uint32_t tx;

	(void)unused;
	set_up();
	tx = h_begin(&h, s);
	write_many(s, tx, "/d", 0, MANY);
	assert_int_equal(h_end(&h, s, tx, "F"), XS_OK);
	assert_false(list_empty(&h.st->forgotten));
	for (; txn_reap(h.st, 100); n++)
		assert_true(n < MANY);
	assert_true(n >= MANY / 100 - 2);
	assert_true(list_empty(&h.st->forgotten));
	h_stop(&h);
}

/* --- lists --- */

/* The part of DIR's list from OFFSET on, without the generation; its length. */
static size_t
part(const char *dir, size_t offset, char *names)
{
	struct h_message m;
	char text[24];
	size_t gen;

	snprintf(text, sizeof(text), "%zu", offset);
	assert_int_equal(
	    h_strings(&h, s, WIRE_DIRECTORY_PART, 0, &m, dir, text, NULL),
	    XS_OK);
	gen = strlen(m.payload) + 1;
	memcpy(names, m.payload + gen, m.header.len - gen);
	return m.header.len - gen;
}

static void
a_list_in_parts_goes_through_its_names_once(void **unused)
{
	static char all[MANY * 8], again[WIRE_PAYLOAD_MAX];
	size_t len = 0, n, i, from;
	uint64_t work = 0;

	(void)unused;
	set_up();
	write_many(s, 0, "/d", 0, MANY);
	do {
		assert_true(len + WIRE_PAYLOAD_MAX < sizeof(all));
		n = part("/d", len, all + len);
		work += h.st->work;
		len += n;
	} while (all[len - 1] != '\0' || all[len - 2] != '\0');
	assert_true(work < (uint64_t)MANY * WORK_NAME * 3 / 2);
	/* the same from anywhere, in any order */
	for (i = 0; i < 100; i++) {
		from = (size_t)i * 7919 % len;
		n = part("/d", from, again);
		assert_memory_equal(all + from, again, n);
	}
	/* and of another list, when it has changed */
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/d/n0"), XS_OK);
	n = part("/d", 3, again);
	assert_memory_equal(all + 6, again, n - 1);
	h_stop(&h);
}

/* --- commits --- */

/* The commit of MANY creations below DIR after OUTSIDE was written. */
static void
commit_over(const char *dir, const char *outside)
{
	uint32_t tx = h_begin(&h, s);

	write_many(s, tx, dir, 0, MANY);
	assert_int_equal(h_write(&h, o, 0, outside, "other"), XS_OK);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	assert_int_equal(h.st->n_replays, 1);
}

static void
a_commit_over_anothers_change_is_not_done_again(void **unused)
{
	(void)unused;
	set_up();
	commit_over("/d", "/elsewhere/x");
	assert_true(h.st->work < MANY * WORK_REPLAY / 10);
	assert_int_equal(children("/d"), MANY);
	assert_string_equal(h_read(&h, s, 0, "/elsewhere/x"), "other");
	h_stop(&h);
}

static void
nor_is_one_where_others_added_to_the_same_directory(void **unused)
{
	(void)unused;
	set_up();
	assert_int_equal(h_write(&h, s, 0, "/d/first", ""), XS_OK);
	commit_over("/d", "/d/outside");
	assert_true(h.st->work < MANY * WORK_REPLAY / 10);
	assert_int_equal(children("/d"), MANY + 2);
	assert_string_equal(h_read(&h, s, 0, "/d/outside"), "other");
	h_stop(&h);
}

static void
children_of_a_commit_come_behind_those_of_others(void **unused)
{
	uint32_t tx;

	(void)unused;
	set_up();
	assert_int_equal(h_write(&h, s, 0, "/d/first", ""), XS_OK);
	tx = h_begin(&h, s);
	write_many(s, tx, "/d", 0, 2);
	assert_int_equal(h_write(&h, o, 0, "/d/o", ""), XS_OK);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	assert_string_equal(
	    h_text(&h, s, WIRE_DIRECTORY, 0, "/d"), "first o n0 n1");
	h_stop(&h);
}

static void
where_both_made_the_same_directory_it_is_done_again(void **unused)
{
	(void)unused;
	set_up();
	commit_over("/d", "/d/outside");
	assert_true(h.st->work >= MANY * WORK_REPLAY);
	assert_int_equal(children("/d"), MANY + 1);
	h_stop(&h);
}

static void
a_node_that_others_removed_is_made_again(void **unused)
{
	uint32_t tx;

	(void)unused;
	set_up();
	write_many(s, 0, "/d", 0, 3);
	tx = h_begin(&h, s);
	assert_int_equal(h_write(&h, s, tx, "/d/n1", "mine"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_MKDIR, tx, "/d/n2"), XS_OK);
	assert_int_equal(h_one(&h, o, WIRE_RM, 0, "/d"), XS_OK);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	assert_string_equal(h_text(&h, s, WIRE_DIRECTORY, 0, "/d"), "n1 n2");
	assert_string_equal(h_read(&h, s, 0, "/d/n1"), "mine");
	h_stop(&h);
}

static void
a_value_and_permissions_changed_apart_are_both_there(void **unused)
{
	uint32_t tx;

	(void)unused;
	set_up();
	write_many(s, 0, "/d", 0, 3);
	tx = h_begin(&h, s);
	assert_int_equal(h_write(&h, s, tx, "/d/n1", "mine"), XS_OK);
	assert_int_equal(h_write(&h, s, tx, "/d/n2/below", "mine"), XS_OK);
	assert_int_equal(h_perms(&h, o, 0, "/d/n1", "n3", NULL, NULL), XS_OK);
	assert_int_equal(h_perms(&h, o, 0, "/d/n2", "n3", NULL, NULL), XS_OK);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	assert_string_equal(h_read(&h, s, 0, "/d/n1"), "mine");
	assert_string_equal(h_text(&h, s, WIRE_GET_PERMS, 0, "/d/n1"), "n3");
	assert_string_equal(h_text(&h, s, WIRE_GET_PERMS, 0, "/d/n2"), "n3");
	assert_string_equal(h_read(&h, s, 0, "/d/n2/below"), "mine");
	h_stop(&h);
}

/* --- deaths --- */

static struct apply *follower;

static void
follow(void *ctx, const struct record *record)
{
	const char *wrong = apply_record(ctx, record);

	if (wrong != NULL)
		fail_msg("the follower: %s", wrong);
}

/* Domain DOMID's nodes, each in a directory of domain 0's. */
static void
own_many(unsigned domid, int n)
{
	char path[64], owner[16];
	int i;

	snprintf(owner, sizeof(owner), "n%u", domid);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/backend/d%d/%u", i, domid);
		assert_int_equal(h_write(&h, s, 0, path, ""), XS_OK);
		assert_int_equal(
		    h_perms(&h, s, 0, path, owner, NULL, NULL), XS_OK);
	}
}

static int64_t
owned(const struct principal *p)
{
	return p->usage.n[QUOTA_NODES];
}

static void
a_dead_domains_nodes_in_many_places_go_in_turns(void **unused)
{
	static const char mkdir[] = "\14\0\0\0\7\0\0\0\0\0\0\0\3\0\0\0/x\0";
	struct domain_info gone = { .exists = false };
	int budget = 100;
	size_t used;
	struct record_start start;
	struct record record;
	struct principal *p;
	int64_t had;
	unsigned n = 0;

	(void)unused;
	h_start(&h);
	follower = apply_new(NULL);
	record = apply_start(&h.config, &start);
	assert_null(apply_record(follower, &record));
	h.tap = follow;
	h.tap_ctx = follower;
	s = h_socket(&h);
	o = h_socket(&h);
	(void)h_guest(&h, s, 1);
	own_many(1, MANY);
	assert_int_equal(h_watch(&h, o, "/backend/d3/1", "early"), XS_OK);
	assert_int_equal(h_watch(&h, o, "/backend/d3999/1", "late"), XS_OK);
	assert_int_equal(h_watch(&h, o, "@releaseDomain", "r"), XS_OK);
	p = principal_ref(principal_current(h.st->all, 1));
	assert_int_equal(owned(p), MANY + 1);

	h.domain[1] = gone;
	state_domain_changed(h.st, 1, &gone);
	assert_true(owned(p) >= MANY / 2 && owned(p) < MANY);
	assert_true(domain_burying(h.st));
	assert_string_equal(h_events(&h, o), "/backend/d3/1|early;"
					     "@releaseDomain|r;");
	/* others read meanwhile, and no change overtakes it */
	assert_string_equal(h_read(&h, o, 0, "/tool"), "");
	assert_int_equal(
	    state_input(o, mkdir, sizeof(mkdir) - 1, &budget, &used),
	    INPUT_BUSY);
	assert_int_equal(used, 0);
	for (had = owned(p); state_step(h.st, STEP) || n == 0; n++) {
		assert_true(had - owned(p) <= STEP);
		had = owned(p);
	}
	assert_true(n >= 4);
	assert_int_equal(owned(p), 0);
	assert_false(domain_burying(h.st));
	assert_string_equal(h_events(&h, o), "/backend/d3999/1|late;");
	assert_int_equal(h_write(&h, o, 0, "/x", ""), XS_OK);
	assert_int_equal(children("/backend"), MANY);
	principal_unref(p);
	assert_null(state_check(apply_state(follower)));
	assert_int_equal(apply_state(follower)->heap.stamp, h.st->heap.stamp);
	h.tap = NULL;
	apply_free(follower);
	h_stop(&h);
}

static void
many_who_died_share_a_turn(void **unused)
{
	struct domain_info gone = { .exists = false };
	struct principal *p[4];
	int64_t had, left, n = 0;
	unsigned i;

	(void)unused;
	set_up();
	for (i = 0; i < 4; i++) {
		(void)h_guest(&h, s, i + 1);
		own_many(i + 1, 1300);
		p[i] = principal_ref(principal_current(h.st->all, i + 1));
	}
	for (i = 0; i < 4; i++) {
		h.domain[i + 1] = gone;
		state_domain_changed(h.st, i + 1, &gone);
		n += owned(p[i]);
	}
	assert_true(n > STEP);
	do {
		had = n;
		(void)state_step(h.st, STEP);
		for (i = 0, left = 0; i < 4; i++)
			left += owned(p[i]);
		n = left;
		assert_true(n < had && had - n <= STEP);
	} while (n > 0);
	assert_false(domain_burying(h.st));
	for (i = 0; i < 4; i++)
		principal_unref(p[i]);
	assert_null(state_check(h.st));
	h_stop(&h);
}

static void
a_guests_subtree_is_charged_as_a_whole(void **unused)
{
	struct principal *p;
	struct conn *g;
	struct weight w;

	(void)unused;
	set_up();
	g = h_guest(&h, s, 1);
	write_many(g, 0, "/local/domain/1/d", 0, 500);
	p = principal_current(h.st->all, 1);
	w = node_weight(store_get(&h.st->heap, h.st->live, "/local/domain/1"));
	assert_ptr_equal(w.guest, p);
	assert_int_equal(w.guest_nodes, owned(p));
	/* with another's among them nobody is known to own all */
	(void)h_guest(&h, s, 2);
	assert_int_equal(
	    h_perms(&h, s, 0, "/local/domain/1/d/n7", "n2", NULL, NULL), XS_OK);
	w = node_weight(
	    store_get(&h.st->heap, h.st->live, "/local/domain/1/d"));
	assert_null(w.guest);
	assert_int_equal(w.guest_nodes, owned(p) - 1 + 1);
	assert_null(state_check(h.st));
	assert_int_equal(h_one(&h, g, WIRE_RM, 0, "/local/domain/1/d"), XS_OK);
	assert_int_equal(owned(p), 1);
	assert_int_equal(owned(principal_current(h.st->all, 2)), 1);
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    memory_of_a_removed_directory_goes_back_in_turns),
		cmocka_unit_test(so_does_that_of_a_footprint),
		cmocka_unit_test(a_list_in_parts_goes_through_its_names_once),
		cmocka_unit_test(
		    a_commit_over_anothers_change_is_not_done_again),
		cmocka_unit_test(
		    nor_is_one_where_others_added_to_the_same_directory),
		cmocka_unit_test(
		    children_of_a_commit_come_behind_those_of_others),
		cmocka_unit_test(
		    where_both_made_the_same_directory_it_is_done_again),
		cmocka_unit_test(a_node_that_others_removed_is_made_again),
		cmocka_unit_test(
		    a_value_and_permissions_changed_apart_are_both_there),
		cmocka_unit_test(
		    a_dead_domains_nodes_in_many_places_go_in_turns),
		cmocka_unit_test(many_who_died_share_a_turn),
		cmocka_unit_test(a_guests_subtree_is_charged_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
