#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static int pipe_fds[2] = { -1, -1 };
static volatile sig_atomic_t seen;

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static void
handler(int sig)
{
	int err = errno;

	(void)sig;
	seen = 1;
	(void)!write(pipe_fds[1], "", 1);
	errno = err;
}

static void
set_all(void (*action)(int))
{
	struct sigaction sa = { .sa_handler = action };

	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

int
interrupt_catch(void)
{
	if (pipe_fds[0] < 0 && pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	set_all(handler);
	return 0;
}

void
interrupt_forget(void)
{
	set_all(SIG_DFL);
	for (int i = 0; i < 2; i++) {
		if (pipe_fds[i] >= 0)
			close(pipe_fds[i]);
		pipe_fds[i] = -1;
	}
	seen = 0;
}

int
interrupt_fd(void)
{
	return pipe_fds[0];
}

bool
interrupt_seen(void)
{
	return seen != 0;
}
