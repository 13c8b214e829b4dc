#include "core_test.h"

static long
bind(struct sim *s, domid_t domid, domid_t remote, uint32_t port, uint32_t *out)
{
	struct evtchn_bind_interdomain op = {
		.remote_dom = remote,
		.remote_port = port,
	};
	long ret = sim_evtchn(s, domid, EVTCHNOP_bind_interdomain, &op);

	if (out != NULL)
		*out = op.local_port;
	return ret;
}

static long
alloc(struct sim *s, domid_t by, domid_t dom, domid_t remote, uint32_t *out)
{
	struct evtchn_alloc_unbound op = { .dom = dom, .remote_dom = remote };
	long ret = sim_evtchn(s, by, EVTCHNOP_alloc_unbound, &op);

	if (out != NULL)
		*out = op.port;
	return ret;
}

static struct evtchn_status
status(struct sim *s, domid_t by, domid_t dom, uint32_t port)
{
	struct evtchn_status op = { .dom = dom, .port = port };

	assert_int_equal(sim_evtchn(s, by, EVTCHNOP_status, &op), 0);
	return op;
}

static void
alloc_gives_the_lowest_free_port(void **state)
{
	struct world3 *w = *state;

	assert_int_equal(sim_unbound(w->s, w->a, w->b), 1);
	assert_int_equal(sim_unbound(w->s, w->a, w->b), 2);
	assert_int_equal(sim_unbound(w->s, w->a, w->b), 3);
	assert_int_equal(sim_close(w->s, w->a, 2), 0);
	assert_int_equal(sim_unbound(w->s, w->a, w->b), 2);
	assert_int_equal(sim_unbound(w->s, w->a, w->b), 4);
}

static void
alloc_for_a_domain_that_does_not_exist_works(void **state)
{
	struct world3 *w = *state;
	uint32_t port = 0;

	assert_int_equal(alloc(w->s, w->a, DOMID_SELF, 4711, &port), 0);
	assert_int_equal(status(w->s, 0, w->a, port).u.unbound.dom, 4711);
}

static void
alloc_with_remote_self_means_the_caller(void **state)
{
	struct world3 *w = *state;
	uint32_t port = 0;

	assert_int_equal(alloc(w->s, 0, w->a, DOMID_SELF, &port), 0);
	assert_int_equal(status(w->s, 0, w->a, port).u.unbound.dom, 0);
}

static void
alloc_refuses_and_changes_nothing(void **state)
{
	struct world3 *w = *state;
	struct ports_view a = ports_view(w->s, w->a);
	struct ports_view b = ports_view(w->s, w->b);

	assert_int_equal(alloc(w->s, w->a, 999, w->b, NULL), -XEN_ESRCH);
	assert_int_equal(alloc(w->s, w->a, w->b, w->a, NULL), -XEN_EPERM);
	assert_int_equal(
	    sim_evtchn(w->s, w->a, EVTCHNOP_alloc_unbound, NULL), -XEN_EFAULT);
	w->s->fail_copy = 2; /* the answer can't be written */
	assert_int_equal(
	    alloc(w->s, w->a, DOMID_SELF, w->b, NULL), -XEN_EFAULT);
	assert_same_ports(&a, w->s, w->a);
	assert_same_ports(&b, w->s, w->b);
}

static void
alloc_ends_at_max_evtchn_port(void **state)
{
	struct world3 *w = *state;
	uint32_t i;

	for (i = 1; i <= 63; i++)
		assert_int_equal(sim_unbound(w->s, w->a, w->b), i);
	assert_int_equal(
	    alloc(w->s, w->a, DOMID_SELF, w->b, NULL), -XEN_ENOSPC);
	assert_int_equal(sim_close(w->s, w->a, 40), 0);
	assert_int_equal(sim_unbound(w->s, w->a, w->b), 40);
}

static void
bind_joins_two_ports_and_raises_the_local_one(void **state)
{
	struct world3 *w = *state;
	uint32_t pa = sim_unbound(w->s, w->a, w->b), pb = 0;
	struct evtchn_status st;

	assert_int_equal(bind(w->s, w->b, w->a, pa, &pb), 0);
	st = status(w->s, w->a, DOMID_SELF, pa);
	assert_int_equal(st.status, EVTCHNSTAT_interdomain);
	assert_int_equal(st.u.interdomain.dom, w->b);
	assert_int_equal(st.u.interdomain.port, pb);
	st = status(w->s, w->b, DOMID_SELF, pb);
	assert_int_equal(st.status, EVTCHNSTAT_interdomain);
	assert_int_equal(st.u.interdomain.dom, w->a);
	assert_int_equal(st.u.interdomain.port, pa);
	assert_true(sim_pending(w->s, w->b, pb));
	assert_false(sim_pending(w->s, w->a, pa));
	assert_int_equal(w->s->domain[w->b]->upcalls, 1);
}

static void
bind_to_oneself_works(void **state)
{
	struct world3 *w = *state;
	uint32_t p = 0, q = 0;

	assert_int_equal(alloc(w->s, w->a, DOMID_SELF, DOMID_SELF, &p), 0);
	assert_int_equal(bind(w->s, w->a, DOMID_SELF, p, &q), 0);
	sim_consume(w->s, w->a, q);
	assert_int_equal(sim_send(w->s, w->a, p), 0);
	assert_true(sim_pending(w->s, w->a, q));
	assert_false(sim_pending(w->s, w->a, p));
	assert_int_equal(sim_close(w->s, w->a, q), 0);
	assert_int_equal(
	    status(w->s, w->a, DOMID_SELF, p).status, EVTCHNSTAT_unbound);
}

static void
bind_refuses_and_changes_nothing(void **state)
{
	struct world3 *w = *state;
	uint32_t for_dom0 = sim_unbound(w->s, w->a, 0);
	uint32_t pa, pb;
	struct ports_view a, b;

	sim_connect(w->s, w->a, w->b, &pa, &pb);
	a = ports_view(w->s, w->a);
	b = ports_view(w->s, w->b);
	assert_int_equal(bind(w->s, w->b, w->a, for_dom0, NULL), -XEN_EINVAL);
	assert_int_equal(bind(w->s, w->b, w->a, pa, NULL), -XEN_EINVAL);
	assert_int_equal(bind(w->s, w->b, w->a, 30, NULL), -XEN_EINVAL);
	assert_int_equal(bind(w->s, w->b, w->a, 0, NULL), -XEN_EINVAL);
	assert_int_equal(bind(w->s, w->b, w->a, 70000, NULL), -XEN_EINVAL);
	assert_int_equal(bind(w->s, w->b, 999, 1, NULL), -XEN_ESRCH);
	w->s->fail_copy = 2;
	assert_int_equal(bind(w->s, 0, w->a, for_dom0, NULL), -XEN_EFAULT);
	assert_same_ports(&a, w->s, w->a);
	assert_same_ports(&b, w->s, w->b);
}

static void
a_full_table_is_reported_before_a_bad_remote_port(void **state)
{
	struct world3 *w = *state;
	uint32_t i;

	for (i = 1; i <= 63; i++)
		(void)sim_unbound(w->s, w->b, w->a);
	assert_int_equal(bind(w->s, w->b, w->a, 30, NULL), -XEN_ENOSPC);
}

static void
send_reaches_the_peer_once_until_it_is_consumed(void **state)
{
	struct world3 *w = *state;
	uint32_t pa, pb;

	sim_connect(w->s, w->a, w->b, &pa, &pb);
	w->s->domain[w->b]->upcalls = 0;
	assert_int_equal(sim_send(w->s, w->a, pa), 0);
	assert_int_equal(sim_send(w->s, w->a, pa), 0);
	assert_true(sim_pending(w->s, w->b, pb));
	assert_int_equal(w->s->domain[w->b]->upcalls, 1);
	sim_consume(w->s, w->b, pb);
	assert_int_equal(sim_send(w->s, w->a, pa), 0);
	assert_int_equal(w->s->domain[w->b]->upcalls, 2);
}

static void
send_at_an_unbound_port_is_silently_dropped(void **state)
{
	struct world3 *w = *state;
	uint32_t pa = sim_unbound(w->s, w->a, w->b);

	assert_int_equal(sim_send(w->s, w->a, pa), 0);
	assert_false(sim_pending(w->s, w->a, pa));
}

static void
send_refuses_ports_that_cannot_send(void **state)
{
	struct world3 *w = *state;
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER };

	assert_int_equal(sim_evtchn(w->s, w->a, EVTCHNOP_bind_virq, &virq), 0);
	assert_int_equal(sim_send(w->s, w->a, virq.port), -XEN_EINVAL);
	assert_int_equal(sim_send(w->s, w->a, 0), -XEN_EINVAL);
	assert_int_equal(sim_send(w->s, w->a, 20), -XEN_EINVAL);
	assert_int_equal(sim_send(w->s, w->a, 1u << 31), -XEN_EINVAL);
}

static void
close_leaves_the_peer_unbound_for_the_closer_without_an_event(void **state)
{
	struct world3 *w = *state;
	uint32_t pa, pb, again = 0;
	struct evtchn_status st;

	sim_connect(w->s, w->a, w->b, &pa, &pb);
	assert_int_equal(sim_close(w->s, w->a, pa), 0);
	st = status(w->s, w->b, DOMID_SELF, pb);
	assert_int_equal(st.status, EVTCHNSTAT_unbound);
	assert_int_equal(st.u.unbound.dom, w->a);
	assert_false(sim_pending(w->s, w->b, pb));
	assert_int_equal(
	    status(w->s, w->a, DOMID_SELF, pa).status, EVTCHNSTAT_closed);
	assert_int_equal(bind(w->s, w->a, w->b, pb, &again), 0);
	assert_int_equal(again, pa);
}

static void
close_clears_what_was_pending(void **state)
{
	struct world3 *w = *state;
	uint32_t pa, pb;

	sim_connect(w->s, w->a, w->b, &pa, &pb);
	assert_int_equal(sim_send(w->s, w->a, pa), 0);
	assert_int_equal(sim_close(w->s, w->b, pb), 0);
	assert_false(sim_pending(w->s, w->b, pb));
}

static void
close_refuses_what_is_not_open(void **state)
{
	struct world3 *w = *state;
	struct ports_view a = ports_view(w->s, w->a);

	assert_int_equal(sim_close(w->s, w->a, 0), -XEN_EINVAL);
	assert_int_equal(sim_close(w->s, w->a, 5), -XEN_EINVAL);
	assert_int_equal(sim_close(w->s, w->a, 4096), -XEN_EINVAL);
	assert_same_ports(&a, w->s, w->a);
}

static void
status_of_others_needs_privilege(void **state)
{
	struct world3 *w = *state;
	struct evtchn_status op = { .dom = w->a, .port = 1 };

	(void)sim_unbound(w->s, w->a, w->b);
	assert_int_equal(
	    sim_evtchn(w->s, w->b, EVTCHNOP_status, &op), -XEN_EPERM);
	op.dom = 999;
	assert_int_equal(
	    sim_evtchn(w->s, w->b, EVTCHNOP_status, &op), -XEN_ESRCH);
	op.dom = w->a;
	op.port = 64; /* beyond what has been allocated */
	assert_int_equal(
	    sim_evtchn(w->s, 0, EVTCHNOP_status, &op), -XEN_EINVAL);
}

static void
a_masked_port_waits_for_unmask(void **state)
{
	struct world3 *w = *state;
	uint32_t pa, pb;
	struct evtchn_unmask op;

	sim_connect(w->s, w->a, w->b, &pa, &pb);
	w->s->domain[w->b]->upcalls = 0;
	w->s->domain[w->b]->shared_info->evtchn_mask[0] = UINT64_C(1) << pb;
	assert_int_equal(sim_send(w->s, w->a, pa), 0);
	assert_true(sim_pending(w->s, w->b, pb));
	assert_int_equal(w->s->domain[w->b]->upcalls, 0);
	op.port = pb;
	assert_int_equal(sim_evtchn(w->s, w->b, EVTCHNOP_unmask, &op), 0);
	assert_int_equal(w->s->domain[w->b]->upcalls, 1);
	assert_int_equal(w->s->domain[w->b]->shared_info->evtchn_mask[0], 0);
	op.port = 20; /* free: nothing to do */
	assert_int_equal(sim_evtchn(w->s, w->b, EVTCHNOP_unmask, &op), 0);
	op.port = 5000;
	assert_int_equal(
	    sim_evtchn(w->s, w->b, EVTCHNOP_unmask, &op), -XEN_EINVAL);
}

static void
an_ipi_raises_its_own_port_and_keeps_its_vcpu(void **state)
{
	struct world3 *w = *state;
	struct evtchn_bind_ipi op = { .vcpu = 0 };
	struct evtchn_bind_vcpu move;

	assert_int_equal(sim_evtchn(w->s, w->a, EVTCHNOP_bind_ipi, &op), 0);
	assert_int_equal(sim_send(w->s, w->a, op.port), 0);
	assert_true(sim_pending(w->s, w->a, op.port));
	move.port = op.port;
	move.vcpu = 0;
	assert_int_equal(
	    sim_evtchn(w->s, w->a, EVTCHNOP_bind_vcpu, &move), -XEN_EINVAL);
	move.vcpu = 1;
	assert_int_equal(
	    sim_evtchn(w->s, w->a, EVTCHNOP_bind_vcpu, &move), -XEN_ENOENT);
	op.vcpu = 1;
	assert_int_equal(
	    sim_evtchn(w->s, w->a, EVTCHNOP_bind_ipi, &op), -XEN_ENOENT);
}

static void
reset_closes_everything_of_a_paused_domain(void **state)
{
	struct world3 *w = *state;
	struct evtchn_reset op = { .dom = w->a };
	uint32_t pa, pb;

	sim_connect(w->s, w->a, w->b, &pa, &pb);
	assert_int_equal(sim_evtchn(w->s, 0, EVTCHNOP_reset, &op), -XEN_EINVAL);
	assert_int_equal(
	    sim_evtchn(w->s, w->b, EVTCHNOP_reset, &op), -XEN_EPERM);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_pausedomain, w->a), 0);
	assert_int_equal(sim_evtchn(w->s, 0, EVTCHNOP_reset, &op), 0);
	assert_int_equal(status(w->s, 0, w->a, pa).status, EVTCHNSTAT_closed);
	assert_int_equal(status(w->s, 0, w->b, pb).status, EVTCHNSTAT_unbound);
}

static void
a_closed_channel_takes_its_ports_with_it_and_no_others(void **state)
{
	struct world3 *w = *state;
	struct evtchn_alloc_unbound op = {
		.dom = DOMID_SELF,
		.remote_dom = w->b,
	};
	int one, two;
	uint32_t p[3];

	assert_int_equal(
	    sim_call_channel(w->s, w->a, &one, __HYPERVISOR_event_channel_op,
		EVTCHNOP_alloc_unbound, (uintptr_t)&op, 0),
	    0);
	p[0] = op.port;
	assert_int_equal(
	    sim_call_channel(w->s, w->a, &two, __HYPERVISOR_event_channel_op,
		EVTCHNOP_alloc_unbound, (uintptr_t)&op, 0),
	    0);
	p[1] = op.port;
	p[2] = sim_unbound(w->s, w->a, w->b);
	hv_channel_closed(w->s->hv, w->a, &one);
	assert_int_equal(status(w->s, 0, w->a, p[0]).status, EVTCHNSTAT_closed);
	assert_int_equal(
	    status(w->s, 0, w->a, p[1]).status, EVTCHNSTAT_unbound);
	assert_int_equal(
	    status(w->s, 0, w->a, p[2]).status, EVTCHNSTAT_unbound);
}

static void
a_port_made_for_somebody_else_outlives_the_channel_that_made_it(void **state)
{
	struct world3 *w = *state;
	struct evtchn_alloc_unbound op = { .dom = w->a, .remote_dom = 0 };
	int channel;

	assert_int_equal(
	    sim_call_channel(w->s, 0, &channel, __HYPERVISOR_event_channel_op,
		EVTCHNOP_alloc_unbound, (uintptr_t)&op, 0),
	    0);
	hv_channel_closed(w->s->hv, 0, &channel);
	assert_int_equal(
	    status(w->s, 0, w->a, op.port).status, EVTCHNSTAT_unbound);
}

static void
both_ends_are_announced_when_a_binding_changes(void **state)
{
	struct world3 *w = *state;
	uint32_t pa = sim_unbound(w->s, w->a, w->b), pb = 0;

	w->s->domain[w->a]->changes = w->s->domain[w->b]->changes = 0;
	assert_int_equal(bind(w->s, w->b, w->a, pa, &pb), 0);
	assert_int_equal(w->s->domain[w->a]->changes, 1);
	assert_int_equal(w->s->domain[w->b]->changes, 1);
	assert_int_equal(sim_close(w->s, w->a, pa), 0);
	assert_int_equal(w->s->domain[w->a]->changes, 2);
	assert_int_equal(w->s->domain[w->b]->changes, 2);
}

static void
without_shared_info_events_are_posted(void **state)
{
	struct sim_config cfg = {
		.total_pages = 1000,
		.dom0_pages = 100,
		.dom0_posts = true,
	};
	struct sim *s = sim_new(&cfg);
	domid_t a = sim_domain_running(s, 4);
	uint32_t pa, p0;

	(void)state;
	sim_connect(s, a, 0, &pa, &p0);
	assert_false(sim_pending(s, 0, p0));
	assert_int_equal(sim_send(s, a, pa), 0);
	assert_true(sim_pending(s, 0, p0));
	sim_free(s);
}

static void
unknown_operations_are_enosys(void **state)
{
	struct world3 *w = *state;
	uint64_t op[8] = { 0 };

	assert_int_equal(sim_evtchn(w->s, w->a, 99, op), -XEN_ENOSYS);
	assert_int_equal(
	    sim_evtchn(w->s, w->a, EVTCHNOP_set_priority, op), -XEN_ENOSYS);
	assert_int_equal(
	    sim_evtchn(w->s, w->a, EVTCHNOP_bind_pirq, op), -XEN_EOPNOTSUPP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world3_test(alloc_gives_the_lowest_free_port),
		world3_test(alloc_for_a_domain_that_does_not_exist_works),
		world3_test(alloc_with_remote_self_means_the_caller),
		world3_test(alloc_refuses_and_changes_nothing),
		world3_test(alloc_ends_at_max_evtchn_port),
		world3_test(bind_joins_two_ports_and_raises_the_local_one),
		world3_test(bind_to_oneself_works),
		world3_test(bind_refuses_and_changes_nothing),
		world3_test(a_full_table_is_reported_before_a_bad_remote_port),
		world3_test(send_reaches_the_peer_once_until_it_is_consumed),
		world3_test(send_at_an_unbound_port_is_silently_dropped),
		world3_test(send_refuses_ports_that_cannot_send),
		world3_test(
		    close_leaves_the_peer_unbound_for_the_closer_without_an_event),
		world3_test(close_clears_what_was_pending),
		world3_test(close_refuses_what_is_not_open),
		world3_test(status_of_others_needs_privilege),
		world3_test(a_masked_port_waits_for_unmask),
		world3_test(an_ipi_raises_its_own_port_and_keeps_its_vcpu),
		world3_test(reset_closes_everything_of_a_paused_domain),
		world3_test(
		    a_closed_channel_takes_its_ports_with_it_and_no_others),
		world3_test(
		    a_port_made_for_somebody_else_outlives_the_channel_that_made_it),
		world3_test(both_ends_are_announced_when_a_binding_changes),
		cmocka_unit_test(without_shared_info_events_are_posted),
		world3_test(unknown_operations_are_enosys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
