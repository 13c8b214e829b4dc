/*
 * Starting hvd. In the background its stderr is a pipe to us until we leave;
 * the log gets everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hv-core/hosted/boot/launch.h"
#include "hv-core/hosted/boot/plan.h"

#define TICK_MS 20

static volatile sig_atomic_t caught;

static void catch (int sig)
{
	caught = sig;
}

/* Between two looks of poll() we notice them. */
static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = catch };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

/* ----------------------------------------------------------------- child -- */

static void
child_streams(const struct launch *l, int err_pipe)
{
	int null;

	if (l->foreground)
		return;
	setsid();
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(err_pipe, 2) < 0)
		_exit(127);
	if (null > 2)
		close(null);
}

static _Noreturn void
child_main(const struct launch *l, int err_pipe)
{
	const char *argv[PLAN_WORDS + 16];
	char fd[16];
	unsigned n = 0;

	child_streams(l, err_pipe);
	if (l->foreground)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	snprintf(fd, sizeof(fd), "%d", l->kernel_fd);
	argv[n++] = "hvd";
	argv[n++] = "--kernel-fd";
	argv[n++] = fd;
	argv[n++] = "--kernel-args";
	argv[n++] = l->kernel_line;
	argv[n++] = "--libexec";
	argv[n++] = l->libexec;
	if (l->log != NULL) {
		argv[n++] = "--log";
		argv[n++] = l->log;
	}
	argv[n++] = "--";
	for (unsigned i = 0; i < l->nr_words; i++)
		argv[n++] = l->word[i];
	argv[n] = NULL;
	if (fcntl(l->kernel_fd, F_SETFD, 0) == 0)
		syscall(SYS_execveat, l->hypervisor_fd, "", argv, environ,
		    AT_EMPTY_PATH);
	dprintf(2, "hv-boot: executing the hypervisor: %s\n", strerror(errno));
	_exit(127);
}

/* ---------------------------------------------------------------- parent -- */

/* Pass on what hvd says. 0: it will say nothing more. */
static int
relay(int fd)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n <= 0)
		return 0;
	n = write(STDERR_FILENO, buf, (size_t)n);
	return n > 0;
}

static bool
is_up(const struct launch *l)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/kern/xen/xsd_port", l->root);
	return stat(path, &st) == 0;
}

/* Is PID the hvd that runs there? */
static bool
is_ours(const struct launch *l, pid_t pid)
{
	char path[4096], text[24] = "";
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/hvd.pid", l->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 && strtol(text, NULL, 10) == (long)pid;
}

/*
 * A machine that was killed leaves its port behind, which must not be taken for
 * the new one's. A live one holds its lock, and hvd will say so.
 */
static void
forget_dead_machine(const struct launch *l)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/hvd.pid", l->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		snprintf(path, sizeof(path), "%s/kern/xen/xsd_port", l->root);
		unlink(path);
	}
	close(fd);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
take_down(pid_t pid)
{
	kill(pid, SIGTERM);
	for (int i = 0; i < 250; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		poll(NULL, 0, TICK_MS);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* 0: up; 1: not, and hvd has been reaped. */
static int
await_up(const struct launch *l, pid_t pid, int err_pipe)
{
	int64_t end = now_ms() + (int64_t)l->timeout_s * 1000;
	struct pollfd pfd = { .fd = err_pipe, .events = POLLIN };
	int status;

	for (;;) {
		if (poll(&pfd, 1, TICK_MS) > 0 && !relay(pfd.fd))
			pfd.fd = -1;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			while (pfd.fd >= 0 && relay(pfd.fd))
				;
			fprintf(stderr,
			    "hv-boot: the machine did not come up: hvd ended "
			    "with status %d\n",
			    exit_code(status));
			return 1;
		}
		if (is_up(l) && is_ours(l, pid))
			return 0;
		if (caught == 0 && now_ms() < end)
			continue;
		if (caught != 0)
			fprintf(stderr, "hv-boot: interrupted\n");
		else
			fprintf(stderr,
			    "hv-boot: domain 0 has not made "
			    "%s/kern/xen/xsd_port within %u seconds\n",
			    l->root, l->timeout_s);
		take_down(pid);
		return 1;
	}
}

/* Foreground: stay until hvd ends. */
static int
attend(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid) {
		if (errno != EINTR)
			return 1;
		/* SIGINT and SIGHUP of a terminal come to hvd as well. */
		if (caught == SIGTERM)
			kill(pid, SIGTERM);
		caught = 0;
	}
	return exit_code(status);
}

int
launch_run(const struct launch *l)
{
	int err_pipe[2];
	pid_t pid;
	int ret;

	forget_dead_machine(l);
	if (pipe2(err_pipe, O_CLOEXEC) != 0) {
		fprintf(stderr, "hv-boot: pipe: %s\n", strerror(errno));
		return 1;
	}
	catch_signals();
	pid = fork();
	if (pid == 0)
		child_main(l, err_pipe[1]);
	close(err_pipe[1]);
	if (pid < 0) {
		fprintf(stderr, "hv-boot: fork: %s\n", strerror(errno));
		close(err_pipe[0]);
		return 1;
	}
	ret = await_up(l, pid, err_pipe[0]);
	close(err_pipe[0]);
	if (ret == 0 && l->foreground)
		ret = attend(pid);
	return ret;
}
