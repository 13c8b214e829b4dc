/*
 * Each operation again and again, with its Nth memory access or allocation
 * failing, N = 1, 2, ... until it succeeds. As long as it fails nothing may
 * change; and what is left over is seen when the machine is taken apart.
 */
#include "core_test.h"

#include <pthread.h>

#include "abi/memory.h"

/* What a domain can be told by. */
struct view {
	struct ports_view ports;
	struct hv_domain_info info;
	struct grant_entry_v1 grants[16];
	uint64_t frames;
	unsigned mappings, domains;
};

static struct view
look(const struct world3 *w, domid_t domid)
{
	struct view v;

	memset(&v, 0, sizeof(v));
	v.ports = ports_view(w->s, domid);
	(void)hv_domain_info(w->s->hv, domid, &v.info);
	memcpy(v.grants, w->s->domain[domid]->grants, sizeof(v.grants));
	v.frames = w->s->domain[domid]->frames;
	v.mappings = w->s->mappings;
	v.domains = w->s->nr_domains;
	return v;
}

typedef long (*operation)(struct world3 *w);

/* Runs OP with its Nth access failing until it succeeds. */
static void
sweep(struct world3 *w, operation op, unsigned *fault, unsigned at_least)
{
	struct view a = look(w, w->a), b = look(w, w->b), c = look(w, 0);
	struct view now;
	unsigned nth;

	for (nth = 1; nth < 100; nth++) {
		*fault = nth;
		if (op(w) >= 0)
			break;
		assert_int_equal(*fault, 0);
		now = look(w, w->a);
		assert_memory_equal(&a, &now, sizeof(a));
		now = look(w, w->b);
		assert_memory_equal(&b, &now, sizeof(b));
		now = look(w, 0);
		assert_memory_equal(&c, &now, sizeof(c));
		assert_null(core_audit(w->s->hv));
	}
	*fault = 0;
	assert_in_range(nth, at_least + 1, 99);
	assert_null(core_audit(w->s->hv));
}

static long
op_alloc(struct world3 *w)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF,
		.remote_dom = w->b };

	return sim_evtchn(w->s, w->a, EVTCHNOP_alloc_unbound, &op);
}

static long
op_bind(struct world3 *w)
{
	struct evtchn_bind_interdomain op = { .remote_dom = w->a,
		.remote_port = 1 };

	return sim_evtchn(w->s, w->b, EVTCHNOP_bind_interdomain, &op);
}

static long
op_virq(struct world3 *w)
{
	struct evtchn_bind_virq op = { .virq = VIRQ_TIMER };

	return sim_evtchn(w->s, w->a, EVTCHNOP_bind_virq, &op);
}

static long
op_ipi(struct world3 *w)
{
	struct evtchn_bind_ipi op = { .vcpu = 0 };

	return sim_evtchn(w->s, w->a, EVTCHNOP_bind_ipi, &op);
}

static long
op_map(struct world3 *w)
{
	struct gnttab_map_grant_ref op = {
		.host_addr = 0x1000,
		.flags = GNTMAP_host_map,
		.ref = 9,
		.dom = w->a,
	};
	long ret = sim_grant(w->s, w->b, GNTTABOP_map_grant_ref, &op, 1);

	return ret < 0 ? ret : op.status;
}

static long
op_create(struct world3 *w)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_createdomain,
		.u.createdomain = {
			.max_vcpus = 1,
			.max_evtchn_port = 10,
			.max_grant_frames = -1,
			.max_maptrack_frames = -1,
			.grant_opts = 1,
		},
	};

	return sim_domctl(w->s, 0, &op);
}

static long
op_populate(struct world3 *w)
{
	xen_pfn_t gfn = 20000;
	struct xen_memory_reservation op = {
		.extent_start = (uintptr_t)&gfn,
		.nr_extents = 1,
		.domid = w->a,
	};
	long ret = sim_memory(w->s, 0, XENMEM_populate_physmap, &op);

	return ret == 0 ? -1 : ret;
}

static long
op_many_ports(struct world3 *w)
{
	uint32_t i;

	/* The one that needs another part of the table. */
	for (i = 1; i < 64; i++)
		if (look(w, 0).ports.port[i].status == EVTCHNSTAT_closed)
			(void)sim_unbound(w->s, 0, w->a);
	return 0;
}

static long
op_grow_ports(struct world3 *w)
{
	struct evtchn_alloc_unbound op = { .dom = 0, .remote_dom = w->b };

	return sim_evtchn(w->s, 0, EVTCHNOP_alloc_unbound, &op);
}

static void
faults_of_the_callers_memory_change_nothing(void **state)
{
	struct world3 *w = *state;
	unsigned *fault = &w->s->fail_copy;

	sim_offer(w->s, w->a, 9, w->b, 3, GTF_permit_access);
	sweep(w, op_alloc, fault, 2);
	sweep(w, op_bind, fault, 2);
	sweep(w, op_virq, fault, 2);
	sweep(w, op_ipi, fault, 2);
	sweep(w, op_map, fault, 2);
	sweep(w, op_create, fault, 2);
}

static void
running_out_of_memory_changes_nothing(void **state)
{
	struct world3 *w = *state;
	unsigned *fault = &w->s->fail_alloc;
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_max_mem,
		.domain = w->a,
		.u.max_mem.max_memkb = 4000,
	};

	assert_int_equal(sim_domctl(w->s, 0, &op), 0);
	sim_offer(w->s, w->a, 9, w->b, 3, GTF_permit_access);
	sweep(w, op_create, fault, 4);
	sweep(w, op_map, fault, 1);	 /* the first handle */
	sweep(w, op_populate, fault, 1); /* far away: a table of its own */
	(void)op_many_ports(w);
	sweep(w, op_grow_ports, fault, 1);
}

static void
no_machine_without_memory(void **state)
{
	struct sim *s = calloc(1, sizeof(*s));
	const struct hv_config good = {
		.total_pages = 10,
		.dom0_pages = 10,
		.dom0_vcpus = 1,
		.nr_cpus = 1,
	};
	struct hv_config bad = good;
	unsigned nth;

	(void)state;
	for (nth = 1; nth <= 5; nth++) {
		s->fail_alloc = nth;
		assert_null(hv_create(sim_world(), s, &good));
		assert_int_equal(s->core_bytes, 0);
		assert_int_equal(s->nr_domains, 0);
	}
	s->fail_alloc = 0;
	bad.dom0_pages = 11;
	assert_null(hv_create(sim_world(), s, &bad));
	bad = good;
	bad.dom0_vcpus = 0;
	assert_null(hv_create(sim_world(), s, &bad));
	bad.dom0_vcpus = HV_MAX_VCPUS + 1;
	assert_null(hv_create(sim_world(), s, &bad));
	s->hv = hv_create(sim_world(), s, &good);
	assert_non_null(s->hv);
	sim_free(s);
}

static volatile int stop;

/* A domain that never lets its entry stand still. */
static void *
flicker(void *arg)
{
	struct grant_entry_v1 *e = arg;
	volatile unsigned wait;
	unsigned turn;

	for (turn = 0; !stop; turn++) {
		/* Sometimes too fast for anybody, sometimes not. */
		for (wait = 0; wait < turn % 2000; wait++)
			;
		__atomic_fetch_xor(&e->flags, GTF_PWT, __ATOMIC_SEQ_CST);
		__atomic_fetch_xor(&e->domid, 0x100, __ATOMIC_SEQ_CST);
		__atomic_fetch_xor(&e->domid, 0x100, __ATOMIC_SEQ_CST);
		__atomic_fetch_xor(&e->frame, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void
an_entry_that_changes_all_the_time_does_no_harm(void **state)
{
	struct world3 *w = *state;
	struct gnttab_unmap_grant_ref unmap = { .host_addr = 0x1000 };
	struct gnttab_map_grant_ref op = {
		.host_addr = 0x1000,
		.flags = GNTMAP_host_map,
		.ref = 9,
		.dom = w->a,
	};
	unsigned mapped = 0;
	pthread_t t;
	int i;

	sim_offer(w->s, w->a, 9, w->b, 4, GTF_permit_access);
	stop = 0;
	assert_int_equal(
	    pthread_create(&t, NULL, flicker, &w->s->domain[w->a]->grants[9]),
	    0);
	for (i = 0; i < 20000; i++) {
		assert_int_equal(
		    sim_grant(w->s, w->b, GNTTABOP_map_grant_ref, &op, 1), 0);
		if (op.status != GNTST_okay) {
			assert_int_equal(op.status, GNTST_general_error);
			continue;
		}
		mapped++;
		assert_in_range(op.dev_bus_addr, 4 << 12, 5 << 12);
		unmap.handle = op.handle;
		unmap.dev_bus_addr = op.dev_bus_addr;
		assert_int_equal(
		    sim_grant(w->s, w->b, GNTTABOP_unmap_grant_ref, &unmap, 1),
		    0);
		assert_int_equal(unmap.status, GNTST_okay);
	}
	stop = 1;
	pthread_join(t, NULL);
	assert_true(mapped > 0);
	assert_int_equal(w->s->mappings, 0);
	assert_int_equal(
	    w->s->domain[w->a]->grants[9].flags & (GTF_reading | GTF_writing),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world3_test(faults_of_the_callers_memory_change_nothing),
		world3_test(running_out_of_memory_changes_nothing),
		cmocka_unit_test(no_machine_without_memory),
		world3_test(an_entry_that_changes_all_the_time_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
