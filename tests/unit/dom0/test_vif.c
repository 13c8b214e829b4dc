/*
 * An interface's way through its states, and its addresses.
 */
#include "fakehost.h"

static void
an_interface_exists_before_its_frontend(void **state)
{
	static const uint8_t mac[6] = { 0xaa, 0, 0, 0x51, 0x02, 0xf0 };
	struct world *w = *state;

	make_vif(w);
	assert_string_equal(get(w, VIF, "state"), "2");
	assert_string_equal(get(w, VIF, "vifname"), "xvif1i0");
	assert_string_equal(get(w, VIF, "feature-rx-copy"), "1");
	assert_string_equal(get(w, VIF, "feature-sg"), "1");
	assert_string_equal(fake.tap_name, "xvif1i0");
	assert_memory_equal(fake.tap_mac, mac, 6);
}

static void
an_interface_is_connected_when_its_worker_is_ready(void **state)
{
	struct world *w = *state;

	make_vif(w);
	frontend_vif(w, "4");
	assert_int_equal(fake.workers, 1);
	assert_int_equal(fake.worker->spec.kind, SERVICE_VIF);
	assert_int_equal(fake.worker->spec.ref[0], 8);
	assert_int_equal(fake.worker->spec.ref[1], 9);
	assert_string_equal(get(w, VIF, "state"), "2");
	worker_says(WORKER_READY, 0, "");
	settle(w);
	assert_string_equal(get(w, VIF, "state"), "4");
	set(w, FRONT_VIF, "state", "6");
	settle(w);
	worker_says(WORKER_STOPPED, 0, "");
	settle(w);
	assert_string_equal(w->states, "12456");
}

static void
a_frontend_that_says_3_before_its_nodes_is_awaited(void **state)
{
	struct world *w = *state;

	make_vif(w);
	set(w, FRONT_VIF, "state", "3");
	settle(w);
	assert_string_equal(get(w, VIF, "state"), "2");
	frontend_vif(w, "4");
	assert_int_equal(fake.workers, 1);
}

static void
a_frontend_without_rx_copy_is_refused(void **state)
{
	struct world *w = *state;

	make_vif(w);
	set(w, FRONT_VIF, "tx-ring-ref", "8");
	set(w, FRONT_VIF, "rx-ring-ref", "9");
	set(w, FRONT_VIF, "event-channel", "17");
	set(w, FRONT_VIF, "request-rx-copy", "0");
	set(w, FRONT_VIF, "state", "4");
	settle(w);
	assert_failed(w, VIF, "does not ask for rx-copy");
}

static void
a_tap_that_cannot_be_made_is_reported(void **state)
{
	struct world *w = *state;

	fake.tap_fails = 1;
	make_vif(w);
	assert_failed(w, VIF, "13 /dev/net/tun");
	assert_string_equal(get(w, VIF, "vifname"), "");
}

static void
a_bad_mac_is_reported(void **state)
{
	struct world *w = *state;

	set(w, FRONT_VIF, "state", "1");
	set(w, VIF, "frontend", FRONT_VIF);
	set(w, VIF, "frontend-id", "1");
	set(w, VIF, "mac", "aa:00:00:50:02");
	set(w, VIF, "state", "1");
	settle(w);
	assert_failed(w, VIF, "22 mac 'aa:00:00:50:02'");
}

static void
addresses_are_read_strictly(void **state)
{
	static const char *const bad[] = { "", "aa", "aa:00:00:50:02",
		"aa:00:00:50:02:f0:", "aa:00:00:50:02:f0:11",
		"aa-00-00-50-02-f0", "aa:0:00:50:02:f0", "ag:00:00:50:02:f0",
		" aa:00:00:50:02:f0", "aa:00:00:50:02:f0 " };
	uint8_t mac[6] = { 1, 2, 3, 4, 5, 6 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vif_parse_mac(bad[i], mac), -1);
	assert_memory_equal(mac, "\1\2\3\4\5\6", 6);
	assert_int_equal(vif_parse_mac("00:16:3E:aB:cd:FF", mac), 0);
	assert_memory_equal(mac, "\x00\x16\x3e\xab\xcd\xff", 6);
}

static void
dom0_s_address_has_one_more_in_the_fourth_byte(void **state)
{
	static const uint8_t t[][2] = { { 0x50, 0x51 }, { 0x51, 0x52 },
		{ 0x0f, 0x10 }, { 0xfe, 0xff }, { 0xff, 0x00 } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint8_t guest[6] = { 0xaa, 1, 2, t[i][0], 4, 5 };
		uint8_t want[6] = { 0xaa, 1, 2, t[i][1], 4, 5 };
		uint8_t mac[6];

		vif_dom0_mac(guest, mac);
		assert_memory_equal(mac, want, 6);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_interface_exists_before_its_frontend),
		T(an_interface_is_connected_when_its_worker_is_ready),
		T(a_frontend_that_says_3_before_its_nodes_is_awaited),
		T(a_frontend_without_rx_copy_is_refused),
		T(a_tap_that_cannot_be_made_is_reported),
		T(a_bad_mac_is_reported),
		cmocka_unit_test(addresses_are_read_strictly),
		cmocka_unit_test(
		    dom0_s_address_has_one_more_in_the_fourth_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
