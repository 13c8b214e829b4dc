/*
 * Events arrive as bits in shared_info, whoever put them there: the hypervisor
 * for sends that are hypercalls, this runtime (guest_evtchn_raise()) for those
 * that peers left in a doorbell page. From there on there is one path.
 */
#include <errno.h>

#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"
#include "hv-core/guest/port.h"

#include "abi/event_channel.h"
#include "hv-core/core/evtchn_2l.h"

/* Scans of the bit maps before others have their turn. */
#define DISPATCH_ROUNDS 4

static struct {
	struct shared_info *si;
	struct {
		guest_evtchn_fn *fn;
		void *arg;
	} handler[EVTCHN_2L_NR_CHANNELS];
} ev;

void
guest_evtchn_init(struct shared_info *si)
{
	unsigned int i;

	ev.si = si;
	for (i = 0; i < 64; i++)
		__atomic_store_n(
		    &si->evtchn_mask[i], UINT64_MAX, __ATOMIC_SEQ_CST);
}

/* The one processor's. */
static struct vcpu_info *
vcpu(void)
{
	return &ev.si->vcpu_info[0];
}

void
guest_evtchn_raise(uint32_t port)
{
	if (port < EVTCHN_2L_NR_CHANNELS)
		(void)evtchn_2l_set_pending(ev.si, vcpu(), port);
}

int
guest_evtchn_handle(uint32_t port, guest_evtchn_fn *fn, void *arg)
{
	if (port == 0 || port >= EVTCHN_2L_NR_CHANNELS)
		return -EINVAL;
	if (fn == NULL)
		evtchn_2l_mask(ev.si, port);
	ev.handler[port].fn = fn;
	ev.handler[port].arg = arg;
	if (fn != NULL)
		(void)evtchn_2l_unmask(ev.si, vcpu(), port);
	return 0;
}

/* A port fresh from the hypervisor gets its handler. */
static int
adopt(uint32_t port, guest_evtchn_fn *fn, void *arg, uint32_t *port_out)
{
	if (port == 0 || port >= EVTCHN_2L_NR_CHANNELS)
		return -EIO;
	*port_out = port;
	return guest_evtchn_handle(port, fn, arg);
}

static long
evtchn_op(unsigned int cmd, void *arg, size_t len)
{
	return guest_hypercall_arg(
	    __HYPERVISOR_event_channel_op, cmd, arg, len);
}

int
guest_evtchn_alloc_unbound(
    uint16_t remote, guest_evtchn_fn *fn, void *arg, uint32_t *port_out)
{
	struct evtchn_alloc_unbound op = {
		.dom = DOMID_SELF,
		.remote_dom = remote,
	};
	long rc = evtchn_op(EVTCHNOP_alloc_unbound, &op, sizeof(op));

	return rc != 0 ? (int)rc : adopt(op.port, fn, arg, port_out);
}

int
guest_evtchn_bind_interdomain(uint16_t remote, uint32_t remote_port,
    guest_evtchn_fn *fn, void *arg, uint32_t *port_out)
{
	struct evtchn_bind_interdomain op = {
		.remote_dom = remote,
		.remote_port = remote_port,
	};
	long rc = evtchn_op(EVTCHNOP_bind_interdomain, &op, sizeof(op));

	return rc != 0 ? (int)rc : adopt(op.local_port, fn, arg, port_out);
}

int
guest_evtchn_bind_virq(
    uint32_t virq, guest_evtchn_fn *fn, void *arg, uint32_t *port_out)
{
	struct evtchn_bind_virq op = { .virq = virq };
	long rc = evtchn_op(EVTCHNOP_bind_virq, &op, sizeof(op));

	return rc != 0 ? (int)rc : adopt(op.port, fn, arg, port_out);
}

int
guest_evtchn_close(uint32_t port)
{
	struct evtchn_close op = { .port = port };
	int rc = guest_evtchn_handle(port, NULL, NULL);

	if (rc != 0)
		return rc;
	return (int)evtchn_op(EVTCHNOP_close, &op, sizeof(op));
}

int
guest_evtchn_notify(uint32_t port)
{
	return port_notify(port);
}

static void
handle(void *arg, uint32_t port)
{
	int *count = arg;

	if (ev.handler[port].fn == NULL)
		return;
	ev.handler[port].fn(ev.handler[port].arg, port);
	(*count)++;
}

int
guest_evtchn_dispatch(void)
{
	int count = 0;

	(void)evtchn_2l_harvest(ev.si, vcpu(), DISPATCH_ROUNDS, handle, &count);
	return count;
}

int
guest_evtchn_ready(void)
{
	return __atomic_load_n(
		   &vcpu()->evtchn_upcall_pending, __ATOMIC_SEQ_CST) != 0;
}
