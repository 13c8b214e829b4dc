/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "harness.h"
#include "xenstored/apply.h"
#include "xenstored/domain.h"

/*
 * Each request with the first, second, third ... allocation failing, until it
 * needs no more: it is done as a whole or not at all, nobody misses an event,
 * and the books are right. The allocator is the C library's with a counter
 * before it; sanitizers bring their own, so under them nothing fails.
 */

/* The allocation that fails, counting down; 0: none. */
static unsigned long fail_at;
static bool failed;
static bool none_left; /* every one fails */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define OWN_MALLOC 0
#endif

#ifndef OWN_MALLOC
#define OWN_MALLOC 1

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool
fails(void)
{
	if (!none_left && (fail_at == 0 || --fail_at > 0))
		return false;
	failed = true;
	return true;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
#endif

/* --- what there is, as text --- */

static void
dump(struct state *st, char *to, size_t size)
{
	char path[WIRE_ABS_PATH_MAX + 1];
	struct node *node;
	size_t len = 0;

	walk_start(&st->walk, st->live);
	while ((node = walk_next(&st->walk)) != NULL && len < size) {
		if (node == st->live)
			continue;
		walk_path(&st->walk, node, "", path, sizeof(path));
		len +=
		    (size_t)snprintf(to + len, size - len, "%s=%.*s n%u/%u\n",
			path, (int)node_value_len(node), node_value(node),
			node->acl->n, node->acl->entry[0].perm.domid);
	}
}

struct scene {
	struct h h;
	struct conn *s, *o, *g;
	uint32_t tx;
};

/* Some nodes, a guest, an open transaction, a watcher. */
static void
furnish(struct scene *c)
{
	c->s = h_socket(&c->h);
	c->o = h_socket(&c->h);
	c->g = h_guest(&c->h, c->s, 1);
	assert_int_equal(h_write(&c->h, c->s, 0, "/a/b", "old"), XS_OK);
	assert_int_equal(h_write(&c->h, c->s, 0, "/d/k", "old"), XS_OK);
	assert_int_equal(h_watch(&c->h, c->o, "/", "t"), XS_OK);
	assert_int_equal(h_watch(&c->h, c->o, "/d/k", "k"), XS_OK);
	c->tx = h_begin(&c->h, c->s);
	assert_int_equal(h_write(&c->h, c->s, c->tx, "/x/y", "new"), XS_OK);
	assert_int_equal(h_write(&c->h, c->s, c->tx, "/a/b", "new"), XS_OK);
	assert_int_equal(h_one(&c->h, c->s, WIRE_RM, c->tx, "/d"), XS_OK);
}

static void
set(struct scene *c)
{
	h_start(&c->h);
	furnish(c);
}

typedef enum xs_err action(struct scene *c);

static enum xs_err
write_new(struct scene *c)
{
	return h_write(&c->h, c->s, 0, "/n/e/w", "value");
}

static enum xs_err
write_old(struct scene *c)
{
	return h_write(&c->h, c->s, 0, "/a/b", "value");
}

static enum xs_err
write_by_guest(struct scene *c)
{
	return h_write(&c->h, c->g, 0, "n/e/w", "value");
}

static enum xs_err
make_dir(struct scene *c)
{
	return h_one(&c->h, c->s, WIRE_MKDIR, 0, "/a/c");
}

static enum xs_err
remove_tree(struct scene *c)
{
	return h_one(&c->h, c->s, WIRE_RM, 0, "/d");
}

static enum xs_err
set_perms(struct scene *c)
{
	return h_perms(&c->h, c->s, 0, "/a/b", "n1", "r2", "r3");
}

static enum xs_err
set_watch(struct scene *c)
{
	return h_watch(&c->h, c->s, "/never/seen", "token");
}

static enum xs_err
begin_txn(struct scene *c)
{
	return h_one(&c->h, c->s, WIRE_TRANSACTION_START, 0, "");
}

static enum xs_err
write_in_txn(struct scene *c)
{
	return h_write(&c->h, c->s, c->tx, "/more/of/it", "value");
}

static enum xs_err
commit(struct scene *c)
{
	return h_end(&c->h, c->s, c->tx, "T");
}

static enum xs_err
introduce(struct scene *c)
{
	struct h_message m;

	return h_strings(
	    &c->h, c->s, WIRE_INTRODUCE, 0, &m, "2", "1", "5", NULL);
}

static enum xs_err
list(struct scene *c)
{
	return h_one(&c->h, c->s, WIRE_DIRECTORY, 0, "/");
}

/* Something is committed while the transaction is open. */
static void
meanwhile(struct scene *c)
{
	assert_int_equal(h_write(&c->h, c->o, 0, "/else", "x"), XS_OK);
}

static const struct {
	action *run;
	void (*before)(struct scene *c);
	bool tells; /* the watcher, when it is done */
} scenes[] = {
	{ write_new, NULL, true },
	{ write_new, meanwhile, true },
	{ write_old, NULL, true },
	{ write_old, meanwhile, true },
	{ write_by_guest, NULL, true },
	{ make_dir, NULL, true },
	{ remove_tree, NULL, true },
	{ set_perms, NULL, true },
	{ set_watch, NULL, false },
	{ begin_txn, NULL, false },
	{ write_in_txn, NULL, false },
	{ commit, NULL, true },
	{ commit, meanwhile, true },
	{ introduce, NULL, false },
	{ list, NULL, false },
};

/* Runs scene I with allocation N failing; false: it did not come to that. */
static bool
run_scene(size_t i, unsigned long n, char *result, size_t size)
{
	static char before[8192], after[8192];
	static struct scene c;
	enum xs_err err;
	bool hit;

	set(&c);
	if (scenes[i].before != NULL)
		scenes[i].before(&c);
	h_events(&c.h, c.o);
	dump(c.h.st, before, sizeof(before));
	failed = false;
	fail_at = n;
	err = scenes[i].run(&c);
	fail_at = 0;
	hit = failed;
	dump(c.h.st, after, sizeof(after));
	if (n == 0)
		memcpy(result, after, size);
	if (err != XS_OK && err != XS_ENOMEM)
		fail_msg(
		    "scene %zu, allocation %lu: %s", i, n, error_name(err));
	assert_string_equal(after, err == XS_OK ? result : before);
	h_events(&c.h, c.o);
	if (scenes[i].tells)
		assert_true((c.h.n_events > 0) == (err == XS_OK));
	/* and it goes on */
	if (err != XS_OK && scenes[i].run != commit &&
	    scenes[i].run != write_in_txn) {
		assert_int_equal(scenes[i].run(&c), XS_OK);
		dump(c.h.st, after, sizeof(after));
		assert_string_equal(after, result);
	}
	h_stop(&c.h);
	return hit;
}

static void
a_request_without_memory_is_done_as_a_whole_or_not_at_all(void **unused)
{
	static char result[8192];
	unsigned long n, total = 0;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		assert_false(run_scene(i, 0, result, sizeof(result)));
		for (n = 1; run_scene(i, n, result, sizeof(result)); n++)
			total++;
	}
	printf("%lu allocations failed\n", total);
}

static void
a_dead_domains_nodes_go_when_there_is_memory_again(void **unused)
{
	struct domain_info gone = { .exists = false };
	static struct scene c;
	unsigned long n = 0;

	(void)unused;
	do {
		set(&c);
		assert_int_equal(h_write(&c.h, c.g, 0, "p/q", "1"), XS_OK);
		h_begin(&c.h, c.s); /* what is removed has to be copied */
		failed = false;
		fail_at = ++n;
		state_domain_changed(c.h.st, 1, &gone);
		fail_at = 0;
		while (state_step(c.h.st, 100))
			;
		assert_string_equal(
		    h_read(&c.h, c.o, 0, "/local/domain/1"), "ENOENT");
		h_stop(&c.h);
	} while (failed);
}

/* Without any memory the daemon does not try again and again. */
static void
what_cannot_be_buried_is_not_worked_on_for_ever(void **unused)
{
	struct domain_info gone = { .exists = false };
	static struct scene c;
	int i;

	(void)unused;
	set(&c);
	assert_int_equal(h_write(&c.h, c.g, 0, "p/q", "1"), XS_OK);
	h_begin(&c.h, c.s); /* what is removed has to be copied */
	none_left = true;
	state_domain_changed(c.h.st, 1, &gone);
	for (i = 0; i < 1000 && state_step(c.h.st, 100); i++)
		;
	none_left = false;
	assert_true(i < 1000);
	while (state_step(c.h.st, 100))
		;
	assert_true(list_empty(&c.h.st->unburied));
	assert_string_equal(h_read(&c.h, c.o, 0, "/local/domain/1"), "ENOENT");
	assert_null(state_check(c.h.st));
	h_stop(&c.h);
}

/* N nodes of domain DOMID's, each in a directory of domain 0's. */
static void
give_many(struct scene *c, unsigned domid, int n)
{
	char path[32], owner[8];
	int i;

	snprintf(owner, sizeof(owner), "n%u", domid);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/b/%u/d%d/1", domid, i);
		assert_int_equal(h_write(&c->h, c->s, 0, path, ""), XS_OK);
		assert_int_equal(
		    h_perms(&c->h, c->s, 0, path, owner, NULL, NULL), XS_OK);
	}
}

static void
what_cannot_be_buried_changes_nothing_for_who_is(void **unused)
{
	struct domain_info gone = { .exists = false };
	static struct scene c;

	(void)unused;
	set(&c);
	(void)h_guest(&c.h, c.s, 2);
	(void)h_guest(&c.h, c.s, 3);
	give_many(&c, 1, 1500);
	give_many(&c, 2, 2);
	h_begin(&c.h, c.s); /* what is removed has to be copied */
	c.h.domain[1] = c.h.domain[2] = c.h.domain[3] = gone;
	state_domain_changed(c.h.st, 1, &gone);
	assert_true(domain_burying(c.h.st));
	none_left = true;
	state_domain_changed(c.h.st, 2, &gone);
	none_left = false;
	/* the one who can be is not interrupted by changes */
	assert_true(domain_burying(c.h.st));
	while (state_step(c.h.st, 1000))
		;
	assert_true(list_empty(&c.h.st->unburied));
	assert_string_equal(
	    h_text(&c.h, c.s, WIRE_DIRECTORY, 0, "/b/1/d1499"), "");
	assert_string_equal(
	    h_text(&c.h, c.s, WIRE_DIRECTORY, 0, "/b/2/d1"), "");

	/* two who cannot be, and one who can, behind them */
	give_many(&c, 4, 2);
	give_many(&c, 5, 2);
	give_many(&c, 6, 2);
	h_begin(&c.h, c.s);
	none_left = true;
	state_domain_changed(c.h.st, 4, &gone);
	state_domain_changed(c.h.st, 5, &gone);
	none_left = false;
	assert_false(domain_burying(c.h.st));
	state_domain_changed(c.h.st, 6, &gone);
	assert_false(domain_burying(c.h.st));
	assert_int_equal(h_write(&c.h, c.s, 0, "/b/x", ""), XS_OK);
	while (state_step(c.h.st, 1000))
		;
	assert_true(list_empty(&c.h.st->unburied));
	assert_string_equal(
	    h_text(&c.h, c.s, WIRE_DIRECTORY, 0, "/b/5/d1"), "");
	h_stop(&c.h);
}

/* --- one of two processes has no memory --- */

static struct apply *follower;
static unsigned long follower_fails; /* at which allocation of a request */
static const char *follower_stops;   /* why it cannot follow */

static void
follow(void *ctx, const struct record *record)
{
	unsigned long ours = fail_at;

	(void)ctx;
	if (follower_stops != NULL)
		return;
	fail_at = record->type == RECORD_REQUEST ||
			  record->type == RECORD_DOMAIN ||
			  record->type == RECORD_STEP
		      ? follower_fails
		      : 0;
	follower_stops = apply_record(follower, record);
	fail_at = ours;
}

static void
set_with_follower(struct scene *c, size_t i)
{
	struct record_start data;
	struct record record;

	follower = apply_new(NULL);
	assert_non_null(follower);
	follower_fails = 0;
	follower_stops = NULL;
	h_start(&c->h);
	record = apply_start(&c->h.config, &data);
	assert_null(apply_record(follower, &record));
	c->h.tap = follow;
	furnish(c);
	if (scenes[i].before != NULL)
		scenes[i].before(c);
	assert_null(follower_stops);
	assert_false(apply_differs(follower));
}

/* Who follows noticed that it need not be the same, or is. */
static void
same_or_noticed(struct scene *c, bool *noticed_out)
{
	static char ours[8192], its[8192];

	*noticed_out = follower_stops != NULL || apply_differs(follower);
	if (!*noticed_out) {
		dump(c->h.st, ours, sizeof(ours));
		dump(apply_state(follower), its, sizeof(its));
		assert_string_equal(ours, its);
		assert_null(state_check(apply_state(follower)));
	}
	h_stop(&c->h);
	apply_free(follower);
}

static void
a_follower_without_memory_is_the_same_or_says_so(void **unused)
{
	unsigned long n, total = 0;
	static struct scene c;
	bool noticed;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		for (n = 1; n == 1 || failed; n++) {
			set_with_follower(&c, i);
			failed = false;
			follower_fails = n;
			assert_int_equal(scenes[i].run(&c), XS_OK);
			follower_fails = 0;
			same_or_noticed(&c, &noticed);
			total += noticed;
		}
	printf("%lu differences\n", total);
	assert_true(total > 0 || !OWN_MALLOC);
}

/* A request that comes in two pieces is in the log whatever becomes of it. */
static enum xs_err
write_in_pieces(struct scene *c)
{
	static const char payload[] = "/n/e/w\0value";
	char buf[sizeof(struct wire_header) + sizeof(payload)];
	struct wire_header header = { .type = WIRE_WRITE,
		.len = sizeof(payload) - 1 };
	struct h_message m;
	int budget = 1000;
	size_t used;

	memcpy(buf, &header, sizeof(header));
	memcpy(buf + sizeof(header), payload, sizeof(payload));
	if (!state_input_part(c->s, buf, 20))
		return XS_ENOMEM;
	assert_int_equal(state_input(c->s, buf + 20,
			     sizeof(header) + header.len - 20, &budget, &used),
	    INPUT_MORE);
	fail_at = 0;
	state_settle(c->s);
	assert_true(h_take(c->s, &m));
	return m.header.type == WIRE_ERROR ? XS_ENOMEM : XS_OK;
}

static void
what_had_no_memory_is_not_done_by_who_follows(void **unused)
{
	static struct scene c;
	unsigned long n;
	enum xs_err err;
	bool noticed;

	(void)unused;
	for (n = 1; n == 1 || failed; n++) {
		set_with_follower(&c, 0);
		failed = false;
		fail_at = n;
		err = write_in_pieces(&c);
		fail_at = 0;
		same_or_noticed(&c, &noticed);
		/* what was missed then is an event */
		assert_false(noticed && err != XS_OK);
	}
	/* or nothing was missing */
	assert_true(n > 3 || !OWN_MALLOC);
}

/* A guest with some nodes dies, in turns; how often it had no memory. */
static uint64_t
die(struct scene *c)
{
	const struct domain_info gone = { .exists = false };

	state_domain_changed(c->h.st, 1, &gone);
	while (state_step(c->h.st, 1))
		;
	return c->h.st->n_stuck;
}

static void
set_mortal(struct scene *c)
{
	char path[32];
	int i;

	set_with_follower(c, 0);
	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "mortal/%d", i);
		assert_int_equal(h_write(&c->h, c->g, 0, path, "1"), XS_OK);
	}
	h_begin(&c->h, c->s); /* what is removed has to be copied */
}

/* ONE of the two has no memory for allocation N of the death. */
static void
die_without_memory(
    unsigned long *one, bool *missing_out, bool *noticed_out, unsigned long n)
{
	static struct scene c;
	uint64_t stuck;

	set_mortal(&c);
	failed = false;
	*one = n;
	stuck = die(&c);
	*one = 0;
	/* what was buried later than there makes no difference in the end */
	*missing_out = stuck > 0;
	while (state_step(c.h.st, 100))
		;
	apply_end(follower);
	same_or_noticed(&c, noticed_out);
}

static void
a_death_without_memory_is_the_same_or_said_so(void **unused)
{
	unsigned long n, total = 0;
	bool missing, noticed;

	(void)unused;
	for (n = 1; n == 1 || failed; n++) {
		die_without_memory(&follower_fails, &missing, &noticed, n);
		total += noticed;
	}
	assert_true(total > 0 || !OWN_MALLOC);
	for (n = 1; n == 1 || failed; n++) {
		die_without_memory(&fail_at, &missing, &noticed, n);
		assert_true(noticed || !missing);
		total += noticed;
	}
	printf("%lu differences\n", total);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_request_without_memory_is_done_as_a_whole_or_not_at_all),
		cmocka_unit_test(
		    a_dead_domains_nodes_go_when_there_is_memory_again),
		cmocka_unit_test(
		    a_follower_without_memory_is_the_same_or_says_so),
		cmocka_unit_test(what_had_no_memory_is_not_done_by_who_follows),
		cmocka_unit_test(a_death_without_memory_is_the_same_or_said_so),
		cmocka_unit_test(
		    what_cannot_be_buried_is_not_worked_on_for_ever),
		cmocka_unit_test(
		    what_cannot_be_buried_changes_nothing_for_who_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
