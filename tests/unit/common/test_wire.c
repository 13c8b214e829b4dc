/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/error.h"
#include "common/perm.h"
#include "common/wire.h"

static void
the_ring_page_has_the_public_layout(void **unused)
{
	(void)unused;
	assert_int_equal(offsetof(struct wire_ring, rsp), 1024);
	assert_int_equal(offsetof(struct wire_ring, req_cons), 2048);
	assert_int_equal(offsetof(struct wire_ring, req_prod), 2052);
	assert_int_equal(offsetof(struct wire_ring, rsp_cons), 2056);
	assert_int_equal(offsetof(struct wire_ring, rsp_prod), 2060);
	assert_int_equal(offsetof(struct wire_ring, features), 2064);
	assert_int_equal(offsetof(struct wire_ring, connection), 2068);
	assert_int_equal(offsetof(struct wire_ring, error), 2072);
	assert_int_equal(offsetof(struct wire_ring, evtchn_port), 2076);
	assert_int_equal(sizeof(struct wire_header), WIRE_HEADER_SIZE);
}

static void
operations_have_their_public_numbers(void **unused)
{
	(void)unused;
	assert_int_equal(WIRE_CONTROL, 0);
	assert_int_equal(WIRE_READ, 2);
	assert_int_equal(WIRE_WRITE, 11);
	assert_int_equal(WIRE_WATCH_EVENT, 15);
	assert_int_equal(WIRE_ERROR, 16);
	assert_int_equal(WIRE_SET_QUOTA, 26);
	assert_int_equal(WIRE_OP_COUNT, 27);
	assert_string_equal(
	    wire_op_name(WIRE_DIRECTORY_PART), "DIRECTORY_PART");
	assert_null(wire_op_name(27));
	assert_null(wire_op_name(UINT32_MAX));
}

static void
strings_end_at_their_nul_and_only_there(void **unused)
{
	struct wire_in in = wire_in("ab\0\0cd", 6);
	const char *str;
	size_t len;

	(void)unused;
	assert_int_equal(wire_in_strings(&in), 2);
	assert_true(wire_in_string(&in, &str, &len));
	assert_string_equal(str, "ab");
	assert_int_equal(len, 2);
	assert_true(wire_in_string(&in, &str, &len));
	assert_int_equal(len, 0);
	assert_false(wire_in_string(&in, &str, &len));
	assert_int_equal(in.left, 2);
	str = wire_in_rest(&in, &len);
	assert_memory_equal(str, "cd", 2);
	assert_int_equal(len, 2);
	assert_int_equal(in.left, 0);
	in = wire_in(NULL, 0);
	assert_false(wire_in_string(&in, &str, &len));
}

static void
numbers_are_decimal_and_bounded(void **unused)
{
	static const char *const bad[] = { "", "-1", "+5", " 1", "1 ", "0x5",
		"abc", "1a", "256", "99999999999999999999999" };
	uint64_t value = 77;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(wire_number(bad[i], 255, &value));
	assert_int_equal(value, 77);
	assert_true(wire_number("255", 255, &value));
	assert_int_equal(value, 255);
	assert_true(wire_number("007", 255, &value));
	assert_int_equal(value, 7);
	assert_true(wire_number("18446744073709551615", UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_false(wire_number("18446744073709551616", UINT64_MAX, &value));
}

static void
permissions_are_a_letter_and_a_number(void **unused)
{
	static const char *const bad[] = { "", "r", "x0", "b6junk", "r-1",
		"r99999999999", "R5", "r 5", "5", "rr5", "r0x10" };
	struct perm perm = { 1, 2 };
	char text[PERM_TEXT_MAX];
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (perm_parse(bad[i], &perm))
			fail_msg("%s", bad[i]);
	assert_int_equal(perm.domid, 1);
	assert_int_equal(perm.bits, 2);
	assert_true(perm_parse("b32757", &perm));
	assert_int_equal(perm.domid, PERM_DOMID_ANY);
	assert_int_equal(perm.bits, PERM_READ | PERM_WRITE);
	for (i = 0; i < 4; i++) {
		perm.domid = UINT32_MAX;
		perm.bits = (uint8_t)i;
		assert_int_equal(perm_format(&perm, text), 11);
		assert_int_equal(text[0], "nrwb"[i]);
		assert_true(perm_parse(text, &perm));
		assert_int_equal(perm.bits, i);
	}
}

static void
errors_have_the_public_strings(void **unused)
{
	unsigned i;

	(void)unused;
	assert_int_equal(XS_ERR_COUNT, 17);
	for (i = 0; i < XS_ERR_COUNT; i++) {
		const char *name = error_name((enum xs_err)i);

		assert_int_equal(
		    error_from_errno(error_to_errno((enum xs_err)i)), i);
		if (i == XS_OK)
			continue;
		assert_int_equal(error_from_name(name, strlen(name)), i);
		assert_int_equal(error_from_name(name, strlen(name) + 1), i);
	}
	assert_int_equal(error_from_name("EQUOTA", 7), XS_EINVAL);
	assert_int_equal(error_from_name("", 0), XS_EINVAL);
	assert_int_equal(error_from_name("ENOENTX", 7), XS_EINVAL);
	assert_int_equal(error_from_errno(9999), XS_EINVAL);
	assert_string_equal(error_name((enum xs_err)99), "EINVAL");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ring_page_has_the_public_layout),
		cmocka_unit_test(operations_have_their_public_numbers),
		cmocka_unit_test(strings_end_at_their_nul_and_only_there),
		cmocka_unit_test(numbers_are_decimal_and_bounded),
		cmocka_unit_test(permissions_are_a_letter_and_a_number),
		cmocka_unit_test(errors_have_the_public_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
