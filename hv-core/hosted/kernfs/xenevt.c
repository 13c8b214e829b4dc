/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenevt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/lib/common/netbsd_xenevt.h"
#include "xenevtchn.h"

struct xenevt {
	xenevtchn_handle *xce;
	bool gone;	     /* the hypervisor */
	bool overflow;	     /* events were lost since the last RESET */
	uint32_t head, tail; /* next to read, next to fill */
	uint32_t ring[XENEVT_RING_SLOTS];
	bool bound[XENEVT_PORTS];
};

struct xenevt *
xenevt_open(int *err_out)
{
	struct xenevt *x = calloc(1, sizeof(*x));
	int fd;

	if (x != NULL)
		x->xce = xenevtchn_open(NULL, 0);
	if (x == NULL || x->xce == NULL) {
		*err_out = errno;
		if (errno == ENOENT || errno == ECONNREFUSED)
			*err_out = ENXIO;
		free(x);
		return NULL;
	}
	fd = xenevtchn_fd(x->xce);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return x;
}

void
xenevt_close(struct xenevt *x)
{
	if (x == NULL)
		return;
	xenevtchn_close(x->xce);
	free(x);
}

int
xenevt_fd(const struct xenevt *x)
{
	return xenevtchn_fd(x->xce);
}

/* One more event at PORT; lost, if there is no room for it. */
static void
push(struct xenevt *x, uint32_t port)
{
	uint32_t next = (x->tail + 1) % XENEVT_RING_SLOTS;

	if (next == x->head) {
		x->overflow = true;
		return;
	}
	x->ring[x->tail] = port;
	x->tail = next;
}

bool
xenevt_collect(struct xenevt *x)
{
	int port;

	while ((port = xenevtchn_pending(x->xce)) >= 0)
		push(x, (uint32_t)port);
	if (errno != EAGAIN && errno != EINTR)
		x->gone = true;
	return !x->gone;
}

bool
xenevt_readable(const struct xenevt *x)
{
	return x->head != x->tail;
}

ptrdiff_t
xenevt_read(struct xenevt *x, void *buf, size_t size)
{
	uint8_t *to = buf;
	size_t done = 0;

	if (x->overflow)
		return -EFBIG;
	if (size < sizeof(uint32_t))
		return 0;
	if (x->head == x->tail)
		return x->gone ? -EIO : -EAGAIN;
	while (x->head != x->tail && size - done >= sizeof(uint32_t)) {
		memcpy(to + done, &x->ring[x->head], sizeof(uint32_t));
		x->head = (x->head + 1) % XENEVT_RING_SLOTS;
		done += sizeof(uint32_t);
	}
	return (ptrdiff_t)done;
}

ptrdiff_t
xenevt_write(struct xenevt *x, const void *buf, size_t size)
{
	const uint8_t *from = buf;
	size_t i;

	if (size % sizeof(uint16_t) != 0)
		return -EINVAL;
	if (size / sizeof(uint16_t) >= XENEVT_PORTS)
		return -EMSGSIZE;
	for (i = 0; i < size; i += sizeof(uint16_t)) {
		uint16_t port;

		memcpy(&port, from + i, sizeof(port));
		if (port < XENEVT_PORTS && x->bound[port])
			xenevtchn_unmask(x->xce, port);
	}
	return (ptrdiff_t)size;
}

/* Note what a bind answered in *PORT_OUT. 0 or a negative errno number. */
static int
bind_done(struct xenevt *x, int port, uint32_t *port_out)
{
	if (port < 0)
		return -errno;
	if ((uint32_t)port >= XENEVT_PORTS) {
		xenevtchn_unbind(x->xce, (evtchn_port_t)port);
		return -ENOSPC;
	}
	x->bound[port] = true;
	*port_out = (uint32_t)port;
	return 0;
}

static int
do_reset(struct xenevt *x, void *arg)
{
	(void)arg;
	x->head = x->tail;
	x->overflow = false;
	return 0;
}

static int
do_bind_virq(struct xenevt *x, void *arg)
{
	struct xenevt_bind_virq *a = arg;

	return bind_done(x, xenevtchn_bind_virq(x->xce, a->virq), &a->port);
}

static int
do_bind_interdomain(struct xenevt *x, void *arg)
{
	struct xenevt_bind_interdomain *a = arg;

	return bind_done(x,
	    xenevtchn_bind_interdomain(
		x->xce, a->remote_domain, a->remote_port),
	    &a->port);
}

static int
do_bind_unbound_port(struct xenevt *x, void *arg)
{
	struct xenevt_bind_unbound_port *a = arg;

	return bind_done(
	    x, xenevtchn_bind_unbound_port(x->xce, a->remote_domain), &a->port);
}

/* 0 if PORT is bound here, else -EINVAL or -ENOTCONN. */
static int
check_bound(const struct xenevt *x, uint32_t port)
{
	if (port >= XENEVT_PORTS)
		return -EINVAL;
	return x->bound[port] ? 0 : -ENOTCONN;
}

static int
do_unbind(struct xenevt *x, void *arg)
{
	struct xenevt_unbind *a = arg;
	int err = check_bound(x, a->port);

	if (err < 0)
		return err;
	x->bound[a->port] = false;
	return xenevtchn_unbind(x->xce, a->port) < 0 ? -errno : 0;
}

static int
do_notify(struct xenevt *x, void *arg)
{
	struct xenevt_notify *a = arg;
	int err = check_bound(x, a->port);

	if (err < 0)
		return err;
	return xenevtchn_notify(x->xce, a->port) < 0 ? -errno : 0;
}

static const struct xenevt_cmd {
	unsigned long cmd;
	size_t size;
	int (*run)(struct xenevt *x, void *arg);
} xenevt_cmds[] = {
	/* clang-format off */
	{ XENEVT_RESET, 0, do_reset },
	{ XENEVT_RESET_OLD, 0, do_reset },
	{ XENEVT_BIND_VIRQ, sizeof(struct xenevt_bind_virq), do_bind_virq },
	{ XENEVT_BIND_INTERDOMAIN, sizeof(struct xenevt_bind_interdomain),
	    do_bind_interdomain },
	{ XENEVT_BIND_UNBOUND_PORT, sizeof(struct xenevt_bind_unbound_port),
	    do_bind_unbound_port },
	{ XENEVT_UNBIND, sizeof(struct xenevt_unbind), do_unbind },
	{ XENEVT_NOTIFY, sizeof(struct xenevt_notify), do_notify },
	/* clang-format on */
};

static const struct xenevt_cmd *
find_cmd(unsigned long cmd)
{
	size_t i;

	for (i = 0; i < sizeof(xenevt_cmds) / sizeof(*xenevt_cmds); i++)
		if (xenevt_cmds[i].cmd == cmd)
			return &xenevt_cmds[i];
	return NULL;
}

int
xenevt_ioctl_size(unsigned long cmd)
{
	const struct xenevt_cmd *c = find_cmd(cmd);

	return c == NULL ? -EINVAL : (int)c->size;
}

int
xenevt_ioctl(struct xenevt *x, unsigned long cmd, void *arg)
{
	const struct xenevt_cmd *c = find_cmd(cmd);

	return c == NULL ? -EINVAL : c->run(x, arg);
}
