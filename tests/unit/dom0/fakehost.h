/*
 * The backend with stand-ins for workers, the tap and the hypervisor's word on
 * domains; the store is in this process. All the rest, the store's client
 * included, is what the kernel runs.
 */
#ifndef TESTS_UNIT_DOM0_FAKEHOST_H
#define TESTS_UNIT_DOM0_FAKEHOST_H

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

static inline void
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

static inline int
store_wait(void *arg, uint64_t deadline)
{
	struct world *w = arg;

	(void)deadline;
	fake_store_step(w->store);
	note_states(w);
	return 0;
}

static inline void
store_notify(void *arg)
{
	(void)arg;
}

static inline uint64_t
store_now(void *arg)
{
	(void)arg;
	return 0;
}

static inline uint64_t
host_now(void *arg)
{
	return ((struct world *)arg)->seconds;
}

static inline void
host_watch(void *arg, struct worker *worker)
{
	(void)arg;
	(void)worker;
}

/* Lets everything happen that the store's state makes happen. */
static inline void
settle(struct world *w)
{
	for (int i = 0; i < 50; i++) {
		fake_store_step(w->store);
		assert_true(xenbus_poll(w->host.xb) >= 0);
		backend_reap(w->be);
	}
	note_states(w);
}

static inline void
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

static inline int
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
static inline int
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

static inline void
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
static inline void
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
static inline void
attach_image(struct world *w)
{
	char image[96], link[96];

	snprintf(image, sizeof(image), "%s/image", w->root);
	snprintf(link, sizeof(link), "%s/dev/vnd0d", w->root);
	assert_int_equal(symlink(image, link), 0);
	set(w, VBD, "physical-device", "3587");
	settle(w);
}

static inline void
frontend_vbd(struct world *w)
{
	set(w, FRONT_VBD, "ring-ref", "8");
	set(w, FRONT_VBD, "event-channel", "17");
	set(w, FRONT_VBD, "protocol", "x86_64-abi");
	set(w, FRONT_VBD, "state", "3");
	settle(w);
}

static inline void
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

static inline void
frontend_vif(struct world *w, const char *state)
{
	set(w, FRONT_VIF, "tx-ring-ref", "8");
	set(w, FRONT_VIF, "rx-ring-ref", "9");
	set(w, FRONT_VIF, "request-rx-copy", "1");
	set(w, FRONT_VIF, "event-channel", "17");
	set(w, FRONT_VIF, "state", state);
	settle(w);
}

static inline void
connected_vbd(struct world *w)
{
	make_vbd(w, "w");
	attach_image(w);
	frontend_vbd(w);
	worker_says(WORKER_READY, 0, "");
	set(w, FRONT_VBD, "state", "4");
	settle(w);
}

static inline void
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

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
