/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/listener.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "xenstored/msg.h"

/* Whether somebody listens at ADDRESS, who may be this process: where too many
 * wait already, one more must not. */
static bool
is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	alive = fd >= 0 &&
		(connect(fd, (const void *)address, sizeof(*address)) == 0 ||
		    errno == EAGAIN);
	if (fd >= 0)
		close(fd);
	return alive;
}

static struct sockaddr_un
address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		fatalx("the socket's path %s is longer than %zu", path,
		    sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	return address;
}

int
listener_again(const char *path, int fd)
{
	const struct sockaddr_un address = address_of(path);

	if (fd >= 0 && is_alive(&address))
		return fd;
	if (fd >= 0)
		close(fd);
	return listener_open(path);
}

int
listener_open(const char *path)
{
	const struct sockaddr_un address = address_of(path);
	struct stat st;
	mode_t mask;
	int fd, rc;

	if (is_alive(&address))
		fatalx("another xenstored serves %s", path);
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode) &&
	    !S_ISLNK(st.st_mode))
		fatalx("%s is no socket", path);
	if (unlink(path) != 0 && errno != ENOENT)
		fatal("cannot remove the stale socket %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		fatal("cannot make a socket");
	mask = umask(0177);
	rc = bind(fd, (const void *)&address, sizeof(address));
	umask(mask);
	if (rc != 0)
		fatal("cannot bind to %s", path);
	if (listen(fd, 128) != 0)
		fatal("cannot listen at %s", path);
	return fd;
}
