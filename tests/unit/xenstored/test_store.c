/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xenstored/store.h"

static const struct hash_key key = { { 3, 4 } };
static struct heap heap;
static struct principal owner = { .ref = 1 };
static struct acl *acl;

static struct node *
start(void)
{
	struct acl_entry entry = { .who = &owner };
	struct node *top;

	assert_true(heap_init(&heap, &key));
	acl = acl_get(heap.acls, &entry, 1);
	top = store_new_tree(&heap, acl, acl);
	assert_non_null(top);
	return top;
}

static void
stop(struct node *top)
{
	node_unref(&heap, top);
	acl_unref(heap.acls, acl);
	while (heap_reap(&heap, 3))
		;
	assert_int_equal(heap.live, 0);
	assert_int_equal(owner.ref, 1);
	heap_end(&heap);
}

static void
put(struct node **top, const char *path, const char *value)
{
	struct bytes bytes = { value, strlen(value) };
	struct node *created;

	assert_int_equal(
	    store_put(&heap, top, path, &bytes, acl, &created), XS_OK);
}

static void
cut(struct node **top, const char *path)
{
	struct node *removed;

	assert_int_equal(store_remove(&heap, top, path, &removed), XS_OK);
	node_unref(&heap, removed);
}

static void
assert_value(struct node *top, const char *path, const char *value)
{
	struct node *node = store_get(&heap, top, path);

	if (value == NULL) {
		assert_null(node);
		return;
	}
	assert_non_null(node);
	assert_int_equal(node_value_len(node), strlen(value));
	if (value[0] != '\0')
		assert_memory_equal(node_value(node), value, strlen(value));
}

static void
a_snapshot_never_changes(void **unused)
{
	struct node *top = start(), *then;

	(void)unused;
	put(&top, "/a/b", "1");
	put(&top, "/c", "1");
	then = node_ref(top);
	put(&top, "/a/b", "2");
	put(&top, "/a/x", "2");
	cut(&top, "/c");
	assert_ptr_not_equal(top, then);
	assert_value(then, "/a/b", "1");
	assert_value(then, "/a/x", NULL);
	assert_value(then, "/c", "1");
	assert_value(top, "/a/b", "2");
	assert_value(top, "/c", NULL);
	node_unref(&heap, then);
	stop(top);
}

static void
what_nobody_shares_is_changed_in_place(void **unused)
{
	struct node *top = start(), *node, *then;
	size_t live;

	(void)unused;
	put(&top, "/a/b", "1");
	put(&top, "/z/y", "1");
	node = store_get(&heap, top, "/a/b");
	live = heap.live;
	put(&top, "/a/b", "2");
	assert_ptr_equal(store_get(&heap, top, "/a/b"), node);
	assert_int_equal(heap.live, live);
	/* a snapshot costs the way down, and that once */
	then = node_ref(top);
	put(&top, "/a/b", "3");
	assert_int_equal(heap.live, live + 4);
	put(&top, "/a/b", "4");
	assert_int_equal(heap.live, live + 4);
	assert_ptr_equal(
	    store_get(&heap, top, "/z"), store_get(&heap, then, "/z"));
	node_unref(&heap, then);
	stop(top);
}

/* Puts VALUE at PATH by a way that has to be the tree's own. */
static void
put_by_way(struct node **top, const char *path, const char *value)
{
	struct bytes bytes = { value, strlen(value) };
	struct node *created;
	struct found f;
	struct way way;

	store_find_way(&heap, top, path, &f, &way);
	assert_true(way.own);
	assert_int_equal(way.missing, f.node == NULL);
	assert_int_equal(
	    store_put_at(&heap, &way, &bytes, acl, &created), XS_OK);
	assert_int_equal(created != NULL, f.node == NULL);
}

static void
a_way_that_nobody_shares_leads_where_a_path_does(void **unused)
{
	struct node *top = start(), *other, *then;
	struct weight by_way, by_path;
	static const char *const paths[] = { "/a", "/a/b/c/d", "/a/b/c", "/a/b",
		"/a/b/c/e", "/a/b/c/d", "/" };
	struct found f;
	struct way way;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		put_by_way(&top, paths[i], i % 2 == 0 ? "12" : "3456");
	by_way = node_weight(top);
	other = store_new_tree(&heap, acl, acl);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		put(&other, paths[i], i % 2 == 0 ? "12" : "3456");
	by_path = node_weight(other);
	assert_int_equal(by_way.nodes, by_path.nodes);
	assert_int_equal(by_way.cost, by_path.cost);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(
		    node_value_len(store_get(&heap, top, paths[i])),
		    node_value_len(store_get(&heap, other, paths[i])));
	node_unref(&heap, other);
	/* what another version shares must be copied before */
	then = node_ref(top);
	store_find_way(&heap, &top, "/a/b", &f, &way);
	assert_false(way.own);
	put(&top, "/a/b/c", "5");
	store_find_way(&heap, &top, "/a/b/c", &f, &way);
	assert_true(way.own);
	store_find_way(&heap, &top, "/a/b/c/d", &f, &way);
	assert_false(way.own);
	assert_value(then, "/a/b/c", "12");
	node_unref(&heap, then);
	stop(top);
}

static void
find_says_what_is_there_and_what_is_missing(void **unused)
{
	struct node *top = start();
	struct found f;

	(void)unused;
	put(&top, "/a/b", "1");
	store_find(&heap, top, "/a/b/c/d", &f);
	assert_null(f.node);
	assert_ptr_equal(f.nearest, store_get(&heap, top, "/a/b"));
	assert_int_equal(f.nearest_len, 4);
	assert_int_equal(f.first_missing, 6);
	assert_int_equal(f.n_missing, 2);
	store_find(&heap, top, "/x", &f);
	assert_ptr_equal(f.nearest, store_get(&heap, top, "/"));
	assert_int_equal(f.nearest_len, 1);
	assert_int_equal(f.first_missing, 2);
	store_find(&heap, top, "/a", &f);
	assert_ptr_equal(f.parent, store_get(&heap, top, "/"));
	store_find(&heap, top, "/", &f);
	assert_non_null(f.node);
	assert_null(f.parent);
	store_find(&heap, top, "@releaseDomain", &f);
	assert_non_null(f.node);
	assert_null(f.parent);
	stop(top);
}

static void
stamps_tell_values_children_and_permissions_apart(void **unused)
{
	struct acl_entry entry = { .who = &owner, .perm = { 0, 1 } };
	struct node *top = start(), *a, *node;
	struct acl *other;
	uint64_t value, kids, rights;

	(void)unused;
	put(&top, "/a", "1");
	a = store_get(&heap, top, "/a");
	value = a->value_stamp;
	kids = node_kids_stamp(a);
	rights = a->acl_stamp;
	put(&top, "/a/b", "1");
	assert_true(node_kids_stamp(a) > kids && a->value_stamp == value);
	kids = node_kids_stamp(a);
	put(&top, "/a/b", "2");
	put(&top, "/a/b/c", "2");
	assert_true(node_kids_stamp(a) == kids && a->value_stamp == value);
	put(&top, "/a", "2");
	assert_true(node_kids_stamp(a) == kids && a->value_stamp > value);
	assert_true(a->acl_stamp == rights);
	other = acl_get(heap.acls, &entry, 1);
	assert_int_equal(store_set_acl(&heap, &top, "/a", other, &node), XS_OK);
	assert_true(a->acl_stamp > rights && node_kids_stamp(a) == kids);
	acl_unref(heap.acls, other);
	stop(top);
}

static void
a_walk_knows_the_paths(void **unused)
{
	static const char *const want[] = { "/a/bc/d", "/a/bc", "/a", "/",
		"@introduceDomain", "@releaseDomain" };
	static struct walk walk;
	struct node *top = start(), *node;
	char buf[32];
	int i = 0;

	(void)unused;
	put(&top, "/a/bc/d", "1");
	walk_start(&walk, top);
	while ((node = walk_next(&walk)) != top) {
		assert_int_equal(walk_path(&walk, node, "", buf, sizeof(buf)),
		    strlen(want[i]));
		assert_string_equal(buf, want[i]);
		assert_int_equal(
		    walk_path(&walk, node, "", buf, strlen(want[i++])), 0);
	}
	assert_int_equal(i, 6);
	walk_start(&walk, store_get(&heap, top, "/a"));
	for (i = 0; i < 2; i++) {
		node = walk_next(&walk);
		assert_true(walk_path(&walk, node, "/a", buf, sizeof(buf)) > 0);
		assert_string_equal(buf, want[i]);
	}
	walk_start(&walk, store_get(&heap, top, "/"));
	node = walk_next(&walk);
	assert_int_equal(walk_path(&walk, node, "/", buf, sizeof(buf)), 7);
	assert_string_equal(buf, "/a/bc/d");
	stop(top);
}

/* The children of /d are those of MODEL, in this order. */
static void
assert_kids(struct node *top, const int *model, int n)
{
	struct node *d = store_get(&heap, top, "/d");
	struct kids_pos pos = { 0, 0 };
	const struct kid *kid;
	struct name called;
	char name[16];
	int i;

	assert_int_equal(kids_count(d->kids), n);
	for (i = 0; i < n; i++) {
		kid = kids_next(d->kids, &pos);
		snprintf(name, sizeof(name), "n%d", model[i]);
		assert_string_equal(node_name(kid->node), name);
		called = name_of(&heap, name, strlen(name));
		assert_ptr_equal(kids_find(d->kids, &called), kid->node);
	}
	assert_null(kids_next(d->kids, &pos));
}

static void
many_children_keep_their_order_through_every_version(void **unused)
{
	enum { N = 3000, SNAPSHOTS = 6 };
	static int model[N], old[SNAPSHOTS][N];
	struct node *top = start(), *then[SNAPSHOTS];
	int n = 0, old_n[SNAPSHOTS], i, s = 0, next = 0;
	char path[32];

	(void)unused;
	put(&top, "/d", "");
	srand(5);
	for (i = 0; i < 9000; i++) {
		if (i % 1500 == 700) {
			then[s] = node_ref(top);
			memcpy(old[s], model, sizeof(model));
			old_n[s++] = n;
		}
		if (n == 0 || (n < N && rand() % 5 < 3)) {
			model[n++] = next;
			snprintf(path, sizeof(path), "/d/n%d", next++);
			put(&top, path, "");
		} else {
			int k = rand() % n;

			snprintf(path, sizeof(path), "/d/n%d", model[k]);
			memmove(&model[k], &model[k + 1],
			    (size_t)(n - k - 1) * sizeof(int));
			n--;
			cut(&top, path);
		}
	}
	assert_kids(top, model, n);
	for (i = 0; i < s; i++) {
		assert_kids(then[i], old[i], old_n[i]);
		node_unref(&heap, then[i]);
	}
	while (n > 0) {
		snprintf(path, sizeof(path), "/d/n%d", model[--n]);
		cut(&top, path);
	}
	assert_int_equal(kids_count(store_get(&heap, top, "/d")->kids), 0);
	stop(top);
}

/* After 2^32 creations in one directory its children are numbered anew. */
static void
sequence_numbers_may_run_out(void **unused)
{
	enum { N = 200 };
	struct node *top = start(), *then = NULL;
	int model[2 * N], i;
	char path[32];

	(void)unused;
	for (i = 0; i < 2 * N; i++) {
		if (i == N) {
			store_get(&heap, top, "/d")->kids->next_seq =
			    UINT32_MAX;
			then = node_ref(top);
		}
		model[i] = i;
		snprintf(path, sizeof(path), "/d/n%d", i);
		put(&top, path, "1");
	}
	assert_kids(top, model, 2 * N);
	assert_kids(then, model, N);
	assert_int_equal(store_get(&heap, top, "/d")->kids->next_seq, 2 * N);
	cut(&top, "/d/n0");
	assert_kids(top, model + 1, 2 * N - 1);
	node_unref(&heap, then);
	stop(top);
}

struct tally {
	int made, gone, changed;
};

static void
tally(void *ctx, struct node *before, struct node *after)
{
	struct tally *t = ctx;

	if (before == NULL)
		t->made++;
	else if (after == NULL)
		t->gone++;
	else
		t->changed++;
}

static void
a_comparison_finds_just_what_differs(void **unused)
{
	struct diff *diff = diff_new();
	struct node *top = start(), *then;
	struct tally t = { 0, 0, 0 };
	char path[32];
	int i;

	(void)unused;
	for (i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/d/n%d", i);
		put(&top, path, "1");
	}
	put(&top, "/x/y/z", "1");
	then = node_ref(top);
	diff_trees(diff, then, top, NULL, tally, &t);
	assert_int_equal(t.made + t.gone + t.changed, 0);
	put(&top, "/d/n500", "2");
	put(&top, "/d/new/deep", "2");
	cut(&top, "/d/n7");
	cut(&top, "/x/y");
	put(&top, "/x/y", "again");
	diff_trees(diff, then, top, NULL, tally, &t);
	assert_int_equal(t.made, 3);	/* new, deep, y */
	assert_int_equal(t.gone, 3);	/* n7, y, z */
	assert_int_equal(t.changed, 4); /* root, d, n500, x */
	node_unref(&heap, then);
	diff_free(diff);
	stop(top);
}

static void
a_walk_gives_children_before_their_parent(void **unused)
{
	static const char *const want[] = { "c", "b", "d", "a" };
	static struct walk walk;
	struct node *top = start(), *node;
	int i = 0;

	(void)unused;
	put(&top, "/a/b/c", "");
	put(&top, "/a/d", "");
	walk_start(&walk, store_get(&heap, top, "/a"));
	while ((node = walk_next(&walk)) != NULL)
		assert_string_equal(node_name(node), want[i++]);
	assert_int_equal(i, 4);
	stop(top);
}

static void
equal_permission_lists_are_one(void **unused)
{
	struct principal dead = { .ref = 1, .domid = 7, .unique_id = 9 };
	struct acl_entry e[3] = { { .who = &owner },
		{ .who = &dead, .perm = { 7, PERM_READ } },
		{ .who = &owner, .perm = { 0, PERM_WRITE } } };
	struct node *top = start();
	struct acl *a, *b, *c;

	(void)unused;
	a = acl_get(heap.acls, e, 3);
	b = acl_get(heap.acls, e, 3);
	assert_ptr_equal(a, b);
	c = acl_get(heap.acls, e, 2);
	assert_ptr_not_equal(a, c);
	acl_unref(heap.acls, b);
	acl_unref(heap.acls, c);
	b = acl_inherit(heap.acls, a, NULL);
	assert_ptr_equal(a, b);
	acl_unref(heap.acls, b);
	dead.death_stamp = 5;
	b = acl_inherit(heap.acls, a, NULL);
	assert_int_equal(b->n, 2);
	assert_int_equal(b->entry[1].perm.bits, PERM_WRITE);
	assert_true(acl_entry_shown(&a->entry[1], 4));
	assert_false(acl_entry_shown(&a->entry[1], 5));
	acl_unref(heap.acls, a);
	acl_unref(heap.acls, b);
	assert_int_equal(dead.ref, 1);
	stop(top);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_never_changes),
		cmocka_unit_test(what_nobody_shares_is_changed_in_place),
		cmocka_unit_test(
		    a_way_that_nobody_shares_leads_where_a_path_does),
		cmocka_unit_test(find_says_what_is_there_and_what_is_missing),
		cmocka_unit_test(
		    stamps_tell_values_children_and_permissions_apart),
		cmocka_unit_test(a_walk_knows_the_paths),
		cmocka_unit_test(
		    many_children_keep_their_order_through_every_version),
		cmocka_unit_test(sequence_numbers_may_run_out),
		cmocka_unit_test(a_comparison_finds_just_what_differs),
		cmocka_unit_test(a_walk_gives_children_before_their_parent),
		cmocka_unit_test(equal_permission_lists_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
