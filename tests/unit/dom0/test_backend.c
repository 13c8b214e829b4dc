/*
 * A disk's way through its states.
 */
#include "fakehost.h"

static void
a_disk_is_announced_when_the_script_has_named_it(void **state)
{
	struct world *w = *state;

	make_vbd(w, "w");
	assert_string_equal(get(w, VBD, "state"), "2");
	assert_string_equal(get(w, VBD, "sectors"), "");
	attach_image(w);
	assert_string_equal(get(w, VBD, "state"), "4");
	assert_string_equal(get(w, VBD, "sectors"), "100");
	assert_string_equal(get(w, VBD, "info"), "0");
	assert_string_equal(get(w, VBD, "sector-size"), "512");
	assert_string_equal(get(w, VBD, "feature-flush-cache"), "1");
	assert_int_equal(fake.workers, 0);
	assert_string_equal(w->states, "124");
}

static void
a_frontend_at_3_gets_a_worker(void **state)
{
	struct world *w = *state;

	make_vbd(w, "w");
	attach_image(w);
	frontend_vbd(w);
	assert_int_equal(fake.workers, 1);
	assert_int_equal(fake.worker->spec.kind, SERVICE_VBD);
	assert_int_equal(fake.worker->spec.domid, 1);
	assert_int_equal(fake.worker->spec.ref[0], 8);
	assert_int_equal(fake.worker->spec.port, 17);
	assert_int_equal(fake.worker->spec.sectors, 100);
	assert_int_equal(fake.worker->spec.readonly, 0);
	assert_int_equal(fake.worker->spec.resume, 0);
	assert_string_equal(get(w, VBD, "worker"), "4711");
	set(w, FRONT_VBD, "state", "4");
	settle(w);
	assert_int_equal(fake.workers, 1);
}

static void
a_frontend_that_is_early_is_not_forgotten(void **state)
{
	struct world *w = *state;

	make_vbd(w, "w");
	frontend_vbd(w);
	assert_int_equal(fake.workers, 0);
	attach_image(w);
	assert_int_equal(fake.workers, 1);
}

static void
mode_r_is_read_only(void **state)
{
	struct world *w = *state;

	make_vbd(w, "r");
	attach_image(w);
	assert_string_equal(get(w, VBD, "info"), "4");
	frontend_vbd(w);
	assert_int_equal(fake.worker->spec.readonly, 1);
}

static void
a_killed_worker_has_a_successor_on_the_same_rings(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	worker_says(WORKER_DIED, 0, "killed by signal 9");
	settle(w);
	assert_int_equal(fake.workers, 2);
	assert_int_equal(fake.worker->spec.resume, 1);
	assert_int_equal(fake.worker->spec.ref[0], 8);
	assert_int_equal(fake.worker->spec.port, 17);
	worker_says(WORKER_READY, 0, "");
	assert_string_equal(get(w, VBD, "state"), "4");
	assert_string_equal(w->states, "124");
}

static void
a_worker_that_dies_of_its_ring_is_given_up_in_the_end(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	for (int i = 0; i < 40 && fake.worker != NULL; i++)
		worker_says(WORKER_DIED, 0, "killed by signal 11");
	settle(w);
	assert_null(fake.worker);
	assert_true(fake.workers < 30);
	assert_failed(w, VBD, "5 its worker keeps dying");
}

static void
a_worker_that_gets_on_may_be_killed_for_ever(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	for (unsigned i = 0; i < 200; i++) {
		fake.worker->spec.journal[0]->done++;
		worker_says(WORKER_DIED, 0, "killed by signal 9");
	}
	assert_int_equal(fake.workers, 201);
	assert_string_equal(get(w, VBD, "state"), "4");
}

static void
a_broken_ring_is_reported_and_closes_the_device(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	worker_says(WORKER_FAILED, EINVAL, "the ring index makes no sense");
	settle(w);
	assert_failed(w, VBD, "22 the ring index makes no sense");
	assert_int_equal(fake.workers, 1);
	/* The frontend sees that and goes. */
	set(w, FRONT_VBD, "state", "6");
	settle(w);
	assert_string_equal(get(w, VBD, "state"), "6");
}

static void
a_closing_frontend_ends_worker_then_device(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	set(w, FRONT_VBD, "state", "5");
	settle(w);
	assert_int_equal(fake.worker->stops, 1);
	assert_string_equal(get(w, VBD, "state"), "4"); /* still draining */
	worker_says(WORKER_STOPPED, 0, "");
	settle(w);
	assert_string_equal(w->states, "12456");
	set(w, FRONT_VBD, "state", "6");
	settle(w);
	assert_string_equal(get(w, VBD, "state"), "6");
}

static void
the_toolstack_s_5_waits_for_the_frontend(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	set(w, VBD, "online", "0");
	set(w, VBD, "state", "5");
	settle(w);
	assert_int_equal(fake.worker->stops, 0);
	assert_string_equal(get(w, VBD, "state"), "5");
	set(w, FRONT_VBD, "state", "5");
	settle(w);
	assert_int_equal(fake.worker->stops, 1);
	worker_says(WORKER_STOPPED, 0, "");
	settle(w);
	assert_string_equal(get(w, VBD, "state"), "6");
}

static void
a_5_that_comes_late_is_answered_too(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	set(w, FRONT_VBD, "state", "6");
	settle(w);
	worker_says(WORKER_STOPPED, 0, "");
	settle(w);
	set(w, VBD, "online", "0");
	set(w, VBD, "state", "5");
	settle(w);
	assert_string_equal(get(w, VBD, "state"), "6");
}

static void
a_worker_killed_while_the_frontend_closes_is_replaced(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	set(w, VBD, "state", "5");
	settle(w);
	worker_says(WORKER_DIED, 0, "killed by signal 9");
	settle(w);
	assert_int_equal(fake.workers, 2);
	set(w, FRONT_VBD, "state", "6");
	settle(w);
	worker_says(WORKER_DIED, 0, "killed by signal 9");
	settle(w);
	assert_int_equal(fake.workers, 2);
	assert_string_equal(get(w, VBD, "state"), "6");
}

static void
a_domain_that_has_shut_down_is_not_waited_for(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	fake.domain = DOMSTATE_SHUT;
	set(w, VBD, "state", "5");
	settle(w);
	assert_int_equal(fake.worker->stops, 1);
	worker_says(WORKER_STOPPED, 0, "");
	settle(w);
	assert_string_equal(get(w, VBD, "state"), "6");
}

static void
a_domain_that_dies_takes_its_devices_along(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	fake.domain = DOMSTATE_SHUT;
	fake_set(w->store, "@releaseDomain", "");
	settle(w);
	assert_int_equal(fake.worker->stops, 0); /* it may be preserved */
	fake.domain = DOMSTATE_GONE;
	fake_set(w->store, "@releaseDomain", "");
	settle(w);
	assert_int_equal(fake.worker->stops, 1);
	worker_says(WORKER_STOPPED, 0, "");
	settle(w);
	assert_string_equal(get(w, VBD, "state"), "6");
}

static void
removed_nodes_end_the_device_and_do_not_come_back(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	fake_rm(w->store, "backend/vbd/1");
	settle(w);
	assert_int_equal(fake.worker->stops, 1);
	worker_says(WORKER_STOPPED, 0, "");
	settle(w);
	assert_int_equal(backend_count(w->be), 0);
	assert_null(fake_find(w->store, VBD "/state"));
	assert_null(fake_find(w->store, VBD "/worker"));
}

static void
a_worker_that_does_not_stop_is_killed(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	set(w, FRONT_VBD, "state", "6");
	settle(w);
	assert_true(backend_tick(w->be) > 0);
	assert_int_equal(fake.worker->kills, 0);
	w->seconds = 11;
	backend_tick(w->be);
	assert_int_equal(fake.worker->kills, 1);
	worker_says(WORKER_STOPPED, 0, "");
	assert_int_equal(backend_tick(w->be), -1);
}

static void
a_device_made_anew_starts_anew(void **state)
{
	struct world *w = *state;

	connected_vbd(w);
	set(w, FRONT_VBD, "state", "6");
	settle(w);
	worker_says(WORKER_STOPPED, 0, "");
	settle(w);
	assert_string_equal(get(w, VBD, "state"), "6");
	fake_rm(w->store, VBD "/physical-device");
	make_vbd(w, "r");
	assert_string_equal(get(w, VBD, "state"), "2");
	set(w, VBD, "physical-device", "3587");
	settle(w);
	assert_string_equal(get(w, VBD, "info"), "4");
}

static void
a_missing_image_is_reported(void **state)
{
	struct world *w = *state;

	make_vbd(w, "w");
	set(w, VBD, "physical-device", "3603");
	settle(w);
	assert_failed(w, VBD, "2 opening ");
	assert_string_equal(get(w, VBD, "sectors"), "");
}

static void
a_physical_device_that_is_another_is_refused(void **state)
{
	struct world *w = *state;
	char path[96];

	snprintf(path, sizeof(path), "%s/image", w->root);
	make_vbd(w, "w");
	set(w, VBD, "params", path);
	set(w, VBD, "physical-device", "2049");
	settle(w);
	assert_failed(w, VBD, "is not block device 2049");
}

static void
nonsense_of_the_frontend_is_reported(void **state)
{
	static const struct {
		const char *node, *value, *error;
	} t[] = {
		{ "ring-ref", "eight", "22 reading" },
		{ "ring-ref", "4294967296", "34 reading" },
		{ "ring-ref", "-1", "22 reading" },
		{ "event-channel", "", "22 reading" },
		{ "protocol", "x86_32-abi", "protocol x86_32-abi" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char link[96];

		make_vbd(w, "w");
		attach_image(w);
		set(w, FRONT_VBD, "ring-ref", "8");
		set(w, FRONT_VBD, "event-channel", "17");
		set(w, FRONT_VBD, "protocol", "x86_64-abi");
		set(w, FRONT_VBD, t[i].node, t[i].value);
		set(w, FRONT_VBD, "state", "3");
		settle(w);
		assert_failed(w, VBD, t[i].error);
		assert_int_equal(fake.workers, 0);
		fake_rm(w->store, VBD);
		fake_rm(w->store, FRONT_VBD);
		settle(w);
		assert_int_equal(backend_count(w->be), 0);
		snprintf(link, sizeof(link), "%s/dev/vnd0d", w->root);
		unlink(link);
	}
}

static void
a_frontend_of_another_domain_is_refused(void **state)
{
	struct world *w = *state;

	set(w, FRONT_VBD, "state", "1");
	set(w, VBD, "frontend", FRONT_VBD);
	set(w, VBD, "frontend-id", "2");
	set(w, VBD, "mode", "w");
	set(w, VBD, "state", "1");
	settle(w);
	assert_failed(w, VBD, "frontend-id is 2 but the path says 1");
}

static void
half_a_device_is_reported_not_attached(void **state)
{
	struct world *w = *state;

	set(w, VBD, "state", "1");
	settle(w);
	assert_string_equal(fake_get(w->store, "error/" VBD "/error"),
	    "2 reading its frontend: No such file or directory");
	assert_string_equal(w->states, "156");
}

static void
devices_that_are_not_new_are_none_of_ours(void **state)
{
	struct world *w = *state;

	set(w, VBD, "frontend", FRONT_VBD);
	set(w, VBD, "frontend-id", "1");
	set(w, VBD, "state", "4");
	set(w, "backend/vbd/1/x", "state", "1");
	set(w, "backend/vbd/99999/768", "state", "1");
	set(w, "backend/vbd/1/4294967296", "state", "1");
	set(w, "backend/vbd/1/0768", "state", "1");
	set(w, "backend/tpm/1/0", "state", "1");
	set(w, "backend", "state", "1");
	settle(w);
	assert_int_equal(backend_count(w->be), 0);
	assert_string_equal(get(w, VBD, "state"), "4");
	set(w, VBD, "state", "1");
	settle(w);
	assert_int_equal(backend_count(w->be), 1);
}

static void
devices_from_before_the_start_are_found(void **state)
{
	struct world *w = *state;
	int err;

	free(w->be);
	xenbus_close(w->host.xb);
	for (int i = 0; i < FAKE_WATCHES; i++)
		w->store->watch[i].path[0] = '\0';
	set(w, FRONT_VBD, "state", "1");
	set(w, VBD, "frontend", FRONT_VBD);
	set(w, VBD, "frontend-id", "1");
	set(w, VBD, "state", "1");
	w->host.xb = xenbus_open(&(struct xenbus_transport){ .page = w->page,
	    .notify = store_notify,
	    .wait = store_wait,
	    .now = store_now,
	    .arg = w });
	w->be = backend_start(&w->host, drivers, &err);
	settle(w);
	assert_string_equal(get(w, VBD, "state"), "2");
}

static void
a_vnd_s_number_names_its_unit(void **state)
{
	(void)state;
	assert_int_equal(vbd_vnd_unit(14 << 8 | 3), 0);
	assert_int_equal(vbd_vnd_unit(14 << 8 | 19), 1);
	assert_int_equal(vbd_vnd_unit(14 << 8 | 243), 15);
	assert_int_equal(vbd_vnd_unit(14 << 8 | 1 << 20 | 3), 16);
	assert_int_equal(vbd_vnd_unit(14 << 8 | 0xfff00000u | 243), 65535);
	assert_int_equal(vbd_vnd_unit(14 << 8), -1);	 /* part a */
	assert_int_equal(vbd_vnd_unit(15 << 8 | 3), -1); /* another driver */
	assert_int_equal(vbd_vnd_unit(1ull << 32 | 14 << 8 | 3), -1);
	assert_int_equal(vbd_vnd_unit(0), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_disk_is_announced_when_the_script_has_named_it),
		T(a_frontend_at_3_gets_a_worker),
		T(a_frontend_that_is_early_is_not_forgotten),
		T(mode_r_is_read_only),
		T(a_killed_worker_has_a_successor_on_the_same_rings),
		T(a_worker_that_dies_of_its_ring_is_given_up_in_the_end),
		T(a_worker_that_gets_on_may_be_killed_for_ever),
		T(a_broken_ring_is_reported_and_closes_the_device),
		T(a_closing_frontend_ends_worker_then_device),
		T(the_toolstack_s_5_waits_for_the_frontend),
		T(a_5_that_comes_late_is_answered_too),
		T(a_worker_killed_while_the_frontend_closes_is_replaced),
		T(a_domain_that_has_shut_down_is_not_waited_for),
		T(a_domain_that_dies_takes_its_devices_along),
		T(removed_nodes_end_the_device_and_do_not_come_back),
		T(a_worker_that_does_not_stop_is_killed),
		T(a_device_made_anew_starts_anew),
		T(a_missing_image_is_reported),
		T(a_physical_device_that_is_another_is_refused),
		T(nonsense_of_the_frontend_is_reported),
		T(a_frontend_of_another_domain_is_refused),
		T(half_a_device_is_reported_not_attached),
		T(devices_that_are_not_new_are_none_of_ours),
		T(devices_from_before_the_start_are_found),
		cmocka_unit_test(a_vnd_s_number_names_its_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
