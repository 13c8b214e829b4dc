/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the two halves of the ring transport share: taking turns
 * (transport_ring.c), and opening, following and taking over (rings.c).
 */
#ifndef XENSTORED_RINGS_H
#define XENSTORED_RINGS_H

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenmanage.h>

#include "common/wire.h"
#include "xenstored/list.h"
#include "xenstored/table.h"
#include "xenstored/transport_ring.h"

struct fates;
struct event;

struct rings {
	struct world world;
	struct server *server;
	xenevtchn_handle *evtchn; /* NULL: another process serves */
	xengnttab_handle *gnttab;
	struct fates *fates;
	struct xenmanage_store_ring store; /* domain 0's */
	struct event *event;
	struct table by_port;
	struct list all; /* struct ring.link */
	evtchn_port_t virq;
	struct ring *dom0;
	bool stray;		  /* ports may be bound that nobody knows ... */
	evtchn_port_t next_stray; /* ... from this one on */
	evtchn_port_t last_port;  /* the highest that was known */
	/* Those that still have to be told that there is somebody. */
	evtchn_port_t *waiting;
	unsigned n_waiting;
};

struct ring {
	struct transport transport;
	struct rings *rings;
	struct list link;
	struct table_link by_port;
	uint32_t domid;
	evtchn_port_t port;
	struct wire_ring *page;
	bool granted; /* PAGE is a grant mapping */
	bool bad;     /* is not read any more */
	bool told;    /* the operator was told of trouble with it */
	uint32_t features;
};

/* A ring of DOMID without anything. NULL: no memory. */
struct ring *ring_new(struct rings *rings, uint32_t domid);

void ring_notify(struct ring *ring);

/* The peer broke the rules: it is told ERROR, and not listened to any more. */
void ring_fail(struct ring *ring, uint32_t error);

static inline struct ring *
as_ring(struct transport *transport)
{
	return list_entry(transport, struct ring, transport);
}

#endif
