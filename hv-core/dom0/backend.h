/*
 * The devices that the toolstack wants domain 0 to serve: finds them in the
 * store, below "backend", and passes on what happens to them.
 *
 * Knows the shape of the tree; what a device does is device.h's business. One
 * device's nodes never cost a look at another's.
 */
#ifndef HV_DOM0_BACKEND_H
#define HV_DOM0_BACKEND_H

#include <stdint.h>

struct backend;
struct device_driver;
struct device_host;

/* Watches "backend" and the domains' ends; devices come with the next
 * xenbus_poll(). DRIVERS ends with NULL. HOST and DRIVERS must live on. NULL
 * with *ERR_OUT an errno value. */
struct backend *backend_start(struct device_host *host,
    const struct device_driver *const *drivers, int *err_out);

/* To be called after every xenbus_poll() and worker_handle(): frees devices
 * that have ended. */
void backend_reap(struct backend *be);

/* To be called now and then: kills workers that do not stop. Milliseconds until
 * the next call is due, or -1: no need. */
int backend_tick(struct backend *be);

/* How many devices there are. */
unsigned backend_count(const struct backend *be);

#endif
