/* SPDX-License-Identifier: BSD-2-Clause */
/* Nobody's work is thwarted or paid for by others for ever. */
#include "harness.h"

/* The guest G writes "x"; whether it was put off. */
static bool
is_put_off(struct conn *g)
{
	static char body[] = "x\0value0";
	struct wire_header header = { .type = WIRE_WRITE,
		.len = sizeof(body) - 1 };
	char bytes[sizeof(header) + sizeof(body)];
	struct h_message m;
	int budget = 1000;
	size_t used;

	body[7] ^= 1; /* another value than the last one */
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), body, sizeof(body));
	(void)state_input(
	    g, bytes, sizeof(header) + header.len, &budget, &used);
	while (h_take(g, &m))
		;
	return used == 0;
}

/* One attempt to copy what the guest writes; WRITES of it come between. */
static enum xs_err
attempt(struct h *h, struct conn *s, struct conn *g, int writes, int *put_off)
{
	uint32_t tx = h_begin(h, s);

	h_read(h, s, tx, "/local/domain/1/x");
	*put_off = 0;
	while (writes-- > 0)
		*put_off += is_put_off(g);
	assert_int_equal(h_write(h, s, tx, "/copy", "1"), XS_OK);
	return h_end(h, s, tx, "T");
}

static void
a_guest_cannot_thwart_the_toolstack_for_ever(void **unused)
{
	struct conn *s, *o, *g;
	struct h h;
	int n = 0, put_off;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	g = h_guest(&h, s, 1);
	while (attempt(&h, s, g, 1, &put_off) == XS_EAGAIN) {
		assert_int_equal(put_off, 0);
		assert_true(++n < 10);
	}
	assert_int_equal(put_off, 1);
	assert_int_equal(n, 4);
	/* then the guest's turn comes, and the next one is not favoured */
	assert_false(is_put_off(g));
	assert_int_equal(attempt(&h, s, g, 1, &put_off), XS_EAGAIN);
	assert_int_equal(put_off, 0);
	/* other privileged clients and readers never wait */
	for (n = 0; n < 3; n++)
		assert_int_equal(attempt(&h, s, g, 1, &put_off), XS_EAGAIN);
	uint32_t tx = h_begin(&h, s);
	assert_true(is_put_off(g));
	assert_int_equal(h_write(&h, o, 0, "/o", "1"), XS_OK);
	assert_int_equal(strncmp(h_read(&h, g, 0, "x"), "value", 5), 0);
	assert_int_equal(h_end(&h, s, tx, "F"), XS_OK);
	assert_false(is_put_off(g));
	h_stop(&h);
}

static void
a_transaction_that_never_ends_holds_guests_back_for_a_while_only(void **unused)
{
	struct conn *s, *g;
	struct h h;
	int n, put_off;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	for (n = 0; n < 4; n++)
		assert_int_equal(attempt(&h, s, g, 1, &put_off), XS_EAGAIN);
	assert_int_equal(attempt(&h, s, g, 10001, &put_off), XS_EAGAIN);
	assert_in_range(put_off, 100, 9999);
	h_stop(&h);
}

static void
guests_are_never_favoured(void **unused)
{
	struct conn *s, *g;
	struct h h;
	uint32_t tx;
	int n;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	for (n = 0; n < 10; n++) {
		tx = h_begin(&h, g);
		h_read(&h, g, tx, "x");
		assert_int_equal(
		    h_write(&h, s, 0, "/local/domain/1/x", n % 2 ? "1" : "2"),
		    XS_OK);
		assert_int_equal(h_write(&h, g, tx, "y", "1"), XS_OK);
		assert_int_equal(h_end(&h, g, tx, "T"), XS_EAGAIN);
		assert_null(h.st->reserved);
	}
	h_stop(&h);
}

/* Changes the store N times, below DIR each time another of KIDS nodes. */
static void
churn(struct h *h, struct conn *s, const char *dir, int kids, int n)
{
	char path[32];

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/n%d", dir, i % kids);
		assert_int_equal(h_write(h, s, 0, path, "1"), XS_OK);
	}
}

static void
a_guests_old_transaction_keeps_no_former_tree(void **unused)
{
	struct conn *s, *g;
	uint32_t tx;
	struct h h;
	size_t live;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	churn(&h, s, "/large", 500, 500);
	live = h.st->heap.live;
	tx = h_begin(&h, g);
	assert_int_equal(h_write(&h, g, tx, "y", "1"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/large"), XS_OK);
	while (state_step(h.st, 1000))
		;
	assert_true(h.st->heap.live > live - 10);
	churn(&h, s, "/small", 5, 90000);
	while (state_step(h.st, 1000))
		;
	assert_true(h.st->heap.live < live - 450);
	/* it goes on, with what there is now, and fails in the end */
	assert_int_equal(h_write(&h, s, 0, "/local/domain/1/z", "new"), XS_OK);
	assert_string_equal(h_read(&h, g, tx, "z"), "new");
	assert_int_equal(h_write(&h, g, tx, "y", "2"), XS_OK);
	assert_int_equal(h_end(&h, g, tx, "T"), XS_EAGAIN);
	assert_string_equal(h_read(&h, g, 0, "y"), "ENOENT");
	assert_null(state_check(h.st));
	h_stop(&h);
}

enum { LARGE = 2000, SHARE = 2621440 };

/* CONN gives N nodes of its own large values. */
static void
write_large(struct h *h, struct conn *conn, int n, char what)
{
	char path[16], value[LARGE + 1];
	int i;

	memset(value, what, LARGE);
	value[LARGE] = '\0';
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "d/n%d", i);
		assert_int_equal(h_write(h, conn, 0, path, value), XS_OK);
	}
}

/* Bytes, about, that former trees and those of transactions take where N of
 * their nodes are large ones of the present tree. */
static size_t
bytes_held(struct h *h, size_t before)
{
	while (state_step(h->st, 1000))
		;
	return (h->st->heap.live - before) * LARGE;
}

static void
a_guest_keeps_no_more_of_former_trees_than_its_share(void **unused)
{
	struct conn *s, *g, *o;
	uint32_t tx[10], other;
	size_t before;
	struct h h;
	int i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	o = h_guest(&h, s, 2);
	write_large(&h, g, 500, '0');
	before = h.st->heap.live;
	for (i = 0; i < 10; i++) {
		tx[i] = h_begin(&h, g);
		assert_int_equal(h_write(&h, g, tx[i], "y", "1"), XS_OK);
		write_large(&h, g, 500, (char)('1' + i));
	}
	assert_true(bytes_held(&h, before) < SHARE);
	/* who has seen little of that change goes on */
	other = h_begin(&h, o);
	assert_int_equal(h_write(&h, o, other, "z", "1"), XS_OK);
	write_large(&h, g, 10, 'x');
	assert_int_equal(h_end(&h, o, other, "T"), XS_OK);
	for (i = 0; i < 10; i++)
		assert_int_equal(h_end(&h, g, tx[i], "T"), XS_EAGAIN);
	assert_string_equal(h_read(&h, g, 0, "y"), "ENOENT");
	assert_true(bytes_held(&h, before) < 10 * LARGE);
	h_stop(&h);
}

/* A subtree that goes is one change, however large. */
static void
so_it_is_with_what_was_removed_at_once(void **unused)
{
	struct conn *s, *g;
	uint32_t tx;
	size_t before;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	before = h.st->heap.live;
	churn(&h, s, "/small", 5, 5);
	churn(&h, s, "/large", 5000, 5000);
	tx = h_begin(&h, g);
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/small"), XS_OK);
	assert_string_equal(h_read(&h, g, tx, "/small"), "EACCES");
	assert_int_equal(h_end(&h, g, tx, "T"), XS_OK);
	tx = h_begin(&h, g);
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/large"), XS_OK);
	while (state_step(h.st, 1000))
		;
	assert_true(h.st->heap.live <= before + 10);
	assert_int_equal(h_end(&h, g, tx, "T"), XS_EAGAIN);
	h_stop(&h);
}

/* Who stays just below makes nobody count again at each request. */
static void
what_a_transaction_keeps_is_counted_now_and_then(void **unused)
{
	struct conn *s, *g;
	uint32_t tx[10];
	uint64_t before;
	struct h h;
	int i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	churn(&h, s, "/d", 800, 800);
	for (i = 0; i < 10; i++)
		tx[i] = h_begin(&h, g);
	churn(&h, s, "/d", 800, 800);
	before = h.st->n_weighed;
	for (i = 0; i < 2000; i++) {
		assert_int_equal(h_write(&h, s, 0, "/e/x", ""), XS_OK);
		assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/e/x"), XS_OK);
	}
	assert_true(h.st->n_weighed > before + 10);
	assert_true(h.st->n_weighed < before + 150);
	for (i = 0; i < 10; i++)
		assert_int_equal(h_end(&h, g, tx[i], "T"), XS_OK);
	h_stop(&h);
}

/* A snapshot that is made anew is one more that who writes has to copy for. */
static void
who_was_given_up_and_stays_costs_nobody_anything(void **unused)
{
	struct conn *s, *g;
	int64_t copied;
	uint32_t tx;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	churn(&h, s, "/d", 2000, 2000);
	tx = h_begin(&h, g);
	churn(&h, s, "/d", 2000, 2000);
	copied = h.st->heap.copied;
	churn(&h, s, "/e", 5, 500);
	assert_true(h.st->heap.copied < copied + 100000);
	assert_int_equal(h_end(&h, g, tx, "T"), XS_EAGAIN);
	h_stop(&h);
}

/* Changes that come and go between cost those nothing who do not hold them. */
static void
a_guest_cannot_end_anothers_transaction_by_its_own(void **unused)
{
	struct conn *s, *g, *o;
	uint32_t tx, other;
	struct h h;
	int i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	o = h_guest(&h, s, 2);
	write_large(&h, o, 20, '0');
	tx = h_begin(&h, g);
	assert_int_equal(h_write(&h, g, tx, "y", "1"), XS_OK);
	for (i = 0; i < 1000; i++) {
		other = h_begin(&h, o);
		write_large(&h, o, 20, (char)('a' + i % 20));
		assert_int_equal(h_end(&h, o, other, "F"), XS_OK);
	}
	assert_int_equal(h_end(&h, g, tx, "T"), XS_OK);
	assert_string_equal(h_read(&h, g, 0, "y"), "1");
	h_stop(&h);
}

static void
a_guest_pays_for_what_its_transactions_copy(void **unused)
{
	struct conn *s, *g;
	int64_t used;
	uint32_t tx[10];
	size_t before;
	char path[16];
	struct h h;
	int i, n = 0;
	enum xs_err err = XS_OK;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	write_large(&h, g, 700, '0');
	used = g->who.self->usage.n[QUOTA_MEMORY];
	before = h.st->heap.live;
	for (i = 0; i < 10 && err == XS_OK; i++) {
		tx[i] = h_begin(&h, g);
		for (n = 0; n < 400 && err == XS_OK; n++) {
			snprintf(path, sizeof(path), "d/n%d", n);
			err = h_perms(&h, g, tx[i], path, "n1", "r2", NULL);
		}
	}
	assert_int_equal(err, XS_ENOMEM);
	assert_true(
	    (int64_t)bytes_held(&h, before) < SHARE - used + 100 * LARGE);
	assert_null(state_check(h.st));
	while (i-- > 0)
		assert_int_equal(h_end(&h, g, tx[i], "F"), XS_OK);
	assert_int_equal(g->who.self->usage.n[QUOTA_MEMORY], used);
	assert_string_equal(h_text(&h, g, WIRE_GET_PERMS, 0, "d/n0"), "n1");
	h_stop(&h);
}

static void
a_privileged_transaction_may_last(void **unused)
{
	struct conn *s, *o;
	struct h h;
	uint32_t tx;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	o = h_socket(&h);
	tx = h_begin(&h, o);
	assert_int_equal(h_write(&h, o, tx, "/y", "1"), XS_OK);
	churn(&h, s, "/small", 5, 90000);
	assert_int_equal(h_end(&h, o, tx, "T"), XS_OK);
	assert_string_equal(h_read(&h, s, 0, "/y"), "1");
	h_stop(&h);
}

static void
large_requests_cost_more_of_a_turn(void **unused)
{
	struct conn *s;
	char bytes[64];
	struct wire_header header = { .type = WIRE_DIRECTORY_PART,
		.len = sizeof("/churn\0000") };
	int budget = 1000, before;
	size_t used;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	churn(&h, s, "/churn", 1000, 1000);
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), "/churn\0000", header.len);
	before = budget;
	(void)state_input(
	    s, bytes, sizeof(header) + header.len, &budget, &used);
	assert_int_equal(used, sizeof(header) + header.len);
	assert_in_range(before - budget, 5, 100);
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_cannot_thwart_the_toolstack_for_ever),
		cmocka_unit_test(
		    a_transaction_that_never_ends_holds_guests_back_for_a_while_only),
		cmocka_unit_test(guests_are_never_favoured),
		cmocka_unit_test(a_guests_old_transaction_keeps_no_former_tree),
		cmocka_unit_test(
		    a_guest_keeps_no_more_of_former_trees_than_its_share),
		cmocka_unit_test(so_it_is_with_what_was_removed_at_once),
		cmocka_unit_test(
		    what_a_transaction_keeps_is_counted_now_and_then),
		cmocka_unit_test(
		    who_was_given_up_and_stays_costs_nobody_anything),
		cmocka_unit_test(
		    a_guest_cannot_end_anothers_transaction_by_its_own),
		cmocka_unit_test(a_guest_pays_for_what_its_transactions_copy),
		cmocka_unit_test(a_privileged_transaction_may_last),
		cmocka_unit_test(large_requests_cost_more_of_a_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
