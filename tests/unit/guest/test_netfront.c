/* Interfaces against a backend in this process. */
#include "tests/unit/guest/fake_world.h"

#include "abi/io/netif.h"
#include "abi/io/ring.h"
#include "hv-core/guest/netfront.h"

#define FRONT "device/vif/0"
#define BACK "/local/domain/0/backend/vif/5/0"

/* The backend. */
static struct {
	struct ring_back tx, rx;
	int mapped;
	uint32_t tx_ref, rx_ref, port;
	int paused;
	uint8_t sent[2048]; /* the last packet the guest sent */
	size_t sent_len;
	unsigned int count;
	int16_t tx_status;
	int bad_tx_id, bad_index;
} be;

/* What the guest received. */
static struct {
	uint8_t frame[2048];
	size_t len;
	unsigned int count;
	int csum_ok;
} got;

static size_t free_pages;
static uint32_t free_refs;

static uint8_t *
page_of(uint32_t ref, int read_only)
{
	const struct grant_entry_v1 *g = &world.grants[ref];

	assert_in_range(ref, GNTTAB_NR_RESERVED_ENTRIES, WORLD_GRANTS - 1);
	assert_int_equal(g->flags & GTF_type_mask, GTF_permit_access);
	assert_int_equal((g->flags & GTF_readonly) != 0, read_only);
	assert_int_equal(g->domid, 0);
	return guest_page(g->frame);
}

static uint32_t
node_num(const char *path)
{
	const char *text = fake_get(&world.store, path);

	assert_string_not_equal(text, "");
	return (uint32_t)atoi(text);
}

static void
map_rings(void)
{
	be.tx_ref = node_num(FRONT "/tx-ring-ref");
	be.rx_ref = node_num(FRONT "/rx-ring-ref");
	be.port = node_num(FRONT "/event-channel");
	ring_back_init(&be.tx, page_of(be.tx_ref, 0), 4096, 12, 0);
	ring_back_init(&be.rx, page_of(be.rx_ref, 0), 4096, 8, 0);
	be.mapped = 1;
	fake_set(&world.store, BACK "/state", "4");
}

static void
take_packet(void)
{
	struct netif_tx_request req;
	struct netif_tx_response rsp;

	ring_back_take(&be.tx, &req, sizeof(req));
	assert_int_equal(req.flags, 0);
	assert_in_range(req.offset + req.size, 14, 4096);
	memcpy(be.sent, page_of(req.gref, 1) + req.offset, req.size);
	be.sent_len = req.size;
	be.count++;
	rsp.id = be.bad_tx_id ? 999 : req.id;
	rsp.status = be.tx_status;
	be.bad_tx_id = 0;
	ring_back_put(&be.tx, &rsp, sizeof(rsp));
}

static int
backend(void *arg)
{
	int did = 0;

	(void)arg;
	if (!be.mapped &&
	    strcmp(fake_get(&world.store, FRONT "/state"), "4") == 0) {
		map_rings();
		return 1;
	}
	if (!be.mapped || be.paused)
		return 0;
	while (ring_back_pending(&be.tx) > 0) {
		take_packet();
		did = 1;
	}
	if (did && ring_back_push(&be.tx))
		guest_evtchn_raise(be.port);
	if (be.bad_index) {
		be.bad_index = 0;
		be.tx.shared->rsp_prod += 300;
		guest_evtchn_raise(be.port);
	}
	ring_back_final_check(&be.tx);
	return did;
}

/* Answers the next offered buffer; the id is the backend's to choose. */
static void
give(
    const void *data, size_t len, struct netif_rx_response rsp, int id_as_asked)
{
	struct netif_rx_request req;

	assert_true(ring_back_pending(&be.rx) > 0);
	ring_back_take(&be.rx, &req, sizeof(req));
	if (len > 0)
		memcpy(page_of(req.gref, 0) + rsp.offset, data, len);
	if (id_as_asked)
		rsp.id = req.id;
	ring_back_put(&be.rx, &rsp, sizeof(rsp));
	if (ring_back_push(&be.rx))
		guest_evtchn_raise(be.port);
}

static void
deliver(const void *data, size_t len, uint16_t flags)
{
	struct netif_rx_response rsp = {
		.offset = 2,
		.flags = flags,
		.status = (int16_t)len,
	};

	give(data, len, rsp, 1);
}

static void
receive(void *arg, const uint8_t *frame, size_t len, int csum_ok)
{
	(void)arg;
	assert_in_range(len, 1, sizeof(got.frame));
	memcpy(got.frame, frame, len);
	got.len = len;
	got.csum_ok = csum_ok;
	got.count++;
}

static void
settle(void)
{
	while (guest_step(0) > 0)
		;
}

static struct netfront *
connect(void)
{
	struct netfront *nf = NULL;

	memset(&be, 0, sizeof(be));
	memset(&got, 0, sizeof(got));
	world.backend = backend;
	fake_set(&world.store, FRONT "/backend", BACK);
	fake_set(&world.store, FRONT "/backend-id", "0");
	fake_set(&world.store, FRONT "/mac", "00:16:3E:0a:0b:0c");
	fake_set(&world.store, BACK "/feature-rx-copy", "1");
	fake_set(&world.store, BACK "/state", "2");
	fake_set(&world.store, FRONT "/state", "1");
	while (netfront_get(0) == NULL || netfront_wait(0, 0, &nf) != 0)
		(void)guest_step(guest_now() + GUEST_NS_PER_S);
	netfront_set_receive(nf, receive, NULL);
	return nf;
}

static int
unplug(void **state)
{
	(void)state;
	fake_rm(&world.store, FRONT);
	fake_rm(&world.store, BACK);
	settle();
	assert_int_equal(gnttab_deferred(), 0);
	assert_int_equal(gnttab_free_refs(), free_refs);
	assert_int_equal(guest_pages_free(), free_pages);
	fake_rm(&world.store, "error");
	return 0;
}

static int
send_bytes(struct netfront *nf, const void *data, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)data, len };

	return netfront_send(nf, &iov, 1);
}

/* --- tests -------------------------------------------------------------- */

static void
an_interface_connects_as_netbsd_does(void **state)
{
	static const uint8_t mac[6] = { 0, 0x16, 0x3e, 10, 11, 12 };
	struct netfront *nf = connect();

	(void)state;
	assert_true(netfront_link(nf));
	assert_memory_equal(netfront_mac(nf), mac, 6);
	assert_int_equal(node_num(FRONT "/request-rx-copy"), 1);
	assert_int_equal(node_num(FRONT "/feature-rx-notify"), 1);
	assert_string_equal(
	    fake_get(&world.store, FRONT "/vifname"), "xennet0");
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "4");
}

static void
a_packet_is_gathered_and_sent(void **state)
{
	struct netfront *nf = connect();
	struct iovec iov[3] = { { (void *)(uintptr_t) "0123456789abc", 13 },
		{ NULL, 0 }, { (void *)(uintptr_t) "XYZ", 3 } };

	(void)state;
	assert_int_equal(netfront_send(nf, iov, 3), 0);
	settle();
	assert_int_equal(be.sent_len, 16);
	assert_memory_equal(be.sent, "0123456789abcXYZ", 16);
}

static void
frames_that_are_none_are_refused(void **state)
{
	static uint8_t big[NETFRONT_FRAME_MAX + 1];
	struct netfront *nf = connect();
	struct iovec huge[2] = { { big, SIZE_MAX }, { big, SIZE_MAX } };

	(void)state;
	assert_int_equal(send_bytes(nf, big, 13), -EMSGSIZE);
	assert_int_equal(send_bytes(nf, big, sizeof(big)), -EMSGSIZE);
	assert_int_equal(netfront_send(nf, huge, 2), -EMSGSIZE);
	assert_int_equal(netfront_send(nf, NULL, 0), -EMSGSIZE);
	assert_int_equal(send_bytes(nf, big, NETFRONT_FRAME_MAX), 0);
	settle();
	assert_int_equal(be.count, 1);
}

static void
a_full_ring_says_so_and_wakes_up_later(void **state)
{
	struct netfront *nf = connect();
	uint8_t frame[64] = { 0 };
	unsigned int n = 0;

	(void)state;
	be.paused = 1;
	while (send_bytes(nf, frame, sizeof(frame)) == 0)
		n++;
	assert_int_equal(n, 256);
	assert_int_equal(netfront_tx_room(nf), 0);
	assert_int_equal(send_bytes(nf, frame, sizeof(frame)), -ENOBUFS);
	be.paused = 0;
	/* The event, not the deadline, ends the sleep. */
	assert_true(guest_step(guest_now() + GUEST_NS_PER_S) > 0);
	assert_int_equal(send_bytes(nf, frame, sizeof(frame)), 0);
	settle();
	assert_int_equal(be.count, 257);
}

static void
thousands_of_packets_go_both_ways(void **state)
{
	struct netfront *nf = connect();
	struct netfront_stats stats;
	uint8_t frame[1514];

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) {
		memset(frame, (int)i, sizeof(frame));
		assert_int_equal(send_bytes(nf, frame, 14 + i % 1500), 0);
		deliver(frame, 14 + i % 1501, 0);
		settle();
		assert_int_equal(netfront_poll(nf, 10), 1);
		assert_int_equal(got.len, 14 + i % 1501);
		assert_int_equal(got.frame[got.len - 1], i & 255);
		assert_int_equal(be.sent_len, 14 + i % 1500);
		assert_int_equal(be.sent[13], i & 255);
	}
	netfront_stats(nf, &stats);
	assert_int_equal(stats.rx_packets, 3000);
	assert_int_equal(stats.tx_packets, 3000);
	assert_int_equal(stats.nonsense + stats.rx_errors + stats.tx_errors, 0);
}

static void
packets_are_handed_over_by_poll_only(void **state)
{
	struct netfront *nf = connect();
	uint8_t frame[60] = { 1, 2, 3 };

	(void)state;
	for (int i = 0; i < 5; i++)
		deliver(frame, sizeof(frame), NETRXF_data_validated);
	(void)guest_wait(0); /* as a disk transfer does */
	assert_int_equal(got.count, 0);
	/* The main loop still hears of it. */
	assert_true(guest_step(guest_now() + GUEST_NS_PER_S) > 0);
	assert_int_equal(netfront_poll(nf, 3), 3);
	assert_int_equal(netfront_poll(nf, 3), 2);
	assert_int_equal(got.count, 5);
	assert_true(got.csum_ok);
}

static void
a_chain_is_put_together(void **state)
{
	struct netfront *nf = connect();

	(void)state;
	deliver("aaaaaaaaaaaaaaaa", 16, NETRXF_more_data);
	deliver("bbbb", 4, NETRXF_more_data);
	assert_int_equal(netfront_poll(nf, 10), 0);
	deliver("cc", 2, 0);
	assert_int_equal(netfront_poll(nf, 10), 1);
	assert_int_equal(got.len, 22);
	assert_memory_equal(got.frame, "aaaaaaaaaaaaaaaabbbbcc", 22);
}

static void
bad_sizes_cost_one_packet_each(void **state)
{
	static const struct {
		uint16_t offset;
		int16_t status;
	} bad[] = { { 0, 0 }, { 0, 4097 }, { 4000, 97 }, { 65535, 20 },
		{ 0, 32767 }, { 0, 2049 }, { 0, 13 } };
	struct netfront *nf = connect();
	struct netfront_stats stats;
	struct netif_rx_response rsp = { .status = NETIF_RSP_ERROR };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct netif_rx_response r = { .offset = bad[i].offset,
			.status = bad[i].status };

		give(NULL, 0, r, 1);
	}
	give(NULL, 0, rsp, 1);
	assert_int_equal(netfront_poll(nf, 100), 0);
	netfront_stats(nf, &stats);
	assert_int_equal(stats.nonsense, 7);
	assert_int_equal(stats.rx_errors, 1);
	deliver("aaaaaaaaaaaaaaaa", 16, 0);
	assert_int_equal(netfront_poll(nf, 100), 1);
	assert_int_equal(got.count, 1);
}

static void
assert_closed(struct netfront *nf)
{
	assert_false(netfront_link(nf));
	assert_int_equal(send_bytes(nf, "aaaaaaaaaaaaaaaa", 16), -ENETDOWN);
	assert_int_equal(netfront_poll(nf, 10), 0);
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "6");
}

static void
nonsense_from_the_backend_closes_the_interface(void **state)
{
	struct netif_rx_response wrong = { .id = 256, .status = 20 };
	struct netif_rx_response extra = { .flags = NETRXF_extra_info,
		.status = 20 };
	struct netfront *nf = connect();

	give(NULL, 0, wrong, 0);
	assert_int_equal(netfront_poll(nf, 10), 0);
	assert_closed(nf);
	(void)unplug(state);

	nf = connect();
	give(NULL, 0, extra, 1);
	assert_int_equal(netfront_poll(nf, 10), 0);
	assert_closed(nf);
	(void)unplug(state);

	nf = connect();
	be.bad_tx_id = 1;
	assert_int_equal(send_bytes(nf, "aaaaaaaaaaaaaaaa", 16), 0);
	settle();
	assert_int_equal(netfront_poll(nf, 10), 0);
	assert_closed(nf);
	(void)unplug(state);

	nf = connect();
	be.bad_index = 1;
	settle();
	assert_int_equal(netfront_poll(nf, 10), 0);
	assert_closed(nf);
	(void)unplug(state);

	nf = connect();
	be.rx.shared->rsp_prod += 257;
	assert_int_equal(netfront_poll(nf, 10), 0);
	assert_closed(nf);
}

static void
a_backend_that_cannot_copy_is_refused(void **state)
{
	(void)state;
	world.backend = NULL;
	fake_set(&world.store, FRONT "/backend", BACK);
	fake_set(&world.store, FRONT "/backend-id", "0");
	fake_set(&world.store, FRONT "/mac", "00:16:3e:0a:0b:0c");
	fake_set(&world.store, BACK "/state", "2");
	fake_set(&world.store, FRONT "/state", "1");
	settle();
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "6");
	assert_string_equal(fake_get(&world.store, FRONT "/tx-ring-ref"), "");
}

static void
a_bad_address_is_refused(void **state)
{
	static const char *const bad[] = { "", "00:16:3e:0a:0b", "x",
		"00:16:3e:0a:0b:0c:0d", "00-16-3e-0a-0b-0c",
		"00:16:3e:0a:0b:0g" };

	world.backend = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fake_set(&world.store, FRONT "/backend", BACK);
		fake_set(&world.store, FRONT "/backend-id", "0");
		fake_set(&world.store, FRONT "/mac", bad[i]);
		fake_set(&world.store, BACK "/state", "1");
		fake_set(&world.store, FRONT "/state", "1");
		settle();
		assert_string_equal(
		    fake_get(&world.store, FRONT "/state"), "6");
		(void)unplug(state);
	}
}

static unsigned int changes;

static void
on_change(void *arg, struct netfront *nf)
{
	(void)arg;
	(void)nf;
	changes++;
}

static void
an_interface_that_goes_may_come_back(void **state)
{
	struct netfront *nf, *again;

	netfront_set_change(on_change, NULL);
	changes = 0;
	nf = connect();
	assert_int_equal(changes, 2); /* there; up */
	fake_set(&world.store, BACK "/state", "5");
	settle();
	assert_closed(nf);
	assert_int_equal(changes, 3);
	(void)unplug(state);
	again = connect();
	assert_ptr_equal(nf, again);
	assert_true(netfront_link(again));
	netfront_set_change(NULL, NULL);
}

static int
start_world(void **state)
{
	world_start();
	assert_int_equal(frontend_start(world.xb, frontend_drivers), 0);
	guest_early_write("\n", 1);
	(void)connect();
	free_pages = guest_pages_free() + 2 + 128 + 256;
	free_refs = gnttab_free_refs() + 2 + 128 + 256;
	return unplug(state);
}

static int
end_world(void **state)
{
	(void)state;
	world_end();
	return 0;
}

int
main(void)
{
#define T(name) cmocka_unit_test_teardown(name, unplug)
	const struct CMUnitTest tests[] = {
		T(an_interface_connects_as_netbsd_does),
		T(a_packet_is_gathered_and_sent),
		T(frames_that_are_none_are_refused),
		T(a_full_ring_says_so_and_wakes_up_later),
		T(thousands_of_packets_go_both_ways),
		T(packets_are_handed_over_by_poll_only),
		T(a_chain_is_put_together),
		T(bad_sizes_cost_one_packet_each),
		T(nonsense_from_the_backend_closes_the_interface),
		T(a_backend_that_cannot_copy_is_refused),
		T(a_bad_address_is_refused),
		T(an_interface_that_goes_may_come_back),
	};

	return cmocka_run_group_tests(tests, start_world, end_world);
}
