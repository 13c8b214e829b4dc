/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels of the hosted hypervisor: one EVTCHN channel to hvd per
 * handle. Ports are bound by hypercalls on that channel; events come as bits in
 * pair pages, which the client harvests. Here a port is delivered once and
 * stays masked until the caller unmasks it.
 */
#include "provider.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/provider.h"
#include "../hosted/client.h"
#include "abi/event_channel.h"

#define WORDS HV_PORT_WORDS

enum { MANY = 512 }; /* ports that are notified at once */

struct hosted {
	struct hv_client *client;
	bool polled;	      /* the caller knows the descriptor */
	pthread_mutex_t lock; /* of all below; taken before the client's own */
	uint64_t bound[WORDS];
	uint64_t pending[WORDS];
	uint64_t masked[WORDS];
	unsigned next; /* where the search for a pending port goes on */
};

static bool
bit_test(const uint64_t *map, uint32_t port)
{
	return port < HV_PORTS && (map[port / 64] >> (port % 64) & 1) != 0;
}

static void
bit_set(uint64_t *map, uint32_t port)
{
	map[port / 64] |= UINT64_C(1) << (port % 64);
}

static void
bit_clear(uint64_t *map, uint32_t port)
{
	map[port / 64] &= ~(UINT64_C(1) << (port % 64));
}

/* The hypervisor's answer as the libraries give it. */
static int
answer(int64_t ret)
{
	if (ret >= 0)
		return (int)ret;
	errno = (int)-ret;
	return -1;
}

/* A handle without ports on H's client, which ERR says whether there is one. */
static int
handle_start(struct xenevtchn_handle *xce, struct hosted *h, int err)
{
	if (err < 0) {
		free(h);
		errno = -err;
		return -1;
	}
	pthread_mutex_init(&h->lock, NULL);
	xce->hosted = h;
	xce->fd = hv_client_event_fd(h->client);
	return 0;
}

/*
 * Programs that execute another one in their place hand over xenevtchn_fd(),
 * which with other providers is the device. Here it is not, so the environment
 * tells which descriptor is the channel: "HANDED-OVER:CHANNEL".
 */
static const char inherited_name[] = "HV_EVTCHN_INHERITED";

static void
let_inherit(const struct xenevtchn_handle *xce)
{
	int channel = hv_client_channel_fd(xce->hosted->client);
	char text[32];

	fcntl(channel, F_SETFD, 0);
	fcntl(xce->fd, F_SETFD, 0); /* so that no other takes the number */
	snprintf(text, sizeof(text), "%d:%d", xce->fd, channel);
	(void)setenv(inherited_name, text, 1);
}

/* The channel that FD stands for, or FD itself. */
static int
channel_of(int fd)
{
	const char *text = getenv(inherited_name);
	char *end;

	if (text == NULL || strtol(text, &end, 10) != fd || *end != ':')
		return fd;
	return (int)strtol(end + 1, NULL, 10);
}

static int
hosted_open(struct xenevtchn_handle *xce, unsigned flags)
{
	struct hosted *h = calloc(1, sizeof(*h));
	int err;

	if (h == NULL)
		return -1;
	err = hv_client_open(HV_CHAN_EVTCHN, &h->client);
	if (err < 0)
		provider_log_hvd(xce->logger, "xenevtchn", -err);
	if (handle_start(xce, h, err) != 0)
		return -1;
	if ((flags & XENEVTCHN_NO_CLOEXEC) != 0)
		let_inherit(xce);
	return 0;
}

static int
hosted_adopt(struct xenevtchn_handle *xce)
{
	struct hosted *h = calloc(1, sizeof(*h));
	int fd = xce->fd, channel = channel_of(fd), err;
	uint32_t port;

	if (h == NULL)
		return -1;
	err = hv_client_adopt(channel, HV_CHAN_EVTCHN, &h->client);
	if (err < 0 && channel != fd) { /* the environment was about another */
		channel = fd;
		err = hv_client_adopt(fd, HV_CHAN_EVTCHN, &h->client);
	}
	if (err == 0 && channel != fd)
		close(fd);
	if (err < 0)
		provider_log(xce->logger, "xenevtchn", -err,
		    "cannot take over the ports of descriptor %d", xce->fd);
	for (port = 0; err == 0 && port < HV_PORTS; port++)
		if (hv_client_port_state(h->client, port) != HV_PORT_CLOSED)
			bit_set(h->bound, port);
	if (handle_start(xce, h, err) != 0)
		return -1;
	if ((fcntl(channel, F_GETFD) & FD_CLOEXEC) == 0)
		let_inherit(xce); /* as it was inherited itself */
	return 0;
}

static void
hosted_close(struct xenevtchn_handle *xce)
{
	hv_client_close(xce->hosted->client);
	pthread_mutex_destroy(&xce->hosted->lock);
	free(xce->hosted);
}

static void
hosted_polled(struct xenevtchn_handle *xce)
{
	xce->hosted->polled = true;
}

static int
hosted_device_fd(struct xenevtchn_handle *xce)
{
	return hv_client_channel_fd(xce->hosted->client);
}

static int
hosted_notify(struct xenevtchn_handle *xce, evtchn_port_t port)
{
	struct hosted *h = xce->hosted;
	bool ours;

	pthread_mutex_lock(&h->lock);
	ours = bit_test(h->bound, port);
	pthread_mutex_unlock(&h->lock);
	if (!ours) {
		errno = ENOTCONN;
		return -1;
	}
	return answer(hv_client_send(h->client, port));
}

/* Those of the NR (at most MANY) PORTS that are bound. 0, or -errno. */
static int
notify_some(struct hosted *h, const evtchn_port_t *ports, size_t nr)
{
	evtchn_port_t ours[MANY];
	size_t i, nr_ours = 0;
	int err;

	pthread_mutex_lock(&h->lock);
	for (i = 0; i < nr; i++)
		if (bit_test(h->bound, ports[i]))
			ours[nr_ours++] = ports[i];
	pthread_mutex_unlock(&h->lock);
	err = hv_client_send_many(h->client, ours, nr_ours);
	return err == 0 && nr_ours < nr ? -ENOTCONN : err;
}

/* Whoever is not notified may sleep for ever: this must not need memory. */
static int
hosted_notify_many(
    struct xenevtchn_handle *xce, const evtchn_port_t *ports, size_t nr)
{
	int err = 0, one;
	size_t n;

	for (; nr > 0; ports += n, nr -= n) {
		n = nr < MANY ? nr : MANY;
		one = notify_some(xce->hosted, ports, n);
		if (err == 0)
			err = one;
	}
	return answer(err);
}

/* event_channel_op CMD on ARG (SIZE bytes), which is updated. Xen's answer. */
static int64_t
evtchn_op(struct hosted *h, unsigned cmd, void *arg, size_t size)
{
	void *buf = hv_client_alloc(h->client, size);
	uint64_t args[5] = { cmd, 0, 0, 0, 0 };
	int64_t ret;

	if (buf == NULL)
		return -ENOMEM;
	memcpy(buf, arg, size);
	args[1] = hv_client_addr(h->client, buf);
	ret = hv_client_call(h->client, __HYPERVISOR_event_channel_op, args);
	memcpy(arg, buf, size);
	hv_client_free(h->client, buf);
	return ret;
}

/* evtchn_op() that binds *PORT, a field of ARG: the port, or -1 and errno. */
static int
bind_op(struct hosted *h, unsigned cmd, void *arg, size_t size,
    const evtchn_port_t *port)
{
	int64_t ret;

	/* Held throughout: the port may be delivered before we know it. */
	pthread_mutex_lock(&h->lock);
	ret = evtchn_op(h, cmd, arg, size);
	if (ret >= 0 && *port >= HV_PORTS)
		ret = -EPROTO;
	if (ret >= 0) {
		bit_set(h->bound, *port);
		bit_clear(h->pending, *port);
		bit_clear(h->masked, *port);
		ret = *port;
	}
	pthread_mutex_unlock(&h->lock);
	return answer(ret);
}

static int
hosted_bind_unbound_port(struct xenevtchn_handle *xce, domid_t domid)
{
	struct evtchn_alloc_unbound op = {
		.dom = DOMID_SELF,
		.remote_dom = domid,
	};

	return bind_op(
	    xce->hosted, EVTCHNOP_alloc_unbound, &op, sizeof(op), &op.port);
}

static int
hosted_bind_interdomain(
    struct xenevtchn_handle *xce, domid_t domid, evtchn_port_t remote_port)
{
	struct evtchn_bind_interdomain op = {
		.remote_dom = domid,
		.remote_port = remote_port,
	};

	return bind_op(xce->hosted, EVTCHNOP_bind_interdomain, &op, sizeof(op),
	    &op.local_port);
}

static int
hosted_bind_virq(struct xenevtchn_handle *xce, unsigned virq)
{
	struct evtchn_bind_virq op = { .virq = virq };

	return bind_op(
	    xce->hosted, EVTCHNOP_bind_virq, &op, sizeof(op), &op.port);
}

static int
hosted_unbind(struct xenevtchn_handle *xce, evtchn_port_t port)
{
	struct hosted *h = xce->hosted;
	struct evtchn_close op = { .port = port };
	int64_t ret = -ENOTCONN;

	pthread_mutex_lock(&h->lock);
	if (bit_test(h->bound, port)) {
		ret = evtchn_op(h, EVTCHNOP_close, &op, sizeof(op));
		bit_clear(h->bound, port);
		bit_clear(h->pending, port);
		bit_clear(h->masked, port);
	}
	pthread_mutex_unlock(&h->lock);
	return answer(ret);
}

/* hv_client_harvest() found PORT. Runs with our lock held. */
static void
deliver(void *arg, uint32_t port)
{
	struct hosted *h = arg;

	if (bit_test(h->bound, port))
		bit_set(h->pending, port);
}

/* The next port that is pending and not masked, or -1. Takes nothing. */
static int
find_pending(const struct hosted *h)
{
	unsigned i;

	/* One more than there are: the first word is searched in two parts. */
	for (i = 0; i <= WORDS; i++) {
		unsigned w = (h->next / 64 + i) % WORDS;
		uint64_t bits = h->pending[w] & ~h->masked[w];

		if (i == 0)
			bits &= ~UINT64_C(0) << (h->next % 64);
		if (bits != 0)
			return (int)(w * 64 + (unsigned)__builtin_ctzll(bits));
	}
	return -1;
}

/* Take the next deliverable port, or -1; keep the descriptor truthful. */
static int
take_pending(struct hosted *h)
{
	int port = find_pending(h);

	if (port >= 0) {
		bit_clear(h->pending, (uint32_t)port);
		bit_set(h->masked, (uint32_t)port);
		h->next = ((unsigned)port + 1) % HV_PORTS;
	}
	if (port >= 0 && find_pending(h) >= 0)
		hv_client_nudge(h->client);
	else
		hv_client_calm(h->client);
	return port;
}

/* What was harvested earlier: a port, or -1. No system call in most cases. */
static int
pending_known(struct hosted *h)
{
	int port = -1;

	pthread_mutex_lock(&h->lock);
	if (find_pending(h) >= 0)
		port = take_pending(h);
	pthread_mutex_unlock(&h->lock);
	return port;
}

/*
 * Harvest, without sleeping: a port, -1 and errno EAGAIN if there is none, or
 * -1 and another errno. *CAME says whether anything at all had come.
 */
static int
pending_new(struct hosted *h, bool *came)
{
	int port = -1;
	int ret;

	pthread_mutex_lock(&h->lock);
	ret = hv_client_harvest(h->client, deliver, h);
	if (ret >= 0)
		port = take_pending(h);
	pthread_mutex_unlock(&h->lock);
	*came = ret > 0;
	if (port < 0)
		errno = ret < 0 ? -ret : EAGAIN;
	return port;
}

static bool
nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

/*
 * For a caller that polled, was woken by what is no port for it (news from hvd,
 * an event at a masked port), and expects a blocking descriptor: it takes for
 * granted that there is a port now, as there would be with a kernel's device,
 * and must not sleep. It gets a bound and unmasked port, whose event is a
 * spurious one; -1 and errno EAGAIN if it has masked them all.
 */
static int
spurious(struct hosted *h)
{
	unsigned w;
	int port = -1;

	pthread_mutex_lock(&h->lock);
	for (w = 0; w < WORDS && port < 0; w++) {
		uint64_t bits = h->bound[w] & ~h->masked[w];

		if (bits != 0)
			port = (int)(w * 64 + (unsigned)__builtin_ctzll(bits));
	}
	if (port >= 0)
		bit_set(h->masked, (uint32_t)port);
	pthread_mutex_unlock(&h->lock);
	if (port < 0)
		errno = EAGAIN;
	return port;
}

static int
hosted_pending(struct xenevtchn_handle *xce)
{
	struct hosted *h = xce->hosted;
	int port = pending_known(h);
	bool came, first = true;

	if (port >= 0)
		return port;
	for (;; first = false) {
		int err;

		port = pending_new(h, &came);
		if (port >= 0 || errno != EAGAIN)
			return port;
		if (nonblocking(xce->fd)) {
			errno = EAGAIN;
			return -1;
		}
		if (first && came && h->polled)
			return spurious(h);
		err = hv_client_wait(h->client, -1);
		if (err < 0)
			return answer(err);
	}
}

static int
hosted_unmask(struct xenevtchn_handle *xce, evtchn_port_t port)
{
	struct hosted *h = xce->hosted;

	if (port >= HV_PORTS)
		return 0;
	pthread_mutex_lock(&h->lock);
	bit_clear(h->masked, port);
	if (bit_test(h->pending, port))
		hv_client_nudge(h->client);
	pthread_mutex_unlock(&h->lock);
	return 0;
}

static int
hosted_restrict(struct xenevtchn_handle *xce, domid_t domid)
{
	(void)xce;
	(void)domid;
	errno = EOPNOTSUPP;
	return -1;
}

const struct evtchn_ops *
evtchn_hosted_ops(void)
{
	static const struct evtchn_ops ops = {
		.open = hosted_open,
		.adopt = hosted_adopt,
		.close = hosted_close,
		.polled = hosted_polled,
		.device_fd = hosted_device_fd,
		.notify = hosted_notify,
		.notify_many = hosted_notify_many,
		.bind_unbound_port = hosted_bind_unbound_port,
		.bind_interdomain = hosted_bind_interdomain,
		.bind_virq = hosted_bind_virq,
		.unbind = hosted_unbind,
		.pending = hosted_pending,
		.unmask = hosted_unmask,
		.restrict_to = hosted_restrict,
	};

	return &ops;
}
