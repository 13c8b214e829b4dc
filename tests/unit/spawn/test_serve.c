/*
 * hv-spawn's conversation with hvd.
 */
#include "probe_util.h"

static pid_t
start_server(int *sock_out)
{
	int sv[2];
	pid_t pid;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(sv[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(sv[1]);
		_exit(0);
	}
	close(sv[1]);
	*sock_out = sv[0];
	return pid;
}

static void
request(int sock, const struct spawn_msg *m, const int *fd, int nfds)
{
	char buf[CMSG_SPACE(3 * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)m, sizeof(*m) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (nfds > 0) {
		mh.msg_control = buf;
		mh.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fd, (size_t)nfds * sizeof(int));
	}
	assert_int_equal(sendmsg(sock, &mh, 0), sizeof(*m));
}

static int
answer(int sock, struct spawn_msg *m)
{
	char buf[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { m, sizeof(*m) };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = buf,
		.msg_controllen = sizeof(buf) };
	struct cmsghdr *c;
	int fd = -1;

	assert_int_equal(recvmsg(sock, &mh, MSG_CMSG_CLOEXEC), sizeof(*m));
	c = CMSG_FIRSTHDR(&mh);
	if (c != NULL)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void
the_server_starts_guests_and_reports_their_end(void **state)
{
	struct spawn_msg *m = calloc(1, sizeof(*m));
	int sock, sv[2], fd[2], pidfd, what = TRY_EXIT + 3;
	pid_t server = start_server(&sock);

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	fd[0] = open_probe();
	fd[1] = sv[1];
	m->type = SPAWN_GUEST;
	m->tag = 42;
	m->map_size = m->mem_size = 16 * MIB;
	request(sock, m, fd, 2);
	close(fd[0]);
	close(fd[1]);
	pidfd = answer(sock, m);
	assert_int_equal(m->type, SPAWN_DONE);
	assert_int_equal(m->tag, 42);
	assert_int_equal(m->err, 0);
	assert_true(m->pid > 0 && pidfd >= 0);
	assert_int_equal(send(sv[0], &what, sizeof(what), 0), sizeof(what));
	assert_int_equal(answer(sock, m), -1);
	assert_int_equal(m->type, SPAWN_EXITED);
	assert_int_equal(m->tag, 42);
	assert_int_equal(m->status, 3 << 8);
	close(sock);
	assert_int_equal(waitpid(server, NULL, 0), server);
	close(pidfd);
	close(sv[0]);
	free(m);
}

static void
when_the_server_is_killed_its_guests_die(void **state)
{
	struct spawn_msg *m = calloc(1, sizeof(*m));
	int sock, sv[2], fd[2], pidfd;
	pid_t server = start_server(&sock);
	struct pollfd pfd;

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	fd[0] = open_probe();
	fd[1] = sv[1];
	m->type = SPAWN_GUEST;
	m->map_size = m->mem_size = 16 * MIB;
	request(sock, m, fd, 2);
	close(fd[0]);
	close(fd[1]);
	pidfd = answer(sock, m);
	assert_int_equal(m->err, 0);
	assert_int_equal(kill(server, SIGKILL), 0);
	assert_int_equal(waitpid(server, NULL, 0), server);
	pfd = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	assert_int_equal(poll(&pfd, 1, 60000), 1);
	close(pidfd);
	close(sv[0]);
	close(sock);
	free(m);
}

static void
a_malformed_request_is_refused_and_the_server_goes_on(void **state)
{
	struct spawn_msg *m = calloc(1, sizeof(*m));
	int sock;
	pid_t server = start_server(&sock);

	(void)state;
	for (uint32_t type = 0; type < 6; type++) {
		memset(m, 0, sizeof(*m));
		m->type = type;
		m->tag = type;
		request(sock, m, NULL, 0);
		assert_int_equal(answer(sock, m), -1);
		assert_int_equal(m->type, SPAWN_DONE);
		assert_int_equal(m->tag, type);
		assert_int_equal(m->err, EPROTO);
	}
	close(sock);
	assert_int_equal(waitpid(server, NULL, 0), server);
	free(m);
}

static void
domain_0_runs_unconfined_and_dies_with_the_server(void **state)
{
	struct spawn_msg *m = calloc(1, sizeof(*m));
	char path[64], ours[64] = "", theirs[64] = "";
	int sock, fd, pidfd;
	pid_t server = start_server(&sock);
	struct pollfd pfd;

	(void)state;
	fd = open("/bin/sleep", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	m->type = SPAWN_DOM0;
	memcpy(m->args,
	    "sleep\0"
	    "1000",
	    11);
	m->args_len = 11;
	request(sock, m, &fd, 1);
	close(fd);
	pidfd = answer(sock, m);
	assert_int_equal(m->err, 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", m->pid);
	assert_true(readlink(path, theirs, sizeof(theirs) - 1) > 0);
	assert_true(readlink("/proc/self/ns/user", ours, sizeof(ours) - 1) > 0);
	assert_string_equal(ours, theirs);
	assert_int_equal(getpgid(m->pid), m->pid);
	close(sock);
	assert_int_equal(waitpid(server, NULL, 0), server);
	pfd = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	assert_int_equal(poll(&pfd, 1, 60000), 1);
	close(pidfd);
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_server_starts_guests_and_reports_their_end),
		cmocka_unit_test(when_the_server_is_killed_its_guests_die),
		cmocka_unit_test(
		    a_malformed_request_is_refused_and_the_server_goes_on),
		cmocka_unit_test(
		    domain_0_runs_unconfined_and_dies_with_the_server),
	};

	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
