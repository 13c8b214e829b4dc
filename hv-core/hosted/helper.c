/*
 * Starting the programs that hvd needs beside it, from the libexec folder.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <unistd.h>

#include "hv-core/hosted/hvd.h"

#define EXTRA_FD 3

int
helper_start(struct hvd *h, const char *name, const char *const arg[],
    const int std[3], int extra, pid_t *pid_out)
{
	char *argv[HELPER_ARGS + 2];
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	char path[4096];
	int err, n = 0;

	snprintf(path, sizeof(path), "%s/%s", h->config->libexec, name);
	argv[n++] = path;
	while (arg != NULL && *arg != NULL && n <= HELPER_ARGS)
		argv[n++] = (char *)(uintptr_t)*arg++;
	argv[n] = NULL;
	sigemptyset(&none);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	for (int i = 0; i < 3; i++)
		if (std[i] >= 0)
			posix_spawn_file_actions_adddup2(&fa, std[i], i);
		else
			posix_spawn_file_actions_addopen(
			    &fa, i, "/dev/null", O_RDWR, 0);
	/* Last: the log may have been opened as this very descriptor. */
	if (extra >= 0)
		posix_spawn_file_actions_adddup2(&fa, extra, EXTRA_FD);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	err = posix_spawn(pid_out, path, &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return -err;
}
