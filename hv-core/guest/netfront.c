/*
 * The life of an interface: attach, connect, close; and what is asked about it.
 * The rings are in netfront_ring.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/frontend.h"
#include "hv-core/guest/gnttab.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"
#include "hv-core/guest/netfront_int.h"
#include "hv-core/guest/runtime.h"

#define INTERFACES_MAX 16

static struct netfront *interfaces[INTERFACES_MAX];

static netfront_change_fn *change_fn;
static void *change_arg;

static void
tell(struct netfront *nf)
{
	if (change_fn != NULL)
		change_fn(change_arg, nf);
}

/* The interface for device HANDLE: the one it was before, or a new one. */
static struct netfront *
interface_for(uint32_t handle)
{
	unsigned int i;

	for (i = 0; i < INTERFACES_MAX; i++) {
		if (interfaces[i] == NULL)
			interfaces[i] = calloc(1, sizeof(*interfaces[i]));
		else if (interfaces[i]->handle != handle)
			continue;
		if (interfaces[i] != NULL) {
			interfaces[i]->handle = handle;
			interfaces[i]->index = i;
		}
		return interfaces[i];
	}
	return NULL;
}

/* Packets are taken in netfront_poll(), which the main loop must come to. */
static void
woken(void *arg, uint32_t port)
{
	(void)arg;
	(void)port;
	runtime_kick();
}

/* "00:16:3e:01:02:03" -> six bytes. -EINVAL. */
static int
parse_mac(const char *text, uint8_t mac[6])
{
	static const char digits[] = "0123456789abcdef";
	unsigned int i, k;

	for (i = 0; i < 6; i++) {
		unsigned int byte = 0;

		for (k = 0; k < 2; k++) {
			int c = *text++;
			const char *d;

			if (c >= 'A' && c <= 'F')
				c += 'a' - 'A';
			d = c != '\0' ? strchr(digits, c) : NULL;
			if (d == NULL)
				return -EINVAL;
			byte = byte * 16 + (unsigned int)(d - digits);
		}
		mac[i] = (uint8_t)byte;
		if (*text++ != (i < 5 ? ':' : '\0'))
			return -EINVAL;
	}
	return 0;
}

static void
detach(struct frontend *fe)
{
	struct netfront *nf = fe->priv;

	if (nf == NULL)
		return;
	nf->state = NETFRONT_DETACHED;
	nf->fe = NULL;
	fe->priv = NULL;
	if (nf->port != 0)
		(void)guest_evtchn_close(nf->port);
	nf->port = 0;
	netfront_ring_down(nf);
	tell(nf);
}

static int
attach(struct frontend *fe)
{
	struct netfront *nf = interface_for(fe->id);
	char text[32];
	int rc;

	if (nf == NULL)
		return -ENOSPC;
	rc = xenbus_read_str(
	    fe->xb, XENBUS_NO_TX, fe->path, "mac", text, sizeof(text));
	if (rc == 0)
		rc = parse_mac(text, nf->mac);
	if (rc != 0)
		return rc;
	nf->fe = fe;
	fe->priv = nf;
	memset(&nf->stats, 0, sizeof(nf->stats));
	rc = netfront_ring_up(nf, fe->backend.domid);
	if (rc == 0)
		rc = guest_evtchn_alloc_unbound(
		    fe->backend.domid, woken, nf, &nf->port);
	if (rc == 0)
		rc = xenbus_switch_state(
		    fe->xb, XENBUS_NO_TX, fe->path, XenbusStateInitialised);
	if (rc != 0) {
		detach(fe);
		return rc;
	}
	nf->state = NETFRONT_WAITING;
	tell(nf);
	return 0;
}

static int
publish(struct xenbus *xb, uint32_t tx, void *arg)
{
	static const struct {
		const char *name;
		unsigned int value;
	} features[] = {
		{ "request-rx-copy", 1 },
		{ "feature-rx-notify", 1 },
		{ "feature-sg", 0 },
		{ "feature-no-csum-offload", 1 },
		{ "feature-ipv6-csum-offload", 0 },
		/* A reference of ours means the same page till the end. */
		{ "feature-persistent", 1 },
	};
	const struct netfront *nf = arg;
	const char *dir = nf->fe->path;
	size_t i;
	int rc;

	rc = xenbus_printf(xb, tx, dir, "vifname", "xennet%u", nf->index);
	if (rc == 0)
		rc = xenbus_printf(
		    xb, tx, dir, "tx-ring-ref", "%u", nf->tx.ring_ref);
	if (rc == 0)
		rc = xenbus_printf(
		    xb, tx, dir, "rx-ring-ref", "%u", nf->rx.ring_ref);
	if (rc == 0)
		rc =
		    xenbus_printf(xb, tx, dir, "event-channel", "%u", nf->port);
	for (i = 0; rc == 0 && i < sizeof(features) / sizeof(features[0]); i++)
		rc = xenbus_printf(
		    xb, tx, dir, features[i].name, "%u", features[i].value);
	if (rc == 0)
		rc = xenbus_switch_state(xb, tx, dir, XenbusStateConnected);
	return rc;
}

/* The backend has said what it can do; we say where the rings are. */
static int
connect(struct netfront *nf)
{
	struct frontend *fe = nf->fe;
	uint64_t rx_copy;
	int rc;

	rc = xenbus_read_num_or(fe->xb, XENBUS_NO_TX, fe->backend.path,
	    "feature-rx-copy", 1, 0, &rx_copy);
	if (rc == 0 && rx_copy == 0)
		rc = -EOPNOTSUPP;
	if (rc == 0)
		rc = xenbus_transaction(fe->xb, publish, nf);
	if (rc == 0)
		nf->state = NETFRONT_PUBLISHED;
	return rc;
}

static void
changed(struct frontend *fe, enum xenbus_state backend)
{
	struct netfront *nf = fe->priv;
	int rc = 0;

	if (nf->state == NETFRONT_WAITING &&
	    (backend == XenbusStateInitWait ||
		backend == XenbusStateInitialised ||
		backend == XenbusStateConnected))
		rc = connect(nf);
	if (rc != 0) {
		xenbus_report(fe->xb, fe->path, -rc, "connecting");
		frontend_close(fe);
		return;
	}
	if (nf->state == NETFRONT_PUBLISHED &&
	    backend == XenbusStateConnected) {
		nf->state = NETFRONT_CONNECTED;
		netfront_ring_start(nf);
		tell(nf);
	}
}

const struct frontend_driver netfront_driver = {
	.type = "vif",
	.attach = attach,
	.changed = changed,
	.detach = detach,
};

/* --- for kernels -------------------------------------------------------- */

struct netfront *
netfront_get(unsigned int index)
{
	return index < INTERFACES_MAX ? interfaces[index] : NULL;
}

int
netfront_wait(unsigned int index, uint64_t deadline, struct netfront **out)
{
	for (;;) {
		struct netfront *nf = netfront_get(index);

		if (nf != NULL && nf->state == NETFRONT_CONNECTED) {
			*out = nf;
			return 0;
		}
		if (nf != NULL && nf->state == NETFRONT_DETACHED)
			return -EIO;
		if (guest_step(deadline) == 0 && guest_now() >= deadline)
			return -ETIMEDOUT;
	}
}

int
netfront_link(const struct netfront *nf)
{
	return nf->state == NETFRONT_CONNECTED;
}

const uint8_t *
netfront_mac(const struct netfront *nf)
{
	return nf->mac;
}

void
netfront_set_receive(struct netfront *nf, netfront_receive_fn *fn, void *arg)
{
	nf->receive = fn;
	nf->receive_arg = arg;
}

void
netfront_set_change(netfront_change_fn *fn, void *arg)
{
	change_fn = fn;
	change_arg = arg;
}

void
netfront_stats(const struct netfront *nf, struct netfront_stats *out)
{
	*out = nf->stats;
}
