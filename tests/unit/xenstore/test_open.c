/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a connection goes to, and what needs none. */
#include "fake_server.h"

#include <fcntl.h>
#include <sys/stat.h>

static void
the_socket_is_in_the_run_directory(void **state)
{
	(void)state;
	unsetenv("XENSTORED_PATH");
	setenv("XENSTORED_RUNDIR", "/some/where", 1);
	assert_string_equal(xs_daemon_rundir(), "/some/where");
	assert_string_equal(xs_daemon_socket(), "/some/where/socket");
	assert_string_equal(xs_daemon_socket_ro(), "/some/where/socket");
	setenv("XENSTORED_PATH", "/else/where", 1);
	assert_string_equal(xs_daemon_socket(), "/else/where");
	unsetenv("XENSTORED_PATH");
	unsetenv("XENSTORED_RUNDIR");
	assert_string_equal(xs_daemon_socket(), "/run/xenstored/socket");
}

static void
a_path_too_long_is_no_socket(void **state)
{
	char dir[600];

	(void)state;
	memset(dir, 'd', sizeof(dir));
	dir[0] = '/';
	dir[sizeof(dir) - 1] = '\0';
	setenv("XENSTORED_RUNDIR", dir, 1);
	assert_null(xs_daemon_socket());
	assert_int_equal(errno, ENAMETOOLONG);
	assert_null(xs_open(0));
	assert_int_equal(errno, ENAMETOOLONG);
	dir[200] = '\0'; /* a path, but none that a socket can have */
	setenv("XENSTORED_RUNDIR", dir, 1);
	assert_null(xs_open(0));
	unsetenv("XENSTORED_RUNDIR");
}

static void
nothing_there_is_enoent(void **state)
{
	(void)state;
	setenv("XENSTORED_RUNDIR", "/nonexistent", 1);
	unsetenv("XENSTORED_PATH");
	assert_null(xs_open(0));
	assert_int_equal(errno, ENOENT);
	assert_null(xs_daemon_open());
	assert_null(xs_domain_open());
	assert_null(xs_daemon_open_readonly());
	assert_int_equal(xs_suspend_evtchn_port(1), -1);
}

static void
a_socket_without_a_daemon_is_econnrefused(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/kernbus-test-XXXXXX";
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/socket", dir);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd);
	setenv("XENSTORED_RUNDIR", dir, 1);
	assert_null(xs_open(0));
	assert_int_equal(errno, ECONNREFUSED);
	unlink(sa.sun_path);
	rmdir(dir);
}

static void
xenstored_path_may_name_a_socket(void **state)
{
	struct fake f;
	struct xs_handle *h;

	(void)state;
	fake_start(&f, fake_answer);
	setenv("XENSTORED_RUNDIR", "/nonexistent", 1);
	setenv("XENSTORED_PATH", f.path, 1);
	h = fake_open(0);
	assert_true(xs_mkdir(h, 0, "/x"));
	xs_close(h);
	fake_stop(&f);
	unsetenv("XENSTORED_PATH");
}

static void
a_device_is_spoken_to_by_write_and_read(void **state)
{
	char dir[] = "/tmp/kernbus-test-XXXXXX";
	char path[64];
	struct xs_handle *h;

	(void)state;
	/* A FIFO gives back what is written: each request is its own reply. */
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	setenv("XENSTORED_PATH", path, 1);
	h = fake_open(0);
	assert_true(xs_mkdir(h, 0, "/x"));
	assert_true(xs_write(h, 0, "/x", "value", 5));
	assert_true(xs_watch(h, "/x", "t"));
	assert_true(xs_mkdir(h, 0, "/x"));
	xs_close(h); /* ends the thread that waits at the FIFO */
	unlink(path);
	rmdir(dir);
	unsetenv("XENSTORED_PATH");
}

static void
subpaths_are_found_by_component(void **state)
{
	(void)state;
	assert_true(xs_path_is_subpath("/a", "/a"));
	assert_true(xs_path_is_subpath("/a", "/a/b"));
	assert_false(xs_path_is_subpath("/a", "/ab"));
	assert_false(xs_path_is_subpath("/a/b", "/a"));
	assert_true(xs_path_is_subpath("/", "/a"));
	assert_true(xs_path_is_subpath("@x", "@x"));
}

static void
permission_strings_are_parsed_or_refused(void **state)
{
	struct xs_permissions perms[2];

	(void)state;
	assert_true(xs_strings_to_perms(perms, 2, "n0\0b7"));
	assert_int_equal(perms[0].id, 0);
	assert_int_equal(perms[0].perms, XS_PERM_NONE);
	assert_int_equal(perms[1].id, 7);
	assert_int_equal(perms[1].perms, XS_PERM_READ | XS_PERM_WRITE);
	assert_false(xs_strings_to_perms(perms, 1, "q0"));
	assert_int_equal(errno, EINVAL);
	assert_false(xs_strings_to_perms(perms, 1, "r"));
	assert_false(xs_strings_to_perms(perms, 1, "r0x5"));
	assert_false(xs_strings_to_perms(perms, 1, "r-1"));
	assert_false(xs_strings_to_perms(perms, 1, ""));
}

static void
write_all_writes_all_or_fails(void **state)
{
	char got[4];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_true(xs_write_all(fds[1], "data", 4));
	assert_true(xs_write_all(fds[1], "", 0));
	assert_int_equal(read(fds[0], got, 4), 4);
	assert_memory_equal(got, "data", 4);
	close(fds[1]);
	assert_false(xs_write_all(fds[1], "data", 4));
	assert_int_equal(errno, EBADF);
	close(fds[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_socket_is_in_the_run_directory),
		cmocka_unit_test(a_path_too_long_is_no_socket),
		cmocka_unit_test(nothing_there_is_enoent),
		cmocka_unit_test(a_socket_without_a_daemon_is_econnrefused),
		cmocka_unit_test(xenstored_path_may_name_a_socket),
		cmocka_unit_test(a_device_is_spoken_to_by_write_and_read),
		cmocka_unit_test(subpaths_are_found_by_component),
		cmocka_unit_test(permission_strings_are_parsed_or_refused),
		cmocka_unit_test(write_all_writes_all_or_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
