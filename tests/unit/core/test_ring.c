#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "abi/io/blkif.h"
#include "abi/io/ring.h"

#define BYTES 4096

struct pair {
	_Alignas(4096) uint8_t page[BYTES];
	struct ring_front f;
	struct ring_back b;
};

static int
setup(void **state)
{
	static struct pair p;

	memset(&p, 0xa5, sizeof(p));
	ring_front_init(&p.f, p.page, BYTES, sizeof(union blkif_slot));
	ring_back_init(&p.b, p.page, BYTES, sizeof(union blkif_slot), 0);
	*state = &p;
	return 0;
}

/* Sends one request with that id; whether the backend wants an event. */
static bool
request(struct pair *p, uint64_t id)
{
	struct blkif_request *req = ring_front_next(&p->f);

	assert_non_null(req);
	req->id = id;
	return ring_front_push(&p->f);
}

static void
a_page_holds_32_block_requests(void **state)
{
	(void)state;
	assert_int_equal(ring_slots(4096, sizeof(union blkif_slot)), 32);
	assert_int_equal(ring_slots(4096, 12), 256); /* tx */
	assert_int_equal(ring_slots(4096, 8), 256);  /* rx: 504 fit */
}

static void
requests_and_responses_arrive_in_order(void **state)
{
	struct pair *p = *state;
	struct blkif_request req;
	struct blkif_response rsp;
	uint64_t round;

	for (round = 0; round < 1000; round++) {
		(void)request(p, 2 * round);
		(void)request(p, 2 * round + 1);
		assert_int_equal(ring_back_pending(&p->b), 2);
		ring_back_take(&p->b, &req, sizeof(req));
		assert_int_equal(req.id, 2 * round);
		ring_back_take(&p->b, &req, sizeof(req));
		memset(&rsp, 0, sizeof(rsp));
		rsp.id = req.id;
		ring_back_put(&p->b, &rsp, sizeof(rsp));
		ring_back_put(&p->b, &rsp, sizeof(rsp));
		(void)ring_back_push(&p->b);
		assert_int_equal(ring_front_pending(&p->f), 2);
		ring_front_take(&p->f, &rsp, sizeof(rsp));
		ring_front_take(&p->f, &rsp, sizeof(rsp));
		assert_int_equal(rsp.id, 2 * round + 1);
	}
}

static void
a_full_ring_takes_no_more(void **state)
{
	struct pair *p = *state;
	int i;

	for (i = 0; i < 32; i++)
		assert_non_null(ring_front_next(&p->f));
	assert_null(ring_front_next(&p->f));
	assert_int_equal(ring_front_room(&p->f), 0);
}

static void
only_the_first_push_after_a_sleep_wants_an_event(void **state)
{
	struct pair *p = *state;
	struct blkif_request req;

	assert_true(request(p, 1)); /* req_event is 1 at first */
	assert_false(request(p, 2));
	assert_true(ring_back_final_check(&p->b)); /* there is work */
	ring_back_take(&p->b, &req, sizeof(req));
	ring_back_take(&p->b, &req, sizeof(req));
	assert_false(ring_back_final_check(&p->b)); /* now it may sleep */
	assert_true(request(p, 3));
	assert_false(request(p, 4));
}

static void
a_producer_that_runs_too_far_breaks_the_ring(void **state)
{
	struct pair *p = *state;

	p->f.shared->req_prod = 33;
	assert_int_equal(ring_back_pending(&p->b), RING_BROKEN);
	assert_true(ring_back_final_check(&p->b)); /* don't sleep on it */
	p->f.shared->req_prod = UINT32_MAX;	   /* backwards */
	assert_int_equal(ring_back_pending(&p->b), RING_BROKEN);
	p->f.shared->rsp_prod = 1; /* an answer to nothing */
	assert_int_equal(ring_front_pending(&p->f), RING_BROKEN);
}

static void
a_request_that_was_taken_cannot_be_taken_back(void **state)
{
	struct pair *p = *state;
	struct blkif_request req;

	(void)request(p, 1);
	(void)request(p, 2);
	ring_back_take(&p->b, &req, sizeof(req));
	ring_back_take(&p->b, &req, sizeof(req));
	p->f.shared->req_prod = 1;
	assert_int_equal(ring_back_pending(&p->b), RING_BROKEN);
}

static void
indexes_wrap(void **state)
{
	struct pair *p = *state;
	struct blkif_request req;
	uint32_t start = UINT32_MAX - 1;

	p->f.req_prod = p->f.rsp_cons = start;
	p->f.shared->req_prod = p->f.shared->rsp_prod = start;
	p->f.shared->req_event = start + 1;
	ring_back_init(&p->b, p->page, BYTES, sizeof(union blkif_slot), start);
	assert_true(request(p, 1));
	(void)request(p, 2);
	(void)request(p, 3);
	assert_int_equal(ring_back_pending(&p->b), 3);
	ring_back_take(&p->b, &req, sizeof(req));
	ring_back_take(&p->b, &req, sizeof(req));
	ring_back_take(&p->b, &req, sizeof(req));
	assert_int_equal(req.id, 3);
	assert_int_equal(ring_back_pending(&p->b), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_holds_32_block_requests),
		cmocka_unit_test_setup(
		    requests_and_responses_arrive_in_order, setup),
		cmocka_unit_test_setup(a_full_ring_takes_no_more, setup),
		cmocka_unit_test_setup(
		    only_the_first_push_after_a_sleep_wants_an_event, setup),
		cmocka_unit_test_setup(
		    a_producer_that_runs_too_far_breaks_the_ring, setup),
		cmocka_unit_test_setup(
		    a_request_that_was_taken_cannot_be_taken_back, setup),
		cmocka_unit_test_setup(indexes_wrap, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
