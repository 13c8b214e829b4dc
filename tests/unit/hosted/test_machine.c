/*
 * The machine as a whole: its end and what goes with it, a second hvd, domain
 * 0's kernel, the log.
 */
#include "fixture.h"

static void
the_machine_takes_its_guests_along(void **state)
{
	struct machine m;
	struct guest g;
	pid_t pid;

	(void)state;
	machine_start(&m, false);
	guest_boot(&m, &g, GUEST_ECHO);
	pid = guest_pid(&m);
	assert_true(pid > 0);
	hv_window_put(g.ram);
	assert_int_equal(machine_stop(&m), 0);
	await(kill(pid, 0) == -1);
}

/* Lines of the file at PATH that have TEXT in them. */
static int
count_lines(const char *path, const char *text)
{
	char line[256];
	FILE *f = fopen(path, "r");
	int n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, text) != NULL;
	if (f != NULL)
		fclose(f);
	return n;
}

static void
the_log_may_be_any_descriptor(void **state)
{
	char path[64];
	struct machine m;
	struct guest g;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/hosted-log-%d", (int)getpid());
	fixture_log = path;
	machine_start(&m, false);
	fixture_log = NULL;
	guest_boot(&m, &g, GUEST_ECHO);
	await(count_lines(path, "d1: running as process ") == 1);
	guest_end(&m, &g);
	assert_int_equal(machine_stop(&m), 0);
	assert_int_equal(count_lines(path, "hvd: down"), 1);
	unlink(path);
}

static void
a_killed_hvd_takes_its_guests_along(void **state)
{
	static unsigned heard[HV_PORTS];
	struct machine m;
	struct guest g;
	pid_t pid;

	(void)state;
	machine_start(&m, false);
	guest_boot(&m, &g, GUEST_ECHO);
	pid = guest_pid(&m);
	assert_true(pid > 0);
	kill(m.pid, SIGKILL);
	await(kill(pid, 0) == -1);
	assert_int_equal(hv_client_harvest(m.ev, count_port, heard), -ENOTCONN);
	assert_int_equal(
	    domctl_plain(&m, XEN_DOMCTL_pausedomain, 1), -ENOTCONN);
	hv_window_put(g.ram);
	hv_client_close(m.ev);
	hv_client_close(m.call);
	waitpid(m.pid, NULL, 0);
	/* the next one clears up behind it */
	machine_start(&m, false);
	assert_int_equal(machine_stop(&m), 0);
	assert_int_equal(access(m.root, F_OK), -1);
}

static void
a_second_hvd_does_not_disturb_the_first(void **state)
{
	struct machine *m = *state, second = *m;
	int status;

	machine_fork(&second, false, -1);
	assert_int_equal(waitpid(second.pid, &status, 0), second.pid);
	assert_int_equal(status, 1 << 8);
	assert_int_equal(
	    hv_client_send(m->ev, 77), -EINVAL); /* it still answers */
	close(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	hv_client_close(m->call);
	assert_int_equal(hv_client_open(HV_CHAN_CALL, &m->call), 0);
}

static void
the_machine_ends_with_domain_0s_kernel(void **state)
{
	static const struct {
		const char *kernel;
		int status;
	} kernels[] = { { "/bin/true", 0 }, { "/bin/false", 1 },
		{ "/etc/passwd", 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(kernels) / sizeof(*kernels); i++) {
		struct machine m;
		int status, fd = open(kernels[i].kernel, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		snprintf(m.root, sizeof(m.root), "/tmp/hosted-test-%d",
		    (int)getpid());
		machine_fork(&m, false, fd);
		close(fd);
		assert_int_equal(waitpid(m.pid, &status, 0), m.pid);
		assert_int_equal(status, kernels[i].status << 8);
		assert_int_equal(access(m.root, F_OK), -1);
	}
}

#define ONE(t) cmocka_unit_test_setup_teardown(t, start_direct, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_machine_takes_its_guests_along),
		cmocka_unit_test(the_log_may_be_any_descriptor),
		cmocka_unit_test(a_killed_hvd_takes_its_guests_along),
		ONE(a_second_hvd_does_not_disturb_the_first),
		cmocka_unit_test(the_machine_ends_with_domain_0s_kernel),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
