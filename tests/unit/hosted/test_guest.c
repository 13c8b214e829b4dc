/*
 * Guests on hvd: real sandboxed processes.
 */
#include "fixture.h"

static uint32_t
load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void
a_guest_answers(void **state)
{
	struct machine *m = *state;
	struct guest g;

	guest_boot(m, &g, GUEST_ECHO);
	hear(m->ev, g.port, 50);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(hv_client_send(m->ev, g.port), 0);
		assert_int_equal(hear(m->ev, g.port, WAIT_MS), 1);
	}
	assert_true(load(&g.ctl->heard) >= 200);
	if (!(hv_client_info(m->ev)->flags & HV_ATTACH_STRICT))
		assert_true(load(&g.ctl->direct) >= 150);
	else
		assert_int_equal(load(&g.ctl->direct), 0);
	guest_end(m, &g);
}

static void
events_flow_while_hvd_stands_still(void **state)
{
	struct machine *m = *state;
	struct guest g;

	guest_boot(m, &g, GUEST_ECHO);
	for (int i = 0; i < 5; i++) {
		hv_client_send(m->ev, g.port);
		hear(m->ev, g.port, 50);
	}
	assert_int_equal(kill(m->pid, SIGSTOP), 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(hv_client_send(m->ev, g.port), 0);
		assert_int_equal(hear(m->ev, g.port, WAIT_MS), 1);
	}
	assert_int_equal(kill(m->pid, SIGCONT), 0);
	guest_end(m, &g);
}

static void
many_guests_live_at_once(void **state)
{
	struct machine *m = *state;
	struct guest g[8];
	int before = machine_fds(m);

	for (int i = 0; i < 8; i++)
		guest_boot(m, &g[i], GUEST_ECHO);
	for (int round = 0; round < 10; round++)
		for (int i = 0; i < 8; i++) {
			assert_int_equal(hv_client_send(m->ev, g[i].port), 0);
			assert_true(hear(m->ev, g[i].port, WAIT_MS) > 0);
		}
	for (int i = 0; i < 8; i++) {
		struct evtchn_close cl = { g[i].port };

		guest_end(m, &g[i]);
		assert_int_equal(
		    evtchn_op(m->ev, EVTCHNOP_close, &cl, sizeof(cl)), 0);
	}
	await(machine_fds(m) == before);
}

/* Boots a guest that ends by itself: how its domain is shut down. */
static unsigned
end_of(struct machine *m, uint32_t role)
{
	struct evtchn_bind_virq bv = { .virq = VIRQ_DOM_EXC };
	struct evtchn_close cl;
	struct guest g;
	unsigned code;

	assert_int_equal(
	    evtchn_op(m->ev, EVTCHNOP_bind_virq, &bv, sizeof(bv)), 0);
	guest_boot(m, &g, role);
	await(domain_flags(m, g.domid) & XEN_DOMINF_shutdown);
	code = shutdown_code(domain_flags(m, g.domid));
	assert_true(hear(m->ev, bv.port, WAIT_MS) > 0);
	/* its memory stays for a look until it is destroyed */
	assert_int_equal(load(&g.ctl->up), 1);
	guest_end(m, &g);
	await(guest_pid(m) == 0);
	cl.port = bv.port;
	assert_int_equal(evtchn_op(m->ev, EVTCHNOP_close, &cl, sizeof(cl)), 0);
	return code;
}

static void
the_end_of_a_process_is_a_crash_of_its_domain(void **state)
{
	assert_int_equal(end_of(*state, GUEST_EXIT), SHUTDOWN_crash);
	assert_int_equal(end_of(*state, GUEST_CRASH), SHUTDOWN_crash);
}

static void
a_guest_without_a_channel_is_killed(void **state)
{
	assert_int_equal(end_of(*state, GUEST_HANG_UP), SHUTDOWN_crash);
}

static void
a_guest_that_babbles_is_killed(void **state)
{
	assert_int_equal(end_of(*state, GUEST_BABBLE), SHUTDOWN_crash);
}

static void
a_guest_can_power_off(void **state)
{
	assert_int_equal(end_of(*state, GUEST_POWEROFF), SHUTDOWN_poweroff);
}

static void
a_guest_gets_nothing_that_is_domain_0s(void **state)
{
	struct machine *m = *state;
	struct guest g;

	guest_boot(m, &g, GUEST_GRASP);
	await(load(&g.ctl->heard) > 0);
	assert_int_equal(g.ctl->result, 0);
	assert_int_equal(domain_flags(m, 0) & XEN_DOMINF_paused, 0);
	guest_end(m, &g);
}

static void
the_last_event_of_a_dying_guest_is_heard(void **state)
{
	struct machine *m = *state;
	struct guest g;

	guest_boot(m, &g, GUEST_LAST_WORD);
	while (hear(m->ev, g.port, 20) > 0)
		;
	/* not reading, so that it finds its page gone */
	await(domain_flags(m, g.domid) & XEN_DOMINF_shutdown);
	assert_int_equal(hear(m->ev, g.port, WAIT_MS), 1);
	guest_end(m, &g);
}

static void
a_paused_guest_stands_still(void **state)
{
	struct machine *m = *state;
	struct guest g;
	uint32_t heard;

	guest_boot(m, &g, GUEST_ECHO);
	hear(m->ev, g.port, 50);
	assert_int_equal(domctl_plain(m, XEN_DOMCTL_pausedomain, g.domid), 0);
	assert_true(domain_flags(m, g.domid) & XEN_DOMINF_paused);
	pause_ms(20);
	heard = load(&g.ctl->heard);
	assert_int_equal(hv_client_send(m->ev, g.port), 0);
	assert_int_equal(hear(m->ev, g.port, 50), 0);
	assert_int_equal(load(&g.ctl->heard), heard);
	assert_int_equal(domctl_plain(m, XEN_DOMCTL_unpausedomain, g.domid), 0);
	assert_int_equal(hear(m->ev, g.port, WAIT_MS), 1);
	assert_int_equal(load(&g.ctl->heard), heard + 1);
	guest_end(m, &g);
}

static void
a_dead_guests_granted_page_lives_until_unmapped(void **state)
{
	struct machine *m = *state;
	struct hv_msg_resource res = {
		.type = XENMEM_resource_grant_table,
		.nr_frames = 1,
	};
	struct gnttab_map_grant_ref map = {
		.host_addr = 0x1000, .flags = GNTMAP_host_map, .ref = 8
	};
	struct gnttab_unmap_grant_ref unmap = { .host_addr = 0x1000 };
	struct grant_entry_v1 *table;
	struct hv_client *gnt;
	struct guest g;
	void *p;

	assert_int_equal(hv_client_open(HV_CHAN_GNTTAB, &gnt), 0);
	guest_boot(m, &g, GUEST_ECHO);
	res.domid = g.domid;
	assert_int_equal(hv_client_resource(m->call, &res, NULL, &p), 0);
	table = p;
	table[8].frame = GUEST_SHARED / 4096;
	table[8].domid = 0;
	table[8].flags = GTF_permit_access;
	map.dom = g.domid;
	assert_int_equal(hypercall(gnt, __HYPERVISOR_grant_table_op,
			     GNTTABOP_map_grant_ref, &map, sizeof(map)),
	    0);
	assert_int_equal(map.status, 0);
	assert_int_equal(map.dev_bus_addr, GUEST_SHARED);
	assert_true(table[8].flags & GTF_writing);
	strcpy((char *)hv_window_base(g.ram) + GUEST_SHARED, "still here");
	domctl_plain(m, XEN_DOMCTL_destroydomain, g.domid);
	await(guest_pid(m) == 0);
	assert_true(domain_flags(m, g.domid) & XEN_DOMINF_dying);
	assert_string_equal(
	    (char *)hv_window_base(g.ram) + GUEST_SHARED, "still here");
	unmap.handle = map.handle;
	assert_int_equal(hypercall(gnt, __HYPERVISOR_grant_table_op,
			     GNTTABOP_unmap_grant_ref, &unmap, sizeof(unmap)),
	    0);
	assert_int_equal(unmap.status, 0);
	assert_int_equal(domain_flags(m, g.domid), 0);
	hv_window_put(g.ram);
	munmap(table, 4096);
	hv_client_close(gnt);
}

static void
closing_a_handle_unmaps_what_it_mapped(void **state)
{
	struct machine *m = *state;
	struct hv_msg_resource res = {
		.type = XENMEM_resource_grant_table,
		.nr_frames = 1,
	};
	struct gnttab_map_grant_ref map = {
		.host_addr = 0x1000, .flags = GNTMAP_host_map, .ref = 8
	};
	struct grant_entry_v1 *table;
	struct hv_client *gnt;
	domid_t domid = domain_build(m);
	void *p;

	assert_int_equal(hv_client_open(HV_CHAN_GNTTAB, &gnt), 0);
	res.domid = domid;
	assert_int_equal(hv_client_resource(m->call, &res, NULL, &p), 0);
	table = p;
	table[8] = (struct grant_entry_v1){ GTF_permit_access, 0, 4 };
	map.dom = domid;
	assert_int_equal(hypercall(gnt, __HYPERVISOR_grant_table_op,
			     GNTTABOP_map_grant_ref, &map, sizeof(map)),
	    0);
	assert_int_equal(map.status, 0);
	hv_client_close(gnt);
	await((table[8].flags & (GTF_reading | GTF_writing)) == 0);
	munmap(table, 4096);
	domctl_plain(m, XEN_DOMCTL_destroydomain, domid);
	assert_int_equal(domain_flags(m, domid), 0);
}

static void
a_window_is_refused_where_there_is_none(void **state)
{
	struct machine *m = *state;
	struct hv_msg_resource res = {
		.type = XENMEM_resource_grant_table,
		.nr_frames = 1,
	};
	struct hv_window *w;
	domid_t domid = domain_build(m);
	void *p;
	int err;

	assert_null(hv_client_ram(m->call, 99, &err));
	assert_int_equal(err, -ESRCH);
	assert_null(hv_client_ram(m->call, 0, &err));
	assert_int_equal(err, -ENOENT);
	assert_null(hv_client_ram(m->call, DOMID_SELF, &err));
	assert_int_equal(err, -ESRCH);
	res.domid = domid;
	res.frame = UINT32_MAX;
	assert_true(hv_client_resource(m->call, &res, NULL, &p) < 0);
	res.frame = 4; /* its table has 4 at most */
	assert_true(hv_client_resource(m->call, &res, NULL, &p) < 0);
	res.frame = 3;
	res.nr_frames = 2;
	assert_true(hv_client_resource(m->call, &res, NULL, &p) < 0);
	res.nr_frames = UINT32_MAX;
	assert_true(hv_client_resource(m->call, &res, NULL, &p) < 0);
	res.nr_frames = 0;
	assert_true(hv_client_resource(m->call, &res, NULL, &p) < 0);
	/* asking twice gives the same one; it outlives its domain, emptied */
	w = hv_client_ram(m->call, domid, &err);
	assert_non_null(w);
	assert_ptr_equal(hv_client_ram(m->call, domid, &err), w);
	hv_window_put(w);
	hv_window_base(w)[0] = 1;
	domctl_plain(m, XEN_DOMCTL_destroydomain, domid);
	assert_null(hv_client_ram(m->call, domid, &err));
	assert_int_equal(err, -ESRCH);
	assert_int_equal(hv_window_base(w)[0], 0);
	hv_window_put(w);
}

/* -------------------------------------------------------------- starting -- */

static void
a_bad_start_record_is_refused_and_the_domain_does_not_run(void **state)
{
	struct machine *m = *state;
	struct xen_domctl d = { 0 };
	static const uint64_t bad[] = { 0, GUEST_PAGES * 4096ull - 8,
		UINT64_MAX - 8, GUEST_SHARED };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		domid_t domid = domain_build(m);

		d.u.hosted_start.start_info_paddr = bad[i];
		if (domctl(m, XEN_DOMCTL_hosted_start, domid, &d) == 0)
			assert_true(domctl_plain(m, XEN_DOMCTL_unpausedomain,
					domid) < 0);
		assert_int_equal(guest_pid(m), 0);
		domctl_plain(m, XEN_DOMCTL_destroydomain, domid);
		assert_int_equal(domain_flags(m, domid), 0);
	}
}

static void
a_bad_module_is_refused(void **state)
{
	struct machine *m = *state;
	static const struct hvm_modlist_entry bad[] = {
		{ GUEST_IMAGE, 0, 0, 0 },
		{ GUEST_IMAGE, UINT64_MAX, 0, 0 },
		{ UINT64_MAX, 2, 0, 0 },
		{ GUEST_PAGES * 4096ull - 1, 2, 0, 0 },
	};
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/guest", test_folder());
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		domid_t domid = domain_build(m);
		struct hv_window *w = domain_load(m, domid, path);

		memcpy(hv_window_base(w) + GUEST_INFO +
			   sizeof(struct hvm_start_info),
		    &bad[i], sizeof(bad[i]));
		assert_true(domain_run(m, domid) < 0);
		hv_window_put(w);
		domctl_plain(m, XEN_DOMCTL_destroydomain, domid);
		assert_int_equal(domain_flags(m, domid), 0);
	}
}

static void
what_is_no_program_crashes_its_domain(void **state)
{
	struct machine *m = *state;
	domid_t domid = domain_build(m);
	struct hv_window *w = domain_load(m, domid, "/etc/passwd");

	assert_int_equal(domain_run(m, domid), 0);
	await(domain_flags(m, domid) & XEN_DOMINF_shutdown);
	assert_int_equal(shutdown_code(domain_flags(m, domid)), SHUTDOWN_crash);
	hv_window_put(w);
	domctl_plain(m, XEN_DOMCTL_destroydomain, domid);
	assert_int_equal(domain_flags(m, domid), 0);
}

static void
a_domain_destroyed_while_it_starts_leaves_nothing(void **state)
{
	struct machine *m = *state;
	int before = machine_fds(m);
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/guest", test_folder());
	for (int i = 0; i < 5; i++) {
		domid_t domid = domain_build(m);
		struct hv_window *w = domain_load(m, domid, path);

		assert_int_equal(domain_run(m, domid), 0);
		domctl_plain(m, XEN_DOMCTL_destroydomain, domid);
		assert_int_equal(domain_flags(m, domid), 0);
		hv_window_put(w);
	}
	await(guest_pid(m) == 0);
	await(machine_fds(m) == before);
}

/* hv-spawn's process: the first of hvd's children. */
static pid_t
spawner_pid(struct machine *m)
{
	char path[96];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children",
	    (long)m->pid, (long)m->pid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

/* However many they are, and however slow processes are made. */
static void
domains_started_at_once_all_run(void **state)
{
	enum { MANY = 96, GONE = 80 };
	struct machine *m = *state;
	int before = machine_fds(m);
	pid_t spawner = spawner_pid(m);
	struct guest g[MANY];
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/guest", test_folder());
	assert_int_equal(kill(spawner, SIGSTOP), 0);
	for (int i = 0; i < MANY; i++) {
		g[i].domid = domain_build(m);
		g[i].ram = domain_load(m, g[i].domid, path);
		g[i].ctl = (struct guest_control *)(void *)(g[i].ram->base +
							    GUEST_CONTROL);
		g[i].ctl->role = GUEST_ECHO;
		assert_int_equal(domain_run(m, g[i].domid), 0);
	}
	/* one that waits for its process is destroyed as any other */
	guest_end(m, &g[GONE]);
	assert_int_equal(kill(spawner, SIGCONT), 0);
	for (int i = 0; i < MANY; i++)
		if (i != GONE)
			await(load(&g[i].ctl->up) == 1);
	for (int i = 0; i < MANY; i++)
		if (i != GONE)
			guest_end(m, &g[i]);
	await(guest_pid(m) == 0);
	await(machine_fds(m) == before);
}

#define BOTH(t)                                                                \
	cmocka_unit_test_setup_teardown(t, start_direct, stop),                \
	{                                                                      \
#t " (strict)", t, start_strict, stop, NULL,                   \
	}
#define ONE(t) cmocka_unit_test_setup_teardown(t, start_direct, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_guest_answers),
		ONE(events_flow_while_hvd_stands_still),
		BOTH(many_guests_live_at_once),
		BOTH(the_end_of_a_process_is_a_crash_of_its_domain),
		BOTH(a_guest_without_a_channel_is_killed),
		ONE(a_guest_that_babbles_is_killed),
		BOTH(a_guest_can_power_off),
		ONE(a_guest_gets_nothing_that_is_domain_0s),
		BOTH(the_last_event_of_a_dying_guest_is_heard),
		BOTH(a_paused_guest_stands_still),
		BOTH(a_dead_guests_granted_page_lives_until_unmapped),
		ONE(closing_a_handle_unmaps_what_it_mapped),
		ONE(a_window_is_refused_where_there_is_none),
		ONE(a_bad_start_record_is_refused_and_the_domain_does_not_run),
		ONE(a_bad_module_is_refused),
		ONE(what_is_no_program_crashes_its_domain),
		ONE(a_domain_destroyed_while_it_starts_leaves_nothing),
		ONE(domains_started_at_once_all_run),
	};

	return cmocka_run_group_tests_name("guest", tests, NULL, NULL);
}
