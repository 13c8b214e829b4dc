/* What the tests of hv-spawn have in common. */
#ifndef TESTS_UNIT_SPAWN_PROBE_UTIL_H
#define TESTS_UNIT_SPAWN_PROBE_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv-core/hosted/spawn/spawn.h"
#include "probe.h"

#define MIB (UINT64_C(1) << 20)

/* The probe lies beside this program. */
static inline int
open_probe(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	int fd;

	assert_true(n > 0);
	path[n] = '\0';
	dirname(path);
	strcat(path, "/probe");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

#endif
