/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsole/term.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "tools/common/log.h"

static struct termios saved;
static bool is_raw;
static int signal_pipe[2] = { -1, -1 };

void
term_restore(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	is_raw = false;
}

void
term_raw(void)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &saved) != 0)
		return; /* not a terminal */
	if (atexit(term_restore) != 0)
		fatalx("cannot promise to restore the terminal");
	t = saved;
	cfmakeraw(&t);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0)
		is_raw = true;
	else
		log_warn("cannot make the terminal raw");
}

static void
on_signal(int sig)
{
	char c = (char)sig;
	int err = errno;

	if (write(signal_pipe[1], &c, 1) < 0)
		_exit(1);
	errno = err;
}

int
term_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction sa = { .sa_handler = on_signal };

	if (pipe2(signal_pipe, O_CLOEXEC) != 0)
		fatal("pipe");
	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &sa, NULL) != 0)
			fatal("cannot catch signals");
	return signal_pipe[0];
}
