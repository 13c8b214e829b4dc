/* The block data path against a frontend in the same process and a file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv-core/dom0/blkio.h"
#include "tests/unit/dom0/guestpages.h"

#define SECTORS 1024u

struct world {
	_Alignas(64) uint8_t page[4096];
	struct backring_journal journal;
	struct ring_front front;
	struct blkio io;
	uint64_t next_id;
};

static int
set_up(void **state)
{
	struct world *w = aligned_alloc(64, sizeof(*w));
	char name[] = "/tmp/test-blkio-XXXXXX";
	uint8_t sector[512];

	if (w == NULL)
		return -1;
	memset(w, 0, sizeof(*w));
	w->io.disk.fd = mkstemp(name);
	unlink(name);
	for (unsigned i = 0; i < SECTORS; i++) {
		memset(sector, (int)i, sizeof(sector));
		if (write(w->io.disk.fd, sector, 512) != 512)
			return -1;
	}
	w->io.disk.sectors = SECTORS;
	w->io.pages = guestpages();
	ring_front_init(
	    &w->front, w->page, sizeof(w->page), sizeof(union blkif_slot));
	backring_init(
	    &w->io.ring, w->page, sizeof(union blkif_slot), &w->journal);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	close(w->io.disk.fd);
	free(w);
	assert_int_equal(guest.mapped, 0);
	return 0;
}

/* A request of one segment: SECTS sectors at SECTOR, page REF. */
static struct blkif_request
request(
    uint8_t op, uint64_t sector, uint32_t ref, unsigned first, unsigned last)
{
	struct blkif_request req = {
		.operation = op, .nr_segments = 1, .sector_number = sector
	};

	req.seg[0].gref = ref;
	req.seg[0].first_sect = (uint8_t)first;
	req.seg[0].last_sect = (uint8_t)last;
	return req;
}

static uint64_t
ask(struct world *w, const struct blkif_request *req)
{
	struct blkif_request *slot = ring_front_next(&w->front);

	if (slot == NULL)
		abort();
	*slot = *req;
	slot->id = w->next_id++;
	ring_front_push(&w->front);
	return slot->id;
}

static int
answer(struct world *w)
{
	static uint64_t expected;
	struct blkif_response rsp;

	assert_true(ring_front_pending(&w->front) > 0);
	if (w->front.rsp_cons == 0)
		expected = 0;
	ring_front_take(&w->front, &rsp, sizeof(rsp));
	assert_int_equal(rsp.id, expected);
	expected++;
	return rsp.status;
}

static int
one(struct world *w, const struct blkif_request *req)
{
	int notify = 0;

	ask(w, req);
	assert_int_equal(blkio_run(&w->io, &notify), 1);
	return answer(w);
}

static uint8_t
disk_byte(struct world *w, uint64_t sector)
{
	uint8_t byte;

	assert_int_equal(
	    pread(w->io.disk.fd, &byte, 1, (off_t)(sector * 512)), 1);
	return byte;
}

static void
a_read_fills_just_the_sectors_asked_for(void **state)
{
	struct world *w = *state;
	struct blkif_request req = request(BLKIF_OP_READ, 17, 3, 2, 4);

	memset(guest.page[3], 0xee, 4096);
	assert_int_equal(one(w, &req), BLKIF_RSP_OKAY);
	assert_int_equal(guest.page[3][1023], 0xee);
	assert_int_equal(guest.page[3][1024], 17);
	assert_int_equal(guest.page[3][1536], 18);
	assert_int_equal(guest.page[3][2559], 19);
	assert_int_equal(guest.page[3][2560], 0xee);
}

static void
a_write_changes_just_the_sectors_named(void **state)
{
	struct world *w = *state;
	struct blkif_request req = request(BLKIF_OP_WRITE, 100, 5, 0, 7);

	memset(guest.page[5], 0x77, 4096);
	guest.readonly[5] = 1; /* a page to write from need not be writable */
	assert_int_equal(one(w, &req), BLKIF_RSP_OKAY);
	assert_int_equal(guest.write_maps, 0);
	assert_int_equal(disk_byte(w, 99), 99);
	assert_int_equal(disk_byte(w, 100), 0x77);
	assert_int_equal(disk_byte(w, 107), 0x77);
	assert_int_equal(disk_byte(w, 108), 108);
}

static void
eleven_segments_scatter_and_gather(void **state)
{
	struct world *w = *state;
	struct blkif_request req = request(BLKIF_OP_READ, 64, 0, 0, 0);

	req.nr_segments = 11;
	for (unsigned i = 0; i < 11; i++) {
		req.seg[i].gref = 20 - i;
		req.seg[i].first_sect = (uint8_t)(i % 8);
		req.seg[i].last_sect = (uint8_t)(i % 8);
	}
	assert_int_equal(one(w, &req), BLKIF_RSP_OKAY);
	for (unsigned i = 0; i < 11; i++)
		assert_int_equal(guest.page[20 - i][i % 8 * 512], 64 + i);
}

static void
neighbours_are_one_transfer_and_answered_one_by_one(void **state)
{
	struct world *w = *state;
	int notify = 0;

	for (unsigned i = 0; i < 32; i++) {
		struct blkif_request req =
		    request(BLKIF_OP_READ, i * 8, i, 0, 7);

		ask(w, &req);
	}
	assert_int_equal(blkio_run(&w->io, &notify), 32);
	assert_int_equal(notify, 1);
	assert_int_equal(guest.map_calls, 1);
	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(answer(w), BLKIF_RSP_OKAY);
		assert_int_equal(guest.page[i][0], (uint8_t)(i * 8));
		assert_int_equal(guest.page[i][4095], (uint8_t)(i * 8 + 7));
	}
}

static void
one_bad_page_fails_its_own_request_only(void **state)
{
	struct world *w = *state;
	int notify = 0;

	for (unsigned i = 0; i < 6; i++) {
		struct blkif_request req =
		    request(BLKIF_OP_READ, i * 8, i == 3 ? 9999 : i, 0, 7);

		ask(w, &req);
	}
	assert_int_equal(blkio_run(&w->io, &notify), 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(
		    answer(w), i == 3 ? BLKIF_RSP_ERROR : BLKIF_RSP_OKAY);
	assert_int_equal(guest.page[4][0], 32);
	assert_int_equal(guest.page[5][0], 40);
}

static void
a_file_that_shrank_fails_what_lies_behind_its_end(void **state)
{
	struct world *w = *state;
	int notify = 0;

	assert_int_equal(ftruncate(w->io.disk.fd, 16 * 512), 0);
	for (unsigned i = 0; i < 4; i++) {
		struct blkif_request req =
		    request(BLKIF_OP_READ, i * 8, i, 0, 7);

		ask(w, &req);
	}
	assert_int_equal(blkio_run(&w->io, &notify), 4);
	assert_int_equal(answer(w), BLKIF_RSP_OKAY);
	assert_int_equal(answer(w), BLKIF_RSP_OKAY);
	assert_int_equal(answer(w), BLKIF_RSP_ERROR);
	assert_int_equal(answer(w), BLKIF_RSP_ERROR);
	assert_int_equal(guest.page[1][0], 8);
}

static void
a_flush_succeeds_and_touches_nothing(void **state)
{
	struct world *w = *state;
	struct blkif_request req = { .operation = BLKIF_OP_FLUSH_DISKCACHE };

	assert_int_equal(one(w, &req), BLKIF_RSP_OKAY);
	assert_int_equal(guest.map_calls, 0);
}

static void
order_is_kept_across_reads_writes_and_flushes(void **state)
{
	struct world *w = *state;
	struct blkif_request wr = request(BLKIF_OP_WRITE, 8, 1, 0, 7);
	struct blkif_request fl = { .operation = BLKIF_OP_FLUSH_DISKCACHE };
	struct blkif_request rd = request(BLKIF_OP_READ, 8, 2, 0, 7);
	int notify = 0;

	memset(guest.page[1], 0x42, 4096);
	ask(w, &wr);
	ask(w, &fl);
	ask(w, &rd);
	assert_int_equal(blkio_run(&w->io, &notify), 3);
	assert_int_equal(answer(w), BLKIF_RSP_OKAY);
	assert_int_equal(answer(w), BLKIF_RSP_OKAY);
	assert_int_equal(answer(w), BLKIF_RSP_OKAY);
	assert_int_equal(guest.page[2][0], 0x42);
}

struct hostile {
	const char *what;
	int op, segments;
	uint64_t sector;
	int first, last, status;
};

/* clang-format off */
static const struct hostile hostile[] = {
	{ "no segments",	BLKIF_OP_READ, 0, 0, 0, 7, BLKIF_RSP_ERROR },
	{ "12 segments",	BLKIF_OP_READ, 12, 0, 0, 7, BLKIF_RSP_ERROR },
	{ "255 segments",	BLKIF_OP_WRITE, 255, 0, 0, 7, BLKIF_RSP_ERROR },
	{ "sector 8 of a page",	BLKIF_OP_READ, 1, 0, 0, 8, BLKIF_RSP_ERROR },
	{ "sector 255",		BLKIF_OP_WRITE, 1, 0, 0, 255, BLKIF_RSP_ERROR },
	{ "first > last",	BLKIF_OP_READ, 1, 0, 5, 4, BLKIF_RSP_ERROR },
	{ "first 255, last 0",	BLKIF_OP_WRITE, 1, 0, 255, 0, BLKIF_RSP_ERROR },
	{ "at the end",		BLKIF_OP_READ, 1, SECTORS, 0, 0, BLKIF_RSP_ERROR },
	{ "over the end",	BLKIF_OP_WRITE, 1, SECTORS - 7, 0, 7, BLKIF_RSP_ERROR },
	{ "far behind the end",	BLKIF_OP_WRITE, 1, 1ull << 40, 0, 7, BLKIF_RSP_ERROR },
	{ "offset overflows",	BLKIF_OP_WRITE, 1, 1ull << 55, 0, 7, BLKIF_RSP_ERROR },
	{ "sum overflows",	BLKIF_OP_WRITE, 1, UINT64_MAX, 0, 7, BLKIF_RSP_ERROR },
	{ "sum overflows to 0",	BLKIF_OP_WRITE, 1, UINT64_MAX - 7, 0, 7, BLKIF_RSP_ERROR },
	{ "barrier",		BLKIF_OP_WRITE_BARRIER, 1, 0, 0, 7, BLKIF_RSP_EOPNOTSUPP },
	{ "discard",		BLKIF_OP_DISCARD, 1, 0, 0, 7, BLKIF_RSP_EOPNOTSUPP },
	{ "indirect",		BLKIF_OP_INDIRECT, 1, 0, 0, 7, BLKIF_RSP_EOPNOTSUPP },
	{ "operation 255",	255, 1, 0, 0, 7, BLKIF_RSP_EOPNOTSUPP },
	{ "flush with data",	BLKIF_OP_FLUSH_DISKCACHE, 1, 0, 0, 7, BLKIF_RSP_ERROR },
};
/* clang-format on */

static void
hostile_requests_are_refused_and_change_nothing(void **state)
{
	struct world *w = *state;
	uint8_t before[SECTORS], after[SECTORS];

	memset(guest.page[0], 0x55, 4096);
	for (unsigned s = 0; s < SECTORS; s++)
		before[s] = disk_byte(w, s);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		const struct hostile *h = &hostile[i];
		struct blkif_request req = request((uint8_t)h->op, h->sector, 0,
		    (unsigned)h->first, (unsigned)h->last);
		int status;

		req.nr_segments = (uint8_t)h->segments;
		status = one(w, &req);
		if (status != h->status)
			fail_msg("%s: %d", h->what, status);
	}
	assert_int_equal(guest.map_calls, 0);
	assert_int_equal(lseek(w->io.disk.fd, 0, SEEK_END), SECTORS * 512);
	for (unsigned s = 0; s < SECTORS; s++)
		after[s] = disk_byte(w, s);
	assert_memory_equal(before, after, sizeof(before));
	for (unsigned i = 0; i < 4096; i++)
		assert_int_equal(guest.page[0][i], 0x55);
}

static void
a_read_only_disk_refuses_writes_and_serves_reads(void **state)
{
	struct world *w = *state;
	struct blkif_request wr = request(BLKIF_OP_WRITE, 8, 1, 0, 7);
	struct blkif_request rd = request(BLKIF_OP_READ, 8, 1, 0, 7);

	w->io.disk.readonly = 1;
	assert_int_equal(one(w, &wr), BLKIF_RSP_ERROR);
	assert_int_equal(disk_byte(w, 8), 8);
	assert_int_equal(one(w, &rd), BLKIF_RSP_OKAY);
}

static void
a_page_granted_read_only_is_not_read_into(void **state)
{
	struct world *w = *state;
	struct blkif_request rd = request(BLKIF_OP_READ, 8, 1, 0, 7);

	guest.readonly[1] = 1;
	assert_int_equal(one(w, &rd), BLKIF_RSP_ERROR);
	assert_int_equal(guest.page[1][0], 0);
}

static void
a_wild_ring_index_stops_the_device_and_nothing_is_answered(void **state)
{
	struct world *w = *state;
	int notify = 0;

	w->front.shared->req_prod = 77;
	assert_int_equal(blkio_run(&w->io, &notify), -1);
	assert_int_equal(notify, 0);
	assert_int_equal(w->front.shared->rsp_prod, 0);
}

static void
a_successor_executes_what_was_not_answered(void **state)
{
	struct world *w = *state;
	struct blkif_request rd = request(BLKIF_OP_READ, 8, 1, 0, 7);
	struct blkif_request taken[2];
	struct blkif_response rsp = { .id = 0, .status = 0 };
	int notify = 0;

	ask(w, &rd);
	rd.sector_number = 24;
	rd.seg[0].gref = 2;
	ask(w, &rd);
	/* The first worker takes both, writes one response and is killed. */
	backring_take(&w->io.ring, &taken[0], sizeof(taken[0]));
	backring_take(&w->io.ring, &taken[1], sizeof(taken[1]));
	backring_put(&w->io.ring, &rsp, sizeof(rsp));
	backring_init(
	    &w->io.ring, w->page, sizeof(union blkif_slot), &w->journal);
	assert_int_equal(blkio_run(&w->io, &notify), 2);
	assert_int_equal(answer(w), BLKIF_RSP_OKAY);
	assert_int_equal(answer(w), BLKIF_RSP_OKAY);
	assert_int_equal(guest.page[1][0], 8);
	assert_int_equal(guest.page[2][0], 24);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_read_fills_just_the_sectors_asked_for),
		T(a_write_changes_just_the_sectors_named),
		T(eleven_segments_scatter_and_gather),
		T(neighbours_are_one_transfer_and_answered_one_by_one),
		T(one_bad_page_fails_its_own_request_only),
		T(a_file_that_shrank_fails_what_lies_behind_its_end),
		T(a_flush_succeeds_and_touches_nothing),
		T(order_is_kept_across_reads_writes_and_flushes),
		T(hostile_requests_are_refused_and_change_nothing),
		T(a_read_only_disk_refuses_writes_and_serves_reads),
		T(a_page_granted_read_only_is_not_read_into),
		T(a_wild_ring_index_stops_the_device_and_nothing_is_answered),
		T(a_successor_executes_what_was_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
