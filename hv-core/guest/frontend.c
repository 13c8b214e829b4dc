/*
 * The tree "device": what is there is attached, what has gone is detached. Own
 * writes below a device come back as events too; they cost one look at the
 * list.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/blkfront.h"
#include "hv-core/guest/frontend.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/netfront.h"

#include "common/wire.h"

struct entry {
	struct entry *next;
	struct frontend fe;
	int closing; /* frontend_close() is at work */
};

static struct {
	struct xenbus *xb;
	const struct frontend_driver *const *drivers;
	struct entry *entries;
} bus;

const struct frontend_driver *const frontend_drivers[] = {
	&blkfront_driver,
	&netfront_driver,
	NULL,
};

static struct entry *
find(const struct frontend_driver *driver, uint32_t id)
{
	struct entry *e;

	for (e = bus.entries; e != NULL; e = e->next)
		if (e->fe.driver == driver && e->fe.id == id)
			return e;
	return NULL;
}

static void
drop(struct entry *e)
{
	struct entry **at = &bus.entries;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	xenbus_forget_otherend(bus.xb, &e->fe.backend);
	free(e);
}

static void
set_state(const struct frontend *fe, enum xenbus_state state)
{
	int rc = xenbus_switch_state(bus.xb, XENBUS_NO_TX, fe->path, state);

	if (rc != 0)
		guest_printf("%s: cannot become %s: error %d\n", fe->path,
		    xenbus_state_name(state), -rc);
}

void
frontend_close(struct frontend *fe)
{
	struct entry *e = find(fe->driver, fe->id);

	if (e == NULL || e->closing)
		return;
	e->closing = 1;
	set_state(fe, XenbusStateClosing);
	fe->driver->detach(fe);
	set_state(fe, XenbusStateClosed);
	drop(e);
}

void
frontend_stop(void)
{
	while (bus.entries != NULL && !bus.entries->closing)
		frontend_close(&bus.entries->fe);
}

static void
backend_changed(void *arg, const char *path)
{
	struct entry *e = arg;
	enum xenbus_state state =
	    xenbus_read_state(bus.xb, XENBUS_NO_TX, e->fe.backend.path);

	(void)path;
	if (e->closing || xenbus_error(bus.xb) != 0)
		return;
	if (state == XenbusStateClosing || state == XenbusStateClosed ||
	    state == XenbusStateUnknown)
		frontend_close(&e->fe);
	else
		e->fe.driver->changed(&e->fe, state);
}

static int
attach_entry(struct entry *e)
{
	struct frontend *fe = &e->fe;
	int rc;

	rc = xenbus_find_otherend(
	    bus.xb, fe->path, "backend", "backend-id", &fe->backend);
	if (rc == 0)
		rc = fe->driver->attach(fe);
	if (rc != 0)
		return rc;
	rc = xenbus_watch_otherend(bus.xb, &fe->backend, backend_changed, e);
	if (rc != 0)
		fe->driver->detach(fe);
	return rc;
}

static void
attach(const struct frontend_driver *driver, uint32_t id)
{
	struct entry *e = calloc(1, sizeof(*e));
	int rc;

	if (e == NULL)
		return;
	e->fe.xb = bus.xb;
	e->fe.driver = driver;
	e->fe.id = id;
	(void)snprintf(e->fe.path, sizeof(e->fe.path), "device/%s/%u",
	    driver->type, (unsigned int)id);
	if (xenbus_read_state(bus.xb, XENBUS_NO_TX, e->fe.path) !=
	    XenbusStateInitialising) {
		free(e);
		return;
	}
	e->next = bus.entries;
	bus.entries = e;
	rc = attach_entry(e);
	if (rc == 0)
		return;
	guest_printf("%s: cannot attach: error %d\n", e->fe.path, -rc);
	xenbus_report(bus.xb, e->fe.path, -rc, "attaching the device");
	set_state(&e->fe, XenbusStateClosed);
	drop(e);
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Closes the driver's devices that have left the store. */
static void
sweep(const struct frontend_driver *driver, const uint32_t *ids, size_t count)
{
	struct entry *e = bus.entries;

	while (e != NULL) {
		if (e->fe.driver == driver && !e->closing &&
		    (count == 0 || bsearch(&e->fe.id, ids, count, sizeof(*ids),
				       by_number) == NULL)) {
			frontend_close(&e->fe);
			e = bus.entries; /* the list is not the same */
		} else {
			e = e->next;
		}
	}
}

/* Attaches and detaches what is new and what has gone for one driver. */
static void
scan(const struct frontend_driver *driver)
{
	char **names;
	uint32_t *ids;
	size_t count, i, n = 0;
	int rc = xenbus_directory(
	    bus.xb, XENBUS_NO_TX, "device", driver->type, &names, &count);

	if (rc == -ENOENT) {
		sweep(driver, NULL, 0);
		return;
	}
	if (rc != 0)
		return;
	ids = calloc(count + 1, sizeof(*ids));
	for (i = 0; ids != NULL && i < count; i++) {
		uint64_t id;

		if (wire_number(names[i], UINT32_MAX, &id))
			ids[n++] = (uint32_t)id;
	}
	free(names);
	if (ids == NULL)
		return;
	qsort(ids, n, sizeof(*ids), by_number);
	sweep(driver, ids, n);
	for (i = 0; i < n; i++)
		if (find(driver, ids[i]) == NULL)
			attach(driver, ids[i]);
	free(ids);
}

/*
 * Is PATH strictly below a device that is attached ("device/vbd/768/state")?
 * Then it says nothing new: what the other end does is watched there.
 */
static int
inside_known_device(const char *path)
{
	struct entry *e;

	for (e = bus.entries; e != NULL; e = e->next) {
		size_t n = strlen(e->fe.path);

		if (strncmp(path, e->fe.path, n) == 0 && path[n] == '/')
			return 1;
	}
	return 0;
}

static void
tree_changed(void *arg, const char *path)
{
	size_t i;

	(void)arg;
	if (inside_known_device(path))
		return;
	for (i = 0; bus.drivers[i] != NULL; i++)
		scan(bus.drivers[i]);
}

int
frontend_start(struct xenbus *xb, const struct frontend_driver *const *drivers)
{
	size_t i;
	int rc;

	bus.xb = xb;
	bus.drivers = drivers;
	rc = xenbus_watch(xb, "device", NULL, tree_changed, NULL, NULL);
	if (rc != 0)
		return rc;
	for (i = 0; drivers[i] != NULL; i++)
		scan(drivers[i]);
	return 0;
}
