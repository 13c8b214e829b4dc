#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/dom0/backend.h"
#include "hv-core/dom0/device.h"

#define ROOT "backend"
#define DOMID_MAX 0x7fefu
#define TICK_MS 1000

struct backend {
	struct device_host *host;
	const struct device_driver *const *drivers;
	struct device *devices;
};

/* A place in the tree: so many of the three components are given. */
struct place {
	unsigned depth; /* 0 all, 1 a type, 2 a domain, 3 a device */
	char type[16];
	uint32_t domid, id;
	const char *node; /* at depth 3: the rest, "" for the device itself */
};

static const struct device_driver *
driver_of(const struct backend *be, const char *type)
{
	for (size_t i = 0; be->drivers[i] != NULL; i++)
		if (strcmp(be->drivers[i]->type, type) == 0)
			return be->drivers[i];
	return NULL;
}

/* A decimal number of at most MAX at *P, up to a '/' or the end; *P moves
 * behind it. 0, or -1. */
static int
take_number(const char **p, uint32_t max, uint32_t *out)
{
	uint64_t n = 0;
	const char *s = *p;

	if (*s < '0' || *s > '9' || (*s == '0' && s[1] >= '0' && s[1] <= '9'))
		return -1;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (uint64_t)(*s - '0');
		if (n > max)
			return -1;
	}
	if (*s != '/' && *s != '\0')
		return -1;
	*out = (uint32_t)n;
	*p = s + (*s == '/');
	return 0;
}

/* Where PATH, "backend/...", points. 0, or -1: nowhere that matters. */
static int
place_parse(const char *path, struct place *out)
{
	const char *p = path + sizeof(ROOT) - 1;
	size_t len;

	memset(out, 0, sizeof(*out));
	if (strncmp(path, ROOT, sizeof(ROOT) - 1) != 0 ||
	    (*p != '/' && *p != '\0'))
		return -1;
	p += *p == '/';
	if (*p == '\0')
		return 0;
	len = strcspn(p, "/");
	if (len >= sizeof(out->type))
		return -1;
	memcpy(out->type, p, len);
	out->depth = 1;
	p += len + (p[len] == '/');
	if (*p == '\0')
		return 0;
	if (take_number(&p, DOMID_MAX, &out->domid) != 0)
		return -1;
	out->depth = 2;
	if (*p == '\0')
		return 0;
	if (take_number(&p, UINT32_MAX, &out->id) != 0)
		return -1;
	out->depth = 3;
	out->node = p;
	return 0;
}

static int
place_has(const struct place *where, const struct device *dev)
{
	return (where->depth < 1 ||
		   strcmp(where->type, dev->driver->type) == 0) &&
	       (where->depth < 2 || where->domid == dev->domid) &&
	       (where->depth < 3 || where->id == dev->id);
}

/* The device exists in the store and is not known: it is new if it is
 * Initialising, else it is none of ours. */
static void
device_found(struct backend *be, const struct device_driver *driver,
    uint32_t domid, uint32_t id, const char *path)
{
	struct device *dev;

	if (xenbus_read_state(be->host->xb, XENBUS_NO_TX, path) !=
	    XenbusStateInitialising)
		return;
	dev = device_new(be->host, driver, domid, id);
	if (dev == NULL)
		return; /* no memory: the next event finds it again */
	dev->next = be->devices;
	be->devices = dev;
}

static struct device *
device_at(const struct backend *be, const struct place *where)
{
	struct device *dev = be->devices;

	while (dev != NULL && !place_has(where, dev))
		dev = dev->next;
	return dev;
}

/* Looks for devices at WHERE that are not known. PATH says it as text. */
static void
scan(struct backend *be, const char *path)
{
	struct place where;
	char **names = NULL, below[128];
	size_t count;

	if (place_parse(path, &where) != 0 ||
	    (where.depth > 0 && driver_of(be, where.type) == NULL))
		return;
	if (where.depth == 3) {
		if (device_at(be, &where) == NULL)
			device_found(be, driver_of(be, where.type), where.domid,
			    where.id, path);
		return;
	}
	if (xenbus_directory(
		be->host->xb, XENBUS_NO_TX, path, NULL, &names, &count) != 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (strlen(path) + 1 + strlen(names[i]) < sizeof(below)) {
			strcpy(below, path);
			strcat(below, "/");
			strcat(below, names[i]);
			scan(be, below);
		}
	free(names);
}

/* One of WHERE's devices may have changed, in whatever way. */
static void
step_all(struct backend *be, const struct place *where)
{
	for (struct device *dev = be->devices; dev != NULL; dev = dev->next)
		if (place_has(where, dev)) {
			device_step(dev);
			device_changed(dev);
		}
}

/* The state of the device at WHERE has changed, or the device is new. */
static void
device_event(struct backend *be, const struct place *where)
{
	struct device *dev = device_at(be, where);
	char path[64];

	if (dev != NULL) {
		device_step(dev);
		backend_reap(be);
		return;
	}
	snprintf(path, sizeof(path), ROOT "/%s/%u/%u", where->type,
	    where->domid, where->id);
	scan(be, path);
}

static void
backend_changed(void *arg, const char *path)
{
	struct backend *be = arg;
	struct place where;
	struct device *dev;

	if (place_parse(path, &where) != 0)
		return;
	if (where.depth < 3 || where.node[0] == '\0') {
		step_all(be, &where);
		backend_reap(be);
		scan(be, path);
	} else if (strcmp(where.node, "physical-device") == 0) {
		dev = device_at(be, &where);
		if (dev != NULL)
			device_changed(dev);
	} else if (strcmp(where.node, "state") == 0 ||
		   strcmp(where.node, "online") == 0) {
		device_event(be, &where);
	}
}

static void
domains_changed(void *arg, const char *path)
{
	struct backend *be = arg;

	(void)path;
	for (struct device *dev = be->devices; dev != NULL; dev = dev->next)
		device_domains_changed(dev);
}

void
backend_reap(struct backend *be)
{
	struct device **link = &be->devices;

	if (!be->host->reap)
		return;
	be->host->reap = 0;
	while (*link != NULL) {
		struct device *dev = *link;
		char path[sizeof(dev->path)];

		if (!dev->done) {
			link = &dev->next;
			continue;
		}
		*link = dev->next;
		strcpy(path, dev->path);
		device_free(dev);
		scan(be, path); /* it may have been made anew */
		link = &be->devices;
	}
}

int
backend_tick(struct backend *be)
{
	int ms = -1;

	for (struct device *dev = be->devices; dev != NULL; dev = dev->next)
		if (device_stopping(dev)) {
			device_tick(dev);
			ms = TICK_MS;
		}
	return ms;
}

unsigned
backend_count(const struct backend *be)
{
	unsigned n = 0;

	for (const struct device *dev = be->devices; dev != NULL;
	     dev = dev->next)
		n++;
	return n;
}

struct backend *
backend_start(struct device_host *host,
    const struct device_driver *const *drivers, int *err_out)
{
	struct backend *be = calloc(1, sizeof(*be));
	int rc;

	*err_out = ENOMEM;
	if (be == NULL)
		return NULL;
	be->host = host;
	be->drivers = drivers;
	rc = xenbus_watch(host->xb, ROOT, NULL, backend_changed, be, NULL);
	if (rc == 0)
		rc = xenbus_watch(host->xb, "@releaseDomain", NULL,
		    domains_changed, be, NULL);
	if (rc == 0)
		return be;
	*err_out = -rc;
	free(be);
	return NULL;
}
