/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's /dev/xenevt: read() gives 32-bit ports and masks them, write() of
 * *16-bit* ports unmasks them, the rest are ioctls with in/out structures.
 * When the kernel's ring has overflowed, every read fails with EFBIG until a
 * RESET, and the descriptor may never become readable again without one.
 * Tried on hv-kernfs, which serves a node with this contract; not on hardware.
 */
#include "provider.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../common/provider.h"
#include "../common/netbsd_xenevt.h"

static int
netbsd_open(struct xenevtchn_handle *xce, unsigned flags)
{
	xce->fd = provider_open(xce->logger, "xenevtchn", PROVIDER_NETBSD,
	    "/dev/xenevt", 0, "cd /dev && sh MAKEDEV xen");
	if (xce->fd < 0)
		return -1;
	if ((flags & XENEVTCHN_NO_CLOEXEC) != 0)
		fcntl(xce->fd, F_SETFD, 0);
	return 0;
}

static int
netbsd_adopt(struct xenevtchn_handle *xce)
{
	(void)xce;
	return 0;
}

static void
netbsd_close(struct xenevtchn_handle *xce)
{
	close(xce->fd);
}

static int
netbsd_notify(struct xenevtchn_handle *xce, evtchn_port_t port)
{
	struct xenevt_notify arg = { .port = port };

	return ioctl(xce->fd, XENEVT_NOTIFY, &arg);
}

static int
netbsd_bind_unbound_port(struct xenevtchn_handle *xce, domid_t domid)
{
	struct xenevt_bind_unbound_port arg = { .remote_domain = domid };

	if (ioctl(xce->fd, XENEVT_BIND_UNBOUND_PORT, &arg) < 0)
		return -1;
	return (int)arg.port;
}

static int
netbsd_bind_interdomain(
    struct xenevtchn_handle *xce, domid_t domid, evtchn_port_t remote_port)
{
	struct xenevt_bind_interdomain arg = {
		.remote_domain = domid,
		.remote_port = remote_port,
	};

	if (ioctl(xce->fd, XENEVT_BIND_INTERDOMAIN, &arg) < 0)
		return -1;
	return (int)arg.port;
}

static int
netbsd_bind_virq(struct xenevtchn_handle *xce, unsigned virq)
{
	struct xenevt_bind_virq arg = { .virq = virq };

	if (ioctl(xce->fd, XENEVT_BIND_VIRQ, &arg) < 0)
		return -1;
	return (int)arg.port;
}

static int
netbsd_unbind(struct xenevtchn_handle *xce, evtchn_port_t port)
{
	struct xenevt_unbind arg = { .port = port };

	return ioctl(xce->fd, XENEVT_UNBIND, &arg);
}

static int
netbsd_pending(struct xenevtchn_handle *xce)
{
	uint32_t port;
	ssize_t n = read(xce->fd, &port, sizeof(port));

	if (n == sizeof(port))
		return (int)port;
	if (n >= 0)
		errno = EIO;
	else if (errno == EFBIG && ioctl(xce->fd, XENEVT_RESET) == 0)
		errno = EFBIG;
	return -1;
}

static int
netbsd_unmask(struct xenevtchn_handle *xce, evtchn_port_t port)
{
	uint16_t word = (uint16_t)port;

	if (port > UINT16_MAX) {
		errno = EINVAL;
		return -1;
	}
	return write(xce->fd, &word, sizeof(word)) < 0 ? -1 : 0;
}

static int
netbsd_restrict(struct xenevtchn_handle *xce, domid_t domid)
{
	(void)xce;
	(void)domid;
	errno = EOPNOTSUPP;
	return -1;
}

const struct evtchn_ops *
evtchn_netbsd_ops(void)
{
	static const struct evtchn_ops ops = {
		.open = netbsd_open,
		.adopt = netbsd_adopt,
		.close = netbsd_close,
		.notify = netbsd_notify,
		.bind_unbound_port = netbsd_bind_unbound_port,
		.bind_interdomain = netbsd_bind_interdomain,
		.bind_virq = netbsd_bind_virq,
		.unbind = netbsd_unbind,
		.pending = netbsd_pending,
		.unmask = netbsd_unmask,
		.restrict_to = netbsd_restrict,
	};

	return &ops;
}
