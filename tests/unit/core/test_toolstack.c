/* What a toolstack asks and sets besides the life of a domain. */
#include "core_test.h"

#include "abi/sched.h"
#include "abi/sysctl.h"

static long
sysctl(struct sim *s, struct xen_sysctl *op)
{
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return sim_call_channel(
	    s, 0, NULL, __HYPERVISOR_sysctl, (uintptr_t)op, 0, 0);
}

static void
vcpus_are_described(void **state)
{
	struct world3 *w = *state;
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_getvcpuinfo,
		.domain = w->a,
	};

	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(op.u.getvcpuinfo.online, 1);
	assert_int_equal(op.u.getvcpuinfo.running, 1);
	assert_int_equal(op.u.getvcpuinfo.cpu_time, 1000 * w->a);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_pausedomain, w->a), 0);
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(op.u.getvcpuinfo.blocked, 1);
	op.u.getvcpuinfo.vcpu = 1;
	assert_int_equal(sim_domctl(w->s, 0, &op), -XEN_EINVAL);
}

static void
the_number_of_vcpus_can_only_grow(void **state)
{
	struct world3 *w = *state;
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_max_vcpus,
		.domain = w->a,
	};
	static const uint32_t bad[] = { 0, 2, UINT32_MAX };
	size_t i;

	for (i = 0; i < 3; i++) {
		op.u.max_vcpus.max = bad[i];
		assert_int_equal(sim_domctl(w->s, 0, &op), -XEN_EINVAL);
	}
	op.u.max_vcpus.max = 1;
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
}

static void
affinity_is_every_cpu(void **state)
{
	struct world3 *w = *state;
	uint8_t hard[2] = { 0xff, 0xff }, soft[1] = { 0 };
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_getvcpuaffinity,
		.domain = w->a,
		.u.vcpuaffinity = {
			.flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT,
			.cpumap_hard = { (uintptr_t)hard, 16 },
			.cpumap_soft = { (uintptr_t)soft, 8 },
		},
	};

	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(hard[0], 3); /* the machine has two */
	assert_int_equal(hard[1], 0);
	assert_int_equal(soft[0], 3);
	op.cmd = XEN_DOMCTL_setvcpuaffinity;
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	op.cmd = XEN_DOMCTL_getvcpuaffinity;
	op.u.vcpuaffinity.cpumap_hard.nr_bits = UINT32_MAX;
	assert_int_equal(sim_domctl(w->s, 0, &op), -XEN_EINVAL);
	op.u.vcpuaffinity.vcpu = 9;
	assert_int_equal(sim_domctl(w->s, 0, &op), -XEN_EINVAL);
	memset(&op.u, 0, sizeof(op.u));
	op.cmd = XEN_DOMCTL_getnodeaffinity;
	op.u.nodeaffinity.nodemap.bitmap = (uintptr_t)soft;
	op.u.nodeaffinity.nodemap.nr_bits = 8;
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(soft[0], 1);
}

static void
the_handle_can_be_set_and_is_reported(void **state)
{
	struct world3 *w = *state;
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_setdomainhandle,
		.domain = w->a,
		.u.setdomainhandle.handle = { 7, 7, 7 },
	};

	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	op.cmd = XEN_DOMCTL_getdomaininfo;
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(op.u.getdomaininfo.handle[2], 7);
	assert_int_equal(op.u.getdomaininfo.handle[3], 0);
}

static void
the_paging_pool_is_a_number_of_whole_pages(void **state)
{
	struct world3 *w = *state;
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_set_paging_mempool_size,
		.domain = w->a,
		.u.paging_mempool.size = 4097,
	};

	assert_int_equal(sim_domctl(w->s, 0, &op), -XEN_EINVAL);
	op.u.paging_mempool.size = 1 << 20;
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	op.cmd = XEN_DOMCTL_get_paging_mempool_size;
	op.u.paging_mempool.size = 0;
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(op.u.paging_mempool.size, 1 << 20);
}

static void
the_state_of_one_domain_can_be_asked_for(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref map = {
		.host_addr = 0x1000,
		.flags = GNTMAP_host_map,
		.ref = 9,
		.dom = w->a,
	};
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_get_domain_state,
		.domain = w->a,
	};

	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(
	    op.u.get_domain_state.state, XEN_DOMCTL_GETDOMSTATE_STATE_EXIST);
	assert_int_equal(op.u.get_domain_state.caps, 0);
	sim_offer(w->s, w->a, 9, w->b, 3, GTF_permit_access);
	assert_int_equal(
	    sim_grant(w->s, w->b, GNTTABOP_map_grant_ref, &map, 1), 0);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), 0);
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(
	    op.u.get_domain_state.state, XEN_DOMCTL_GETDOMSTATE_STATE_EXIST |
					     XEN_DOMCTL_GETDOMSTATE_STATE_DEAD);
	op.u.get_domain_state.pad0 = 1;
	assert_int_equal(sim_domctl(w->s, 0, &op), -XEN_EINVAL);
	op.u.get_domain_state.pad0 = 0;
	op.domain = 999;
	assert_int_equal(sim_domctl(w->s, 0, &op), -XEN_ESRCH);
}

static void
getdomaininfo_shows_every_state(void **state)
{
	struct world3 *w = *state;
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_getdomaininfo,
		.domain = w->a,
	};

	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_pausedomain, w->a), 0);
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(op.u.getdomaininfo.flags & 0xffff,
	    XEN_DOMINF_hvm_guest | XEN_DOMINF_paused | XEN_DOMINF_blocked);
	assert_int_equal(op.u.getdomaininfo.max_vcpu_id, 0);
	op.domain = 0;
	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	assert_int_equal(op.u.getdomaininfo.tot_pages, 1024);
	assert_int_equal(op.u.getdomaininfo.nr_online_vcpus, 1);
}

static void
the_machine_has_one_node_and_its_cpus(void **state)
{
	struct world3 *w = *state;
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_cputopoinfo };
	struct xen_sysctl_cputopo topo[2];
	struct xen_sysctl_meminfo mem;
	uint32_t distance = 0;

	assert_int_equal(sysctl(w->s, &op), 0);
	assert_int_equal(op.u.cputopoinfo.num_cpus, 2);
	op.u.cputopoinfo.cputopo = (uintptr_t)topo;
	assert_int_equal(sysctl(w->s, &op), 0);
	assert_int_equal(topo[1].core, 1);
	op.u.cputopoinfo.num_cpus = 1;
	assert_int_equal(sysctl(w->s, &op), 0);
	assert_int_equal(op.u.cputopoinfo.num_cpus, 1);

	memset(&op.u, 0, sizeof(op.u));
	op.cmd = XEN_SYSCTL_numainfo;
	op.u.numainfo.num_nodes = 1;
	op.u.numainfo.meminfo = (uintptr_t)&mem;
	op.u.numainfo.distance = (uintptr_t)&distance;
	assert_int_equal(sysctl(w->s, &op), 0);
	assert_int_equal(op.u.numainfo.num_nodes, 1);
	assert_int_equal(mem.memsize, 8192 << 12);
	assert_int_equal(distance, 10);

	op.cmd = XEN_SYSCTL_availheap;
	assert_int_equal(sysctl(w->s, &op), 0);
	assert_int_equal(op.u.availheap.avail_bytes, mem.memfree);

	memset(&op.u, 0, sizeof(op.u));
	op.cmd = XEN_SYSCTL_cpupool_op;
	op.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_CREATE;
	assert_int_equal(sysctl(w->s, &op), -XEN_EOPNOTSUPP);
	op.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_INFO;
	op.u.cpupool_op.cpupool_id = 1;
	assert_int_equal(sysctl(w->s, &op), -XEN_ENOENT);
}

static void
status_tells_what_a_port_is_bound_to(void **state)
{
	struct world3 *w = *state;
	struct evtchn_bind_virq virq = { .virq = VIRQ_ARGO };
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	struct evtchn_bind_vcpu move = { .vcpu = 0 };
	struct evtchn_status op = { .dom = w->a };

	assert_int_equal(sim_evtchn(w->s, w->a, EVTCHNOP_bind_virq, &virq), 0);
	assert_int_equal(sim_evtchn(w->s, w->a, EVTCHNOP_bind_ipi, &ipi), 0);
	op.port = virq.port;
	assert_int_equal(sim_evtchn(w->s, 0, EVTCHNOP_status, &op), 0);
	assert_int_equal(op.status, EVTCHNSTAT_virq);
	assert_int_equal(op.u.virq, VIRQ_ARGO);
	op.port = ipi.port;
	assert_int_equal(sim_evtchn(w->s, 0, EVTCHNOP_status, &op), 0);
	assert_int_equal(op.status, EVTCHNSTAT_ipi);
	move.port = virq.port; /* of the domain, not of a vcpu: may move */
	assert_int_equal(sim_evtchn(w->s, w->a, EVTCHNOP_bind_vcpu, &move), 0);
	move.port = 50;
	assert_int_equal(
	    sim_evtchn(w->s, w->a, EVTCHNOP_bind_vcpu, &move), -XEN_EINVAL);
}

static void
domain_0_may_have_thousands_of_ports(void **state)
{
	struct world3 *w = *state;
	struct evtchn_alloc_unbound op = { .dom = 0, .remote_dom = w->a };
	uint32_t i;

	for (i = 1; i < HV_MAX_PORTS; i++)
		assert_int_equal(sim_unbound(w->s, 0, w->a), i);
	assert_int_equal(
	    sim_evtchn(w->s, 0, EVTCHNOP_alloc_unbound, &op), -XEN_ENOSPC);
	assert_int_equal(sim_close(w->s, 0, 3000), 0);
	assert_int_equal(sim_unbound(w->s, 0, w->a), 3000);
}

static void
a_shutdown_code_without_a_shutdown_is_kept(void **state)
{
	struct world3 *w = *state;
	struct sched_shutdown op = { .reason = SHUTDOWN_reboot };
	struct hv_domain_info info;

	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_shutdown_code, &op), 0);
	assert_int_equal(hv_domain_info(w->s->hv, w->a, &info), 0);
	assert_false(info.shutdown);
	assert_int_equal(info.shutdown_code, SHUTDOWN_reboot);
	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_yield, NULL), 0);
	assert_int_equal(sim_sched(w->s, w->a, 99, NULL), -XEN_ENOSYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world3_test(vcpus_are_described),
		world3_test(the_number_of_vcpus_can_only_grow),
		world3_test(affinity_is_every_cpu),
		world3_test(the_handle_can_be_set_and_is_reported),
		world3_test(the_paging_pool_is_a_number_of_whole_pages),
		world3_test(the_state_of_one_domain_can_be_asked_for),
		world3_test(getdomaininfo_shows_every_state),
		world3_test(the_machine_has_one_node_and_its_cpus),
		world3_test(status_tells_what_a_port_is_bound_to),
		world3_test(domain_0_may_have_thousands_of_ports),
		world3_test(a_shutdown_code_without_a_shutdown_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
