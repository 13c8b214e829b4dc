/* The network data path: the tap is one end of a packet socket pair. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv-core/dom0/netcsum.h"
#include "hv-core/dom0/netio.h"
#include "tests/unit/dom0/guestpages.h"

struct world {
	_Alignas(64) uint8_t txpage[4096];
	_Alignas(64) uint8_t rxpage[4096];
	struct backring_journal journal[2];
	struct ring_front tx, rx;
	struct netio io;
	int wire;
	int notify;
};

static int
set_up(void **state)
{
	struct world *w = aligned_alloc(64, sizeof(*w));
	int sv[2];

	if (w == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv) != 0)
		return -1;
	memset(w, 0, sizeof(*w));
	w->io.tap = sv[0];
	w->wire = sv[1];
	w->io.pages = guestpages();
	ring_front_init(&w->tx, w->txpage, 4096, sizeof(union netif_tx_slot));
	ring_front_init(&w->rx, w->rxpage, 4096, sizeof(union netif_rx_slot));
	backring_init(
	    &w->io.tx, w->txpage, sizeof(union netif_tx_slot), &w->journal[0]);
	backring_init(
	    &w->io.rx, w->rxpage, sizeof(union netif_rx_slot), &w->journal[1]);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	close(w->io.tap);
	close(w->wire);
	free(w);
	assert_int_equal(guest.mapped, 0);
	return 0;
}

static void
tx(struct world *w, uint16_t id, uint32_t ref, unsigned offset, unsigned size,
    unsigned flags)
{
	struct netif_tx_request *req = ring_front_next(&w->tx);

	if (req == NULL)
		abort();
	*req = (struct netif_tx_request){ .gref = ref,
		.offset = (uint16_t)offset,
		.flags = (uint16_t)flags,
		.id = id,
		.size = (uint16_t)size };
	ring_front_push(&w->tx);
}

static void
tx_done(struct world *w, uint16_t id, int status)
{
	struct netif_tx_response rsp;

	assert_true(ring_front_pending(&w->tx) > 0);
	ring_front_take(&w->tx, &rsp, sizeof(rsp));
	assert_int_equal(rsp.id, id);
	assert_int_equal(rsp.status, status);
}

static void
buffer(struct world *w, uint16_t id, uint32_t ref)
{
	struct netif_rx_request *req = ring_front_next(&w->rx);

	if (req == NULL)
		abort();
	req->id = id;
	req->gref = ref;
	ring_front_push(&w->rx);
}

static void
rx_done(struct world *w, uint16_t id, int status)
{
	struct netif_rx_response rsp;

	assert_true(ring_front_pending(&w->rx) > 0);
	ring_front_take(&w->rx, &rsp, sizeof(rsp));
	assert_int_equal(rsp.id, id);
	assert_int_equal(rsp.status, status);
	assert_int_equal(rsp.offset, 0);
	assert_int_equal(rsp.flags, 0);
}

static ssize_t
on_wire(struct world *w, uint8_t *frame, size_t size)
{
	return recv(w->wire, frame, size, 0);
}

static void
a_frame_goes_out_as_it_is(void **state)
{
	struct world *w = *state;
	uint8_t got[2048];

	for (unsigned i = 0; i < 1514; i++)
		guest.page[7][100 + i] = (uint8_t)i;
	tx(w, 5, 7, 100, 1514, 0);
	assert_int_equal(netio_tx(&w->io, &w->notify), 1);
	assert_int_equal(on_wire(w, got, sizeof(got)), 1514);
	assert_memory_equal(got, guest.page[7] + 100, 1514);
	tx_done(w, 5, NETIF_RSP_OKAY);
	assert_int_equal(w->notify, 1);
	assert_int_equal(guest.write_maps, 0);
}

static void
a_packet_in_pieces_goes_out_whole(void **state)
{
	struct world *w = *state;
	uint8_t got[2048];

	memset(guest.page[1] + 4000, 1, 96);
	memset(guest.page[2], 2, 500);
	memset(guest.page[3] + 9, 3, 4);
	tx(w, 1, 1, 4000, 600, NETTXF_more_data);
	tx(w, 2, 2, 0, 500, NETTXF_more_data);
	tx(w, 3, 3, 9, 4, 0);
	assert_int_equal(netio_tx(&w->io, &w->notify), 3);
	assert_int_equal(on_wire(w, got, sizeof(got)), 600);
	assert_int_equal(got[95], 1);
	assert_int_equal(got[96], 2);
	assert_int_equal(got[595], 2);
	assert_int_equal(got[596], 3);
	tx_done(w, 1, NETIF_RSP_OKAY);
	tx_done(w, 2, NETIF_RSP_OKAY);
	tx_done(w, 3, NETIF_RSP_OKAY);
}

static void
a_packet_whose_end_is_late_waits_for_it(void **state)
{
	struct world *w = *state;
	uint8_t got[2048];

	tx(w, 1, 1, 0, 60, 0);
	tx(w, 2, 2, 0, 160, NETTXF_more_data);
	assert_int_equal(netio_tx(&w->io, &w->notify), 1);
	tx_done(w, 1, NETIF_RSP_OKAY);
	assert_int_equal(ring_front_pending(&w->tx), 0);
	tx(w, 3, 3, 0, 100, 0);
	assert_int_equal(netio_tx(&w->io, &w->notify), 2);
	tx_done(w, 2, NETIF_RSP_OKAY);
	tx_done(w, 3, NETIF_RSP_OKAY);
	assert_int_equal(on_wire(w, got, sizeof(got)), 60);
	assert_int_equal(on_wire(w, got, sizeof(got)), 160);
}

struct hostile {
	const char *what;
	unsigned ref, offset, size, flags;
	int status;
};

/* clang-format off */
static const struct hostile hostile[] = {
	{ "empty",		1, 0, 0, 0, NETIF_RSP_ERROR },
	{ "13 bytes",		1, 0, 13, 0, NETIF_RSP_ERROR },
	{ "beyond the page",	1, 4000, 97, 0, NETIF_RSP_ERROR },
	{ "offset 65535",	1, 65535, 14, 0, NETIF_RSP_ERROR },
	{ "size 65535",		1, 0, 65535, 0, NETIF_RSP_ERROR },
	{ "jumbo",		1, 0, 1519, 0, NETIF_RSP_DROPPED },
	{ "bad reference",	9999, 0, 60, 0, NETIF_RSP_ERROR },
	{ "checksum of what",	1, 0, 60, NETTXF_csum_blank, NETIF_RSP_DROPPED },
};
/* clang-format on */

static void
hostile_frames_never_reach_the_wire(void **state)
{
	struct world *w = *state;
	uint8_t got[2048];

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		const struct hostile *h = &hostile[i];
		struct netif_tx_response rsp;

		tx(w, (uint16_t)i, h->ref, h->offset, h->size, h->flags);
		assert_int_equal(netio_tx(&w->io, &w->notify), 1);
		ring_front_take(&w->tx, &rsp, sizeof(rsp));
		if (rsp.status != h->status || rsp.id != i)
			fail_msg("%s: %d", h->what, rsp.status);
		assert_int_equal(on_wire(w, got, sizeof(got)), -1);
	}
}

static void
hostile_chains_are_refused_whole(void **state)
{
	struct world *w = *state;
	uint8_t got[2048];
	uint16_t id = 0;

	/* The pieces say more than the whole. */
	tx(w, 0, 1, 0, 100, NETTXF_more_data);
	tx(w, 1, 2, 0, 100, 0);
	/* A piece beyond its page. */
	tx(w, 2, 1, 0, 300, NETTXF_more_data);
	tx(w, 3, 2, 4090, 7, 0);
	/* An empty piece. */
	tx(w, 4, 1, 0, 300, NETTXF_more_data);
	tx(w, 5, 2, 0, 0, 0);
	assert_int_equal(netio_tx(&w->io, &w->notify), 6);
	for (; id < 6; id++)
		tx_done(w, id, NETIF_RSP_ERROR);
	/* Nineteen pieces. */
	tx(w, id++, 1, 0, 1000, NETTXF_more_data);
	for (unsigned i = 0; i < 18; i++)
		tx(w, id++, 2, 0, 10, i == 17 ? 0 : NETTXF_more_data);
	assert_int_equal(netio_tx(&w->io, &w->notify), 19);
	for (id = 6; id < 25; id++)
		tx_done(w, id, NETIF_RSP_ERROR);
	assert_int_equal(on_wire(w, got, sizeof(got)), -1);
	/* The next one is none the worse for it. */
	tx(w, 99, 1, 0, 60, 0);
	assert_int_equal(netio_tx(&w->io, &w->notify), 1);
	tx_done(w, 99, NETIF_RSP_OKAY);
}

static void
extra_infos_that_were_not_offered_are_refused(void **state)
{
	struct world *w = *state;
	struct netif_extra_info *extra;
	struct netif_tx_response rsp;

	tx(w, 1, 1, 0, 60, NETTXF_extra_info);
	extra = ring_front_next(&w->tx);
	if (extra == NULL)
		abort();
	memset(extra, 0, sizeof(*extra));
	extra->type = XEN_NETIF_EXTRA_TYPE_GSO;
	ring_front_push(&w->tx);
	tx(w, 2, 1, 0, 60, 0);
	assert_int_equal(netio_tx(&w->io, &w->notify), 3);
	tx_done(w, 1, NETIF_RSP_ERROR);
	ring_front_take(&w->tx, &rsp, sizeof(rsp));
	assert_int_equal(rsp.status, NETIF_RSP_NULL);
	tx_done(w, 2, NETIF_RSP_OKAY);
}

static void
a_packet_larger_than_the_ring_is_garbage(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 256; i++)
		tx(w, (uint16_t)i, 1, 0, 1000, NETTXF_more_data);
	assert_int_equal(netio_tx(&w->io, &w->notify), -1);
}

static void
wild_indexes_are_garbage(void **state)
{
	struct world *w = *state;

	w->tx.shared->req_prod = 257;
	assert_int_equal(netio_tx(&w->io, &w->notify), -1);
	w->rx.shared->req_prod = 257;
	assert_int_equal(netio_rx(&w->io, &w->notify), -1);
}

static void
frames_fill_the_offered_buffers_in_order(void **state)
{
	struct world *w = *state;
	uint8_t frame[1514];

	for (unsigned i = 0; i < 3; i++) {
		memset(frame, (int)(i + 1), sizeof(frame));
		assert_true(send(w->wire, frame, 60 + i, 0) > 0);
		buffer(w, (uint16_t)(10 + i), 20 + i);
	}
	assert_int_equal(netio_rx(&w->io, &w->notify), 3);
	for (unsigned i = 0; i < 3; i++) {
		rx_done(w, (uint16_t)(10 + i), (int)(60 + i));
		assert_int_equal(guest.page[20 + i][59 + i], i + 1);
		assert_int_equal(guest.page[20 + i][60 + i], 0);
	}
	assert_int_equal(w->notify, 1);
	assert_int_equal(guest.map_calls, 1);
}

static void
without_buffers_frames_wait(void **state)
{
	struct world *w = *state;
	uint8_t frame[60] = { 0 };

	assert_true(send(w->wire, frame, 60, 0) > 0);
	assert_int_equal(netio_rx(&w->io, &w->notify), 0);
	buffer(w, 1, 1);
	assert_int_equal(netio_rx(&w->io, &w->notify), 1);
	rx_done(w, 1, 60);
}

static void
frames_of_a_wrong_size_use_up_no_buffer(void **state)
{
	struct world *w = *state;
	uint8_t frame[2000] = { 0 };

	assert_true(send(w->wire, frame, 1519, 0) > 0);
	assert_true(send(w->wire, frame, 13, 0) > 0);
	assert_true(send(w->wire, frame, 1518, 0) > 0);
	buffer(w, 1, 1);
	assert_int_equal(netio_rx(&w->io, &w->notify), 1);
	rx_done(w, 1, 1518);
	assert_int_equal(w->io.stats.rx_dropped, 2);
}

static void
a_bad_buffer_costs_one_frame(void **state)
{
	struct world *w = *state;
	uint8_t frame[60] = { 0 };

	for (unsigned i = 0; i < 3; i++)
		assert_true(send(w->wire, frame, 60, 0) > 0);
	buffer(w, 1, 1);
	buffer(w, 2, 9999);
	guest.readonly[3] = 1;
	buffer(w, 3, 3);
	assert_int_equal(netio_rx(&w->io, &w->notify), 3);
	rx_done(w, 1, 60);
	rx_done(w, 2, NETIF_RSP_ERROR);
	rx_done(w, 3, NETIF_RSP_ERROR);
}

/* --- checksums: datagrams whose sums were worked out by hand ------------- */

static unsigned
fold(const uint8_t *p, size_t len, uint32_t acc)
{
	for (size_t i = 0; i < len; i++)
		acc += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
	while (acc >> 16 != 0)
		acc = (acc & 0xffff) + (acc >> 16);
	return acc;
}

static void
a_blank_checksum_is_filled_in_on_the_way(void **state)
{
	struct world *w = *state;
	uint8_t *f = guest.page[4];
	uint8_t got[128];

	f[12] = 0x08;
	f[14] = 0x45;
	f[17] = 33; /* 20 + 8 + 5 */
	f[23] = 17;
	memcpy(f + 26, (const uint8_t[]){ 10, 77, 0, 9, 10, 77, 0, 1 }, 8);
	f[39] = 13;
	memcpy(f + 42, "hello", 5);
	tx(w, 1, 4, 0, 47, NETTXF_csum_blank);
	assert_int_equal(netio_tx(&w->io, &w->notify), 1);
	tx_done(w, 1, NETIF_RSP_OKAY);
	assert_int_equal(on_wire(w, got, sizeof(got)), 47);
	/* A right checksum makes the sum of everything 0xffff. */
	assert_int_equal(
	    fold(got + 34, 13, fold(got + 26, 8, 17 + 13)), 0xffff);
	assert_int_equal(f[40] << 8 | f[41], 0); /* not in the guest's page */
}

static void
checksums_of_tcp_and_ipv6_are_right_too(void **state)
{
	uint8_t f[80] = { 0 };

	(void)state;
	f[12] = 0x86;
	f[13] = 0xdd;
	f[19] = 21; /* odd payload */
	f[20] = 6;
	for (int i = 22; i < 54; i++)
		f[i] = (uint8_t)(i * 7);
	f[54 + 12] = 0x50;
	f[74] = 0x99;
	assert_int_equal(netcsum_fill(f, 75), 0);
	assert_int_equal(fold(f + 54, 21, fold(f + 22, 32, 6 + 21)), 0xffff);
}

static void
what_has_no_checksum_is_left_alone(void **state)
{
	uint8_t f[64] = { 0 }, before[64];

	(void)state;
	f[12] = 0x08;
	f[13] = 0x06;
	memcpy(before, f, sizeof(f));
	assert_int_equal(netcsum_fill(f, sizeof(f)), -1);
	f[13] = 0;
	f[14] = 0x4f; /* header longer than the packet */
	f[17] = 40;
	f[23] = 17;
	memcpy(before, f, sizeof(f));
	assert_int_equal(netcsum_fill(f, sizeof(f)), -1);
	f[14] = 0x45;
	f[17] = 60; /* longer than the frame */
	memcpy(before, f, sizeof(f));
	assert_int_equal(netcsum_fill(f, 60), -1);
	assert_memory_equal(f, before, sizeof(f));
	assert_int_equal(netcsum_fill(f, 13), -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_frame_goes_out_as_it_is),
		T(a_packet_in_pieces_goes_out_whole),
		T(a_packet_whose_end_is_late_waits_for_it),
		T(hostile_frames_never_reach_the_wire),
		T(hostile_chains_are_refused_whole),
		T(extra_infos_that_were_not_offered_are_refused),
		T(a_packet_larger_than_the_ring_is_garbage),
		T(wild_indexes_are_garbage),
		T(frames_fill_the_offered_buffers_in_order),
		T(without_buffers_frames_wait),
		T(frames_of_a_wrong_size_use_up_no_buffer),
		T(a_bad_buffer_costs_one_frame),
		T(a_blank_checksum_is_filled_in_on_the_way),
		cmocka_unit_test(checksums_of_tcp_and_ipv6_are_right_too),
		cmocka_unit_test(what_has_no_checksum_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
