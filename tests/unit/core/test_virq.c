#include "core_test.h"

static long
bind(struct sim *s, domid_t domid, uint32_t virq, uint32_t vcpu, uint32_t *port)
{
	struct evtchn_bind_virq op = { .virq = virq, .vcpu = vcpu };
	long ret = sim_evtchn(s, domid, EVTCHNOP_bind_virq, &op);

	if (port != NULL)
		*port = op.port;
	return ret;
}

static long
set_handler(struct sim *s, domid_t domid, uint32_t virq)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_set_virq_handler,
		.domain = domid,
		.u.set_virq_handler.virq = virq,
	};

	return sim_domctl(s, 0, &op);
}

static void
bind_refuses_with_the_right_error_and_changes_nothing(void **state)
{
	struct world3 *w = *state;
	struct ports_view a = ports_view(w->s, w->a);

	assert_int_equal(bind(w->s, w->a, NR_VIRQS, 0, NULL), -XEN_EINVAL);
	assert_int_equal(bind(w->s, w->a, UINT32_MAX, 0, NULL), -XEN_EINVAL);
	assert_int_equal(bind(w->s, w->a, VIRQ_DOM_EXC, 1, NULL), -XEN_EINVAL);
	assert_int_equal(bind(w->s, w->a, VIRQ_TIMER, 1, NULL), -XEN_ENOENT);
	assert_int_equal(bind(w->s, w->a, VIRQ_DOM_EXC, 0, NULL), -XEN_EBUSY);
	assert_same_ports(&a, w->s, w->a);
}

static void
a_virq_is_bound_once(void **state)
{
	struct world3 *w = *state;
	uint32_t port = 0;

	assert_int_equal(bind(w->s, w->a, VIRQ_TIMER, 0, &port), 0);
	assert_int_equal(bind(w->s, w->a, VIRQ_TIMER, 0, NULL), -XEN_EEXIST);
	assert_int_equal(sim_close(w->s, w->a, port), 0);
	assert_int_equal(bind(w->s, w->a, VIRQ_TIMER, 0, NULL), 0);
}

static void
dom_exc_fires_at_shutdown_and_at_death(void **state)
{
	struct world3 *w = *state;
	uint32_t port = 0;

	assert_int_equal(bind(w->s, 0, VIRQ_DOM_EXC, 0, &port), 0);
	sim_consume(w->s, 0, port);
	assert_int_equal(hv_domain_shutdown(w->s->hv, w->a, 3), 0);
	assert_true(sim_pending(w->s, 0, port));
	sim_consume(w->s, 0, port);
	assert_int_equal(hv_domain_shutdown(w->s->hv, w->a, 0), 0);
	assert_false(sim_pending(w->s, 0, port)); /* it was down already */
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), 0);
	assert_true(sim_pending(w->s, 0, port));
}

static void
dom_exc_fires_again_when_the_last_pin_of_a_zombie_goes(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref map = {
		.host_addr = 0x1000,
		.flags = GNTMAP_host_map,
		.ref = 9,
		.dom = w->a,
	};
	struct gnttab_unmap_grant_ref unmap = { .host_addr = 0x1000 };
	uint32_t port = 0;

	sim_offer(w->s, w->a, 9, 0, 3, GTF_permit_access);
	assert_int_equal(
	    sim_grant(w->s, 0, GNTTABOP_map_grant_ref, &map, 1), 0);
	assert_int_equal(map.status, GNTST_okay);
	assert_int_equal(bind(w->s, 0, VIRQ_DOM_EXC, 0, &port), 0);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), 0);
	sim_consume(w->s, 0, port);
	unmap.handle = map.handle;
	assert_int_equal(
	    sim_grant(w->s, 0, GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	assert_true(sim_pending(w->s, 0, port));
	assert_null(w->s->domain[w->a]);
}

static void
the_handler_of_a_global_virq_can_be_another_domain(void **state)
{
	struct world3 *w = *state;
	uint32_t port = 0;

	assert_int_equal(set_handler(w->s, w->b, VIRQ_DOM_EXC), 0);
	assert_int_equal(bind(w->s, 0, VIRQ_DOM_EXC, 0, NULL), -XEN_EBUSY);
	assert_int_equal(bind(w->s, w->b, VIRQ_DOM_EXC, 0, &port), 0);
	assert_int_equal(set_handler(w->s, 0, VIRQ_DOM_EXC), -XEN_EBUSY);
	assert_int_equal(hv_domain_shutdown(w->s->hv, w->a, 0), 0);
	assert_true(sim_pending(w->s, w->b, port));
	/* It falls back when the handler dies. */
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->b), 0);
	assert_int_equal(bind(w->s, 0, VIRQ_DOM_EXC, 0, NULL), 0);
	assert_int_equal(set_handler(w->s, w->a, VIRQ_TIMER), -XEN_EINVAL);
	assert_int_equal(set_handler(w->s, w->a, 77), -XEN_EINVAL);
	assert_int_equal(set_handler(w->s, 999, VIRQ_DOM_EXC), -XEN_ESRCH);
}

static void
a_timer_raises_its_virq_when_its_time_has_come(void **state)
{
	struct world3 *w = *state;
	uint32_t port = 0;

	assert_int_equal(bind(w->s, w->a, VIRQ_TIMER, 0, &port), 0);
	assert_int_equal(sim_call_channel(w->s, w->a, NULL,
			     __HYPERVISOR_set_timer_op, w->s->now + 50, 0, 0),
	    0);
	assert_int_equal(hv_next_deadline(w->s->hv), w->s->now + 50);
	hv_run_timers(w->s->hv);
	assert_false(sim_pending(w->s, w->a, port));
	w->s->now += 50;
	hv_run_timers(w->s->hv);
	assert_true(sim_pending(w->s, w->a, port));
	assert_true(hv_next_deadline(w->s->hv) == HV_NO_DEADLINE);
}

static void
con_ring_fires_when_the_console_ring_grows(void **state)
{
	struct world3 *w = *state;
	uint32_t ring = 0, input = 0;

	assert_int_equal(bind(w->s, 0, VIRQ_CON_RING, 0, &ring), 0);
	assert_int_equal(bind(w->s, 0, VIRQ_CONSOLE, 0, &input), 0);
	hv_console_print(w->s->hv, "hello\n");
	assert_true(sim_pending(w->s, 0, ring));
	assert_false(sim_pending(w->s, 0, input));
	hv_console_input(w->s->hv);
	assert_true(sim_pending(w->s, 0, input));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world3_test(
		    bind_refuses_with_the_right_error_and_changes_nothing),
		world3_test(a_virq_is_bound_once),
		world3_test(dom_exc_fires_at_shutdown_and_at_death),
		world3_test(
		    dom_exc_fires_again_when_the_last_pin_of_a_zombie_goes),
		world3_test(the_handler_of_a_global_virq_can_be_another_domain),
		world3_test(a_timer_raises_its_virq_when_its_time_has_come),
		world3_test(con_ring_fires_when_the_console_ring_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
