#include "core_test.h"

#include "abi/memory.h"
#include "abi/sysctl.h"

/* NR extents of 2^ORDER frames from GFN on. */
static long
reserve(struct sim *s, domid_t by, unsigned cmd, domid_t whose, uint64_t gfn,
    uint64_t nr, uint32_t order)
{
	xen_pfn_t *list = calloc(nr + 1, sizeof(*list));
	struct xen_memory_reservation op = {
		.extent_start = (uintptr_t)list,
		.nr_extents = nr,
		.extent_order = order,
		.domid = whose,
	};
	uint64_t i;
	long ret;

	for (i = 0; i < nr; i++)
		list[i] = gfn + (i << order);
	ret = sim_memory(s, by, cmd, &op);
	free(list);
	return ret;
}

static long
stat_of(struct sim *s, domid_t by, unsigned cmd, domid_t whose)
{
	struct xen_memory_domain op = { .domid = whose };

	return sim_memory(s, by, cmd, &op);
}

static void
max_mem(struct sim *s, domid_t domid, uint64_t pages)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_max_mem,
		.domain = domid,
		.u.max_mem.max_memkb = 4 * pages,
	};

	assert_int_equal(sim_domctl(s, 0, &op), 0);
}

static uint64_t
free_pages(struct sim *s)
{
	struct xen_sysctl op = {
		.cmd = XEN_SYSCTL_physinfo,
		.interface_version = XEN_SYSCTL_INTERFACE_VERSION,
	};

	assert_int_equal(sim_call_channel(s, 0, NULL, __HYPERVISOR_sysctl,
			     (uintptr_t)&op, 0, 0),
	    0);
	return op.u.physinfo.free_pages;
}

static void
populate_stops_at_the_domains_limit(void **state)
{
	struct world3 *w = *state;

	max_mem(w->s, w->a, 20);
	assert_int_equal(
	    reserve(w->s, w->a, XENMEM_populate_physmap, DOMID_SELF, 16, 10, 0),
	    4);
	assert_int_equal(
	    stat_of(w->s, w->a, XENMEM_current_reservation, DOMID_SELF), 20);
	assert_int_equal(
	    stat_of(w->s, w->a, XENMEM_maximum_reservation, DOMID_SELF), 20);
	assert_int_equal(
	    stat_of(w->s, w->a, XENMEM_maximum_gpfn, DOMID_SELF), 19);
	assert_int_equal(w->s->domain[w->a]->frames, 20);
}

static void
the_machine_cannot_be_overcommitted(void **state)
{
	struct world3 *w = *state;
	uint64_t left = free_pages(w->s);

	assert_int_equal(left, 8192 - 1024 - 32);
	max_mem(w->s, w->a, 100000);
	assert_int_equal(
	    reserve(w->s, 0, XENMEM_populate_physmap, w->a, 16, left + 100, 0),
	    left);
	assert_int_equal(free_pages(w->s), 0);
	assert_int_equal(
	    reserve(w->s, 0, XENMEM_populate_physmap, w->b, 16, 1, 0), 0);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), 0);
	assert_int_equal(free_pages(w->s), left + 16);
}

static void
an_extent_is_populated_wholly_or_not_at_all(void **state)
{
	struct world3 *w = *state;

	max_mem(w->s, w->a, 1000);
	assert_int_equal(
	    reserve(w->s, 0, XENMEM_populate_physmap, w->a, 12, 1, 3), 0);
	assert_int_equal(w->s->domain[w->a]->frames, 16);
	assert_int_equal(
	    reserve(w->s, 0, XENMEM_populate_physmap, w->a, 512, 1, 9), 1);
	assert_int_equal(w->s->domain[w->a]->frames, 528);
	w->s->fail_populate = 1; /* the run, then its first extent succeeds */
	assert_int_equal(
	    reserve(w->s, 0, XENMEM_populate_physmap, w->a, 100, 3, 0), 3);
	assert_int_equal(
	    reserve(w->s, w->a, XENMEM_populate_physmap, w->a, 4096, 1, 10), 0);
}

static void
guests_populate_only_themselves(void **state)
{
	struct world3 *w = *state;

	max_mem(w->s, w->b, 1000);
	assert_int_equal(
	    reserve(w->s, w->a, XENMEM_populate_physmap, w->b, 100, 1, 0),
	    -XEN_EPERM);
	assert_int_equal(
	    reserve(w->s, w->a, XENMEM_populate_physmap, 999, 100, 1, 0),
	    -XEN_ESRCH);
	assert_int_equal(
	    stat_of(w->s, w->a, XENMEM_current_reservation, w->b), -XEN_EPERM);
	assert_int_equal(w->s->domain[w->b]->frames, 16);
}

static void
decrease_gives_frames_back(void **state)
{
	struct world3 *w = *state;
	uint64_t left = free_pages(w->s);

	assert_int_equal(reserve(w->s, w->a, XENMEM_decrease_reservation,
			     DOMID_SELF, 4, 3, 0),
	    3);
	assert_int_equal(free_pages(w->s), left + 3);
	assert_null(w->s->domain[w->a]->ram[4]);
	/* not there any more; what is before it is done */
	assert_int_equal(reserve(w->s, w->a, XENMEM_decrease_reservation,
			     DOMID_SELF, 2, 5, 0),
	    2);
	assert_int_equal(
	    reserve(w->s, w->a, XENMEM_populate_physmap, DOMID_SELF, 2, 5, 0),
	    5);
	assert_int_equal(w->s->domain[w->a]->frames, 16);
}

static void
a_pinned_frame_that_is_given_up_stays_until_it_is_unpinned(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref map = {
		.host_addr = 0x1000,
		.flags = GNTMAP_host_map,
		.ref = 9,
		.dom = w->a,
	};
	struct gnttab_unmap_grant_ref unmap = { .host_addr = 0x1000 };

	sim_offer(w->s, w->a, 9, w->b, 3, GTF_permit_access);
	assert_int_equal(
	    sim_grant(w->s, w->b, GNTTABOP_map_grant_ref, &map, 1), 0);
	assert_int_equal(reserve(w->s, w->a, XENMEM_decrease_reservation,
			     DOMID_SELF, 2, 3, 0),
	    3);
	assert_non_null(w->s->domain[w->a]->ram[3]);
	assert_int_equal(w->s->domain[w->a]->frames, 14);
	assert_int_equal(
	    stat_of(w->s, w->a, XENMEM_current_reservation, DOMID_SELF), 14);
	/* it can't come back as another frame meanwhile */
	assert_int_equal(
	    reserve(w->s, w->a, XENMEM_populate_physmap, DOMID_SELF, 3, 1, 0),
	    0);
	unmap.handle = map.handle;
	assert_int_equal(
	    sim_grant(w->s, w->b, GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	assert_null(w->s->domain[w->a]->ram[3]);
	assert_int_equal(w->s->domain[w->a]->frames, 13);
}

static void
acquire_resource_is_domain_0s_and_grows_the_table(void **state)
{
	struct world3 *w = *state;
	struct hv_caller dom0 = { .domid = 0 }, a = { .domid = w->a };
	xen_pfn_t list[2] = { 0 };
	struct xen_mem_acquire_resource op = {
		.domid = w->b,
		.type = XENMEM_resource_grant_table,
	};

	assert_int_equal(sim_memory(w->s, 0, XENMEM_acquire_resource, &op), 0);
	assert_int_equal(op.nr_frames, 2);
	op.frame_list = (uintptr_t)list;
	assert_int_equal(
	    sim_memory(w->s, w->a, XENMEM_acquire_resource, &op), -XEN_EPERM);
	assert_int_equal(sim_memory(w->s, 0, XENMEM_acquire_resource, &op), 0);
	assert_int_equal(list[1], SIM_GRANT_GFN + 1);
	op.frame = 1;
	assert_int_equal(
	    sim_memory(w->s, 0, XENMEM_acquire_resource, &op), -XEN_EINVAL);
	op.type = XENMEM_resource_ioreq_server;
	assert_int_equal(
	    sim_memory(w->s, 0, XENMEM_acquire_resource, &op), -XEN_EOPNOTSUPP);
	assert_int_equal(hv_grant_frames(w->s->hv, &a, w->b, 0, 1), -XEN_EPERM);
	assert_int_equal(
	    hv_grant_frames(w->s->hv, &dom0, w->b, 0, 3), -XEN_EINVAL);
	assert_int_equal(
	    hv_grant_frames(w->s->hv, &dom0, w->b, UINT32_MAX, 2), -XEN_EINVAL);
	assert_int_equal(hv_grant_frames(w->s->hv, &dom0, w->b, 0, 2), 0);
}

static void
add_to_physmap_shows_the_hypervisors_pages(void **state)
{
	struct world3 *w = *state;
	struct hv_domain_info info;
	struct xen_add_to_physmap op = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_grant_table,
		.idx = 1,
		.gpfn = SIM_GRANT_GFN,
	};

	assert_int_equal(sim_memory(w->s, w->a, XENMEM_add_to_physmap, &op), 0);
	assert_int_equal(hv_domain_info(w->s->hv, w->a, &info), 0);
	assert_int_equal(info.grant_frames, 2);
	op.idx = 2;
	assert_int_equal(
	    sim_memory(w->s, w->a, XENMEM_add_to_physmap, &op), -XEN_EINVAL);
	op.space = XENMAPSPACE_shared_info;
	op.idx = 0;
	assert_int_equal(sim_memory(w->s, w->a, XENMEM_add_to_physmap, &op), 0);
	op.space = XENMAPSPACE_gmfn_foreign;
	assert_int_equal(
	    sim_memory(w->s, w->a, XENMEM_add_to_physmap, &op), -XEN_EINVAL);
	op.domid = w->b;
	assert_int_equal(
	    sim_memory(w->s, w->a, XENMEM_add_to_physmap, &op), -XEN_EPERM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world3_test(populate_stops_at_the_domains_limit),
		world3_test(the_machine_cannot_be_overcommitted),
		world3_test(an_extent_is_populated_wholly_or_not_at_all),
		world3_test(guests_populate_only_themselves),
		world3_test(decrease_gives_frames_back),
		world3_test(
		    a_pinned_frame_that_is_given_up_stays_until_it_is_unpinned),
		world3_test(acquire_resource_is_domain_0s_and_grows_the_table),
		world3_test(add_to_physmap_shows_the_hypervisors_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
