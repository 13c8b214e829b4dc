/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Concurrent transactions are serialisable (serial.h). SERIAL_OPS and
 * SERIAL_SEED say how many requests and which.
 */
#include "serial.h"

static void
concurrent_transactions_have_a_serial_order(void **unused)
{
	static struct serial s;
	const char *ops = getenv("SERIAL_OPS"), *seed = getenv("SERIAL_SEED");
	unsigned long n = ops != NULL ? strtoul(ops, NULL, 10) : 2000000;

	(void)unused;
	s_start(
	    &s, seed != NULL ? strtoull(seed, NULL, 10) : 88172645463325252u);
	if (!s_run(&s, n)) {
		s_print(&s);
		fail_msg("after %lu requests: %s", s.ops, s.why);
	}
	printf("%lu requests, %lu transactions and single requests, %lu pairs "
	       "of them at the same time, %lu commits, %lu refused, %lu "
	       "rebased\n",
	    s.ops, s.units, s.concurrent, s.commits, s.refused,
	    (unsigned long)s.h.st->n_replays);
	/* or it would show nothing */
	assert_true(s.commits > n / 100 && s.refused > n / 1000 &&
		    s.h.st->n_replays > n / 1000);
	h_stop(&s.h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(concurrent_transactions_have_a_serial_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
