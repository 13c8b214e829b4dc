/*
 * The backend's way through its states, against a store in this process. The
 * workers, the tap and the hypervisor's word on domains are stand-ins; all the
 * rest, the store's client included, is what the kernel runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv-core/dom0/backend.h"
#include "hv-core/dom0/device.h"
#include "hv-core/dom0/domstate.h"
#include "hv-core/dom0/log.h"
#include "hv-core/dom0/tap.h"
#include "hv-core/dom0/vbd.h"
#include "hv-core/dom0/vif.h"
#include "hv-core/dom0/worker.h"
#include "tests/unit/guest/fake_store.h"

#define VBD "backend/vbd/1/768"
#define VIF "backend/vif/1/0"
#define FRONT_VBD "/local/domain/1/device/vbd/768"
#define FRONT_VIF "/local/domain/1/device/vif/0"

/* ------------------------------------------------------- stand-ins -------- */

struct worker {
	struct service_spec spec;
	worker_fn *fn;
	void *arg;
	int stops, kills;
};

static struct {
	struct worker *worker; /* the latest; NULL when it has ended */
	unsigned workers;
	int start_fails;
	enum domstate domain;
	int tap_fails;
	char tap_name[32];
	uint8_t tap_mac[6];
} fake;

struct worker *
worker_start(const struct service_spec *spec, worker_fn *fn, void *arg)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (fake.start_fails || w == NULL) {
		free(w);
		errno = EAGAIN;
		return NULL;
	}
	w->spec = *spec;
	w->fn = fn;
	w->arg = arg;
	fake.worker = w;
	fake.workers++;
	return w;
}

int
worker_fd(const struct worker *w)
{
	(void)w;
	return -1;
}

pid_t
worker_pid(const struct worker *w)
{
	(void)w;
	return 4711;
}

void
worker_handle(struct worker *w)
{
	(void)w;
}

void
worker_stop(struct worker *w)
{
	w->stops++;
}

void
worker_kill(struct worker *w)
{
	w->kills++;
}

enum domstate
domstate_get(uint32_t domid)
{
	(void)domid;
	return fake.domain;
}

int
tap_open(const char *name, const uint8_t mac[6], char *why, size_t size)
{
	if (fake.tap_fails) {
		snprintf(why, size, "/dev/net/tun");
		errno = EACCES;
		return -1;
	}
	snprintf(fake.tap_name, sizeof(fake.tap_name), "%s", name);
	memcpy(fake.tap_mac, mac, 6);
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

void
dom0_log(const char *who, const char *fmt, ...)
{
	(void)who;
	(void)fmt;
}

/* ----------------------------------------------------------- world -------- */

struct world {
	struct xenstore_domain_interface *page;
	struct fake_store *store;
	struct device_host host;
	struct backend *be;
	char root[64];
	uint64_t seconds;
	char states[64]; /* those VBD and VIF went through */
};

static const struct device_driver *const drivers[] = { &vbd_driver, &vif_driver,
	NULL };

static void
note_states(struct world *w)
{
	static const char *const nodes[] = { VBD "/state", VIF "/state" };
	size_t len = strlen(w->states);

	for (int i = 0; i < 2; i++) {
		const char *s = fake_get(w->store, nodes[i]);

		if (*s != '\0' && len + 1 < sizeof(w->states) &&
		    (len == 0 || w->states[len - 1] != *s)) {
			w->states[len] = *s;
			w->states[++len] = '\0';
		}
	}
}

static int
store_wait(void *arg, uint64_t deadline)
{
	struct world *w = arg;

	(void)deadline;
	fake_store_step(w->store);
	note_states(w);
	return 0;
}

static void
store_notify(void *arg)
{
	(void)arg;
}

static uint64_t
store_now(void *arg)
{
	(void)arg;
	return 0;
}

static uint64_t
host_now(void *arg)
{
	return ((struct world *)arg)->seconds;
}

static void
host_watch(void *arg, struct worker *worker)
{
	(void)arg;
	(void)worker;
}

/* Lets everything happen that the store's state makes happen. */
static void
settle(struct world *w)
{
	for (int i = 0; i < 50; i++) {
		fake_store_step(w->store);
		assert_true(xenbus_poll(w->host.xb) >= 0);
		backend_reap(w->be);
	}
	note_states(w);
}

static void
set(struct world *w, const char *dir, const char *node, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	fake_set(w->store, path, value);
}

static const char *
get(struct world *w, const char *dir, const char *node)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	return fake_get(w->store, path);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct xenbus_transport t = {
		.notify = store_notify, .wait = store_wait, .now = store_now
	};
	char path[128];
	int err, fd;

	if (w == NULL)
		return -1;
	memset(&fake, 0, sizeof(fake));
	w->page = calloc(1, 4096);
	w->store = calloc(1, sizeof(*w->store));
	fake_store_init(w->store, w->page);
	strcpy(w->root, "/tmp/test-backend-XXXXXX");
	if (mkdtemp(w->root) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/dev", w->root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/image", w->root);
	fd = open(path, O_RDWR | O_CREAT, 0644);
	if (fd < 0 || ftruncate(fd, 100 * 512 + 100) != 0)
		return -1;
	close(fd);
	t.page = w->page;
	t.arg = w;
	w->host = (struct device_host){ .xb = xenbus_open(&t),
		.root = w->root,
		.watch_worker = host_watch,
		.unwatch_worker = host_watch,
		.now = host_now,
		.arg = w };
	w->be = backend_start(&w->host, drivers, &err);
	if (w->be == NULL)
		return -1;
	settle(w);
	*state = w;
	return 0;
}

/* The end of every test: the device goes and nothing is left. */
static int
tear_down(void **state)
{
	struct world *w = *state;
	char cmd[96];

	fake_rm(w->store, VBD);
	fake_rm(w->store, VIF);
	settle(w);
	if (fake.worker != NULL) {
		fake.worker->fn(fake.worker->arg, WORKER_STOPPED, 0, "");
		free(fake.worker);
	}
	settle(w);
	assert_int_equal(backend_count(w->be), 0);
	free(w->be);
	xenbus_close(w->host.xb);
	fake_store_free(w->store);
	free(w->store);
	free(w->page);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", w->root);
	assert_int_equal(system(cmd), 0);
	free(w);
	return 0;
}

static void
worker_says(enum worker_event event, int err, const char *text)
{
	struct worker *w = fake.worker;

	assert_non_null(w);
	if (event != WORKER_READY)
		fake.worker = NULL;
	w->fn(w->arg, event, err, text);
	if (event != WORKER_READY)
		free(w);
}

/* What the toolstack writes, state last, as in one transaction. */
static void
make_vbd(struct world *w, const char *mode)
{
	set(w, FRONT_VBD, "state", "1");
	set(w, VBD, "frontend", FRONT_VBD);
	set(w, VBD, "frontend-id", "1");
	set(w, VBD, "online", "1");
	set(w, VBD, "mode", mode);
	set(w, VBD, "state", "1");
	settle(w);
}

/* What the block script does. */
static void
attach_image(struct world *w)
{
	char image[96], link[96];

	snprintf(image, sizeof(image), "%s/image", w->root);
	snprintf(link, sizeof(link), "%s/dev/vnd0d", w->root);
	assert_int_equal(symlink(image, link), 0);
	set(w, VBD, "physical-device", "3587");
	settle(w);
}

static void
frontend_vbd(struct world *w)
{
	set(w, FRONT_VBD, "ring-ref", "8");
	set(w, FRONT_VBD, "event-channel", "17");
	set(w, FRONT_VBD, "protocol", "x86_64-abi");
	set(w, FRONT_VBD, "state", "3");
	settle(w);
}

static void
make_vif(struct world *w)
{
	set(w, FRONT_VIF, "state", "1");
	set(w, VIF, "frontend", FRONT_VIF);
	set(w, VIF, "frontend-id", "1");
	set(w, VIF, "mac", "aa:00:00:50:02:f0");
	set(w, VIF, "online", "1");
	set(w, VIF, "state", "1");
	settle(w);
}

static void
frontend_vif(struct world *w, const char *state)
{
	set(w, FRONT_VIF, "tx-ring-ref", "8");
	set(w, FRONT_VIF, "rx-ring-ref", "9");
	set(w, FRONT_VIF, "request-rx-copy", "1");
	set(w, FRONT_VIF, "event-channel", "17");
	set(w, FRONT_VIF, "state", state);
	settle(w);
}

static void
connected_vbd(struct world *w)
{
	make_vbd(w, "w");
	attach_image(w);
	frontend_vbd(w);
	worker_says(WORKER_READY, 0, "");
	set(w, FRONT_VBD, "state", "4");
	settle(w);
}

static void
assert_failed(struct world *w, const char *be, const char *errno_and_words)
{
	char path[128];
	const char *text;

	assert_string_equal(get(w, be, "state"), "5");
	snprintf(path, sizeof(path), "error/%s/error", be);
	text = fake_get(w->store, path);
	if (strstr(text, errno_and_words) == NULL)
		fail_msg("'%s' is not in '%s'", errno_and_words, text);
}

/* ----------------------------------------------------------- disks -------- */

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

/* ------------------------------------------------------ interfaces -------- */

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

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

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
