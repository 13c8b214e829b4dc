#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hv-core/dom0/device.h"
#include "hv-core/dom0/domstate.h"
#include "hv-core/dom0/log.h"
#include "hv-core/dom0/worker.h"

#define STOP_SECONDS 10
#define FUTILE_DEATHS_MAX 20 /* then it is not for want of luck */

#define BIT(phase) (1u << (phase))

/* To which phases each phase may go. */
static const unsigned allowed[] = {
	[DEVICE_WAIT] = BIT(DEVICE_CONNECTED) | BIT(DEVICE_CLOSING),
	[DEVICE_CONNECTED] = BIT(DEVICE_CLOSING),
	[DEVICE_CLOSING] = BIT(DEVICE_CLOSED),
	[DEVICE_CLOSED] = 0,
};

static void
device_move(struct device *dev, enum device_phase to)
{
	assert(allowed[dev->phase] & BIT(to));
	dev->phase = to;
}

int
device_why(struct device *dev, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(dev->why, sizeof(dev->why), fmt, ap);
	va_end(ap);
	return -err;
}

static void
switch_state(struct device *dev, enum xenbus_state state)
{
	(void)xenbus_switch_state(
	    dev->host->xb, XENBUS_NO_TX, dev->path, state);
}

/* ---------------------------------------------------------- closing ------- */

/* Nobody serves: gives everything back. */
static void
finish_close(struct device *dev)
{
	switch_state(dev, XenbusStateClosing);
	dev->driver->release(dev);
	xenbus_forget_otherend(dev->host->xb, &dev->front);
	device_move(dev, DEVICE_CLOSED);
	switch_state(dev, XenbusStateClosed);
	dom0_log(dev->name, "detached");
}

/* The frontend has gone: ends the worker, and then the device. */
static void
close_now(struct device *dev)
{
	if (dev->phase != DEVICE_CLOSING)
		device_move(dev, DEVICE_CLOSING);
	if (dev->worker == NULL) {
		finish_close(dev);
	} else if (dev->stop_by == 0) {
		worker_stop(dev->worker);
		dev->stop_by = dev->host->now(dev->host->arg) + STOP_SECONDS;
	}
}

/* Will the frontend do nothing more? */
static int
frontend_gone(const struct device *dev, enum xenbus_state front)
{
	return front == XenbusStateClosing || front == XenbusStateClosed ||
	       front == XenbusStateUnknown ||
	       domstate_get(dev->domid) != DOMSTATE_RUNS;
}

/* The device cannot go on. Tells the store why and closes. */
static void
device_fail(struct device *dev, int err)
{
	dom0_log(dev->name, "%s: %s", dev->why, strerror(err));
	xenbus_report(
	    dev->host->xb, dev->path, err, "%s: %s", dev->why, strerror(err));
	dev->failed = 1;
	if (dev->phase == DEVICE_CLOSED)
		return;
	if (dev->phase != DEVICE_CLOSING)
		device_move(dev, DEVICE_CLOSING);
	if (dev->worker != NULL)
		worker_kill(dev->worker);
	switch_state(dev, XenbusStateClosing);
}

/* ---------------------------------------------------------- workers ------- */

static int start_worker(struct device *dev);

/* A worker was killed: its successor goes on where it was. One that dies of
 * what is on its ring would do so for ever. */
static void
worker_died(struct device *dev, const char *how)
{
	uint64_t answered = (uint64_t)ring_load(&dev->journals[0].done) << 32 |
			    ring_load(&dev->journals[1].done);

	if (answered != dev->answered)
		dev->futile_deaths = 0;
	dev->answered = answered;
	if (++dev->futile_deaths > FUTILE_DEATHS_MAX) {
		device_fail(
		    dev, -device_why(dev, EIO, "its worker keeps dying"));
		return;
	}
	dom0_log(dev->name, "worker %s; starting another", how);
	dev->spec.resume = 1;
	if (start_worker(dev) != 0)
		device_fail(
		    dev, -device_why(dev, errno, "cannot start a worker"));
}

static void
worker_event(void *arg, enum worker_event event, int err, const char *text)
{
	struct device *dev = arg;
	int wanted = !dev->failed && dev->stop_by == 0;

	if (event == WORKER_READY) {
		if (!dev->spec.resume && dev->phase == DEVICE_CONNECTED)
			dev->driver->connected(dev);
		return;
	}
	dev->host->unwatch_worker(dev->host->arg, dev->worker);
	dev->worker = NULL;
	dev->stop_by = 0;
	if (event == WORKER_DIED && wanted)
		worker_died(dev, text);
	else if (event == WORKER_FAILED && dev->phase != DEVICE_CLOSED)
		device_fail(dev, -device_why(dev, err, "%s", text));
	device_step(dev);
}

/* For whoever looks: the pid of who serves. Not after the device's end. */
static int
write_pid(struct xenbus *xb, uint32_t tx, void *arg)
{
	struct device *dev = arg;

	if (xenbus_exists(xb, tx, dev->path, "state") != 1)
		return -ENOENT;
	return xenbus_printf(
	    xb, tx, dev->path, "worker", "%ld", (long)worker_pid(dev->worker));
}

static int
start_worker(struct device *dev)
{
	dev->worker = worker_start(&dev->spec, worker_event, dev);
	if (dev->worker == NULL)
		return -1;
	dev->host->watch_worker(dev->host->arg, dev->worker);
	(void)xenbus_transaction(dev->host->xb, write_pid, dev);
	return 0;
}

static void
try_connect(struct device *dev, enum xenbus_state front)
{
	int rc;

	memset(&dev->spec, 0, sizeof(dev->spec));
	snprintf(dev->spec.name, sizeof(dev->spec.name), "%s", dev->name);
	dev->spec.domid = dev->domid;
	dev->spec.journal[0] = &dev->journals[0];
	dev->spec.journal[1] = &dev->journals[1];
	rc = dev->driver->connect(dev, front, &dev->spec);
	if (rc == -EAGAIN)
		return;
	if (rc == 0 && start_worker(dev) != 0)
		rc = device_why(dev, errno, "cannot start a worker");
	if (rc != 0) {
		device_fail(dev, -rc);
		return;
	}
	device_move(dev, DEVICE_CONNECTED);
}

/* ------------------------------------------------------------ steps ------- */

/* Does the toolstack want the device to go? */
static int
offline(struct device *dev, enum xenbus_state own)
{
	uint64_t online = 1;

	if (own == XenbusStateClosing)
		return 1;
	return xenbus_read_num_or(dev->host->xb, XENBUS_NO_TX, dev->path,
		   "online", UINT32_MAX, 1, &online) == 0 &&
	       online == 0;
}

static void
step_open(struct device *dev, enum xenbus_state own, enum xenbus_state front)
{
	if (own == XenbusStateUnknown || front == XenbusStateClosing ||
	    front == XenbusStateClosed || front == XenbusStateUnknown) {
		close_now(dev);
	} else if (offline(dev, own)) {
		device_move(dev, DEVICE_CLOSING);
		switch_state(dev, XenbusStateClosing);
		if (frontend_gone(dev, front))
			close_now(dev);
	} else if (dev->phase == DEVICE_WAIT &&
		   (front == XenbusStateInitialised ||
		       front == XenbusStateConnected)) {
		try_connect(dev, front);
	}
}

void
device_step(struct device *dev)
{
	struct xenbus *xb = dev->host->xb;
	enum xenbus_state own = xenbus_read_state(xb, XENBUS_NO_TX, dev->path);

	if (dev->phase == DEVICE_WAIT || dev->phase == DEVICE_CONNECTED)
		step_open(dev, own,
		    xenbus_read_state(xb, XENBUS_NO_TX, dev->front.path));
	else if (dev->phase == DEVICE_CLOSING &&
		 (own == XenbusStateUnknown || dev->front.path[0] == '\0' ||
		     frontend_gone(dev,
			 xenbus_read_state(xb, XENBUS_NO_TX, dev->front.path))))
		close_now(dev);
	/* The toolstack asked for what had been done just before. */
	if (dev->phase == DEVICE_CLOSED && own == XenbusStateClosing)
		switch_state(dev, XenbusStateClosed);
	if (dev->phase == DEVICE_CLOSED &&
	    (own == XenbusStateUnknown || own == XenbusStateInitialising)) {
		dev->done = 1;
		dev->host->reap = 1;
	}
}

static void
frontend_changed(void *arg, const char *path)
{
	(void)path;
	device_step(arg);
}

void
device_changed(struct device *dev)
{
	int rc;

	if (dev->driver->changed == NULL || dev->phase == DEVICE_CLOSING ||
	    dev->phase == DEVICE_CLOSED)
		return;
	rc = dev->driver->changed(dev);
	if (rc != 0)
		device_fail(dev, -rc);
	device_step(dev);
}

void
device_domains_changed(struct device *dev)
{
	enum domstate is;

	if (dev->phase == DEVICE_CLOSED)
		return;
	is = domstate_get(dev->domid);
	if (is == DOMSTATE_GONE ||
	    (is == DOMSTATE_SHUT && dev->phase == DEVICE_CLOSING))
		close_now(dev);
}

int
device_stopping(const struct device *dev)
{
	return dev->stop_by != 0;
}

void
device_tick(struct device *dev)
{
	if (dev->stop_by == 0 || dev->worker == NULL ||
	    dev->host->now(dev->host->arg) < dev->stop_by)
		return;
	dom0_log(dev->name, "worker does not end; killing it");
	worker_kill(dev->worker);
}

/* ------------------------------------------------------- life, death ------ */

/* Finds the frontend and lets the driver attach. */
static int
attach(struct device *dev)
{
	int rc = xenbus_find_otherend(
	    dev->host->xb, dev->path, "frontend", "frontend-id", &dev->front);

	if (rc != 0) {
		dev->front.path[0] = '\0';
		return device_why(dev, -rc, "reading its frontend");
	}
	if (dev->front.domid != dev->domid)
		return device_why(dev, EINVAL,
		    "frontend-id is %u but the path says %u", dev->front.domid,
		    dev->domid);
	rc = dev->driver->attach(dev);
	if (rc != 0)
		return rc;
	rc = xenbus_watch_otherend(
	    dev->host->xb, &dev->front, frontend_changed, dev);
	if (rc != 0)
		return device_why(dev, -rc, "watching its frontend");
	return 0;
}

struct device *
device_new(struct device_host *host, const struct device_driver *driver,
    uint32_t domid, uint32_t id)
{
	struct device *dev = calloc(1, sizeof(*dev));
	int rc;

	if (dev == NULL)
		return NULL;
	dev->host = host;
	dev->driver = driver;
	dev->domid = domid;
	dev->id = id;
	snprintf(dev->path, sizeof(dev->path), "backend/%s/%u/%u", driver->type,
	    domid, id);
	/* Zeroed; survives every worker. */
	dev->journals = mmap(NULL, 2 * sizeof(*dev->journals),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (dev->journals == MAP_FAILED) {
		free(dev);
		return NULL;
	}
	snprintf(dev->name, sizeof(dev->name), "%s%ui%u",
	    strcmp(driver->type, "vbd") == 0 ? "xbdb" : "xvif", domid, id);
	rc = attach(dev);
	if (rc != 0)
		device_fail(dev, -rc);
	else
		device_changed(dev);
	return dev;
}

void
device_free(struct device *dev)
{
	assert(dev->phase == DEVICE_CLOSED && dev->worker == NULL);
	munmap(dev->journals, 2 * sizeof(*dev->journals));
	free(dev);
}
