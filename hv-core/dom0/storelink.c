#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "xenevtchn.h"

#include "abi/io/xs_wire.h"
#include "hv-core/dom0/storelink.h"
#include "hv-core/guest/xenbus.h"

#define PAGE 4096
#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

struct storelink {
	char page_node[PATH_MAX];
	char port_node[PATH_MAX];
	struct xenstore_domain_interface *page;
	xenevtchn_handle *xce;
	evtchn_port_t port;
};

/* PATH with all its parents; fine if they exist. */
static int
make_folders(char *path)
{
	for (char *p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST) {
			*p = '/';
			return -1;
		}
		*p = '/';
	}
	return 0;
}

/* A fresh zeroed page at PATH; the former one, if any, stays with those who
 * have it mapped. NULL with errno. */
static void *
make_page(char *path)
{
	void *page;
	int fd, err;

	if (make_folders(path) != 0 || (unlink(path) != 0 && errno != ENOENT))
		return NULL;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	page =
	    ftruncate(fd, PAGE) != 0
		? MAP_FAILED
		: mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	err = errno;
	close(fd);
	errno = err;
	return page == MAP_FAILED ? NULL : page;
}

/* PORT in decimal to PATH, whole or not at all. */
static int
write_port(char *path, evtchn_port_t port)
{
	char tmp[PATH_MAX];
	int fd, bad;

	if (make_folders(path) != 0)
		return -1;
	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.new", path) >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0400);
	if (fd < 0)
		return -1;
	bad = dprintf(fd, "%u\n", port) < 0;
	bad |= close(fd) != 0;
	if (!bad && rename(tmp, path) == 0)
		return 0;
	unlink(tmp);
	return -1;
}

static int
open_port(struct storelink *link)
{
	int fd, port;

	link->xce = xenevtchn_open(NULL, 0);
	if (link->xce == NULL)
		return -1;
	fd = xenevtchn_fd(link->xce);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		return -1;
	port = xenevtchn_bind_unbound_port(link->xce, 0);
	if (port < 0)
		return -1;
	link->port = (evtchn_port_t)port;
	return 0;
}

struct storelink *
storelink_open(const char *root, char *why, size_t size)
{
	struct storelink *link = calloc(1, sizeof(*link));
	const char *what = "memory";

	if (link == NULL)
		goto fail;
	what = root;
	errno = ENAMETOOLONG;
	if (snprintf(link->page_node, PATH_MAX, "%s/dev/xsd_kva", root) >=
		PATH_MAX ||
	    snprintf(link->port_node, PATH_MAX, "%s/kern/xen/xsd_port", root) >=
		PATH_MAX)
		goto fail;
	what = link->page_node;
	link->page = make_page(link->page_node);
	if (link->page == NULL)
		goto fail;
	what = "event channel for the store";
	if (open_port(link) != 0)
		goto fail;
	what = link->port_node;
	if (write_port(link->port_node, link->port) != 0)
		goto fail;
	return link;

fail:
	snprintf(why, size, "%s: %s", what, strerror(errno));
	storelink_close(link);
	return NULL;
}

void
storelink_close(struct storelink *link)
{
	if (link == NULL)
		return;
	unlink(link->port_node);
	unlink(link->page_node);
	if (link->page != NULL)
		munmap(link->page, PAGE);
	xenevtchn_close(link->xce);
	free(link);
}

int
storelink_fd(const struct storelink *link)
{
	return xenevtchn_fd(link->xce);
}

int
storelink_take(struct storelink *link)
{
	int port;

	while ((port = xenevtchn_pending(link->xce)) >= 0)
		if (xenevtchn_unmask(link->xce, (evtchn_port_t)port) != 0)
			return -1;
	return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

static void
notify(void *arg)
{
	struct storelink *link = arg;

	(void)xenevtchn_notify(link->xce, link->port);
}

static uint64_t
now(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static int
wait_event(void *arg, uint64_t deadline)
{
	struct storelink *link = arg;
	struct pollfd pfd = { .fd = storelink_fd(link), .events = POLLIN };
	int ms = -1, n;

	if (deadline != XENBUS_FOREVER) {
		uint64_t t = now(NULL);

		if (t >= deadline)
			return -ETIMEDOUT;
		ms = (int)((deadline - t) / NS_PER_MS % INT_MAX + 1);
	}
	n = poll(&pfd, 1, ms);
	if (n < 0 && errno != EINTR)
		return -errno;
	return storelink_take(link) == 0 ? 0 : -EIO;
}

struct xenbus_transport
storelink_transport(struct storelink *link)
{
	return (struct xenbus_transport){ .page = link->page,
		.notify = notify,
		.wait = wait_event,
		.now = now,
		.arg = link };
}
