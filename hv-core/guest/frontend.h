/*
 * frontend: the devices the toolstack gave this domain.
 *
 * It knows the directory "device" of the domain's home, the other ends' paths
 * and states, and the drivers' names. It does not know what a driver does.
 * New devices (state 1) are attached in ascending numeric order by type, also
 * those that come later. A device whose backend closes, or goes away, or whose
 * nodes are removed, is detached.
 */
#ifndef HV_GUEST_FRONTEND_H
#define HV_GUEST_FRONTEND_H

#include <stdint.h>

#include "hv-core/guest/xenbus.h"

/* One device. Owned by this module; a driver hangs its own data on priv. */
struct frontend {
	struct xenbus *xb;
	const struct frontend_driver *driver;
	uint32_t id;   /* the device's number, as in its path */
	char path[64]; /* "device/vbd/768" */
	struct xenbus_otherend backend;
	void *priv;
};

struct frontend_driver {
	const char *type; /* "vbd" */
	/*
	 * A new device. Non-zero (negative errno) refuses it: its state becomes
	 * Closed.
	 */
	int (*attach)(struct frontend *fe);
	/* The backend's state may have changed: now, or again the same. */
	void (*changed)(struct frontend *fe, enum xenbus_state backend);
	/*
	 * The device goes away. The driver stops using the ring, takes back
	 * what it granted and drops FE. The state is written by the caller.
	 */
	void (*detach)(struct frontend *fe);
};

/*
 * Watches "device" and attaches what is there to the drivers of DRIVERS, an
 * array ended by NULL that must live on. Returns when the present devices have
 * been attached (not: connected).
 */
int frontend_start(
    struct xenbus *xb, const struct frontend_driver *const *drivers);

/* The drivers that the runtime has: blkfront's and netfront's. */
extern const struct frontend_driver *const frontend_drivers[];

/* Closes every device in an orderly way. To be called before a shutdown. */
void frontend_stop(void);

/* Closes one device: Closing, detach, Closed. */
void frontend_close(struct frontend *fe);

#endif
