/* Mappings that are kept, over an array of pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guestpages.h"
#include "hv-core/dom0/pages.h"

static struct pages_kept kept;
static struct pages pages;

static int
set_up(void **state)
{
	(void)state;
	memset(&kept, 0, sizeof(kept));
	kept.from = guestpages();
	pages = pages_keep(&kept);
	return 0;
}

static void
a_reference_is_mapped_once(void **state)
{
	uint32_t refs[100], handles[100];
	void *at[100];

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		refs[i] = 7 + i;
	for (int turn = 0; turn < 3; turn++) {
		pages.map(pages.arg, 100, refs, PAGES_READ, at, handles);
		for (uint32_t i = 0; i < 100; i++)
			assert_ptr_equal(at[i], guest.page[7 + i]);
		pages.unmap(pages.arg, 100, handles);
		assert_int_equal(guest.mapped, 100);
		assert_int_equal(guest.map_calls, 2); /* 64 and 36 */
	}
}

static void
one_that_was_for_reading_is_not_written_to(void **state)
{
	uint32_t ref = 9, handle;
	void *at;

	(void)state;
	guest.readonly[9] = 1;
	pages.map(pages.arg, 1, &ref, PAGES_READ, &at, &handle);
	assert_non_null(at);
	pages.map(pages.arg, 1, &ref, PAGES_WRITE, &at, &handle);
	assert_null(at);
	assert_int_equal(guest.write_maps, 0);
	pages.unmap(pages.arg, 1, &handle);
	assert_int_equal(guest.mapped, 1);
}

static void
one_that_finds_its_place_taken_is_unmapped(void **state)
{
	uint32_t refs[3] = { 3, 3, 4 }, handles[3];
	void *at[3];

	(void)state;
	kept.slot[4].page = guest.page[0];
	kept.slot[4].ref = 4 + PAGES_KEPT;
	pages.map(pages.arg, 3, refs, PAGES_WRITE, at, handles);
	assert_ptr_equal(at[0], guest.page[3]);
	assert_ptr_equal(at[1], guest.page[3]);
	assert_ptr_equal(at[2], guest.page[4]);
	assert_int_equal(guest.mapped, 3);
	pages.unmap(pages.arg, 3, handles);
	assert_int_equal(guest.mapped, 1); /* the first 3 */
}

static void
what_cannot_be_mapped_is_tried_again(void **state)
{
	uint32_t refs[2] = { GUESTPAGES + 1, 2 }, handles[2];
	void *at[2];

	(void)state;
	for (int turn = 1; turn <= 2; turn++) {
		pages.map(pages.arg, 2, refs, PAGES_READ, at, handles);
		assert_null(at[0]);
		assert_ptr_equal(at[1], guest.page[2]);
		pages.unmap(pages.arg, 2, handles);
		assert_int_equal(guest.map_calls, turn);
		assert_int_equal(guest.mapped, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_reference_is_mapped_once, set_up),
		cmocka_unit_test_setup(
		    one_that_was_for_reading_is_not_written_to, set_up),
		cmocka_unit_test_setup(
		    one_that_finds_its_place_taken_is_unmapped, set_up),
		cmocka_unit_test_setup(
		    what_cannot_be_mapped_is_tried_again, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
