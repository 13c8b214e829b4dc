/* SPDX-License-Identifier: BSD-2-Clause */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "tools/xenconsoled/ring.h"

static struct xencons_interface page;
static struct ring ring;

static int
setup(void **state)
{
	(void)state;
	memset(&page, 0, sizeof(page));
	ring_attach(&ring, &page);
	return 0;
}

/* The guest's side. */
static void
guest_writes(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		page.out[MASK_XENCONS_IDX(page.out_prod++, page.out)] = data[i];
}

static void
output_is_taken_once(void **state)
{
	char buf[16];

	(void)state;
	guest_writes("hello", 5);
	assert_int_equal(ring_take(&ring, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(page.out_cons, 5);
	assert_int_equal(ring_take(&ring, buf, sizeof(buf)), 0);
}

static void
no_more_is_taken_than_there_is_room_for(void **state)
{
	char buf[3];

	(void)state;
	guest_writes("hello", 5);
	assert_int_equal(ring_take(&ring, buf, 3), 3);
	assert_int_equal(page.out_cons, 3);
	assert_int_equal(ring_take(&ring, buf, 0), 0);
	assert_int_equal(ring_take(&ring, buf, 3), 2);
	assert_memory_equal(buf, "lo", 2);
}

static void
indexes_wrap_at_the_ring_and_at_32_bits(void **state)
{
	char data[sizeof(page.out)], buf[sizeof(page.out)];

	(void)state;
	page.out_cons = page.out_prod = UINT32_MAX - 700;
	page.in_cons = page.in_prod = UINT32_MAX - 3;
	ring_attach(&ring, &page);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	guest_writes(data, sizeof(data));
	assert_int_equal(ring_take(&ring, buf, sizeof(buf)), sizeof(buf));
	assert_memory_equal(buf, data, sizeof(data));
	assert_int_equal(page.out_cons, page.out_prod);
	assert_int_equal(ring_give(&ring, "12345678", 8), 8);
	assert_int_equal(page.in_prod, 4);
	assert_int_equal(page.in[MASK_XENCONS_IDX(3, page.in)], '8');
}

static void
input_is_given_as_far_as_there_is_room(void **state)
{
	char data[sizeof(page.in) + 10];

	(void)state;
	memset(data, 'i', sizeof(data));
	assert_int_equal(ring_room(&ring), sizeof(page.in));
	assert_int_equal(ring_give(&ring, data, sizeof(data)), sizeof(page.in));
	assert_int_equal(ring_room(&ring), 0);
	assert_int_equal(ring_give(&ring, data, 1), 0);
	page.in_cons += 2;
	assert_int_equal(ring_room(&ring), 2);
	assert_int_equal(ring_give(&ring, "xyz", 3), 2);
	assert_int_equal(page.in_prod, sizeof(page.in) + 2);
}

static void
nonsense_indexes_are_refused_and_nothing_moves(void **state)
{
	struct xencons_interface before;
	char buf[8] = "untouch";

	(void)state;
	page.out_prod = sizeof(page.out) + 1;
	page.in_cons = 1; /* ahead of us */
	before = page;
	assert_int_equal(ring_take(&ring, buf, sizeof(buf)), RING_BROKEN);
	assert_int_equal(ring_room(&ring), RING_BROKEN);
	assert_int_equal(ring_give(&ring, "x", 1), RING_BROKEN);
	assert_memory_equal(&page, &before, sizeof(page));
	assert_string_equal(buf, "untouch");
}

static void
our_indexes_are_not_read_back_from_the_page(void **state)
{
	char buf[8];

	(void)state;
	guest_writes("abc", 3);
	assert_int_equal(ring_take(&ring, buf, 8), 3);
	page.out_cons = 77; /* the guest writes where it has no business */
	page.in_prod = 99;
	guest_writes("de", 2);
	assert_int_equal(ring_take(&ring, buf, 8), 2);
	assert_memory_equal(buf, "de", 2);
	assert_int_equal(page.out_cons, 5);
	assert_int_equal(ring_give(&ring, "x", 1), 1);
	assert_int_equal(page.in_prod, 1);
}

static void
a_ring_that_was_served_before_goes_on(void **state)
{
	char buf[8];

	(void)state;
	guest_writes("old", 3);
	page.out_cons = 3;
	ring_attach(&ring, &page);
	guest_writes("new", 3);
	assert_int_equal(ring_take(&ring, buf, 8), 3);
	assert_memory_equal(buf, "new", 3);
}

/* Whatever a guest writes where: never more than the ring, never a crash. */
static void
random_indexes_never_get_more_than_the_ring(void **state)
{
	char buf[4096];

	(void)state;
	srand(1);
	for (int i = 0; i < 100000; i++) {
		int n;

		page.out_prod = (uint32_t)rand() * 2u + (unsigned)(i & 1);
		page.in_cons = (uint32_t)rand() * 2u;
		if (i % 3 == 0)
			page.out_prod = ring.out_cons + (uint32_t)(i % 3000);
		n = ring_take(&ring, buf, sizeof(buf));
		assert_true(n >= RING_BROKEN && n <= (int)sizeof(page.out));
		n = ring_give(&ring, buf, 2000);
		assert_true(n >= RING_BROKEN && n <= (int)sizeof(page.in));
	}
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(output_is_taken_once),
		TEST(no_more_is_taken_than_there_is_room_for),
		TEST(indexes_wrap_at_the_ring_and_at_32_bits),
		TEST(input_is_given_as_far_as_there_is_room),
		TEST(nonsense_indexes_are_refused_and_nothing_moves),
		TEST(our_indexes_are_not_read_back_from_the_page),
		TEST(a_ring_that_was_served_before_goes_on),
		TEST(random_indexes_never_get_more_than_the_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
