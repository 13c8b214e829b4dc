/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process in the daemon's sandbox can and cannot do: each attempt is
 * made in a child that has entered it, and answered by its errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/files.h"
#include "xenstored/priv.h"

enum { NO_SANDBOX = 250, WORKED = 0 };

static char dir[] = "/tmp/test_priv.XXXXXX";
static int kept_fd = -1, kept_pair = -1; /* a file's, a socket's; inherited */

/* ATTEMPT's errno, or WORKED, from inside; skips where there is no sandbox. */
static int
inside(int (*attempt)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (!priv_sandbox(NULL))
			_exit(NO_SANDBOX);
		errno = 0;
		_exit(attempt() < 0 ? errno : WORKED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_SANDBOX)
		skip();
	return WEXITSTATUS(status);
}

/* Whether it works outside, so that a refusal says something. */
static void
refused(int (*attempt)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(attempt() < 0 ? errno : WORKED);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), WORKED);
	assert_int_equal(inside(attempt), EPERM);
}

/* --- attempts --- */

static int
try_exec(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static int
try_execveat(void)
{
	static char *const argv[] = { (char *)(uintptr_t) "true", NULL };

	return (int)syscall(
	    SYS_execveat, AT_FDCWD, "/bin/true", argv, argv + 1, 0);
}

static int
try_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int
try_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int
try_socketpair(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static int
try_read_a_file(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int
try_make_a_file(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/made", dir);
	return open(path, O_WRONLY | O_CREAT, 0600);
}

static int
try_openat2(void)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = { O_RDONLY, 0, 0 };

	return (int)syscall(
	    SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how));
}

static int
try_remove(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/victim", dir);
	return unlink(path);
}

static int
try_chmod(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/victim", dir);
	return chmod(path, 0644);
}

static int
try_stat(void)
{
	struct stat st;

	return stat("/etc/passwd", &st);
}

static int
try_chdir(void)
{
	return chdir("/");
}

static int
try_kill_parent(void)
{
	return kill(getppid(), 0);
}

static int
try_ptrace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int
try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		   ? -1
		   : 0;
}

static int
try_code_later(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 0 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int
try_typing(void)
{
	char c = 'x';
	int rc = ioctl(0, TIOCSTI, &c);

	/* without a terminal it fails in another way outside */
	return rc < 0 && errno != EPERM ? 0 : rc;
}

/* of a number whose lower half is the same */
static int
try_typing_in_disguise(void)
{
	char c = 'x';
	int rc = (int)syscall(SYS_ioctl, 0, 0x100000000UL + TIOCSTI, &c);

	return rc < 0 && errno != EPERM ? 0 : rc;
}

static int
try_a_signal_for_the_parent(void)
{
	return fcntl(kept_fd, F_SETOWN, getppid());
}

static int
try_a_signal_by_ioctl(void)
{
	pid_t parent = getppid();

	return ioctl(kept_pair, FIOSETOWN, &parent);
}

static int
try_a_signal_in_disguise(void)
{
	pid_t parent = getppid();

	return (int)syscall(
	    SYS_ioctl, kept_pair, 0x100000000UL + FIOSETOWN, &parent);
}

static int
try_another_signal(void)
{
	return fcntl(kept_fd, F_SETSIG, SIGKILL);
}

static int
try_to_cut(void)
{
	return ftruncate(kept_fd, 1);
}

static int
try_what_descriptors_are(void)
{
	int copy = fcntl(kept_fd, F_DUPFD_CLOEXEC, 20);
	int other = fcntl(kept_fd, F_DUPFD, 20);
	int flags = fcntl(copy, F_GETFL);

	return copy >= 20 && other > copy && flags >= 0 &&
		       fcntl(copy, F_SETFL, flags | O_NONBLOCK) == 0 &&
		       fcntl(copy, F_GETFD) == FD_CLOEXEC
		   ? fcntl(copy, F_SETFD, 0)
		   : -1;
}

static int
try_serving(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int memory = memfd_create("m", MFD_CLOEXEC), bell, set, status;
	static const char none[8192];
	char *p;
	pid_t child;

	if (memory < 0 || write(memory, none, 8192) != 8192)
		return -1;
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	bell = eventfd(1, EFD_CLOEXEC);
	set = epoll_create1(EPOLL_CLOEXEC);
	if (p == MAP_FAILED || bell < 0 || set < 0 ||
	    epoll_ctl(set, EPOLL_CTL_ADD, bell, &ev) != 0 ||
	    epoll_wait(set, &ev, 1, 100) != 1)
		return -1;
	child = fork();
	if (child == 0) {
		p[4096] = 7;
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || p[4096] != 7)
		return -1;
	free(malloc(1 << 22));
	return 0;
}

/* --- tests --- */

static void
no_program_can_be_executed(void **state)
{
	(void)state;
	refused(try_exec);
	refused(try_execveat);
}

static void
no_socket_can_be_made(void **state)
{
	(void)state;
	refused(try_socket);
	refused(try_inet);
	refused(try_socketpair);
}

static void
no_file_can_be_named(void **state)
{
	char path[64];

	(void)state;
	refused(try_read_a_file);
	refused(try_openat2);
	refused(try_make_a_file);
	refused(try_stat);
	refused(try_chdir);
	snprintf(path, sizeof(path), "%s/victim", dir);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	refused(try_chmod);
	assert_int_equal(inside(try_remove), EPERM);
	assert_int_equal(access(path, F_OK), 0); /* it is still there */
}

static void
no_other_process_can_be_touched(void **state)
{
	(void)state;
	refused(try_kill_parent);
	refused(try_ptrace);
}

static void
no_code_can_be_made(void **state)
{
	(void)state;
	refused(try_code);
	refused(try_code_later);
	assert_int_equal(inside(try_typing), EPERM);
}

/* By the kernel, who asks nobody: any process could be ended so. */
static void
no_signal_can_be_sent_by_a_descriptor(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	kept_fd = kept_pair = pair[0];
	refused(try_a_signal_for_the_parent);
	refused(try_another_signal);
	refused(try_a_signal_by_ioctl);
	refused(try_a_signal_in_disguise);
	assert_int_equal(inside(try_typing_in_disguise), EPERM);
	assert_int_equal(fcntl(kept_fd, F_GETOWN), getpid());
	assert_int_equal(inside(try_what_descriptors_are), WORKED);
	close(pair[0]);
	close(pair[1]);
}

/* Whoever has it mapped would end when it reads on. */
static void
no_file_that_is_open_can_be_cut(void **state)
{
	struct stat st;

	(void)state;
	kept_fd = memfd_create("kept", MFD_CLOEXEC);
	assert_true(kept_fd >= 0);
	assert_int_equal(write(kept_fd, "12345678", 8), 8);
	assert_int_equal(inside(try_to_cut), EPERM);
	assert_int_equal(fstat(kept_fd, &st), 0);
	assert_int_equal(st.st_size, 8);
	close(kept_fd);
}

static int
look_at_status(void)
{
	/* of what was opened outside */
	char text[4096];
	ssize_t n = pread(200, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	errno = ESRCH;
	return strstr(text, "Seccomp:\t2") != NULL &&
		       strstr(text, "NoNewPrivs:\t1") != NULL &&
		       strstr(text, "CapEff:\t0000000000000000") != NULL
		   ? 0
		   : -1;
}

static void
the_kernel_says_so_and_there_are_no_capabilities(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		dup2(open("/proc/self/status", O_RDONLY), 200);
		if (!priv_sandbox(NULL))
			_exit(NO_SANDBOX);
		_exit(look_at_status() < 0 ? errno : WORKED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WEXITSTATUS(status) == NO_SANDBOX)
		skip();
	assert_int_equal(WEXITSTATUS(status), WORKED);
}

static void
what_serving_takes_works(void **state)
{
	(void)state;
	assert_int_equal(inside(try_serving), WORKED);
}

/* --- files from outside --- */

static int files_fd;

static int
try_a_file_from_outside(void)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/trace", dir);
	fd = files_open(files_fd, path);
	return fd < 0 || write(fd, "x", 1) != 1 ? -1 : 0;
}

static int
try_a_file_elsewhere(void)
{
	return files_open(files_fd, "/etc/passwd");
}

static int
try_a_file_above(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/../test_priv", dir);
	return files_open(files_fd, path);
}

static int
try_a_link(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/link", dir);
	return files_open(files_fd, path);
}

static int
try_to_remove_another(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/victim", dir);
	return files_remove(files_fd, path);
}

static int
try_to_remove_the_pid_file(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/pid", dir);
	return files_remove(files_fd, path);
}

static void
files_come_from_outside_and_from_their_directory_only(void **state)
{
	struct files_rules rules;
	struct stat st;
	char path[128];

	(void)state;
	memset(&rules, 0, sizeof(rules));
	files_allow(&rules, dir);
	snprintf(path, sizeof(path), "%s/pid", dir);
	files_allow_removal(&rules, path);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	snprintf(path, sizeof(path), "%s/link", dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof(path), "%s/victim", dir);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	files_fd = files_start(&rules);

	assert_int_equal(inside(try_a_file_from_outside), WORKED);
	assert_int_equal(inside(try_a_file_from_outside), WORKED);
	snprintf(path, sizeof(path), "%s/trace", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 2); /* it is appended to */
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(inside(try_a_file_elsewhere), EACCES);
	assert_int_equal(inside(try_a_file_above), EACCES);
	assert_int_equal(inside(try_a_link), EACCES);
	assert_int_equal(inside(try_to_remove_another), EACCES);
	assert_int_equal(inside(try_to_remove_the_pid_file), WORKED);
	snprintf(path, sizeof(path), "%s/pid", dir);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "%s/victim", dir);
	assert_int_equal(access(path, F_OK), 0);
	close(files_fd);
	assert_true(wait(NULL) > 0); /* it ends with its only client */
}

/* Whoever could cut them would stop the supervisor, which has them mapped. */
static void
of_the_daemons_own_files_none_is_opened(void **state)
{
	char trace[128], other[128], named[128], snapshot[128];
	/* nobody gives them back: a daemon has its rules for ever */
	static struct files_rules rules, elsewhere;

	(void)state;
	snprintf(trace, sizeof(trace), "%s/own-trace", dir);
	snprintf(other, sizeof(other), "%s/flight", dir);
	snprintf(named, sizeof(named), "%s/./flight", dir);
	snprintf(snapshot, sizeof(snapshot), "%s/snapshot.1", dir);
	files_allow(&rules, dir);
	files_allow_of(&rules, named);
	files_allow_only(&rules, dir, "snapshot.", trace);
	assert_int_equal(files_open_here(&rules, other), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(files_open_here(&rules, named), -1);
	assert_int_equal(access(other, F_OK), -1);
	assert_true(files_open_here(&rules, trace) >= 0);
	assert_true(files_open_here(&rules, snapshot) >= 0);
	assert_int_equal(unlink(trace), 0);
	assert_int_equal(unlink(snapshot), 0);
	/* a trace file elsewhere gives no name away */
	files_allow(&elsewhere, dir);
	files_allow_only(&elsewhere, dir, "snapshot.", "/tmp/flight");
	assert_int_equal(files_open_here(&elsewhere, other), -1);
}

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	static const char *const name[] = { "made", "victim", "trace", "link",
		"pid" };
	char path[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, name[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_program_can_be_executed),
		cmocka_unit_test(no_socket_can_be_made),
		cmocka_unit_test(no_file_can_be_named),
		cmocka_unit_test(no_other_process_can_be_touched),
		cmocka_unit_test(no_code_can_be_made),
		cmocka_unit_test(no_signal_can_be_sent_by_a_descriptor),
		cmocka_unit_test(no_file_that_is_open_can_be_cut),
		cmocka_unit_test(
		    the_kernel_says_so_and_there_are_no_capabilities),
		cmocka_unit_test(what_serving_takes_works),
		cmocka_unit_test(
		    files_come_from_outside_and_from_their_directory_only),
		cmocka_unit_test(of_the_daemons_own_files_none_is_opened),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
