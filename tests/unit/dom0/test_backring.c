/* The journaled ring: a backend that dies at any point between two of its steps
 * has a successor that answers everything once and in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv-core/dom0/backring.h"

struct request {
	uint64_t id;
	uint8_t filler[104];
};

struct response {
	uint64_t id;
	uint64_t status;
};

union slot {
	struct request req;
	struct response rsp;
};

struct world {
	_Alignas(64) uint8_t page[4096];
	struct backring_journal journal;
	struct ring_front front;
	struct backring back;
};

static int
set_up(void **state)
{
	struct world *w = aligned_alloc(64, sizeof(*w));

	if (w == NULL)
		return -1;
	memset(w, 0, sizeof(*w));
	ring_front_init(
	    &w->front, w->page, sizeof(w->page), sizeof(union slot));
	backring_init(&w->back, w->page, sizeof(union slot), &w->journal);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static void
ask(struct world *w, uint64_t id)
{
	struct request *req = ring_front_next(&w->front);

	if (req == NULL)
		abort();
	memset(req, (int)id, sizeof(*req));
	req->id = id;
	ring_front_push(&w->front);
}

static void
take_is(struct world *w, uint64_t id)
{
	struct request req;

	assert_true(backring_pending(&w->back) > 0);
	backring_take(&w->back, &req, sizeof(req));
	assert_int_equal(req.id, id);
	for (size_t i = 0; i < sizeof(req.filler); i++)
		assert_int_equal(req.filler[i], (uint8_t)id);
}

static void
put(struct world *w, uint64_t id)
{
	struct response rsp = { .id = id, .status = 7 };

	backring_put(&w->back, &rsp, sizeof(rsp));
}

static void
die(struct world *w)
{
	memset(&w->back, 0xa5, sizeof(w->back));
	backring_init(&w->back, w->page, sizeof(union slot), &w->journal);
}

static void
requests_whose_slots_were_overwritten_come_back_whole(void **state)
{
	struct world *w = *state;

	ask(w, 10);
	ask(w, 11);
	take_is(w, 10);
	take_is(w, 11);
	put(w, 10); /* destroys the slot, published by nobody */
	die(w);
	assert_int_equal(backring_pending(&w->back), 2);
	take_is(w, 10);
	take_is(w, 11);
}

static void
what_was_published_is_not_done_again(void **state)
{
	struct world *w = *state;

	ask(w, 10);
	ask(w, 11);
	take_is(w, 10);
	take_is(w, 11);
	put(w, 10);
	/* Dies after the page's index moved, before the journal's did. */
	ring_back_push(&w->back.ring);
	die(w);
	assert_int_equal(backring_pending(&w->back), 1);
	take_is(w, 11);
	assert_int_equal(ring_front_pending(&w->front), 1);
}

static void
a_frontend_cannot_make_the_successor_skip_what_was_not_taken(void **state)
{
	struct world *w = *state;

	ask(w, 10);
	take_is(w, 10);
	w->front.shared->rsp_prod = 5; /* more than was ever taken */
	die(w);
	take_is(w, 10);
	w->front.shared->rsp_prod = (RING_IDX)-3;
	die(w);
	take_is(w, 10);
}

static void
a_wild_index_is_refused(void **state)
{
	static const RING_IDX wild[] = { 33, 1000, 0x80000000u, 0xffffffffu };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		w->front.shared->req_prod = wild[i];
		assert_int_equal(backring_pending(&w->back), RING_BROKEN);
		assert_true(backring_final_check(&w->back));
	}
	w->front.shared->req_prod = 32;
	assert_int_equal(backring_pending(&w->back), 32);
}

/* Takes all responses; ANSWERED is how many there were before, and becomes. */
static uint64_t
take_answers(struct world *w, uint64_t answered)
{
	struct response rsp;

	while (ring_front_pending(&w->front) > 0) {
		ring_front_take(&w->front, &rsp, sizeof(rsp));
		assert_int_equal((RING_IDX)rsp.id, (RING_IDX)answered);
		assert_int_equal(rsp.status, 7);
		answered++;
	}
	assert_int_equal(ring_front_pending(&w->front), 0);
	return answered;
}

/* One backend step at a time, with a death after any of them. */
static void
random_deaths_lose_and_double_nothing(void **state)
{
	struct world *w = *state;
	uint64_t asked = 0, answered = 0, taken_by_this = 0;
	uint64_t put_by_this = 0, deaths = 0;

	srand(1);
	while (answered < 200000) {
		switch (rand() % 7) {
		case 0:
		case 1:
			if (ring_front_room(&w->front) > 0)
				ask(w, asked++);
			break;
		case 2:
			if (backring_pending(&w->back) > 0) {
				take_is(w, answered + (w->back.ring.req_cons -
							  (RING_IDX)answered));
				taken_by_this++;
			}
			break;
		case 3:
			if (put_by_this < taken_by_this) {
				put(w, w->back.ring.rsp_prod);
				put_by_this++;
			}
			break;
		case 4:
			backring_push(&w->back);
			break;
		case 5:
			answered = take_answers(w, answered);
			break;
		case 6:
			if (rand() % 4 == 0) {
				if (rand() % 2 == 0) {
					/* Published, but not noted so; the
					 * frontend may have seen it. */
					ring_back_push(&w->back.ring);
					if (rand() % 2 == 0)
						answered =
						    take_answers(w, answered);
				}
				die(w);
				taken_by_this = put_by_this = 0;
				deaths++;
			}
			break;
		}
	}
	assert_true(deaths > 1000);
}

static void
nothing_is_lost_where_the_indexes_wrap(void **state)
{
	struct world *w = *state;
	const RING_IDX start = (RING_IDX)-5;

	w->front.req_prod = w->front.rsp_cons = start;
	w->front.shared->req_prod = w->front.shared->rsp_prod = start;
	w->journal.taken = w->journal.done = start;
	die(w);
	for (uint64_t id = 0; id < 10; id++)
		ask(w, id);
	for (uint64_t id = 0; id < 10; id++)
		take_is(w, id);
	put(w, 0);
	die(w);
	assert_int_equal(backring_pending(&w->back), 10);
	for (uint64_t id = 0; id < 10; id++)
		take_is(w, id);
	for (uint64_t id = 0; id < 10; id++)
		put(w, id);
	backring_push(&w->back);
	assert_int_equal(ring_front_pending(&w->front), 10);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(requests_whose_slots_were_overwritten_come_back_whole),
		T(what_was_published_is_not_done_again),
		T(a_frontend_cannot_make_the_successor_skip_what_was_not_taken),
		T(a_wild_index_is_refused),
		T(random_deaths_lose_and_double_nothing),
		T(nothing_is_lost_where_the_indexes_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
