/*
 * One hypercall that sends on many ports.
 */
#include <errno.h>
#include <stdlib.h>

#include "abi/event_channel.h"
#include "abi/xen.h"
#include "hv-core/lib/hosted/client_priv.h"

/* A send and its argument. */
struct sending {
	struct multicall_entry *entries;
	struct evtchn_send *sends;
	size_t nr;
};

/* Put what cannot be sent directly into S. 0, or -EINVAL of a bad port. */
static int
collect(
    struct hv_client *c, struct sending *s, const uint32_t *ports, size_t nr)
{
	int err = 0;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < nr; i++) {
		if (ports[i] >= c->info.ports) {
			err = -EINVAL;
			continue;
		}
		if (events_send_direct(&c->ev, ports[i]))
			continue;
		s->sends[s->nr].port = ports[i];
		s->entries[s->nr] = (struct multicall_entry){
			.op = __HYPERVISOR_event_channel_op,
			.args = { EVTCHNOP_send,
			    hv_client_addr(c, &s->sends[s->nr]) },
		};
		s->nr++;
	}
	pthread_mutex_unlock(&c->lock);
	return err;
}

/* Let hvd do all of S. */
static int
perform(struct hv_client *c, const struct sending *s)
{
	uint64_t arg[5] = { hv_client_addr(c, s->entries), s->nr };
	int64_t err = 0;

	if (s->nr > 0)
		err = hv_client_call(c, __HYPERVISOR_multicall, arg);
	for (size_t i = 0; i < s->nr && err == 0; i++)
		err = (int64_t)s->entries[i].result;
	return (int)err;
}

/* One after the other, for which no memory is needed. */
static int
send_each(struct hv_client *c, const uint32_t *ports, size_t nr)
{
	int err = 0, one;

	for (size_t i = 0; i < nr; i++) {
		one = (int)hv_client_send(c, ports[i]);
		if (err == 0)
			err = one;
	}
	return err;
}

int
hv_client_send_many(struct hv_client *c, const uint32_t *ports, size_t nr)
{
	struct sending s = { 0 };
	int err, bad;

	if (c->ev.epoll_fd < 0)
		return -EINVAL;
	s.entries = hv_client_alloc(c, nr * sizeof(*s.entries));
	s.sends = hv_client_alloc(c, nr * sizeof(*s.sends));
	if (s.entries == NULL || s.sends == NULL) {
		err = send_each(c, ports, nr);
	} else {
		bad = collect(c, &s, ports, nr);
		err = perform(c, &s);
		if (err == 0)
			err = bad;
	}
	hv_client_free(c, s.sends);
	hv_client_free(c, s.entries);
	return err;
}
