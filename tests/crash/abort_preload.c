/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a daemon that it is loaded into break down whenever it writes
 * "CRASH-ME" to somebody: a request that no process survives.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t
write(int fd, const void *bytes, size_t len)
{
	static ssize_t (*real)(int fd, const void *bytes, size_t len);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	if (memmem(bytes, len, "CRASH-ME", 8) != NULL)
		abort();
	return real(fd, bytes, len);
}
