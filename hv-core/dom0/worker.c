#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv-core/dom0/worker.h"

/* Where a worker finds its descriptors. */
#define CONTROL_FD 3
#define DATA_FD 4
#define SPARE_FD 64 /* above both, while they are moved */

/* Guests that keep their disks busy must not starve the store, the toolstack
 * and the scripts, which all those guests need. */
#define WORKER_NICE 10

struct worker {
	pid_t pid;
	int fd;
	int stopping;
	worker_fn *fn;
	void *arg;
	struct service_msg failed; /* SERVICE_FAILED's, if it came */
};

/* Keeps CONTROL, *FD and stdio only. */
static int
move_descriptors(int control, int fd)
{
	int c = fcntl(control, F_DUPFD_CLOEXEC, SPARE_FD);
	int d = fcntl(fd, F_DUPFD_CLOEXEC, SPARE_FD);

	if (c < 0 || d < 0 || dup2(c, CONTROL_FD) < 0 || dup2(d, DATA_FD) < 0)
		return -1;
	return (int)syscall(SYS_close_range, DATA_FD + 1, ~0u, 0);
}

static _Noreturn void
child(const struct service_spec *spec, int control, pid_t parent)
{
	struct service_spec own = *spec;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, own.name);
	(void)setpriority(PRIO_PROCESS, 0, WORKER_NICE);
	signal(SIGINT, SIG_IGN); /* meant for the kernel */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (move_descriptors(control, own.fd) != 0)
		_exit(1);
	own.fd = DATA_FD;
	_exit(service_run(&own, CONTROL_FD));
}

struct worker *
worker_start(const struct service_spec *spec, worker_fn *fn, void *arg)
{
	struct worker *w = calloc(1, sizeof(*w));
	pid_t parent = getpid();
	int sv[2], err;

	if (w == NULL)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) != 0)
		goto fail;
	w->fd = sv[0];
	w->fn = fn;
	w->arg = arg;
	w->failed.report = SERVICE_READY;
	w->pid = fork();
	if (w->pid == 0)
		child(spec, sv[1], parent);
	err = errno;
	close(sv[1]);
	errno = err;
	if (w->pid > 0)
		return w;
	close(sv[0]);
fail:
	err = errno;
	free(w);
	errno = err;
	return NULL;
}

int
worker_fd(const struct worker *w)
{
	return w->fd;
}

pid_t
worker_pid(const struct worker *w)
{
	return w->pid;
}

/* It has ended: says how, and is no more. */
static void
worker_ended(struct worker *w)
{
	char text[64] = "";
	int status = 0;

	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "killed by signal %d",
		    WTERMSIG(status));
	else
		snprintf(text, sizeof(text), "exited with status %d",
		    WEXITSTATUS(status));
	if (w->failed.report == SERVICE_FAILED)
		w->fn(w->arg, WORKER_FAILED, w->failed.err, w->failed.text);
	else
		w->fn(w->arg, w->stopping ? WORKER_STOPPED : WORKER_DIED, 0,
		    text);
	close(w->fd);
	free(w);
}

void
worker_handle(struct worker *w)
{
	struct service_msg msg;
	ssize_t n = recv(w->fd, &msg, sizeof(msg), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(msg)) {
		worker_ended(w);
		return;
	}
	msg.text[sizeof(msg.text) - 1] = '\0';
	if (msg.report == SERVICE_FAILED)
		w->failed = msg; /* told when the process is gone */
	else
		w->fn(w->arg, WORKER_READY, 0, "");
}

void
worker_stop(struct worker *w)
{
	if (!w->stopping)
		(void)send(w->fd, "s", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	w->stopping = 1;
}

void
worker_kill(struct worker *w)
{
	kill(w->pid, SIGKILL);
}
