#include "core_test.h"

#include "abi/memory.h"
#include "abi/sched.h"
#include "abi/sysctl.h"

static struct xen_domctl
create_op(void)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_createdomain,
		.u.createdomain = {
			.max_vcpus = 2,
			.max_evtchn_port = 100,
			.max_grant_frames = -1,
			.max_maptrack_frames = -1,
			.grant_opts = 1,
			.handle = { 1, 2, 3 },
		},
	};

	return op;
}

static struct hv_domain_info
info(const struct sim *s, domid_t domid)
{
	struct hv_domain_info i;

	assert_int_equal(hv_domain_info(s->hv, domid, &i), 0);
	return i;
}

static void
ids_are_given_out_one_after_the_other(void **state)
{
	struct sim *s = sim_new(NULL);

	(void)state;
	assert_int_equal(sim_domain(s, 1), 1);
	assert_int_equal(sim_domain(s, 1), 2);
	assert_int_equal(sim_domctl_plain(s, XEN_DOMCTL_destroydomain, 1), 0);
	assert_int_equal(sim_domain(s, 1), 3); /* not 1 again so soon */
	sim_free(s);
}

static void
ids_wrap_and_skip_those_in_use(void **state)
{
	struct sim *s = sim_new(NULL);
	struct xen_domctl op = create_op();
	domid_t keep;

	(void)state;
	op.domain = DOMID_FIRST_RESERVED - 1;
	assert_int_equal(sim_domctl(s, 0, &op), 0);
	assert_int_equal(op.domain, DOMID_FIRST_RESERVED - 1);
	keep = sim_domain(s, 1);
	assert_int_equal(keep, 1);
	op = create_op();
	op.domain = keep; /* taken: another one is chosen */
	assert_int_equal(sim_domctl(s, 0, &op), 0);
	assert_int_equal(op.domain, 2);
	sim_free(s);
}

static void
unique_ids_are_never_used_twice(void **state)
{
	struct sim *s = sim_new(NULL);
	struct xen_domctl op = create_op();
	uint64_t first;

	(void)state;
	op.domain = 50;
	assert_int_equal(sim_domctl(s, 0, &op), 0);
	first = info(s, 50).unique_id;
	assert_int_equal(sim_domctl_plain(s, XEN_DOMCTL_destroydomain, 50), 0);
	op = create_op();
	op.domain = 50;
	assert_int_equal(sim_domctl(s, 0, &op), 0);
	assert_int_equal(op.domain, 50);
	assert_true(info(s, 50).unique_id > first);
	sim_free(s);
}

static void
create_refuses_and_makes_nothing(void **state)
{
	struct sim *s = sim_new(NULL);
	size_t bytes = s->core_bytes;
	struct xen_domctl op;
	unsigned nth;

	(void)state;
	op = create_op();
	op.u.createdomain.max_vcpus = 0;
	assert_int_equal(sim_domctl(s, 0, &op), -XEN_EINVAL);
	op.u.createdomain.max_vcpus = HV_MAX_VCPUS + 1;
	assert_int_equal(sim_domctl(s, 0, &op), -XEN_EINVAL);
	op = create_op();
	op.u.createdomain.max_grant_frames = HV_MAX_GRANT_FRAMES + 1;
	assert_int_equal(sim_domctl(s, 0, &op), -XEN_EINVAL);
	op = create_op();
	op.u.createdomain.max_grant_frames = 0;
	assert_int_equal(sim_domctl(s, 0, &op), -XEN_EINVAL);
	op = create_op();
	op.u.createdomain.flags = 1u << 20;
	assert_int_equal(sim_domctl(s, 0, &op), -XEN_EINVAL);
	op = create_op();
	op.u.createdomain.grant_opts = 0;
	assert_int_equal(sim_domctl(s, 0, &op), -XEN_EINVAL);
	for (nth = 1; nth <= 4; nth++) {
		op = create_op();
		s->fail_alloc = nth;
		assert_int_equal(sim_domctl(s, 0, &op), -XEN_ENOMEM);
	}
	op = create_op();
	s->fail_copy = 2; /* nobody would ever hear of it */
	assert_int_equal(sim_domctl(s, 0, &op), -XEN_EFAULT);
	assert_int_equal(s->nr_domains, 1);
	assert_int_equal(s->core_bytes, bytes);
	sim_free(s);
}

static void
only_domain_0_controls_domains(void **state)
{
	struct world3 *w = *state;
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_destroydomain,
		.domain = w->b,
	};

	assert_int_equal(sim_domctl(w->s, w->a, &op), -XEN_EPERM);
	op.domain = 999;
	assert_int_equal(sim_domctl(w->s, w->a, &op), -XEN_ESRCH);
	op.cmd = 1234;
	assert_int_equal(sim_domctl(w->s, 0, &op), -XEN_ENOSYS);
	op.interface_version = 0x16;
	assert_int_equal(sim_call_channel(w->s, 0, NULL, __HYPERVISOR_domctl,
			     (uintptr_t)&op, 0, 0),
	    -XEN_EACCES);
	assert_false(info(w->s, w->b).dying);
}

static void
the_first_unpause_starts_a_domain(void **state)
{
	struct sim *s = sim_new(NULL);
	domid_t d = sim_domain(s, 4);
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_hosted_start,
		.domain = d,
		.u.hosted_start.start_info_paddr = 0x2000,
	};

	(void)state;
	assert_int_equal(sim_domctl(s, 0, &op), 0);
	assert_false(s->domain[d]->started);
	assert_int_equal(sim_domctl_plain(s, XEN_DOMCTL_pausedomain, d), 0);
	assert_int_equal(sim_domctl_plain(s, XEN_DOMCTL_unpausedomain, d), 0);
	assert_false(s->domain[d]->started); /* paused twice */
	s->fail_start = 1;
	assert_int_equal(
	    sim_domctl_plain(s, XEN_DOMCTL_unpausedomain, d), -XEN_ENOEXEC);
	assert_true(info(s, d).paused);
	assert_int_equal(sim_domctl_plain(s, XEN_DOMCTL_unpausedomain, d), 0);
	assert_true(s->domain[d]->started);
	assert_int_equal(s->domain[d]->start_info, 0x2000);
	assert_int_equal(
	    sim_domctl_plain(s, XEN_DOMCTL_unpausedomain, d), -XEN_EINVAL);
	assert_int_equal(sim_domctl(s, 0, &op), -XEN_EINVAL); /* started */
	sim_free(s);
}

static void
pauses_nest(void **state)
{
	struct world3 *w = *state;

	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_pausedomain, w->a), 0);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_pausedomain, w->a), 0);
	assert_true(w->s->domain[w->a]->paused);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_unpausedomain, w->a), 0);
	assert_true(w->s->domain[w->a]->paused);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_unpausedomain, w->a), 0);
	assert_false(w->s->domain[w->a]->paused);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_pausedomain, 0), -XEN_EINVAL);
}

static void
shutdown_stops_a_domain_and_resume_lets_it_go_on(void **state)
{
	struct world3 *w = *state;
	struct sched_shutdown op = { .reason = SHUTDOWN_suspend };

	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_shutdown, &op), 0);
	assert_true(w->s->domain[w->a]->paused);
	assert_true(info(w->s, w->a).shutdown);
	assert_int_equal(info(w->s, w->a).shutdown_code, SHUTDOWN_suspend);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_resumedomain, w->a), 0);
	assert_false(w->s->domain[w->a]->paused);
	assert_false(info(w->s, w->a).shutdown);
}

static void
getdomaininfo_finds_the_domain_or_the_next_one(void **state)
{
	struct world3 *w = *state;
	struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo };

	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), 0);
	op.domain = w->a;
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(op.domain, w->b);
	assert_int_equal(op.u.getdomaininfo.domain, w->b);
	assert_int_equal(op.u.getdomaininfo.tot_pages, 16);
	assert_int_equal(op.u.getdomaininfo.nr_online_vcpus, 1);
	assert_int_equal(
	    op.u.getdomaininfo.flags & XEN_DOMINF_running, XEN_DOMINF_running);
	op.domain = w->b + 1;
	assert_int_equal(sim_domctl(w->s, 0, &op), -XEN_ESRCH);
}

static void
getdomaininfolist_lists_from_an_id_on(void **state)
{
	struct world3 *w = *state;
	struct xen_domctl_getdomaininfo list[4];
	struct xen_sysctl op = {
		.cmd = XEN_SYSCTL_getdomaininfolist,
		.interface_version = XEN_SYSCTL_INTERFACE_VERSION,
		.u.getdomaininfolist = {
			.first_domain = 1,
			.max_domains = 4,
			.buffer = (uintptr_t)list,
		},
	};

	assert_int_equal(hv_domain_shutdown(w->s->hv, w->b, 3), 0);
	assert_int_equal(sim_call_channel(w->s, 0, NULL, __HYPERVISOR_sysctl,
			     (uintptr_t)&op, 0, 0),
	    0);
	assert_int_equal(op.u.getdomaininfolist.num_domains, 2);
	assert_int_equal(list[0].domain, w->a);
	assert_int_equal(list[1].domain, w->b);
	assert_int_equal(list[1].flags >> XEN_DOMINF_shutdownshift & 255, 3);
	assert_true(list[1].flags & XEN_DOMINF_shutdown);
	assert_int_equal(sim_call_channel(w->s, w->a, NULL, __HYPERVISOR_sysctl,
			     (uintptr_t)&op, 0, 0),
	    -XEN_EPERM);
}

static long
poll_state(struct sim *s, domid_t by, struct xen_domctl *op)
{
	memset(op, 0, sizeof(*op));
	op->cmd = XEN_DOMCTL_get_domain_state;
	op->domain = DOMID_INVALID;
	return sim_call_channel(
	    s, by, NULL, __HYPERVISOR_domctl, (uintptr_t)op, 0, 0);
}

static void
changes_of_state_are_reported_once_to_who_listens(void **state)
{
	struct world3 *w = *state;
	struct evtchn_bind_virq virq = { .virq = VIRQ_DOM_EXC };
	struct xen_domctl op;

	assert_int_equal(poll_state(w->s, 0, &op), -XEN_EACCES);
	assert_int_equal(sim_evtchn(w->s, 0, EVTCHNOP_bind_virq, &virq), 0);
	/* at first, of all domains */
	assert_int_equal(poll_state(w->s, 0, &op), 0);
	assert_int_equal(op.domain, 0);
	assert_int_equal(op.u.get_domain_state.caps,
	    XEN_DOMCTL_GETDOMSTATE_CAP_CONTROL |
		XEN_DOMCTL_GETDOMSTATE_CAP_HARDWARE |
		XEN_DOMCTL_GETDOMSTATE_CAP_XENSTORE);
	assert_int_equal(poll_state(w->s, 0, &op), 0);
	assert_int_equal(poll_state(w->s, 0, &op), 0);
	assert_int_equal(op.domain, w->b);
	assert_int_equal(
	    op.u.get_domain_state.state, XEN_DOMCTL_GETDOMSTATE_STATE_EXIST);
	assert_int_equal(poll_state(w->s, 0, &op), -XEN_ENOENT);

	assert_int_equal(hv_domain_shutdown(w->s->hv, w->b, 0), 0);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), 0);
	assert_int_equal(poll_state(w->s, 0, &op), 0);
	assert_int_equal(op.domain, w->a);
	assert_int_equal(op.u.get_domain_state.state, 0); /* gone */
	assert_int_equal(poll_state(w->s, 0, &op), 0);
	assert_int_equal(op.domain, w->b);
	assert_int_equal(op.u.get_domain_state.state,
	    XEN_DOMCTL_GETDOMSTATE_STATE_EXIST |
		XEN_DOMCTL_GETDOMSTATE_STATE_SHUTDOWN);
	assert_int_equal(poll_state(w->s, 0, &op), -XEN_ENOENT);
}

static void
destroy_closes_the_peers_ports_and_frees_everything(void **state)
{
	struct world3 *w = *state;
	struct hv_port_info port;
	uint32_t pa, pb;

	sim_connect(w->s, w->a, w->b, &pa, &pb);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), 0);
	assert_null(w->s->domain[w->a]);
	assert_int_equal(hv_port_info(w->s->hv, w->b, pb, &port), 0);
	assert_int_equal(port.status, EVTCHNSTAT_unbound);
	assert_int_equal(port.remote_domid, w->a);
	assert_false(sim_pending(w->s, w->b, pb));
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), -XEN_ESRCH);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, 0), -XEN_EINVAL);
}

static void
destroy_is_done_in_slices_and_a_dying_domain_makes_no_calls(void **state)
{
	struct world3 *w = *state;
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_destroydomain,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.domain = w->a,
	};
	struct evtchn_alloc_unbound alloc = { .dom = w->a, .remote_dom = 0 };
	unsigned slices = 0;
	long ret;

	do {
		ret = sim_call_once(
		    w->s, 0, __HYPERVISOR_domctl, (uintptr_t)&op, 0, 0);
		assert_null(core_audit(w->s->hv));
		slices++;
		if (ret == 0)
			break;
		assert_int_equal(ret, -XEN_ERESTART);
		assert_true(w->s->domain[w->a]->killed);
		assert_true(info(w->s, w->a).dying);
		assert_int_equal(sim_call_once(w->s, w->a,
				     __HYPERVISOR_xen_version, 0, 0, 0),
		    -XEN_ESRCH);
		assert_int_equal(
		    sim_evtchn(w->s, 0, EVTCHNOP_alloc_unbound, &alloc),
		    -XEN_EINVAL);
		assert_int_equal(
		    hv_domain_shutdown(w->s->hv, w->a, 0), -XEN_ESRCH);
	} while (slices < 100);
	assert_true(slices > 1 && slices < 100);
	assert_null(w->s->domain[w->a]);
}

static void
an_id_is_not_reused_while_the_dead_domain_is_pinned(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref map = {
		.host_addr = 0x1000,
		.flags = GNTMAP_host_map,
		.ref = 9,
		.dom = w->a,
	};
	struct xen_domctl op = create_op();

	sim_offer(w->s, w->a, 9, w->b, 3, GTF_permit_access);
	assert_int_equal(
	    sim_grant(w->s, w->b, GNTTABOP_map_grant_ref, &map, 1), 0);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), 0);
	op.domain = w->a;
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_not_equal(op.domain, w->a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_given_out_one_after_the_other),
		cmocka_unit_test(ids_wrap_and_skip_those_in_use),
		cmocka_unit_test(unique_ids_are_never_used_twice),
		cmocka_unit_test(create_refuses_and_makes_nothing),
		world3_test(only_domain_0_controls_domains),
		cmocka_unit_test(the_first_unpause_starts_a_domain),
		world3_test(pauses_nest),
		world3_test(shutdown_stops_a_domain_and_resume_lets_it_go_on),
		world3_test(getdomaininfo_finds_the_domain_or_the_next_one),
		world3_test(getdomaininfolist_lists_from_an_id_on),
		world3_test(changes_of_state_are_reported_once_to_who_listens),
		world3_test(
		    destroy_closes_the_peers_ports_and_frees_everything),
		world3_test(
		    destroy_is_done_in_slices_and_a_dying_domain_makes_no_calls),
		world3_test(
		    an_id_is_not_reused_while_the_dead_domain_is_pinned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
