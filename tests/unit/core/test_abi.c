/* Our headers against Debian's (package libxen-dev): every number, size and
 * offset that both have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "test_abi.src/abi_table.h"

static void
every_number_size_and_offset_is_debians(void **state)
{
	unsigned i, nr_ours, nr_debian, differ = 0;
	const struct abi_row *ours = abi_ours(&nr_ours);
	const struct abi_row *debian = abi_debian(&nr_debian);

	(void)state;
	if (nr_debian == 0) {
		printf("libxen-dev is not installed (or this is not x86-64): "
		       "nothing compared\n");
		skip();
	}
	assert_int_equal(nr_ours, nr_debian);
	for (i = 0; i < nr_ours; i++) {
		const struct abi_row *a = &ours[i], *b = &debian[i];

		assert_string_equal(a->name, b->name);
		if (a->value == b->value && a->size == b->size)
			continue;
		printf("%s: ours %lu (size %lu), Debian's %lu (size %lu)\n",
		    a->name, a->value, a->size, b->value, b->size);
		differ++;
	}
	assert_int_equal(differ, 0);
	printf("%u rows compared\n", nr_ours);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_size_and_offset_is_debians),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
