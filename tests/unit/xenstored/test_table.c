/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "xenstored/list.h"
#include "xenstored/table.h"

enum { MANY = 300000 };

struct thing {
	struct table_link link;
	unsigned number;
};

static struct table table;
static struct thing *thing;

static void
set_up(unsigned n)
{
	assert_true(table_init(&table));
	thing = calloc(n, sizeof(*thing));
	assert_non_null(thing);
}

static void
tear_down(void)
{
	table_end(&table);
	free(thing);
}

/* Two of each. */
static uint64_t
hash_of(unsigned number)
{
	return (uint64_t)(number / 2) * UINT64_C(0x9e3779b97f4a7c15);
}

static void
add(unsigned number)
{
	thing[number].number = number;
	table_add(&table, &thing[number].link, hash_of(number));
}

static bool
is_there(unsigned number)
{
	struct table_link *link = table_first(&table, hash_of(number));

	for (; link != NULL; link = table_next(link))
		if (list_entry(link, struct thing, link)->number == number)
			return true;
	return false;
}

static void
what_is_in_it_is_found_and_nothing_else(void **unused)
{
	unsigned i;

	(void)unused;
	set_up(MANY);
	for (i = 0; i < MANY; i++) {
		assert_false(is_there(i));
		add(i);
		assert_true(is_there(i));
		assert_true(is_there(i / 3));
	}
	assert_int_equal(table.n, MANY);
	for (i = 0; i < MANY; i++)
		assert_true(is_there(i));
	for (i = 0; i < MANY; i += 3)
		table_remove(&table, &thing[i].link);
	for (i = 0; i < MANY; i++)
		assert_int_equal(is_there(i), i % 3 != 0);
	tear_down();
}

/* An addition that moved all others would keep everybody waiting. */
static void
growing_moves_no_bucket(void **unused)
{
	struct table_link **first;
	struct table_link **before[8], **now;
	unsigned i, room, n_rooms = 0;

	(void)unused;
	set_up(MANY);
	first = table.first;
	for (i = 0; i < MANY && n_rooms < 8; i++) {
		add(i);
		assert_ptr_equal(table.first, first);
		for (room = 0; table.rooms != NULL && room < 8; room++) {
			now = table.rooms[room];
			if (room == n_rooms && now != NULL)
				before[n_rooms++] = now;
			assert_true(room >= n_rooms || now == before[room]);
		}
		/* it keeps up with what it holds */
		assert_true(table.n_buckets >= table.n);
	}
	assert_int_equal(n_rooms, 8);
	tear_down();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_it_is_found_and_nothing_else),
		cmocka_unit_test(growing_moves_no_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
