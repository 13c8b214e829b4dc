/* The smaller hypercalls. */
#include "core_test.h"

#include <stdio.h>

#include "abi/hvm.h"
#include "abi/sched.h"
#include "abi/sysctl.h"
#include "abi/vcpu.h"
#include "abi/version.h"

static long
call(struct sim *s, domid_t by, unsigned nr, uint64_t a0, uint64_t a1,
    uint64_t a2)
{
	return sim_call_channel(s, by, NULL, nr, a0, a1, a2);
}

static long
sysctl(struct sim *s, domid_t by, struct xen_sysctl *op)
{
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return call(s, by, __HYPERVISOR_sysctl, (uintptr_t)op, 0, 0);
}

static long
param(struct sim *s, domid_t by, unsigned cmd, domid_t whose, uint32_t index,
    uint64_t *value)
{
	struct xen_hvm_param op = {
		.domid = whose,
		.index = index,
		.value = *value,
	};
	long ret = call(s, by, __HYPERVISOR_hvm_op, cmd, (uintptr_t)&op, 0);

	*value = op.value;
	return ret;
}

static void
version_answers_all_that_xl_info_asks(void **state)
{
	struct world3 *w = *state;
	char text[1024];
	struct xen_compile_info ci;
	struct xen_platform_parameters pp;
	struct xen_feature_info fi = { .submap_idx = 0 };
	uint8_t uuid[16];
	const unsigned nr = __HYPERVISOR_xen_version;

	assert_int_equal(call(w->s, 0, nr, XENVER_version, 0, 0), 4 << 16 | 17);
	assert_int_equal(
	    call(w->s, 0, nr, XENVER_extraversion, (uintptr_t)text, 0), 0);
	assert_int_equal(
	    call(w->s, 0, nr, XENVER_compile_info, (uintptr_t)&ci, 0), 0);
	assert_int_equal(
	    call(w->s, 0, nr, XENVER_capabilities, (uintptr_t)text, 0), 0);
	assert_int_equal(
	    call(w->s, 0, nr, XENVER_changeset, (uintptr_t)text, 0), 0);
	assert_int_equal(
	    call(w->s, 0, nr, XENVER_platform_parameters, (uintptr_t)&pp, 0),
	    0);
	assert_int_equal(
	    call(w->s, 0, nr, XENVER_get_features, (uintptr_t)&fi, 0), 0);
	assert_true(fi.submap & 1u << XENFEAT_dom0);
	assert_int_equal(
	    call(w->s, w->a, nr, XENVER_get_features, (uintptr_t)&fi, 0), 0);
	assert_false(fi.submap & 1u << XENFEAT_dom0);
	assert_int_equal(call(w->s, 0, nr, XENVER_pagesize, 0, 0), 4096);
	assert_int_equal(
	    call(w->s, 0, nr, XENVER_guest_handle, (uintptr_t)uuid, 0), 0);
	assert_int_equal(
	    call(w->s, 0, nr, XENVER_commandline, (uintptr_t)text, 0), 0);
	assert_string_equal(text, "sim");
	assert_int_equal(call(w->s, 0, nr, XENVER_build_id, (uintptr_t)text, 0),
	    -XEN_ENODATA);
	assert_int_equal(call(w->s, 0, nr, 77, 0, 0), -XEN_ENOSYS);
}

static void
a_guest_reads_but_cannot_set_where_its_store_is(void **state)
{
	struct world3 *w = *state;
	uint64_t v = 0x123;

	assert_int_equal(
	    param(w->s, 0, HVMOP_set_param, w->a, HVM_PARAM_STORE_PFN, &v), 0);
	v = 0;
	assert_int_equal(param(w->s, w->a, HVMOP_get_param, DOMID_SELF,
			     HVM_PARAM_STORE_PFN, &v),
	    0);
	assert_int_equal(v, 0x123);
	v = 9;
	assert_int_equal(param(w->s, w->a, HVMOP_set_param, DOMID_SELF,
			     HVM_PARAM_STORE_PFN, &v),
	    -XEN_EPERM);
	assert_int_equal(param(w->s, w->a, HVMOP_set_param, w->b,
			     HVM_PARAM_CALLBACK_IRQ, &v),
	    -XEN_EPERM);
	assert_int_equal(param(w->s, w->a, HVMOP_set_param, DOMID_SELF,
			     HVM_PARAM_CALLBACK_IRQ, &v),
	    0);
	assert_int_equal(
	    param(w->s, 0, HVMOP_set_param, w->a, HVM_NR_PARAMS, &v),
	    -XEN_EINVAL);
	assert_int_equal(
	    param(w->s, 0, HVMOP_set_param, 999, 0, &v), -XEN_ESRCH);
	assert_int_equal(
	    param(w->s, 0, HVMOP_get_param, w->a, HVM_PARAM_STORE_PFN, &v), 0);
	assert_int_equal(v, 0x123);
}

static void
poll_checks_its_ports(void **state)
{
	struct world3 *w = *state;
	evtchn_port_t ports[129] = { 0 };
	struct sched_poll op = {
		.ports = (uintptr_t)ports,
		.nr_ports = 1,
	};

	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_poll, &op), -XEN_EINVAL);
	ports[0] = sim_unbound(w->s, w->a, w->b);
	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_poll, &op), 0);
	op.nr_ports = 2;
	ports[1] = 33;
	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_poll, &op), -XEN_EINVAL);
	/* an upcall that is due comes before any check */
	w->s->domain[w->a]->shared_info->vcpu_info[0].evtchn_upcall_pending = 1;
	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_poll, &op), 0);
	op.nr_ports = 129;
	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_poll, &op), -XEN_EINVAL);
}

static void
a_watchdog_that_is_not_fed_bites(void **state)
{
	struct world3 *w = *state;
	struct sched_watchdog op = { .timeout = 10 };
	struct hv_domain_info info;

	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_watchdog, &op), 1);
	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_watchdog, &op), 2);
	assert_int_equal(
	    sim_sched(w->s, w->a, SCHEDOP_watchdog, &op), -XEN_ENOSPC);
	op.id = 2;
	op.timeout = 0;
	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_watchdog, &op), 0);
	assert_int_equal(
	    sim_sched(w->s, w->a, SCHEDOP_watchdog, &op), -XEN_EINVAL);
	w->s->now += UINT64_C(9000000000);
	op.id = 1;
	op.timeout = 10;
	assert_int_equal(sim_sched(w->s, w->a, SCHEDOP_watchdog, &op), 0);
	w->s->now += UINT64_C(9000000000);
	hv_run_timers(w->s->hv);
	assert_int_equal(hv_domain_info(w->s->hv, w->a, &info), 0);
	assert_false(info.shutdown);
	w->s->now = hv_next_deadline(w->s->hv);
	hv_run_timers(w->s->hv);
	assert_int_equal(hv_domain_info(w->s->hv, w->a, &info), 0);
	assert_true(info.shutdown);
	assert_int_equal(info.shutdown_code, SHUTDOWN_watchdog);
}

static void
remote_shutdown_is_domain_0s(void **state)
{
	struct world3 *w = *state;
	struct sched_remote_shutdown op = {
		.domain_id = w->b,
		.reason = SHUTDOWN_reboot,
	};
	struct hv_domain_info info;

	assert_int_equal(
	    sim_sched(w->s, w->a, SCHEDOP_remote_shutdown, &op), -XEN_EPERM);
	assert_int_equal(hv_domain_info(w->s->hv, w->b, &info), 0);
	assert_false(info.shutdown);
	assert_int_equal(sim_sched(w->s, 0, SCHEDOP_remote_shutdown, &op), 0);
	assert_int_equal(hv_domain_info(w->s->hv, w->b, &info), 0);
	assert_int_equal(info.shutdown_code, SHUTDOWN_reboot);
}

static void
register_vcpu_info_moves_it_and_loses_nothing(void **state)
{
	struct world3 *w = *state;
	struct vcpu_register_vcpu_info op = { .mfn = 3, .offset = 4096 - 56 };
	const unsigned nr = __HYPERVISOR_vcpu_op;
	const struct vcpu_info *vi;
	uint32_t pa, pb;

	assert_int_equal(
	    call(w->s, w->a, nr, VCPUOP_register_vcpu_info, 0, (uintptr_t)&op),
	    -XEN_EINVAL);
	op.offset = 64;
	op.mfn = 100;
	assert_int_equal(
	    call(w->s, w->a, nr, VCPUOP_register_vcpu_info, 0, (uintptr_t)&op),
	    -XEN_EINVAL);
	op.mfn = 3;
	assert_int_equal(
	    call(w->s, w->a, nr, VCPUOP_register_vcpu_info, 0, (uintptr_t)&op),
	    0);
	vi = (const void *)(w->s->domain[w->a]->ram[3] + 64);
	assert_int_equal(vi->evtchn_upcall_pending, 1);
	assert_true(vi->evtchn_pending_sel == UINT64_MAX);
	assert_int_equal(
	    call(w->s, w->a, nr, VCPUOP_register_vcpu_info, 0, (uintptr_t)&op),
	    -XEN_EINVAL);
	memset(w->s->domain[w->a]->ram[3] + 64, 0, 64);
	sim_connect(w->s, w->a, w->b, &pa, &pb);
	assert_int_equal(sim_send(w->s, w->b, pb), 0);
	assert_int_equal(vi->evtchn_upcall_pending, 1);
	assert_int_equal(vi->evtchn_pending_sel, 1);
	/* its page is the domain's own pin: no obstacle to its death */
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), 0);
	assert_null(w->s->domain[w->a]);
}

static void
vcpu_calls_know_which_vcpus_there_are(void **state)
{
	struct world3 *w = *state;
	struct vcpu_runstate_info info;
	struct vcpu_set_singleshot_timer timer = {
		.timeout_abs_ns = 1,
		.flags = VCPU_SSHOTTMR_future,
	};
	const unsigned nr = __HYPERVISOR_vcpu_op;

	assert_int_equal(call(w->s, w->a, nr, VCPUOP_is_up, 0, 0), 1);
	assert_int_equal(call(w->s, w->a, nr, VCPUOP_is_up, 1, 0), -XEN_ENOENT);
	assert_int_equal(
	    call(w->s, w->a, nr, VCPUOP_get_runstate_info, 0, (uintptr_t)&info),
	    0);
	assert_int_equal(info.state, RUNSTATE_running);
	assert_int_equal(call(w->s, w->a, nr, VCPUOP_set_singleshot_timer, 0,
			     (uintptr_t)&timer),
	    -XEN_ETIME);
	timer.flags = 0;
	timer.timeout_abs_ns = w->s->now + 7;
	assert_int_equal(call(w->s, w->a, nr, VCPUOP_set_singleshot_timer, 0,
			     (uintptr_t)&timer),
	    0);
	assert_int_equal(hv_next_deadline(w->s->hv), w->s->now + 7);
	assert_int_equal(
	    call(w->s, w->a, nr, VCPUOP_stop_singleshot_timer, 0, 0), 0);
	assert_true(hv_next_deadline(w->s->hv) == HV_NO_DEADLINE);
}

static void
guests_print_whole_lines_with_their_id(void **state)
{
	struct world3 *w = *state;
	char expect[64];
	const unsigned nr = __HYPERVISOR_console_io;

	assert_int_equal(
	    call(w->s, w->a, nr, CONSOLEIO_write, 3, (uintptr_t) "hel"), 0);
	assert_int_equal(w->s->console_len, 0);
	assert_int_equal(
	    call(w->s, w->a, nr, CONSOLEIO_write, 6, (uintptr_t) "l\033\ao\nX"),
	    0);
	snprintf(expect, sizeof(expect), "(d%u) hello\n", w->a);
	assert_string_equal(w->s->console, expect);
	assert_int_equal(
	    call(w->s, 0, nr, CONSOLEIO_write, 3, (uintptr_t) "raw"), 0);
	assert_string_equal(w->s->console + strlen(expect), "raw");
	assert_int_equal(
	    call(w->s, w->a, nr, CONSOLEIO_write, 5, 0), -XEN_EFAULT);
	assert_int_equal(
	    call(w->s, w->a, nr, CONSOLEIO_read, 5, (uintptr_t)expect),
	    -XEN_EPERM);
}

/* Reads up to ROOM bytes; how many there were, the rest in *OP. */
static uint32_t
read_console(struct sim *s, struct xen_sysctl *op, char *buf, uint32_t room)
{
	op->cmd = XEN_SYSCTL_readconsole;
	op->u.readconsole.buffer = (uintptr_t)buf;
	op->u.readconsole.count = room;
	assert_int_equal(sysctl(s, 0, op), 0);
	return op->u.readconsole.count;
}

static void
readconsole_reads_all_or_goes_on_where_it_stopped(void **state)
{
	struct world3 *w = *state;
	struct xen_sysctl op = { .cmd = 0 };
	char buf[64] = { 0 };

	hv_console_print(w->s->hv, "one two");
	assert_int_equal(read_console(w->s, &op, buf, 3), 3);
	assert_memory_equal(buf, "one", 3);
	op.u.readconsole.incremental = 1;
	assert_int_equal(read_console(w->s, &op, buf, 60), 4);
	assert_memory_equal(buf, " two", 4);
	assert_int_equal(read_console(w->s, &op, buf, 60), 0);
	hv_console_print(w->s->hv, "!");
	assert_int_equal(read_console(w->s, &op, buf, 60), 1);
	op.u.readconsole.incremental = 0;
	op.u.readconsole.clear = 1;
	assert_int_equal(read_console(w->s, &op, buf, 60), 8);
	assert_int_equal(read_console(w->s, &op, buf, 60), 0);
}

static void
readconsole_survives_overflow_and_strange_indexes(void **state)
{
	struct world3 *w = *state;
	struct xen_sysctl op = { .cmd = 0 };
	char *buf = calloc(1, 40000);
	int i;

	for (i = 0; i < 2000; i++)
		hv_console_print(w->s->hv, "0123456789");
	assert_int_equal(
	    read_console(w->s, &op, buf, 40000), HV_CONSOLE_RING_SIZE);
	assert_int_equal(buf[HV_CONSOLE_RING_SIZE - 1], '9');
	op.u.readconsole.incremental = 1;
	op.u.readconsole.index = 5; /* long gone */
	assert_int_equal(
	    read_console(w->s, &op, buf, 40000), HV_CONSOLE_RING_SIZE);
	op.u.readconsole.index = 1u << 30; /* not yet */
	assert_int_equal(
	    read_console(w->s, &op, buf, 40000), HV_CONSOLE_RING_SIZE);
	free(buf);
}

static void
multicall_runs_each_entry(void **state)
{
	struct world3 *w = *state;
	struct multicall_entry list[600];
	size_t i;

	memset(list, 0, sizeof(list));
	for (i = 0; i < 600; i++) {
		list[i].op = __HYPERVISOR_xen_version;
		list[i].args[0] = i % 2 == 0 ? XENVER_pagesize : 99;
	}
	list[598].op = __HYPERVISOR_multicall; /* does not nest */
	assert_int_equal(
	    call(w->s, w->a, __HYPERVISOR_multicall, (uintptr_t)list, 600, 0),
	    0);
	assert_int_equal(list[596].result, 4096);
	assert_int_equal((long)list[597].result, -XEN_ENOSYS);
	assert_int_equal((long)list[598].result, -XEN_ENOSYS);
}

static void
sysctl_tells_about_the_machine(void **state)
{
	struct world3 *w = *state;
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_physinfo };
	uint8_t map[2] = { 0xff, 0xff };

	assert_int_equal(sysctl(w->s, w->a, &op), -XEN_EPERM);
	assert_int_equal(sysctl(w->s, 0, &op), 0);
	assert_int_equal(op.u.physinfo.nr_cpus, 2);
	assert_int_equal(op.u.physinfo.total_pages, 8192);
	op.cmd = XEN_SYSCTL_sched_id;
	assert_int_equal(sysctl(w->s, 0, &op), 0);
	memset(&op.u, 0, sizeof(op.u));
	op.cmd = XEN_SYSCTL_cpupool_op;
	op.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_INFO;
	op.u.cpupool_op.cpumap.bitmap = (uintptr_t)map;
	op.u.cpupool_op.cpumap.nr_bits = 16;
	assert_int_equal(sysctl(w->s, 0, &op), 0);
	assert_int_equal(op.u.cpupool_op.n_dom, 3);
	assert_int_equal(map[0], 3);
	assert_int_equal(map[1], 0);
	op.cmd = 99;
	assert_int_equal(sysctl(w->s, 0, &op), -XEN_ENOSYS);
	op.interface_version = 1;
	assert_int_equal(
	    call(w->s, 0, __HYPERVISOR_sysctl, (uintptr_t)&op, 0, 0),
	    -XEN_EACCES);
}

static void
hypercalls_that_do_not_exist_are_enosys(void **state)
{
	struct world3 *w = *state;

	assert_int_equal(
	    call(w->s, 0, __HYPERVISOR_platform_op, 0, 0, 0), -XEN_ENOSYS);
	assert_int_equal(call(w->s, 0, 4000000000u, 0, 0, 0), -XEN_ENOSYS);
	assert_int_equal(
	    call(w->s, 999, __HYPERVISOR_xen_version, 0, 0, 0), -XEN_ESRCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world3_test(version_answers_all_that_xl_info_asks),
		world3_test(a_guest_reads_but_cannot_set_where_its_store_is),
		world3_test(poll_checks_its_ports),
		world3_test(a_watchdog_that_is_not_fed_bites),
		world3_test(remote_shutdown_is_domain_0s),
		world3_test(register_vcpu_info_moves_it_and_loses_nothing),
		world3_test(vcpu_calls_know_which_vcpus_there_are),
		world3_test(guests_print_whole_lines_with_their_id),
		world3_test(readconsole_reads_all_or_goes_on_where_it_stopped),
		world3_test(readconsole_survives_overflow_and_strange_indexes),
		world3_test(multicall_runs_each_entry),
		world3_test(sysctl_tells_about_the_machine),
		world3_test(hypercalls_that_do_not_exist_are_enosys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
