#include "core_test.h"

#define RW GTF_permit_access
#define RO (GTF_permit_access | GTF_readonly)

static uint16_t
flags_of(const struct sim *s, domid_t domid, grant_ref_t ref)
{
	return s->domain[domid]->grants[ref].flags;
}

static int16_t
copy(struct sim *s, domid_t by, struct gnttab_copy *op)
{
	assert_int_equal(sim_grant(s, by, GNTTABOP_copy, op, 1), 0);
	return op->status;
}

static struct gnttab_copy
copy_from_a(const struct world3 *w, grant_ref_t ref, uint16_t len)
{
	struct gnttab_copy op = {
		.source = { .u.ref = ref, .domid = w->a, .offset = 100 },
		.dest = { .u.gmfn = 3, .domid = DOMID_SELF, .offset = 7 },
		.len = len,
		.flags = GNTCOPY_source_gref,
	};

	return op;
}

static void
copy_moves_bytes_and_leaves_no_pin(void **state)
{
	struct world3 *w = *state;
	struct gnttab_copy op = copy_from_a(w, 8, 5);

	sim_offer(w->s, w->a, 8, w->b, 5, RO);
	memcpy(w->s->domain[w->a]->ram[5] + 100, "hello", 5);
	assert_int_equal(copy(w->s, w->b, &op), GNTST_okay);
	assert_memory_equal(w->s->domain[w->b]->ram[3] + 7, "hello", 5);
	assert_int_equal(flags_of(w->s, w->a, 8), RO);
	op.len = 0;
	assert_int_equal(copy(w->s, w->b, &op), GNTST_okay);
}

static void
copy_refuses_and_moves_nothing(void **state)
{
	struct world3 *w = *state;
	struct gnttab_copy op = copy_from_a(w, 8, 3997);
	uint8_t zeros[4096] = { 0 };

	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	memset(w->s->domain[w->a]->ram[5], 0xee, 4096);
	assert_int_equal(copy(w->s, w->b, &op), GNTST_bad_copy_arg);
	op = copy_from_a(w, 7, 5);
	assert_int_equal(copy(w->s, w->b, &op), GNTST_general_error);
	op = copy_from_a(w, 8, 5);
	op.dest.domid = w->a; /* a frame that is not granted */
	assert_int_equal(copy(w->s, w->b, &op), GNTST_permission_denied);
	op = copy_from_a(w, 8, 5);
	op.dest.u.gmfn = 99;
	assert_int_equal(copy(w->s, w->b, &op), GNTST_bad_page);
	op = copy_from_a(w, 8, 5);
	op.source.domid = 999;
	assert_int_equal(copy(w->s, w->b, &op), GNTST_bad_domain);
	op = copy_from_a(w, 70000, 5);
	assert_int_equal(copy(w->s, w->b, &op), GNTST_bad_gntref);
	assert_memory_equal(w->s->domain[w->b]->ram[3], zeros, 4096);
	assert_int_equal(flags_of(w->s, w->a, 8), RW);
}

static void
copy_does_not_write_through_a_read_only_grant(void **state)
{
	struct world3 *w = *state;
	struct gnttab_copy op = {
		.source = { .u.gmfn = 1, .domid = DOMID_SELF },
		.dest = { .u.ref = 8, .domid = w->a },
		.len = 16,
		.flags = GNTCOPY_dest_gref,
	};

	sim_offer(w->s, w->a, 8, w->b, 5, RO);
	assert_int_equal(copy(w->s, w->b, &op), GNTST_general_error);
	sim_offer(w->s, w->a, 8, w->b, 5, RW);
	memset(w->s->domain[w->b]->ram[1], 0x5a, 16);
	assert_int_equal(copy(w->s, w->b, &op), GNTST_okay);
	assert_int_equal(w->s->domain[w->a]->ram[5][15], 0x5a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world3_test(copy_moves_bytes_and_leaves_no_pin),
		world3_test(copy_refuses_and_moves_nothing),
		world3_test(copy_does_not_write_through_a_read_only_grant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
