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

static struct {
	struct shared_info *si;
	struct {
		guest_evtchn_fn *fn;
		void *arg;
	} handler[EVTCHN_2L_NR_CHANNELS];
} ev;

static uint64_t
bit(uint32_t port)
{
	return UINT64_C(1) << (port % 64);
}

void
guest_evtchn_init(struct shared_info *si)
{
	unsigned int i;

	ev.si = si;
	for (i = 0; i < 64; i++)
		__atomic_store_n(
		    &si->evtchn_mask[i], UINT64_MAX, __ATOMIC_SEQ_CST);
}

void
guest_evtchn_raise(uint32_t port)
{
	struct shared_info *si = ev.si;
	struct vcpu_info *vcpu = &si->vcpu_info[0];
	uint32_t word = port / 64;

	if (port >= EVTCHN_2L_NR_CHANNELS)
		return;
	if (__atomic_fetch_or(
		&si->evtchn_pending[word], bit(port), __ATOMIC_SEQ_CST) &
	    bit(port))
		return;
	if (__atomic_load_n(&si->evtchn_mask[word], __ATOMIC_SEQ_CST) &
	    bit(port))
		return;
	__atomic_fetch_or(
	    &vcpu->evtchn_pending_sel, bit(word), __ATOMIC_SEQ_CST);
	__atomic_store_n(&vcpu->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
}

static void
mask(uint32_t port)
{
	__atomic_fetch_or(
	    &ev.si->evtchn_mask[port / 64], bit(port), __ATOMIC_SEQ_CST);
}

/* Unmasks, and raises the selector for what came in while it was masked. */
static void
unmask(uint32_t port)
{
	struct shared_info *si = ev.si;
	struct vcpu_info *vcpu = &si->vcpu_info[0];
	uint32_t word = port / 64;

	__atomic_fetch_and(
	    &si->evtchn_mask[word], ~bit(port), __ATOMIC_SEQ_CST);
	if (!(__atomic_load_n(&si->evtchn_pending[word], __ATOMIC_SEQ_CST) &
		bit(port)))
		return;
	__atomic_fetch_or(
	    &vcpu->evtchn_pending_sel, bit(word % 64), __ATOMIC_SEQ_CST);
	__atomic_store_n(&vcpu->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
}

int
guest_evtchn_handle(uint32_t port, guest_evtchn_fn *fn, void *arg)
{
	if (port == 0 || port >= EVTCHN_2L_NR_CHANNELS)
		return -EINVAL;
	if (fn == NULL)
		mask(port);
	ev.handler[port].fn = fn;
	ev.handler[port].arg = arg;
	if (fn != NULL)
		unmask(port);
	return 0;
}

/* A port fresh from the hypervisor: old traces of its number are wiped out. */
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

static int
dispatch_word(uint32_t word)
{
	struct shared_info *si = ev.si;
	uint64_t ready =
	    __atomic_load_n(&si->evtchn_pending[word], __ATOMIC_SEQ_CST);
	int count = 0;

	ready &= ~__atomic_load_n(&si->evtchn_mask[word], __ATOMIC_SEQ_CST);
	while (ready != 0) {
		uint32_t port = word * 64 + (uint32_t)__builtin_ctzll(ready);

		ready &= ready - 1;
		/* Cleared first: an event during the handler is a new one. */
		__atomic_fetch_and(
		    &si->evtchn_pending[word], ~bit(port), __ATOMIC_SEQ_CST);
		if (ev.handler[port].fn == NULL)
			continue;
		ev.handler[port].fn(ev.handler[port].arg, port);
		count++;
	}
	return count;
}

int
guest_evtchn_dispatch(void)
{
	struct vcpu_info *vcpu = &ev.si->vcpu_info[0];
	uint64_t sel;
	int count = 0;

	__atomic_store_n(&vcpu->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
	sel =
	    __atomic_exchange_n(&vcpu->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	while (sel != 0) {
		count += dispatch_word((uint32_t)__builtin_ctzll(sel));
		sel &= sel - 1;
	}
	return count;
}

int
guest_evtchn_ready(void)
{
	return __atomic_load_n(&ev.si->vcpu_info[0].evtchn_upcall_pending,
		   __ATOMIC_SEQ_CST) != 0;
}
