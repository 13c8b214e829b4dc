/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's /dev/xen/evtchn: read() gives 32-bit ports and masks them, write()
 * of 32-bit ports unmasks them, the rest are ioctls whose result is the port.
 * Tried by tests/xen.
 */
#include "provider.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <fcntl.h>

#include "../common/provider.h"

#define LINUX_IOC(nr, size) (0x4500ul | (nr) | (unsigned long)(size) << 16)

struct linux_remote {
	unsigned domain;
	unsigned port;
};

#define LINUX_BIND_VIRQ LINUX_IOC(0, sizeof(unsigned))
#define LINUX_BIND_INTERDOMAIN LINUX_IOC(1, sizeof(struct linux_remote))
#define LINUX_BIND_UNBOUND_PORT LINUX_IOC(2, sizeof(unsigned))
#define LINUX_UNBIND LINUX_IOC(3, sizeof(unsigned))
#define LINUX_NOTIFY LINUX_IOC(4, sizeof(unsigned))
#define LINUX_RESTRICT_DOMID LINUX_IOC(6, sizeof(domid_t))

static int
linux_open(struct xenevtchn_handle *xce, unsigned flags)
{
	xce->fd = provider_open(xce->logger, "xenevtchn", PROVIDER_LINUX,
	    "/dev/xen/evtchn", 0, "modprobe xen-evtchn");
	if (xce->fd < 0)
		return -1;
	if ((flags & XENEVTCHN_NO_CLOEXEC) != 0)
		fcntl(xce->fd, F_SETFD, 0);
	return 0;
}

static int
linux_adopt(struct xenevtchn_handle *xce)
{
	(void)xce;
	return 0;
}

static void
linux_close(struct xenevtchn_handle *xce)
{
	close(xce->fd);
}

static int
linux_notify(struct xenevtchn_handle *xce, evtchn_port_t port)
{
	return ioctl(xce->fd, LINUX_NOTIFY, &port);
}

static int
linux_bind_unbound_port(struct xenevtchn_handle *xce, domid_t domid)
{
	unsigned remote = domid;

	return ioctl(xce->fd, LINUX_BIND_UNBOUND_PORT, &remote);
}

static int
linux_bind_interdomain(
    struct xenevtchn_handle *xce, domid_t domid, evtchn_port_t remote_port)
{
	struct linux_remote remote = { .domain = domid, .port = remote_port };

	return ioctl(xce->fd, LINUX_BIND_INTERDOMAIN, &remote);
}

static int
linux_bind_virq(struct xenevtchn_handle *xce, unsigned virq)
{
	return ioctl(xce->fd, LINUX_BIND_VIRQ, &virq);
}

static int
linux_unbind(struct xenevtchn_handle *xce, evtchn_port_t port)
{
	return ioctl(xce->fd, LINUX_UNBIND, &port);
}

static int
linux_pending(struct xenevtchn_handle *xce)
{
	uint32_t port;
	ssize_t n = read(xce->fd, &port, sizeof(port));

	if (n < 0)
		return -1;
	if (n != sizeof(port)) {
		errno = EIO;
		return -1;
	}
	return (int)port;
}

static int
linux_unmask(struct xenevtchn_handle *xce, evtchn_port_t port)
{
	uint32_t word = port;

	return write(xce->fd, &word, sizeof(word)) < 0 ? -1 : 0;
}

static int
linux_restrict(struct xenevtchn_handle *xce, domid_t domid)
{
	return ioctl(xce->fd, LINUX_RESTRICT_DOMID, &domid);
}

const struct evtchn_ops *
evtchn_linux_ops(void)
{
	static const struct evtchn_ops ops = {
		.open = linux_open,
		.adopt = linux_adopt,
		.close = linux_close,
		.notify = linux_notify,
		.bind_unbound_port = linux_bind_unbound_port,
		.bind_interdomain = linux_bind_interdomain,
		.bind_virq = linux_bind_virq,
		.unbind = linux_unbind,
		.pending = linux_pending,
		.unmask = linux_unmask,
		.restrict_to = linux_restrict,
	};

	return &ops;
}
