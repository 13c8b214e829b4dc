#include "core_test.h"

#define RW GTF_permit_access
#define RO (GTF_permit_access | GTF_readonly)
#define AT UINT64_C(0x7000)

static int16_t
map_full(struct sim *s, domid_t by, domid_t from, grant_ref_t ref,
    uint32_t flags, struct gnttab_map_grant_ref *op)
{
	memset(op, 0, sizeof(*op));
	op->host_addr = AT;
	op->flags = flags;
	op->ref = ref;
	op->dom = from;
	assert_int_equal(sim_grant(s, by, GNTTABOP_map_grant_ref, op, 1), 0);
	return op->status;
}

static int16_t
map(struct sim *s, domid_t by, domid_t from, grant_ref_t ref, uint32_t flags)
{
	struct gnttab_map_grant_ref op;

	return map_full(s, by, from, ref, GNTMAP_host_map | flags, &op);
}

static grant_handle_t
must_map(
    struct sim *s, domid_t by, domid_t from, grant_ref_t ref, uint32_t flags)
{
	struct gnttab_map_grant_ref op;

	assert_int_equal(
	    map_full(s, by, from, ref, GNTMAP_host_map | flags, &op),
	    GNTST_okay);
	return op.handle;
}

static int16_t
unmap(struct sim *s, domid_t by, grant_handle_t handle)
{
	struct gnttab_unmap_grant_ref op = {
		.host_addr = AT,
		.handle = handle,
	};

	assert_int_equal(sim_grant(s, by, GNTTABOP_unmap_grant_ref, &op, 1), 0);
	return op.status;
}

static uint16_t
flags_of(const struct sim *s, domid_t domid, grant_ref_t ref)
{
	return s->domain[domid]->grants[ref].flags;
}

static void
map_tells_the_frame_and_marks_the_entry_in_use(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref op;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	assert_int_equal(
	    map_full(w->s, w->b, w->a, 8, GNTMAP_host_map, &op), GNTST_okay);
	assert_int_equal(op.dev_bus_addr, 5 << 12);
	assert_int_equal(
	    flags_of(w->s, w->a, 8), RW | GTF_reading | GTF_writing);
	assert_int_equal(w->s->mappings, 1);
	assert_int_equal(unmap(w->s, w->b, op.handle), GNTST_okay);
	assert_int_equal(flags_of(w->s, w->a, 8), RW);
	assert_int_equal(w->s->mappings, 0);
}

static void
writing_goes_with_the_last_writer_and_reading_with_the_last_pin(void **state)
{
	struct world3 *w = *state;
	grant_handle_t r, w1, w2;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	r = must_map(w->s, w->b, w->a, 8, GNTMAP_readonly);
	assert_int_equal(flags_of(w->s, w->a, 8), RW | GTF_reading);
	w1 = must_map(w->s, w->b, w->a, 8, 0);
	w2 = must_map(w->s, w->b, w->a, 8, 0);
	assert_int_equal(unmap(w->s, w->b, w1), GNTST_okay);
	assert_int_equal(
	    flags_of(w->s, w->a, 8), RW | GTF_reading | GTF_writing);
	assert_int_equal(unmap(w->s, w->b, w2), GNTST_okay);
	assert_int_equal(flags_of(w->s, w->a, 8), RW | GTF_reading);
	assert_int_equal(unmap(w->s, w->b, r), GNTST_okay);
	assert_int_equal(flags_of(w->s, w->a, 8), RW);
}

static void
map_checks_in_the_order_of_the_abi(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref op;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	sim_offer(w->s, w->a, 9, w->b, 500, RW); /* no such frame */
	sim_offer(w->s, w->a, 10, w->b, 5, RO);
	sim_offer(w->s, w->a, 11, 0, 5, RW);
	sim_offer(w->s, w->a, 12, w->b, 5, GTF_transitive);
	assert_int_equal(
	    map_full(w->s, w->b, 999, 8, 0, &op), GNTST_bad_gntref);
	assert_int_equal(map_full(w->s, w->b, 999, 8, GNTMAP_device_map, &op),
	    GNTST_general_error);
	assert_int_equal(map(w->s, w->b, 999, 8, 0), GNTST_bad_domain);
	assert_int_equal(map(w->s, w->b, DOMID_SELF, 8, 0), GNTST_bad_domain);
	assert_int_equal(map(w->s, w->b, w->a, 512, 0), GNTST_bad_gntref);
	assert_int_equal(map(w->s, w->b, w->a, 7, 0), GNTST_general_error);
	assert_int_equal(map(w->s, w->b, w->a, 9, 0), GNTST_bad_page);
	assert_int_equal(map(w->s, w->b, w->a, 10, 0), GNTST_general_error);
	assert_int_equal(map(w->s, w->b, w->a, 11, 0), GNTST_general_error);
	assert_int_equal(map(w->s, w->b, w->a, 12, 0), GNTST_general_error);
	assert_int_equal(flags_of(w->s, w->a, 8), RW);
	assert_int_equal(flags_of(w->s, w->a, 9), RW); /* marks taken back */
	assert_int_equal(flags_of(w->s, w->a, 10), RO);
	assert_int_equal(flags_of(w->s, w->a, 11), RW);
	assert_int_equal(w->s->mappings, 0);
}

static void
map_at_address_0_is_refused_because_unmap_could_not_name_it(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref op = {
		.flags = GNTMAP_host_map,
		.ref = 8,
		.dom = w->a,
	};

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	assert_int_equal(
	    sim_grant(w->s, w->b, GNTTABOP_map_grant_ref, &op, 1), 0);
	assert_int_equal(op.status, GNTST_bad_virt_addr);
	assert_int_equal(flags_of(w->s, w->a, 8), RW);
}

static void
a_pinned_entry_does_not_care_what_the_granter_writes_now(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref op;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	(void)must_map(w->s, w->b, w->a, 8, 0);
	w->s->domain[w->a]->grants[8].frame = 6;
	w->s->domain[w->a]->grants[8].domid = 0;
	assert_int_equal(
	    map_full(w->s, w->b, w->a, 8, GNTMAP_host_map, &op), GNTST_okay);
	assert_int_equal(op.dev_bus_addr, 5 << 12);
	/* and the domain that is named there now can't join in */
	assert_int_equal(map(w->s, 0, w->a, 8, 0), GNTST_general_error);
}

static void
a_write_pin_after_a_read_pin_is_checked_again(void **state)
{
	struct world3 *w = *state;

	sim_offer(w->s, w->a, 8, w->b, 5, RO);
	(void)must_map(w->s, w->b, w->a, 8, GNTMAP_readonly);
	assert_int_equal(map(w->s, w->b, w->a, 8, 0), GNTST_general_error);
	assert_int_equal(flags_of(w->s, w->a, 8), RO | GTF_reading);
}

static void
pins_of_an_entry_are_limited(void **state)
{
	struct world3 *w = *state;
	int i;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	for (i = 0; i < 128; i++)
		(void)must_map(w->s, w->b, w->a, 8, 0);
	assert_int_equal(map(w->s, w->b, w->a, 8, 0), GNTST_general_error);
	(void)must_map(w->s, w->b, w->a, 8, GNTMAP_readonly);
	assert_int_equal(w->s->mappings, 129);
}

static void
handles_run_out_before_anything_is_pinned(void **state)
{
	struct world3 *w = *state;
	int i;

	/* 4 frames of 256 handles; 8 entries of 128 pins each */
	for (i = 0; i < 8; i++)
		sim_offer(w->s, w->a, 8 + i, w->b, 5, RW);
	for (i = 0; i < 1024; i++)
		(void)must_map(w->s, w->b, w->a, 8 + i / 128, 0);
	sim_offer(w->s, w->a, 20, w->b, 5, RW);
	assert_int_equal(map(w->s, w->b, w->a, 20, 0), GNTST_no_space);
	assert_int_equal(flags_of(w->s, w->a, 20), RW);
}

static void
unmap_checks_handle_address_and_does_nothing_for_zero(void **state)
{
	struct world3 *w = *state;
	struct gnttab_unmap_grant_ref op = { .host_addr = AT };
	grant_handle_t h;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	h = must_map(w->s, w->b, w->a, 8, 0);
	assert_int_equal(unmap(w->s, w->b, 0), GNTST_bad_handle);
	assert_int_equal(unmap(w->s, w->b, h + 1), GNTST_bad_handle);
	assert_int_equal(unmap(w->s, w->b, UINT32_MAX), GNTST_bad_handle);
	assert_int_equal(unmap(w->s, w->a, h), GNTST_bad_handle);
	op.handle = h;
	op.host_addr = AT + 1;
	assert_int_equal(
	    sim_grant(w->s, w->b, GNTTABOP_unmap_grant_ref, &op, 1), 0);
	assert_int_equal(op.status, GNTST_general_error);
	op.host_addr = AT;
	op.dev_bus_addr = 0x1000;
	assert_int_equal(
	    sim_grant(w->s, w->b, GNTTABOP_unmap_grant_ref, &op, 1), 0);
	assert_int_equal(op.status, GNTST_bad_dev_addr);
	op.host_addr = op.dev_bus_addr = 0;
	assert_int_equal(
	    sim_grant(w->s, w->b, GNTTABOP_unmap_grant_ref, &op, 1), 0);
	assert_int_equal(op.status, GNTST_okay);
	assert_int_equal(w->s->mappings, 1); /* after all of that */
	assert_int_equal(unmap(w->s, w->b, h), GNTST_okay);
	assert_int_equal(unmap(w->s, w->b, h), GNTST_bad_handle);
}

static void
a_map_that_the_world_refuses_leaves_nothing(void **state)
{
	struct world3 *w = *state;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	w->s->fail_map = 1;
	assert_int_equal(map(w->s, w->b, w->a, 8, 0), GNTST_general_error);
	assert_int_equal(flags_of(w->s, w->a, 8), RW);
}

static void
a_map_whose_answer_is_lost_is_undone(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref op = {
		.host_addr = AT,
		.flags = GNTMAP_host_map,
		.ref = 8,
		.dom = w->a,
	};

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	w->s->fail_copy = 2;
	assert_int_equal(
	    sim_grant(w->s, w->b, GNTTABOP_map_grant_ref, &op, 1), -XEN_EFAULT);
	assert_int_equal(flags_of(w->s, w->a, 8), RW);
	assert_int_equal(w->s->mappings, 0);
}

static void
an_array_is_worked_off_with_a_status_each(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref *op = calloc(1000, sizeof(*op));
	int i;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	for (i = 0; i < 1000; i++) {
		op[i].host_addr = AT;
		op[i].flags = GNTMAP_host_map;
		op[i].ref = i % 10 == 0 ? 8 : 7;
		op[i].dom = w->a;
	}
	/* more than a slice: continued */
	assert_int_equal(
	    sim_grant(w->s, w->b, GNTTABOP_map_grant_ref, op, 1000), 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(op[i].status,
		    i % 10 == 0 ? GNTST_okay : GNTST_general_error);
	free(op);
}

static void
a_dead_granters_frame_stays_until_it_is_unmapped(void **state)
{
	struct world3 *w = *state;
	struct hv_domain_info info;
	grant_handle_t h;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	h = must_map(w->s, w->b, w->a, 8, 0);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->a), 0);
	assert_int_equal(hv_domain_info(w->s->hv, w->a, &info), 0);
	assert_true(info.dying);
	assert_int_equal(info.pages, 1);
	assert_int_equal(w->s->domain[w->a]->frames, 1);
	assert_int_equal(map(w->s, w->b, w->a, 8, 0), GNTST_bad_domain);
	assert_int_equal(unmap(w->s, w->b, h), GNTST_okay);
	assert_int_equal(hv_domain_info(w->s->hv, w->a, &info), -XEN_ESRCH);
}

static void
a_dead_mapper_gives_everything_back(void **state)
{
	struct world3 *w = *state;
	int i;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	sim_offer(w->s, w->a, 9, w->b, 6, RW);
	for (i = 0; i < 20; i++)
		(void)must_map(w->s, w->b, w->a, 8 + i % 2, 0);
	assert_int_equal(
	    sim_domctl_plain(w->s, XEN_DOMCTL_destroydomain, w->b), 0);
	assert_int_equal(flags_of(w->s, w->a, 8), RW);
	assert_int_equal(flags_of(w->s, w->a, 9), RW);
	assert_int_equal(w->s->mappings, 0);
	assert_null(w->s->domain[w->b]);
}

static void
a_closed_channel_gives_its_handles_back_and_no_others(void **state)
{
	struct world3 *w = *state;
	struct gnttab_map_grant_ref op = {
		.host_addr = AT,
		.flags = GNTMAP_host_map,
		.ref = 8,
		.dom = w->a,
	};
	int channel;

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	(void)must_map(w->s, w->b, w->a, 8, GNTMAP_readonly);
	assert_int_equal(
	    sim_call_channel(w->s, w->b, &channel, __HYPERVISOR_grant_table_op,
		GNTTABOP_map_grant_ref, (uintptr_t)&op, 1),
	    0);
	assert_int_equal(op.status, GNTST_okay);
	hv_channel_closed(w->s->hv, w->b, &channel);
	assert_int_equal(flags_of(w->s, w->a, 8), RW | GTF_reading);
	assert_int_equal(w->s->mappings, 1);
}

static void
the_table_grows_up_to_its_maximum(void **state)
{
	struct world3 *w = *state;
	xen_pfn_t list[4] = { 0 };
	struct gnttab_query_size size = { .dom = DOMID_SELF };
	struct gnttab_setup_table op = {
		.dom = DOMID_SELF,
		.nr_frames = 3,
		.frame_list = (uintptr_t)list,
	};

	assert_int_equal(
	    sim_grant(w->s, w->a, GNTTABOP_setup_table, &op, 1), 0);
	assert_int_equal(op.status, GNTST_general_error);
	assert_int_equal(
	    sim_grant(w->s, w->a, GNTTABOP_query_size, &size, 1), 0);
	assert_int_equal(size.nr_frames, 1);
	assert_int_equal(size.max_nr_frames, 2);
	op.nr_frames = 2;
	assert_int_equal(
	    sim_grant(w->s, w->a, GNTTABOP_setup_table, &op, 1), 0);
	assert_int_equal(op.status, GNTST_okay);
	assert_int_equal(list[1], SIM_GRANT_GFN + 1);
	sim_offer(w->s, w->a, 1023, w->b, 5, RW);
	assert_int_equal(map(w->s, w->b, w->a, 1023, 0), GNTST_okay);
	assert_int_equal(
	    sim_grant(w->s, w->a, GNTTABOP_setup_table, &op, 2), -XEN_EINVAL);
	op.dom = w->b;
	assert_int_equal(
	    sim_grant(w->s, w->a, GNTTABOP_setup_table, &op, 1), 0);
	assert_int_equal(op.status, GNTST_permission_denied);
}

static void
only_version_1_exists(void **state)
{
	struct world3 *w = *state;
	struct gnttab_set_version set = { .version = 2 };
	struct gnttab_get_version get = { .dom = DOMID_SELF };

	assert_int_equal(
	    sim_grant(w->s, w->a, GNTTABOP_set_version, &set, 1), -XEN_ENOSYS);
	set.version = 1;
	assert_int_equal(
	    sim_grant(w->s, w->a, GNTTABOP_set_version, &set, 1), 0);
	assert_int_equal(
	    sim_grant(w->s, w->a, GNTTABOP_get_version, &get, 1), 0);
	assert_int_equal(get.version, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world3_test(map_tells_the_frame_and_marks_the_entry_in_use),
		world3_test(
		    writing_goes_with_the_last_writer_and_reading_with_the_last_pin),
		world3_test(map_checks_in_the_order_of_the_abi),
		world3_test(
		    map_at_address_0_is_refused_because_unmap_could_not_name_it),
		world3_test(
		    a_pinned_entry_does_not_care_what_the_granter_writes_now),
		world3_test(a_write_pin_after_a_read_pin_is_checked_again),
		world3_test(pins_of_an_entry_are_limited),
		world3_test(handles_run_out_before_anything_is_pinned),
		world3_test(
		    unmap_checks_handle_address_and_does_nothing_for_zero),
		world3_test(a_map_that_the_world_refuses_leaves_nothing),
		world3_test(a_map_whose_answer_is_lost_is_undone),
		world3_test(an_array_is_worked_off_with_a_status_each),
		world3_test(a_dead_granters_frame_stays_until_it_is_unmapped),
		world3_test(a_dead_mapper_gives_everything_back),
		world3_test(
		    a_closed_channel_gives_its_handles_back_and_no_others),
		world3_test(the_table_grows_up_to_its_maximum),
		world3_test(only_version_1_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
