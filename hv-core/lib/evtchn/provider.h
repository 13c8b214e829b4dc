/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libxenevtchn asks of a platform. evtchn.c checks what is the same
 * everywhere and calls one of these; hosted.c, linux.c and netbsd.c know one
 * platform each.
 */
#ifndef LIB_EVTCHN_PROVIDER_H
#define LIB_EVTCHN_PROVIDER_H

#include "../include/xenevtchn.h"

struct evtchn_ops;

struct xenevtchn_handle {
	const struct evtchn_ops *ops;
	struct xentoollog_logger *logger;
	int fd;		       /* what xenevtchn_fd() returns */
	struct hosted *hosted; /* hosted only */
};

/*
 * Each answers as the function of xenevtchn.h whose name it has: -1 with errno
 * on failure. open sets fd or logs why it cannot; adopt makes an inherited
 * descriptor, already stored in fd, usable; close releases all but the handle;
 * polled (may be NULL) says that the caller has asked for the descriptor;
 * device_fd may be NULL where the ports live in fd, notify_many where notify is
 * as good.
 */
struct evtchn_ops {
	int (*open)(struct xenevtchn_handle *xce, unsigned flags);
	int (*adopt)(struct xenevtchn_handle *xce);
	void (*close)(struct xenevtchn_handle *xce);
	void (*polled)(struct xenevtchn_handle *xce);
	int (*device_fd)(struct xenevtchn_handle *xce);
	int (*notify)(struct xenevtchn_handle *xce, evtchn_port_t port);
	int (*notify_many)(struct xenevtchn_handle *xce,
	    const evtchn_port_t *ports, size_t nr);
	int (*bind_unbound_port)(struct xenevtchn_handle *xce, domid_t domid);
	int (*bind_interdomain)(struct xenevtchn_handle *xce, domid_t domid,
	    evtchn_port_t remote_port);
	int (*bind_virq)(struct xenevtchn_handle *xce, unsigned virq);
	int (*unbind)(struct xenevtchn_handle *xce, evtchn_port_t port);
	int (*pending)(struct xenevtchn_handle *xce);
	int (*unmask)(struct xenevtchn_handle *xce, evtchn_port_t port);
	int (*restrict_to)(struct xenevtchn_handle *xce, domid_t domid);
};

/* hvd of this project. */
const struct evtchn_ops *evtchn_hosted_ops(void);

/* Linux's /dev/xen/evtchn. Not tried on hardware. */
const struct evtchn_ops *evtchn_linux_ops(void);

/* NetBSD's /dev/xenevt. Tried on hv-kernfs, not on hardware. */
const struct evtchn_ops *evtchn_netbsd_ops(void);

#endif
