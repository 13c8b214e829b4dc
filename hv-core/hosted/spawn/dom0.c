/*
 * Starting domain 0's kernel: an ordinary process with our credentials.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv-core/hosted/spawn/spawn.h"

static _Noreturn void
dom0_child(int image_fd, char *const argv[], int why, int go)
{
	struct spawn_error e = { 0 };
	sigset_t none;
	ssize_t n;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* End of file: our parent died before the line above. */
	if (read(go, &c, 1) != 1)
		_exit(127);
	setpgid(0, 0);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_execveat, image_fd, "", argv, environ, AT_EMPTY_PATH);
	e.err = errno;
	snprintf(e.why, sizeof(e.why), "executing domain 0's kernel");
	n = write(why, &e, sizeof(e));
	(void)n; /* nobody is left to tell */
	_exit(127);
}

int
dom0_start(int image_fd, char *const argv[], pid_t *pid_out, int *pidfd_out,
    struct spawn_error *e)
{
	int pidfd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD };
	int why[2] = { -1, -1 }, go[2] = { -1, -1 };
	ssize_t n;
	long pid;

	memset(e, 0, sizeof(*e));
	if (pipe2(why, O_CLOEXEC) != 0 || pipe2(go, O_CLOEXEC) != 0) {
		e->err = errno;
		snprintf(e->why, sizeof(e->why), "making a pipe");
		return -1;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		close(go[1]);
		dom0_child(image_fd, argv, why[1], go[0]);
	}
	if (pid < 0) {
		e->err = errno;
		snprintf(e->why, sizeof(e->why), "cloning");
	}
	close(why[1]);
	close(go[0]);
	n = pid > 0 && write(go[1], "g", 1) == 1 ? read(why[0], e, sizeof(*e))
						 : -1;
	close(why[0]);
	close(go[1]);
	if (n == 0) {
		*pid_out = (pid_t)pid;
		*pidfd_out = pidfd;
		return 0;
	}
	if (e->err == 0)
		e->err = EIO;
	if (pid > 0) {
		kill((pid_t)pid, SIGKILL);
		waitpid((pid_t)pid, NULL, 0);
		close(pidfd);
	}
	return -1;
}
