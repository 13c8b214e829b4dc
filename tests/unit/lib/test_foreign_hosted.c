/* SPDX-License-Identifier: BSD-2-Clause */
/* libxenforeignmemory on a running hvd; the test plays the domains. */
#include "fixture.h"

/* The first byte of frame 5 of DOMID, as F sees it. */
static uint8_t
look(xenforeignmemory_handle *f, domid_t domid)
{
	xen_pfn_t pfn = 5;
	uint8_t *p = xenforeignmemory_map(f, domid, PROT_READ, 1, &pfn, NULL);
	uint8_t byte;

	assert_non_null(p);
	byte = *p;
	assert_int_equal(xenforeignmemory_unmap(f, p, 1), 0);
	return byte;
}

static void
what_is_mapped_is_the_domains_memory(void **state)
{
	xenforeignmemory_handle *f = xenforeignmemory_open(NULL, 0);
	struct guest g;

	(void)state;
	assert_non_null(f);
	guest_create(&g);
	g.ram[5 * PAGE] = 'a';
	assert_int_equal(look(f, g.domid), 'a');
	g.ram[5 * PAGE] = 'b';
	assert_int_equal(look(f, g.domid), 'b');
	guest_destroy(&g);
	xenforeignmemory_close(f);
}

/* A handle may be older than the domain that now has the number. */
static void
a_domain_that_takes_a_number_over_is_another(void **state)
{
	xenforeignmemory_handle *f = xenforeignmemory_open(NULL, 0);
	struct guest g;
	domid_t domid;
	xen_pfn_t pfn = 5;

	(void)state;
	assert_non_null(f);
	guest_create(&g);
	domid = g.domid;
	g.ram[5 * PAGE] = 'a';
	assert_int_equal(look(f, domid), 'a');
	guest_destroy(&g);
	assert_null(xenforeignmemory_map(f, domid, PROT_READ, 1, &pfn, NULL));
	guest_create_as(&g, domid);
	assert_int_equal(g.domid, domid);
	g.ram[5 * PAGE] = 'b';
	assert_int_equal(look(f, domid), 'b');
	guest_destroy(&g);
	xenforeignmemory_close(f);
}

/* More domains end than a socket holds messages about. */
static void
a_number_taken_over_is_noticed_behind_many_deaths(void **state)
{
	enum { MANY = 600 };
	xenforeignmemory_handle *f = xenforeignmemory_open(NULL, 0);
	static struct guest g[MANY];
	domid_t domid;
	pid_t waker;
	int i;

	(void)state;
	assert_non_null(f);
	for (i = 0; i < MANY; i++) {
		guest_create(&g[i]);
		g[i].ram[5 * PAGE] = 'a';
		assert_int_equal(look(f, g[i].domid), 'a');
	}
	domid = g[MANY - 1].domid;
	for (i = 0; i < MANY; i++)
		guest_destroy(&g[i]);
	guest_create_as(&g[0], domid);
	assert_int_equal(g[0].domid, domid);
	g[0].ram[5 * PAGE] = 'b';
	/* hvd is slow to send the rest */
	assert_int_equal(kill(fixture_hvd, SIGSTOP), 0);
	waker = fork();
	if (waker == 0) {
		usleep(100000);
		_exit(kill(fixture_hvd, SIGCONT) != 0);
	}
	assert_int_equal(look(f, domid), 'b');
	assert_int_equal(waitpid(waker, NULL, 0), waker);
	guest_destroy(&g[0]);
	xenforeignmemory_close(f);
}

static void
frames_that_are_not_there_are_refused_one_by_one(void **state)
{
	xenforeignmemory_handle *f = xenforeignmemory_open(NULL, 0);
	xen_pfn_t pfns[2] = { 5, UINT64_C(1) << 40 };
	int err[2] = { -1, -1 };
	struct guest g;
	uint8_t *p;

	(void)state;
	assert_non_null(f);
	guest_create(&g);
	g.ram[5 * PAGE] = 'c';
	p = xenforeignmemory_map(f, g.domid, PROT_READ, 2, pfns, err);
	assert_non_null(p);
	assert_int_equal(err[0], 0);
	assert_int_equal(err[1], EINVAL);
	assert_int_equal(p[0], 'c');
	assert_int_equal(xenforeignmemory_unmap(f, p, 2), 0);
	assert_null(xenforeignmemory_map(f, g.domid, PROT_READ, 2, pfns, NULL));
	assert_null(xenforeignmemory_map(f, 0x7000, PROT_READ, 1, pfns, NULL));
	guest_destroy(&g);
	xenforeignmemory_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_mapped_is_the_domains_memory),
		cmocka_unit_test(a_domain_that_takes_a_number_over_is_another),
		cmocka_unit_test(
		    a_number_taken_over_is_noticed_behind_many_deaths),
		cmocka_unit_test(
		    frames_that_are_not_there_are_refused_one_by_one),
	};
	int failed;

	if (!fixture_start())
		return 0;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_stop();
	return failed;
}
