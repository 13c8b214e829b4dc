/*
 * The guests' sandbox: a probe inside of it tries everything it must not do.
 */
#include "probe_util.h"

struct guest {
	int sock;
	int pidfd;
	pid_t pid;
};

static int
start(void **state)
{
	struct guest *g = calloc(1, sizeof(*g));
	struct spawn_error e;
	struct sandbox sb = {
		.stderr_fd = -1, .map_size = 64 * MIB, .mem_size = 64 * MIB
	};
	int sv[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	sb.image_fd = open_probe();
	sb.channel_fd = sv[1];
	if (sandbox_start(&sb, &g->pid, &g->pidfd, &e) != 0)
		fail_msg("%s: %s", e.why, strerror(e.err));
	close(sb.image_fd);
	close(sv[1]);
	g->sock = sv[0];
	*state = g;
	return 0;
}

static int
stop(void **state)
{
	struct guest *g = *state;

	if (g->pid > 0) {
		kill(g->pid, SIGKILL);
		waitpid(g->pid, NULL, 0);
	}
	close(g->sock);
	close(g->pidfd);
	free(g);
	return 0;
}

static long
ask(struct guest *g, int what)
{
	long re = -3;

	assert_int_equal(send(g->sock, &what, sizeof(what), 0), sizeof(what));
	assert_int_equal(recv(g->sock, &re, sizeof(re), 0), sizeof(re));
	return re;
}

static int
exit_status(struct guest *g)
{
	int status;

	assert_int_equal(waitpid(g->pid, &status, 0), g->pid);
	g->pid = 0;
	return status;
}

static void
a_guest_cannot_name_files(void **state)
{
	struct guest *g = *state;

	assert_int_equal(ask(g, TRY_OPEN), EPERM);
	assert_int_equal(ask(g, TRY_OPEN_PROC), EPERM);
	assert_int_equal(ask(g, TRY_CHDIR), EPERM);
	assert_int_equal(ask(g, TRY_MKDIR), EPERM);
	assert_int_equal(ask(g, TRY_MOUNT), EPERM);
	assert_int_equal(ask(g, TRY_CHROOT), EPERM);
	/* stat is let through for the C library: there is nothing to see */
	assert_int_equal(ask(g, TRY_STAT_ETC), ENOENT);
}

static void
a_guest_cannot_make_or_touch_processes(void **state)
{
	struct guest *g = *state;

	assert_int_equal(ask(g, TRY_PTRACE), EPERM);
	assert_int_equal(ask(g, TRY_EXECVE), EPERM);
	assert_int_equal(ask(g, TRY_KILL_SELF), EPERM);
	assert_int_equal(ask(g, TRY_KILL_ALL), EPERM);
	assert_int_equal(ask(g, TRY_FORK), EPERM);
	assert_int_equal(ask(g, TRY_CLONE), EPERM);
	assert_int_equal(ask(g, TRY_UNSHARE), EPERM);
	assert_int_equal(ask(g, TRY_PROCESS_VM), EPERM);
}

static void
a_guest_cannot_execute_its_image_again(void **state)
{
	struct guest *g = *state;

	/* The filter lets this one descriptor through, but it is closed */
	assert_int_equal(ask(g, TRY_EXECVEAT), EBADF);
	/* and nothing can be put in its place. */
	assert_int_equal(ask(g, TRY_DUP), EPERM);
	assert_int_equal(ask(g, TRY_RLIMIT), EPERM);
	assert_int_equal(ask(g, TRY_EXEC_CHANNEL), EPERM);
}

static void
a_guest_cannot_make_sockets_or_memfds(void **state)
{
	struct guest *g = *state;

	assert_int_equal(ask(g, TRY_SOCKET), EPERM);
	assert_int_equal(ask(g, TRY_SOCKETPAIR), EPERM);
	assert_int_equal(ask(g, TRY_MEMFD), EPERM);
	assert_int_equal(ask(g, TRY_BPF), EPERM);
	assert_int_equal(ask(g, TRY_IOCTL), EPERM);
	assert_int_equal(ask(g, TRY_DUPFD), EPERM);
	assert_int_equal(ask(g, TRY_DUMPABLE), EPERM);
}

static void
a_guest_cannot_make_a_shared_doorbell_block(void **state)
{
	assert_int_equal(ask(*state, TRY_SETFL), EPERM);
}

static void
a_guest_cannot_run_code_of_its_own_making(void **state)
{
	assert_int_equal(ask(*state, TRY_MMAP_EXEC), EPERM);
}

static void
a_guest_cannot_use_more_memory_than_its_share(void **state)
{
	assert_int_equal(ask(*state, TRY_MEMORY), ENOMEM);
}

static void
a_guest_has_four_descriptors(void **state)
{
	assert_int_equal(ask(*state, TELL_DESCRIPTORS), 0xf);
}

static void
a_guest_is_nobody_alone_in_its_namespaces(void **state)
{
	static const char *const kinds[] = { "user", "net", "pid", "mnt", "ipc",
		"uts" };
	struct guest *g = *state;

	assert_int_equal(ask(g, TELL_PID), 1);
	assert_int_equal(ask(g, TELL_UID), 65534);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		char path[64], theirs[64], ours[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)g->pid,
		    kinds[i]);
		n = readlink(path, theirs, sizeof(theirs) - 1);
		assert_true(n > 0);
		theirs[n] = '\0';
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		n = readlink(path, ours, sizeof(ours) - 1);
		assert_true(n > 0);
		ours[n] = '\0';
		assert_string_not_equal(theirs, ours);
	}
}

static void
a_guest_has_no_capabilities_and_no_new_ones(void **state)
{
	struct guest *g = *state;
	char path[64], line[256];
	int seen = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)g->pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "CapPrm:", 7) == 0 ||
		    strncmp(line, "CapEff:", 7) == 0 ||
		    strncmp(line, "CapInh:", 7) == 0 ||
		    strncmp(line, "CapAmb:", 7) == 0) {
			assert_string_equal(line + 8, "0000000000000000\n");
			seen++;
		}
		if (strcmp(line, "NoNewPrivs:\t1\n") == 0 ||
		    strcmp(line, "Seccomp:\t2\n") == 0)
			seen++;
	}
	fclose(f);
	assert_int_equal(seen, 6);
}

static void
what_a_guest_needs_works(void **state)
{
	for (int what = CAN_MMAP; what <= CAN_WRITE_STDERR; what++)
		assert_int_equal(ask(*state, what), 0);
}

static void
the_exit_status_comes_through(void **state)
{
	struct guest *g = *state;
	int what = TRY_EXIT + 7;

	assert_int_equal(send(g->sock, &what, sizeof(what), 0), sizeof(what));
	assert_int_equal(exit_status(g), 7 << 8);
}

static void
a_crash_kills_the_guest_though_it_is_init(void **state)
{
	struct guest *g = *state;
	int what = TRY_CRASH, status;

	assert_int_equal(send(g->sock, &what, sizeof(what), 0), sizeof(what));
	status = exit_status(g);
	assert_true(WIFSIGNALED(status));
	assert_false(WCOREDUMP(status));
}

static void
a_guest_stops_and_goes_on(void **state)
{
	struct guest *g = *state;
	struct pollfd pfd = { .fd = g->sock, .events = POLLIN };
	int what = TELL_PID, status;
	long re;

	assert_int_equal(
	    syscall(SYS_pidfd_send_signal, g->pidfd, SIGSTOP, NULL, 0), 0);
	assert_int_equal(waitpid(g->pid, &status, WUNTRACED), g->pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(send(g->sock, &what, sizeof(what), 0), sizeof(what));
	assert_int_equal(poll(&pfd, 1, 50), 0);
	assert_int_equal(
	    syscall(SYS_pidfd_send_signal, g->pidfd, SIGCONT, NULL, 0), 0);
	assert_int_equal(recv(g->sock, &re, sizeof(re), 0), sizeof(re));
	assert_int_equal(re, 1);
}

static void
what_is_no_program_is_refused_and_nothing_is_left(void **state)
{
	struct sandbox sb = {
		.stderr_fd = -1, .map_size = MIB, .mem_size = MIB
	};
	struct spawn_error e;
	int pidfd = -1, sv[2];
	pid_t pid = -1;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	sb.image_fd = (int)syscall(SYS_memfd_create, "image", 0);
	sb.channel_fd = sv[1];
	assert_int_equal(write(sb.image_fd, "not ELF", 7), 7);
	assert_int_equal(sandbox_start(&sb, &pid, &pidfd, &e), -1);
	assert_int_equal(e.err, ENOEXEC);
	assert_string_equal(e.why, "executing the image");
	assert_int_equal(pid, -1);
	assert_int_equal(pidfd, -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	close(sb.image_fd);
	close(sv[0]);
	close(sv[1]);
}

#define GUEST_TEST(t) cmocka_unit_test_setup_teardown(t, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GUEST_TEST(a_guest_cannot_name_files),
		GUEST_TEST(a_guest_cannot_make_or_touch_processes),
		GUEST_TEST(a_guest_cannot_execute_its_image_again),
		GUEST_TEST(a_guest_cannot_make_sockets_or_memfds),
		GUEST_TEST(a_guest_cannot_make_a_shared_doorbell_block),
		GUEST_TEST(a_guest_cannot_run_code_of_its_own_making),
		GUEST_TEST(a_guest_cannot_use_more_memory_than_its_share),
		GUEST_TEST(a_guest_has_four_descriptors),
		GUEST_TEST(a_guest_is_nobody_alone_in_its_namespaces),
		GUEST_TEST(a_guest_has_no_capabilities_and_no_new_ones),
		GUEST_TEST(what_a_guest_needs_works),
		GUEST_TEST(the_exit_status_comes_through),
		GUEST_TEST(a_crash_kills_the_guest_though_it_is_init),
		GUEST_TEST(a_guest_stops_and_goes_on),
		cmocka_unit_test(
		    what_is_no_program_is_refused_and_nothing_is_left),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
