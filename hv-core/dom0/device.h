/*
 * One backend device: its way through the states, its worker, its end.
 *
 * Knows the store through xenbus and workers through worker.h. What a disk or a
 * network interface is, is said by a struct device_driver (vbd.h, vif.h).
 *
 *   WAIT       nobody serves yet: the script, the image or the frontend is
 *              missing
 *   CONNECTED  a worker serves the frontend, or is being started again
 *   CLOSING    the frontend shall go; the worker serves until it has
 *   CLOSED     state 6: nothing is held any more
 */
#ifndef HV_DOM0_DEVICE_H
#define HV_DOM0_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "abi/io/xenbus.h"
#include "hv-core/dom0/service.h"
#include "hv-core/guest/xenbus.h"

enum device_phase {
	DEVICE_WAIT,
	DEVICE_CONNECTED,
	DEVICE_CLOSING,
	DEVICE_CLOSED
};

struct device;
struct worker;

/* Callbacks that return an int give 0 or a negative errno and, on error, set
 * the text of device_why(). */
struct device_driver {
	const char *type; /* "vbd" */
	/* The device is new: read its nodes, publish ours up to state 2. */
	int (*attach)(struct device *dev);
	/* A node of the backend's folder has changed. May be NULL. */
	int (*changed)(struct device *dev);
	/* The frontend is at FRONT (3 or 4): fill what SPEC needs of its nodes
	 * and ours. -EAGAIN: it is too early. */
	int (*connect)(struct device *dev, enum xenbus_state front,
	    struct service_spec *spec);
	/* The worker serves for the first time. */
	void (*connected)(struct device *dev);
	/* Nobody serves any more: close what attach and changed opened.
	 * Harmless when there is nothing. */
	void (*release)(struct device *dev);
};

/* What devices need of the kernel around them. */
struct device_host {
	struct xenbus *xb;
	const char *root; /* $HV_ROOT */
	/* A worker was started: worker_handle() it when it is readable. */
	void (*watch_worker)(void *arg, struct worker *worker);
	/* It has ended. */
	void (*unwatch_worker)(void *arg, struct worker *worker);
	/* Seconds of a clock that never goes back. */
	uint64_t (*now)(void *arg);
	void *arg;
	int reap; /* out: some device wants to be freed */
};

struct device {
	struct device *next; /* the owner's */
	struct device_host *host;
	const struct device_driver *driver;
	uint32_t domid, id;
	char path[64];		     /* "backend/vbd/5/768" */
	char name[SERVICE_NAME_MAX]; /* "xbdb5i768" */
	struct xenbus_otherend front;
	enum device_phase phase;

	int failed; /* device_fail was called: nobody is served any more */
	int done;   /* CLOSED, and its nodes are gone or ask for a new life:
		       the owner shall free it */

	struct worker *worker;
	struct service_spec spec; /* of the connection, for a new worker */
	struct backring_journal *journals;
	uint64_t stop_by;	/* when a stopping worker is killed; 0: not */
	uint64_t answered;	/* responses when the last worker died */
	unsigned futile_deaths; /* in a row, without any response between */

	char why[200];
	void *priv; /* the driver's */
};

/*
 * The device backend/TYPE/DOMID/ID of HOST: attached and, if its frontend is
 * that far, connected. It may be closing at once, the store says why then.
 * NULL: no memory.
 */
struct device *device_new(struct device_host *host,
    const struct device_driver *driver, uint32_t domid, uint32_t id);

/* Frees it. It must be CLOSED and have no worker. */
void device_free(struct device *dev);

/* Something in its folder or about its frontend may have changed: does what is
 * due. */
void device_step(struct device *dev);

/* A node of its folder other than state has changed. */
void device_changed(struct device *dev);

/* Domains have ended, perhaps this one's. */
void device_domains_changed(struct device *dev);

/* To be called about once a second while device_stopping(). */
void device_tick(struct device *dev);
int device_stopping(const struct device *dev);

/* For drivers: says why a callback fails; returns -ERR. */
int device_why(struct device *dev, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
