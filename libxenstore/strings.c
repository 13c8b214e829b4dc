/* SPDX-License-Identifier: BSD-2-Clause */
/* What needs no connection: paths, permissions, writing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"
#include "common/perm.h"
#include "xenstore.h"

#ifndef XENSTORED_RUNDIR
#define XENSTORED_RUNDIR "/run/xenstored"
#endif

enum { SOCKET_PATH_SIZE = 512 };

const char *
xs_daemon_rundir(void)
{
	const char *dir = getenv("XENSTORED_RUNDIR");

	return dir != NULL ? dir : XENSTORED_RUNDIR;
}

const char *
xs_daemon_socket(void)
{
	static _Thread_local char buf[SOCKET_PATH_SIZE];
	const char *path = getenv("XENSTORED_PATH");
	int n;

	if (path != NULL)
		n = snprintf(buf, sizeof(buf), "%s", path);
	else
		n = snprintf(buf, sizeof(buf), "%s/socket", xs_daemon_rundir());
	if (n < 0 || (size_t)n >= sizeof(buf)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return buf;
}

const char *
xs_daemon_socket_ro(void)
{
	return xs_daemon_socket();
}

bool
xs_path_is_subpath(const char *parent, const char *child)
{
	return path_within(parent, child);
}

bool
xs_write_all(int fd, const void *data, unsigned int len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		len -= (unsigned int)n;
	}
	return true;
}

bool
xs_strings_to_perms(
    struct xs_permissions *perms, unsigned int num, const char *strings)
{
	for (unsigned int i = 0; i < num; i++) {
		struct perm perm;

		if (!perm_parse(strings, &perm)) {
			errno = EINVAL;
			return false;
		}
		perms[i].id = perm.domid;
		perms[i].perms = perm.bits;
		strings += strlen(strings) + 1;
	}
	return true;
}
