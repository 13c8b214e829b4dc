#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv-core/core/evtchn_2l.h"

struct page {
	struct shared_info si;
	uint32_t seen[4096];
	unsigned calls;
};

static struct page page;

static int
setup(void **state)
{
	memset(&page, 0, sizeof(page));
	*state = &page;
	return 0;
}

static void
count(void *arg, uint32_t port)
{
	struct page *p = arg;

	p->seen[port]++;
	p->calls++;
}

static void
the_first_event_wakes_and_the_second_does_not(void **state)
{
	struct page *p = *state;
	struct vcpu_info *vi = &p->si.vcpu_info[0];

	assert_true(evtchn_2l_set_pending(&p->si, vi, 70));
	assert_false(evtchn_2l_set_pending(&p->si, vi, 70));
	assert_false(evtchn_2l_set_pending(&p->si, vi, 71));
	assert_int_equal(vi->evtchn_pending_sel, 2);
	assert_int_equal(p->si.evtchn_pending[1], 3u << 6);
}

static void
harvest_delivers_each_event_once(void **state)
{
	struct page *p = *state;
	struct vcpu_info *vi = &p->si.vcpu_info[0];

	(void)evtchn_2l_set_pending(&p->si, vi, 1);
	(void)evtchn_2l_set_pending(&p->si, vi, 63);
	(void)evtchn_2l_set_pending(&p->si, vi, 4095);
	assert_false(evtchn_2l_harvest(&p->si, vi, 10, count, p));
	assert_int_equal(p->calls, 3);
	assert_int_equal(p->seen[1] + p->seen[63] + p->seen[4095], 3);
	assert_false(evtchn_2l_harvest(&p->si, vi, 10, count, p));
	assert_int_equal(p->calls, 3);
	assert_int_equal(vi->evtchn_upcall_pending, 0);
}

static void
a_masked_event_is_kept_and_comes_with_unmask(void **state)
{
	struct page *p = *state;
	struct vcpu_info *vi = &p->si.vcpu_info[0];

	evtchn_2l_mask(&p->si, 9);
	assert_false(evtchn_2l_set_pending(&p->si, vi, 9));
	assert_false(evtchn_2l_harvest(&p->si, vi, 10, count, p));
	assert_int_equal(p->calls, 0);
	assert_true(evtchn_2l_is_pending(&p->si, 9));
	assert_true(evtchn_2l_unmask(&p->si, vi, 9));
	assert_false(evtchn_2l_unmask(&p->si, vi, 9));
	assert_false(evtchn_2l_harvest(&p->si, vi, 10, count, p));
	assert_int_equal(p->seen[9], 1);
}

/* Sends itself an event for each one that it gets. */
static void
again(void *arg, uint32_t port)
{
	struct page *p = arg;

	p->calls++;
	(void)evtchn_2l_set_pending(&p->si, &p->si.vcpu_info[0], port);
}

static void
harvest_does_not_run_for_ever(void **state)
{
	struct page *p = *state;
	struct vcpu_info *vi = &p->si.vcpu_info[0];

	(void)evtchn_2l_set_pending(&p->si, vi, 9);
	assert_true(evtchn_2l_harvest(&p->si, vi, 5, again, p));
	assert_int_equal(p->calls, 5);
	assert_int_equal(vi->evtchn_upcall_pending, 1);
}

#define ROUNDS 200000

static void *
sender(void *arg)
{
	struct page *p = arg;
	uint32_t i;

	for (i = 0; i < ROUNDS; i++)
		(void)evtchn_2l_set_pending(
		    &p->si, &p->si.vcpu_info[0], 1 + i % 200);
	return NULL;
}

static void
no_event_is_lost_between_two_threads(void **state)
{
	struct page *p = *state;
	struct vcpu_info *vi = &p->si.vcpu_info[0];
	pthread_t t;
	uint32_t port;

	assert_int_equal(pthread_create(&t, NULL, sender, p), 0);
	while (p->calls < 1000)
		if (__atomic_load_n(
			&vi->evtchn_upcall_pending, __ATOMIC_SEQ_CST))
			(void)evtchn_2l_harvest(&p->si, vi, 4, count, p);
		else if (pthread_tryjoin_np(t, NULL) == 0)
			goto done;
	pthread_join(t, NULL);
done:
	/* Whatever is pending now must be up as well. */
	(void)evtchn_2l_harvest(&p->si, vi, 100, count, p);
	for (port = 0; port < 4096; port++)
		assert_false(evtchn_2l_is_pending(&p->si, port));
	for (port = 1; port <= 200; port++)
		assert_true(p->seen[port] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    the_first_event_wakes_and_the_second_does_not, setup),
		cmocka_unit_test_setup(harvest_delivers_each_event_once, setup),
		cmocka_unit_test_setup(
		    a_masked_event_is_kept_and_comes_with_unmask, setup),
		cmocka_unit_test_setup(harvest_does_not_run_for_ever, setup),
		cmocka_unit_test_setup(
		    no_event_is_lost_between_two_threads, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
