/* SPDX-License-Identifier: BSD-2-Clause */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/common/proc.h"

#define SH(text)                                                               \
	{                                                                      \
		.argv = (const char *const[]){ "sh", "-c", text, NULL },       \
		.in = PROC_NULL, .out = PROC_NULL, .err = PROC_NULL            \
	}

/* Runs SPEC to its end; its status. */
static int
run(const struct proc_spec *spec)
{
	pid_t pid;
	int status;

	assert_int_equal(proc_start(spec, &pid), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
the_exit_status_comes_back(void **state)
{
	const struct proc_spec spec = SH("exit 7");
	int status;

	(void)state;
	status = run(&spec);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void
a_program_that_is_not_there_is_enoent(void **state)
{
	const struct proc_spec spec = {
		.argv = (const char *const[]){ "/nonexistent", NULL },
		.in = PROC_NULL,
		.out = PROC_NULL,
		.err = PROC_NULL
	};
	pid_t pid = -5;

	(void)state;
	assert_int_equal(proc_start(&spec, &pid), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(pid, -5);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
a_child_writes_where_it_shall_and_leads_its_group(void **state)
{
	struct proc_spec spec =
	    SH("echo $$; cut -d' ' -f5 /proc/$$/stat; echo no >&2");
	char text[64] = "";
	int fds[2];
	long pid = 0, group = 0;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	spec.out = fds[1];
	assert_int_equal(run(&spec), 0);
	close(fds[1]);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	close(fds[0]);
	assert_int_equal(sscanf(text, "%ld %ld", &pid, &group), 2);
	assert_int_equal(pid, group);
	assert_null(strstr(text, "no"));
}

static void
signals_of_a_child_are_as_by_default(void **state)
{
	const struct proc_spec spec = SH("kill -PIPE $$; exit 0");
	sigset_t set, old;
	int status;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, &old);
	status = run(&spec);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGPIPE);
}

/* Runs FN in a child that daemonizes; returns how its parent part ended. */
static int
daemonize(void (*fn)(int fd))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = proc_daemonize();

		fn(fd);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
get_ready(int fd)
{
	if (fd < 0 || getpgrp() != getpid())
		_exit(3);
	usleep(20000);
	proc_ready(fd);
}

static void
fail_early(int fd)
{
	(void)fd;
	_exit(5);
}

static void
end_early(int fd)
{
	(void)fd;
	_exit(0);
}

static void
die_early(int fd)
{
	(void)fd;
	kill(getpid(), SIGKILL);
}

static void
a_daemons_parent_tells_whether_it_is_ready(void **state)
{
	(void)state;
	assert_int_equal(daemonize(get_ready), 0);
	assert_int_equal(daemonize(fail_early), 5);
	assert_int_equal(daemonize(end_early), 1);
	assert_int_equal(daemonize(die_early), 1);
}

static void
readiness_is_told_to_a_descriptor_and_to_the_manager(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char text[16] = "";
	int fds[2], fd;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/kernbus-test-%d",
	    (int)getpid());
	unlink(sa.sun_path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	setenv("NOTIFY_SOCKET", sa.sun_path, 1);
	proc_ready(fds[1]);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(read(fds[0], text, sizeof(text)), 1);
	assert_int_equal(text[0], '\n');
	assert_int_equal(read(fds[0], text, sizeof(text)), 0);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 7);
	assert_memory_equal(text, "READY=1", 7);
	close(fd);
	close(fds[0]);
	unlink(sa.sun_path);
	proc_ready(-1); /* nobody waits: nothing happens */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exit_status_comes_back),
		cmocka_unit_test(a_program_that_is_not_there_is_enoent),
		cmocka_unit_test(
		    a_child_writes_where_it_shall_and_leads_its_group),
		cmocka_unit_test(signals_of_a_child_are_as_by_default),
		cmocka_unit_test(a_daemons_parent_tells_whether_it_is_ready),
		cmocka_unit_test(
		    readiness_is_told_to_a_descriptor_and_to_the_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
