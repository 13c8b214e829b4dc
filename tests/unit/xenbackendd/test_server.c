/* xenbackendd whole, against a store in memory and real child processes: each
 * script writes "PATH STATE" to a file that the test reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>
#include <event2/event.h>

#include "tests/unit/xenbackendd/fake_xs.h"
#include "tools/xenbackendd/server.h"

#define BE "/local/domain/0/backend"

struct world {
	char dir[64];
	char calls[80];
	struct event_base *base;
	struct server *server;
};

enum { PATIENT_MS = 60000 };

static struct server_config config = {
	.vbd_script = "block",
	.vif_script = "vif-bridge",
	.timeout_ms = PATIENT_MS,
	.parallel = 4,
	.reconnect_ms = 20,
};

static void
script(struct world *w, const char *name, const char *body)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	f = fopen(path, "w");
	fprintf(f, "#!/bin/sh\n%s\n", body);
	fclose(f);
	chmod(path, 0755);
}

/* Tells when it begins and when it is through, some time later, and does WHAT.
 */
#define ATTACHED "begin 2\nend 2\n"
#define DETACHED "begin 6\nend 6\n"
static void
slow_script(struct world *w, const char *what)
{
	char body[512];

	snprintf(body, sizeof(body),
	    "echo begin $2 >>%s; sleep 0.3; echo end $2 >>%s; %s", w->calls,
	    w->calls, what);
	script(w, "block", body);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char record[256];

	if (w == NULL)
		return -1;

	strcpy(w->dir, "/tmp/test-xbd-XXXXXX");
	if (mkdtemp(w->dir) == NULL)
		return -1;
	strcpy(w->calls, w->dir);
	strcat(w->calls, "/calls");
	setenv("XEN_SCRIPT_DIR", w->dir, 1);
	snprintf(record, sizeof(record), "echo \"$1 $2\" >>%s", w->calls);
	script(w, "block", record);
	script(w, "vif-bridge", record);
	memset(&fake, 0, sizeof(fake));
	fake.up = 1;
	w->base = event_base_new();
	config.timeout_ms = PATIENT_MS;
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;
	char cmd[128];

	server_free(w->server);
	event_base_free(w->base);
	assert_null(fake.handle);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", w->dir);
	assert_int_equal(system(cmd), 0);
	free(w);
	return 0;
}

static void
start(struct world *w)
{
	w->server = server_new(w->base, &config);
	assert_non_null(w->server);
}

/* Lets the daemon run for MS. */
static void
run(struct world *w, int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	event_base_loopexit(w->base, &tv);
	event_base_dispatch(w->base);
}

/* Until the scripts have been called N times, or a minute has passed. The calls
 * as one string, "" if there were none. */
static const char *
calls(struct world *w, int n)
{
	static char text[4096];
	struct timespec before, now;

	clock_gettime(CLOCK_MONOTONIC, &before);
	for (;;) {
		FILE *f = fopen(w->calls, "r");
		int lines = 0;
		size_t len = 0;

		run(w, 30);
		if (f != NULL) {
			len = fread(text, 1, sizeof(text) - 1, f);
			fclose(f);
		}
		text[len] = '\0';
		for (const char *p = text; *p != '\0'; p++)
			lines += *p == '\n';
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (lines >= n || now.tv_sec - before.tv_sec > 60)
			break;
	}
	run(w, 60); /* for those too many */
	return text;
}

/* Until PATH has VALUE, or a minute has passed. */
static void
expect(struct world *w, const char *path, const char *value)
{
	for (int i = 0; i < 6000 && strcmp(fake_get(path), value) != 0; i++)
		run(w, 10);
	assert_string_equal(fake_get(path), value);
}

static void
device(const char *key, const char *state, const char *script_name)
{
	char path[256];

	snprintf(path, sizeof(path), BE "/%s/frontend", key);
	fake_set(path, "/local/domain/1/device/x");
	snprintf(path, sizeof(path), BE "/%s/script", key);
	if (script_name != NULL)
		fake_set(path, script_name);
	snprintf(path, sizeof(path), BE "/%s/hotplug-status", key);
	fake_set(path, "");
	snprintf(path, sizeof(path), BE "/%s/state", key);
	fake_set(path, state);
}

static void
a_waiting_device_gets_its_script_once(void **state)
{
	struct world *w = *state;

	start(w);
	device("vbd/1/768", "1", NULL);
	run(w, 60);
	assert_string_equal(calls(w, 0), "");
	fake_set(BE "/vbd/1/768/state", "2");
	assert_string_equal(calls(w, 1), BE "/vbd/1/768 2\n");
	expect(w, BE "/vbd/1/768/hotplug-status", "connected");
	fake_set(BE "/vbd/1/768/state", "4");
	fake_set(BE "/vbd/1/768/state", "2");
	assert_string_equal(calls(w, 1), BE "/vbd/1/768 2\n");
}

static void
a_closed_device_is_detached_once(void **state)
{
	struct world *w = *state;

	start(w);
	device("vif/1/0", "2", "vif-bridge");
	calls(w, 1);
	fake_set(BE "/vif/1/0/state", "6");
	assert_string_equal(calls(w, 2), BE "/vif/1/0 2\n" BE "/vif/1/0 6\n");
	expect(w, BE "/vif/1/0/hotplug-status", "-");
	fake_set(BE "/vif/1/0/state", "6");
	fake_rm(BE "/vif/1/0");
	assert_string_equal(calls(w, 2), BE "/vif/1/0 2\n" BE "/vif/1/0 6\n");
}

static void
a_removed_device_is_detached_though_its_nodes_are_gone(void **state)
{
	struct world *w = *state;

	start(w);
	device("vbd/1/768", "2", "block");
	calls(w, 1);
	fake_rm(BE "/vbd/1");
	assert_string_equal(
	    calls(w, 2), BE "/vbd/1/768 2\n" BE "/vbd/1/768 6\n");
	expect(w, BE "/vbd/1/768/hotplug-status", "-");
}

static void
devices_from_before_the_start_are_swept_up(void **state)
{
	struct world *w = *state;
	const char *said;

	device("vbd/1/768", "2", NULL);
	device("vbd/2/768", "2", NULL);
	fake_set(BE "/vbd/2/768/hotplug-status", "connected");
	device("vif/3/0", "6", NULL);
	fake_set(BE "/vif/3/0/hotplug-status", "connected");
	start(w);
	said = calls(w, 2);
	assert_non_null(strstr(said, BE "/vbd/1/768 2\n"));
	assert_non_null(strstr(said, BE "/vif/3/0 6\n"));
	assert_null(strstr(said, BE "/vbd/2/768"));
}

static void
a_failing_script_is_reported_in_the_store(void **state)
{
	struct world *w = *state;
	char want[160];

	script(w, "block", "exit 3");
	start(w);
	device("vbd/1/768", "2", NULL);
	expect(w, BE "/vbd/1/768/hotplug-status", "error");
	snprintf(want, sizeof(want), "%s/block exited with status 3", w->dir);
	assert_string_equal(fake_get(BE "/vbd/1/768/hotplug-error"), want);
}

static void
a_missing_script_is_reported_in_the_store(void **state)
{
	struct world *w = *state;

	start(w);
	device("vbd/1/768", "2", "/nowhere/block");
	expect(w, BE "/vbd/1/768/hotplug-status", "error");
	assert_string_equal(fake_get(BE "/vbd/1/768/hotplug-error"),
	    "cannot run /nowhere/block: No such file or directory");
}

static void
a_hung_script_is_killed_with_its_children(void **state)
{
	struct world *w = *state;
	char body[256];

	snprintf(
	    body, sizeof(body), "sleep 1.5 && echo late >>%s & wait", w->calls);
	script(w, "block", body);
	config.timeout_ms = 500;
	start(w);
	device("vbd/1/768", "2", NULL);
	expect(w, BE "/vbd/1/768/hotplug-status", "error");
	assert_non_null(
	    strstr(fake_get(BE "/vbd/1/768/hotplug-error"), "was killed"));
	run(w, 1200);
	assert_string_equal(calls(w, 0), "");
}

static void
a_failure_does_not_bring_a_removed_device_back(void **state)
{
	struct world *w = *state;

	slow_script(w, "exit 1");
	start(w);
	device("vbd/1/768", "2", NULL);
	calls(w, 1);
	fake_rm(BE "/vbd/1/768");
	assert_string_equal(calls(w, 4), ATTACHED DETACHED);
	run(w, 200);
	assert_int_equal(fake.count, 0);
}

static void
what_a_script_writes_of_a_removed_device_does_not_stay(void **state)
{
	struct world *w = *state;

	slow_script(w, "");
	start(w);
	device("vbd/1/768", "2", NULL);
	device("vbd/2/768", "1", NULL);
	calls(w, 1);
	fake_rm(BE "/vbd/1");
	fake_set(BE "/vbd/1/768/physical-device", "3587");
	assert_string_equal(calls(w, 4), ATTACHED DETACHED);
	expect(w, BE "/vbd/1/768/physical-device", "-");
	assert_false(fake_has(BE "/vbd/1"));
	assert_string_equal(fake_get(BE "/vbd/2/768/state"), "1");
}

static void
a_device_made_anew_while_the_old_one_is_detached_stays(void **state)
{
	struct world *w = *state;

	slow_script(w, "");
	start(w);
	device("vbd/1/768", "2", NULL);
	calls(w, 1);
	fake_rm(BE "/vbd/1");
	calls(w, 3);
	device("vbd/1/768", "1", NULL);
	assert_string_equal(calls(w, 4), ATTACHED DETACHED);
	run(w, 200);
	assert_string_equal(fake_get(BE "/vbd/1/768/state"), "1");
	assert_true(fake_has(BE "/vbd/1/768/frontend"));
}

static void
one_hung_device_does_not_hold_up_the_others(void **state)
{
	struct world *w = *state;

	script(w, "hang", "sleep 1000");
	start(w);
	device("vbd/1/768", "2", "hang");
	device("vbd/2/768", "2", NULL);
	assert_string_equal(calls(w, 1), BE "/vbd/2/768 2\n");
}

static void
more_devices_than_may_run_at_once_all_get_their_turn(void **state)
{
	struct world *w = *state;
	char key[96];

	start(w);
	for (int i = 1; i <= 20; i++) {
		snprintf(key, sizeof(key), "vif/%d/0", i);
		device(key, "2", NULL);
	}
	calls(w, 20);
	for (int i = 1; i <= 20; i++) {
		snprintf(key, sizeof(key), BE "/vif/%d/0/hotplug-status", i);
		expect(w, key, "connected");
	}
}

static void
a_device_that_closes_while_its_script_runs_is_detached_after_it(void **state)
{
	struct world *w = *state;

	slow_script(w, "");
	start(w);
	device("vbd/1/768", "2", NULL);
	calls(w, 1);
	fake_set(BE "/vbd/1/768/state", "6");
	assert_string_equal(calls(w, 4), ATTACHED DETACHED);
}

static void
other_types_need_a_script_of_their_own(void **state)
{
	struct world *w = *state;

	start(w);
	device("console/1/0", "2", NULL);
	device("9pfs/1/0", "2", "block");
	assert_string_equal(calls(w, 1), BE "/9pfs/1/0 2\n");
}

static void
it_keeps_out_when_the_toolstack_runs_the_scripts(void **state)
{
	struct world *w = *state;

	fake_set("/local/domain/0/libxl/disable_udev", "1");
	start(w);
	device("vbd/1/768", "2", NULL);
	run(w, 200);
	assert_string_equal(calls(w, 0), "");
}

static void
it_comes_back_after_the_store_and_misses_nothing(void **state)
{
	struct world *w = *state;

	start(w);
	device("vbd/1/768", "2", NULL);
	calls(w, 1);
	fake_down();
	for (int i = 0; i < 6000 && fake.handle != NULL; i++)
		run(w, 10);
	assert_null(fake.handle);
	device("vbd/2/768", "2", NULL);
	fake_rm(BE "/vbd/1");
	fake.up = 1;
	assert_non_null(strstr(calls(w, 3), BE "/vbd/2/768 2\n"));
	assert_non_null(strstr(calls(w, 3), BE "/vbd/1/768 6\n"));
}

static void
without_a_store_it_does_not_start(void **state)
{
	struct world *w = *state;

	fake.up = 0;
	assert_null(server_new(w->base, &config));
	assert_int_equal(errno, ECONNREFUSED);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_waiting_device_gets_its_script_once),
		T(a_closed_device_is_detached_once),
		T(a_removed_device_is_detached_though_its_nodes_are_gone),
		T(devices_from_before_the_start_are_swept_up),
		T(a_failing_script_is_reported_in_the_store),
		T(a_missing_script_is_reported_in_the_store),
		T(a_hung_script_is_killed_with_its_children),
		T(a_failure_does_not_bring_a_removed_device_back),
		T(what_a_script_writes_of_a_removed_device_does_not_stay),
		T(a_device_made_anew_while_the_old_one_is_detached_stays),
		T(one_hung_device_does_not_hold_up_the_others),
		T(more_devices_than_may_run_at_once_all_get_their_turn),
		T(a_device_that_closes_while_its_script_runs_is_detached_after_it),
		T(other_types_need_a_script_of_their_own),
		T(it_keeps_out_when_the_toolstack_runs_the_scripts),
		T(it_comes_back_after_the_store_and_misses_nothing),
		T(without_a_store_it_does_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
