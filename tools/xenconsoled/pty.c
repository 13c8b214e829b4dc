/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsoled/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int
make_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) != 0)
		return -1;
	cfmakeraw(&t);
	return tcsetattr(fd, TCSANOW, &t);
}

int
pty_open(struct pty *pty)
{
	const char *name;
	int err;

	*pty = (struct pty){ .slave = -1 };
	pty->master = posix_openpt(O_RDWR | O_NOCTTY);
	if (pty->master < 0)
		return -1;
	if (grantpt(pty->master) != 0 || unlockpt(pty->master) != 0)
		goto fail;
	name = ptsname(pty->master);
	if (name == NULL || strlen(name) >= sizeof(pty->name)) {
		errno = ENAMETOOLONG;
		goto fail;
	}
	strcpy(pty->name, name);
	pty->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pty->slave < 0 || make_raw(pty->slave) != 0)
		goto fail;
	if (fcntl(pty->master, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(pty->master, F_SETFL, O_RDWR | O_NONBLOCK) != 0)
		goto fail;
	return 0;
fail:
	err = errno;
	pty_close(pty);
	errno = err;
	return -1;
}

bool
pty_drained(const struct pty *pty)
{
	int n = 0;

	return ioctl(pty->slave, FIONREAD, &n) != 0 || n == 0;
}

void
pty_close(struct pty *pty)
{
	if (pty->master >= 0)
		close(pty->master);
	if (pty->slave >= 0)
		close(pty->slave);
	pty->master = pty->slave = -1;
}
