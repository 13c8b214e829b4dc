/* SPDX-License-Identifier: BSD-2-Clause */
/* libxenevtchn on a running hvd: two handles of domain 0 talk to each other. */
#include "fixture.h"

#include <pthread.h>

#include "xenevtchn.h"

struct pair {
	xenevtchn_handle *a, *b;
	int pa, pb;
};

static int
readable(xenevtchn_handle *xce, int ms)
{
	struct pollfd p = { .fd = xenevtchn_fd(xce), .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void
set_nonblocking(xenevtchn_handle *xce)
{
	int fd = xenevtchn_fd(xce);

	assert_int_equal(
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

/* Two joined ports, the first event of each already taken. */
static int
pair_open(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	p->a = xenevtchn_open(NULL, 0);
	p->b = xenevtchn_open(NULL, 0);
	assert_non_null(p->a);
	assert_non_null(p->b);
	set_nonblocking(p->a);
	set_nonblocking(p->b);
	p->pa = xenevtchn_bind_unbound_port(p->a, 0);
	assert_true(p->pa > 0);
	p->pb = xenevtchn_bind_interdomain(p->b, 0, (evtchn_port_t)p->pa);
	assert_true(p->pb > 0);
	assert_true(readable(p->b, 60000));
	assert_int_equal(xenevtchn_pending(p->b), p->pb);
	assert_int_equal(xenevtchn_unmask(p->b, (evtchn_port_t)p->pb), 0);
	*state = p;
	return 0;
}

static int
pair_close(void **state)
{
	struct pair *p = *state;

	xenevtchn_close(p->a);
	xenevtchn_close(p->b);
	free(p);
	return 0;
}

static void
expect_event(xenevtchn_handle *xce, int port)
{
	assert_true(readable(xce, 60000));
	assert_int_equal(xenevtchn_pending(xce), port);
}

static void
expect_silence(xenevtchn_handle *xce)
{
	errno = 0;
	assert_int_equal(xenevtchn_pending(xce), -1);
	assert_int_equal(errno, EAGAIN);
	assert_false(readable(xce, 0));
}

static void
an_event_goes_either_way_and_is_delivered_once(void **state)
{
	struct pair *p = *state;

	assert_int_equal(xenevtchn_notify(p->b, (evtchn_port_t)p->pb), 0);
	expect_event(p->a, p->pa);
	expect_silence(p->a);
	assert_int_equal(xenevtchn_notify(p->a, (evtchn_port_t)p->pa), 0);
	expect_event(p->b, p->pb);
	expect_silence(p->b);
}

static void
a_port_stays_masked_until_it_is_unmasked(void **state)
{
	struct pair *p = *state;
	int i;

	xenevtchn_notify(p->b, (evtchn_port_t)p->pb);
	expect_event(p->a, p->pa);
	for (i = 0; i < 3; i++)
		xenevtchn_notify(p->b, (evtchn_port_t)p->pb);
	/* answered behind them, if they go by way of hvd */
	assert_true(xenevtchn_bind_unbound_port(p->b, 0) > 0);
	fixture_sleep_ms(20);
	expect_silence(p->a);
	assert_int_equal(xenevtchn_unmask(p->a, (evtchn_port_t)p->pa), 0);
	expect_event(p->a, p->pa); /* three have become one */
	expect_silence(p->a);
	assert_int_equal(xenevtchn_unmask(p->a, (evtchn_port_t)p->pa), 0);
	expect_silence(p->a);
}

static void
a_poller_with_a_blocking_descriptor_is_not_put_to_sleep_by_a_masked_port(
    void **state)
{
	struct pair *p = *state;
	int fd = xenevtchn_fd(p->a);

	assert_int_equal(
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
	xenevtchn_notify(p->b, (evtchn_port_t)p->pb);
	expect_event(p->a, p->pa);
	xenevtchn_notify(p->b, (evtchn_port_t)p->pb);
	assert_true(readable(p->a, 60000));
	alarm(60);
	assert_int_equal(xenevtchn_pending(p->a), -1);
	assert_int_equal(errno, EAGAIN);
	alarm(0);
}

/*
 * Programs written for a kernel's device take -1 for fatal once poll() has
 * said that a blocking descriptor is readable.
 */
static void
news_of_hvd_alone_yield_a_spurious_event_to_who_polls_and_blocks(void **state)
{
	struct pair *p = *state;
	int fd = xenevtchn_fd(p->a), rounds = 0;
	xenevtchn_handle *c;

	while (xenevtchn_pending(p->a) >= 0)
		;
	xenevtchn_unmask(p->a, (evtchn_port_t)p->pa);
	assert_int_equal(
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
	c = xenevtchn_open(NULL, 0);
	assert_non_null(c);
	/* a third endpoint joins: that much is told to its peer, no event */
	assert_true(
	    xenevtchn_bind_interdomain(
		c, 0, (evtchn_port_t)xenevtchn_bind_unbound_port(p->a, 0)) > 0);
	xenevtchn_close(c);
	alarm(60);
	for (; readable(p->a, 50); rounds++) {
		int port = xenevtchn_pending(p->a);

		assert_true(port > 0);
		xenevtchn_unmask(p->a, (evtchn_port_t)port);
	}
	alarm(0);
	assert_true(rounds < 10); /* and it does not spin */
}

static void *
notify_later(void *arg)
{
	struct pair *p = arg;

	fixture_sleep_ms(50);
	xenevtchn_notify(p->b, (evtchn_port_t)p->pb);
	return NULL;
}

static void
a_blocking_descriptor_waits_for_the_next_event(void **state)
{
	struct pair *p = *state;
	int fd = xenevtchn_fd(p->a);
	pthread_t thread;

	assert_int_equal(xenevtchn_pending(p->a), -1); /* take news of hvd */
	assert_int_equal(
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
	assert_int_equal(pthread_create(&thread, NULL, notify_later, p), 0);
	alarm(60);
	assert_int_equal(xenevtchn_pending(p->a), p->pa);
	alarm(0);
	pthread_join(thread, NULL);
}

static void
many_pending_ports_are_all_delivered_and_the_descriptor_stays_readable(
    void **state)
{
	enum { N = 200 };
	struct pair *p = *state;
	int a[N], b[N], seen[N] = { 0 };
	int i, k;

	for (i = 0; i < N; i++) {
		a[i] = xenevtchn_bind_unbound_port(p->a, 0);
		b[i] = xenevtchn_bind_interdomain(p->b, 0, (evtchn_port_t)a[i]);
		assert_true(a[i] > 0 && b[i] > 0);
	}
	for (i = 0; i < N; i++)
		assert_int_equal(
		    xenevtchn_notify(p->b, (evtchn_port_t)b[i]), 0);
	for (i = 0; i < N; i++) {
		int port;

		assert_true(readable(p->a, 60000));
		port = xenevtchn_pending(p->a);
		for (k = 0; k < N && a[k] != port; k++)
			;
		assert_true(k < N);
		seen[k]++;
	}
	for (i = 0; i < N; i++)
		assert_int_equal(seen[i], 1);
	expect_silence(p->a);
}

static void
ports_of_another_handle_are_out_of_reach(void **state)
{
	struct pair *p = *state;

	assert_int_equal(xenevtchn_notify(p->a, (evtchn_port_t)p->pb), -1);
	assert_int_equal(errno, ENOTCONN);
	assert_int_equal(xenevtchn_unbind(p->a, (evtchn_port_t)p->pb), -1);
	assert_int_equal(errno, ENOTCONN);
	assert_int_equal(xenevtchn_notify(p->a, 4000000000u), -1);
	assert_int_equal(errno, ENOTCONN);
	assert_int_equal(xenevtchn_unmask(p->a, (evtchn_port_t)p->pb), 0);
	/* nothing has changed: the channel works */
	an_event_goes_either_way_and_is_delivered_once(state);
}

static void
unbinding_drops_what_is_pending_and_frees_the_port(void **state)
{
	struct pair *p = *state;

	xenevtchn_notify(p->b, (evtchn_port_t)p->pb);
	assert_true(readable(p->a, 60000));
	assert_int_equal(xenevtchn_unbind(p->a, (evtchn_port_t)p->pa), 0);
	assert_int_equal(xenevtchn_pending(p->a), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(xenevtchn_unbind(p->a, (evtchn_port_t)p->pa), -1);
	assert_int_equal(errno, ENOTCONN);
	/* the peer's end is unbound now: events vanish silently */
	assert_int_equal(xenevtchn_notify(p->b, (evtchn_port_t)p->pb), 0);
}

static void
closing_a_handle_releases_its_ports_and_nobody_elses(void **state)
{
	struct pair *p = *state;
	int other = xenevtchn_bind_unbound_port(p->b, 0);
	int again;

	assert_true(other > 0);
	xenevtchn_close(p->a);
	p->a = xenevtchn_open(NULL, 0);
	assert_non_null(p->a);
	set_nonblocking(p->a);
	/* the peer's port is unbound for us again, so it can be joined anew */
	again = xenevtchn_bind_interdomain(p->a, 0, (evtchn_port_t)p->pb);
	assert_true(again > 0);
	p->pa = again;
	expect_event(p->a, p->pa);
	xenevtchn_unmask(p->a, (evtchn_port_t)p->pa);
	an_event_goes_either_way_and_is_delivered_once(state);
	assert_int_equal(xenevtchn_unbind(p->b, (evtchn_port_t)other), 0);
}

static void
a_virq_can_be_bound_once(void **state)
{
	struct pair *p = *state;
	int port = xenevtchn_bind_virq(p->a, VIRQ_DOM_EXC);

	assert_true(port > 0);
	assert_int_equal(xenevtchn_bind_virq(p->b, VIRQ_DOM_EXC), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(xenevtchn_bind_virq(p->b, 99), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(xenevtchn_unbind(p->a, (evtchn_port_t)port), 0);
	port = xenevtchn_bind_virq(p->b, VIRQ_DOM_EXC);
	assert_true(port > 0);
}

static void
the_death_of_a_domain_rings_dom_exc(void **state)
{
	struct pair *p = *state;
	int port = xenevtchn_bind_virq(p->a, VIRQ_DOM_EXC);
	struct guest g;

	assert_true(port > 0);
	guest_create(&g);
	while (xenevtchn_pending(p->a) == port)
		xenevtchn_unmask(p->a, (evtchn_port_t)port);
	guest_destroy(&g);
	expect_event(p->a, port);
}

static void
binding_to_what_is_not_open_for_us_is_refused(void **state)
{
	struct pair *p = *state;

	assert_int_equal(xenevtchn_bind_interdomain(p->a, 0, 4000), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(xenevtchn_bind_interdomain(p->a, 77, 1), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(xenevtchn_bind_interdomain(p->a, 70000, 1), -1);
	assert_int_equal(errno, ESRCH);
	expect_silence(p->a);
}

struct flood {
	struct pair *pair;
	int rounds;
};

static void *
flood(void *arg)
{
	struct flood *f = arg;
	int i;

	for (i = 0; i < f->rounds; i++)
		xenevtchn_notify(f->pair->b, (evtchn_port_t)f->pair->pb);
	return NULL;
}

static void
no_wakeup_is_lost_under_a_flood(void **state)
{
	struct pair *p = *state;
	struct flood f = { p, 200000 };
	pthread_t thread;
	int got = 0;

	assert_int_equal(pthread_create(&thread, NULL, flood, &f), 0);
	while (readable(p->a, 300)) {
		if (xenevtchn_pending(p->a) != p->pa)
			continue;
		got++;
		xenevtchn_unmask(p->a, (evtchn_port_t)p->pa);
	}
	pthread_join(thread, NULL);
	assert_true(got > 0 && got <= f.rounds);
	/* whatever came last has been seen: one more is one more */
	while (xenevtchn_pending(p->a) == p->pa)
		xenevtchn_unmask(p->a, (evtchn_port_t)p->pa);
	xenevtchn_notify(p->b, (evtchn_port_t)p->pb);
	expect_event(p->a, p->pa);
}

#define T(f) cmocka_unit_test_setup_teardown(f, pair_open, pair_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_event_goes_either_way_and_is_delivered_once),
		T(a_port_stays_masked_until_it_is_unmasked),
		T(a_poller_with_a_blocking_descriptor_is_not_put_to_sleep_by_a_masked_port),
		T(news_of_hvd_alone_yield_a_spurious_event_to_who_polls_and_blocks),
		T(a_blocking_descriptor_waits_for_the_next_event),
		T(many_pending_ports_are_all_delivered_and_the_descriptor_stays_readable),
		T(ports_of_another_handle_are_out_of_reach),
		T(unbinding_drops_what_is_pending_and_frees_the_port),
		T(closing_a_handle_releases_its_ports_and_nobody_elses),
		T(a_virq_can_be_bound_once),
		T(the_death_of_a_domain_rings_dom_exc),
		T(binding_to_what_is_not_open_for_us_is_refused),
		T(no_wakeup_is_lost_under_a_flood),
	};
	int ret;

	if (!fixture_start())
		return 0;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_stop();
	return ret;
}
