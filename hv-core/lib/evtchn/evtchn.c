/* SPDX-License-Identifier: BSD-2-Clause */
#include "provider.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/provider.h"

enum { DOMIDS = 0x8000 }; /* DOMID_SELF and its like included */

/* A handle of the provider, with nothing opened. */
static struct xenevtchn_handle *
handle_new(struct xentoollog_logger *logger, enum provider provider)
{
	struct xenevtchn_handle *xce;

	xce = calloc(1, sizeof(*xce));
	if (xce == NULL)
		return NULL;
	xce->logger = logger;
	xce->fd = -1;
	switch (provider) {
	case PROVIDER_HOSTED:
		xce->ops = evtchn_hosted_ops();
		break;
	case PROVIDER_LINUX:
		xce->ops = evtchn_linux_ops();
		break;
	case PROVIDER_NETBSD:
		xce->ops = evtchn_netbsd_ops();
		break;
	}
	return xce;
}

xenevtchn_handle *
xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	struct xenevtchn_handle *xce;
	enum provider provider;

	if ((flags & ~XENEVTCHN_NO_CLOEXEC) != 0) {
		errno = EINVAL;
		return NULL;
	}
	if (provider_find(logger, "xenevtchn", &provider) < 0)
		return NULL;
	xce = handle_new(logger, provider);
	if (xce == NULL)
		return NULL;
	if (xce->ops->open(xce, flags) < 0) {
		int saved = errno;

		free(xce);
		errno = saved;
		return NULL;
	}
	return xce;
}

/*
 * The provider that FD belongs to. 0, or -1 with errno. Who takes a descriptor
 * over may be in a sandbox, where no node is to be seen; but the hosted one is
 * a socket. NetBSD's device has no status to ask for.
 */
static int
find_by_fd(struct xentoollog_logger *logger, int fd, enum provider *out)
{
	struct stat st;

	if (fcntl(fd, F_GETFD) < 0)
		return -1;
	if (provider_find(logger, "xenevtchn", out) < 0)
		return -1;
	if (*out != PROVIDER_HOSTED)
		return 0;
	if (fstat(fd, &st) < 0)
		*out = PROVIDER_NETBSD;
	else if (S_ISCHR(st.st_mode))
		*out = PROVIDER_LINUX;
	return 0;
}

xenevtchn_handle *
xenevtchn_fdopen(struct xentoollog_logger *logger, int fd, unsigned int flags)
{
	struct xenevtchn_handle *xce;
	enum provider provider;

	if (flags != 0) {
		errno = EINVAL;
		return NULL;
	}
	if (find_by_fd(logger, fd, &provider) < 0)
		return NULL;
	xce = handle_new(logger, provider);
	if (xce == NULL)
		return NULL;
	xce->fd = fd;
	if (xce->ops->adopt(xce) < 0) {
		int saved = errno;

		free(xce);
		errno = saved;
		return NULL;
	}
	return xce;
}

int
xenevtchn_close(xenevtchn_handle *xce)
{
	if (xce == NULL)
		return 0;
	xce->ops->close(xce);
	free(xce);
	return 0;
}

int
xenevtchn_fd(xenevtchn_handle *xce)
{
	if (xce->ops->polled != NULL)
		xce->ops->polled(xce);
	return xce->fd;
}

int
xenevtchn_device_fd(xenevtchn_handle *xce)
{
	return xce->ops->device_fd != NULL ? xce->ops->device_fd(xce) : xce->fd;
}

int
xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	return xce->ops->notify(xce, port);
}

int
xenevtchn_notify_many(
    xenevtchn_handle *xce, const evtchn_port_t *ports, size_t nr)
{
	int err = 0;
	size_t i;

	if (xce->ops->notify_many != NULL)
		return xce->ops->notify_many(xce, ports, nr);
	for (i = 0; i < nr; i++)
		if (xce->ops->notify(xce, ports[i]) < 0 && err == 0)
			err = errno;
	if (err == 0)
		return 0;
	errno = err;
	return -1;
}

/* 0, or -1 with errno ESRCH if DOMID cannot be the name of a domain. */
static int
check_domid(uint32_t domid)
{
	if (domid < DOMIDS)
		return 0;
	errno = ESRCH;
	return -1;
}

xenevtchn_port_or_error_t
xenevtchn_bind_unbound_port(xenevtchn_handle *xce, uint32_t domid)
{
	if (check_domid(domid) < 0)
		return -1;
	return xce->ops->bind_unbound_port(xce, (domid_t)domid);
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(
    xenevtchn_handle *xce, uint32_t domid, evtchn_port_t remote_port)
{
	if (check_domid(domid) < 0)
		return -1;
	return xce->ops->bind_interdomain(xce, (domid_t)domid, remote_port);
}

xenevtchn_port_or_error_t
xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	return xce->ops->bind_virq(xce, virq);
}

int
xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	return xce->ops->unbind(xce, port);
}

xenevtchn_port_or_error_t
xenevtchn_pending(xenevtchn_handle *xce)
{
	return xce->ops->pending(xce);
}

int
xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	return xce->ops->unmask(xce, port);
}

int
xenevtchn_restrict(xenevtchn_handle *xce, domid_t domid)
{
	return xce->ops->restrict_to(xce, domid);
}
