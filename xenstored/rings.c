/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/rings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <event2/event.h>
#include <talloc.h>

#include "xenstored/crash_point.h"
#include "xenstored/fates.h"
#include "xenstored/msg.h"
#include "xenstored/ring.h"

enum {
	VIRQ_DOM_EXC = 3,
	GRANT_XENSTORE = 1, /* the entry of a guest's table for this page */
	PORTS_AT_ONCE = 256,
	WAKE_AT_ONCE = 64, /* others are served between */
	PORTS_MAX = 4096,  /* that are looked at for strays ... */
	PORTS_ABOVE = 64,  /* ... at leisure, beyond the last one known */
	PORTS_A_TURN = 8,
};

static const char hint[] =
    "is a hypervisor running? (-D serves sockets without one)";

static uint64_t
port_hash(evtchn_port_t port)
{
	return port * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

static struct ring *
ring_by_port(const struct rings *rings, evtchn_port_t port)
{
	struct table_link *link = table_first(&rings->by_port, port_hash(port));
	struct ring *ring;

	for (; link != NULL; link = table_next(link)) {
		ring = list_entry(link, struct ring, by_port);
		if (ring->port == port)
			return ring;
	}
	return NULL;
}

/* --- connecting --- */

static void
connect_port(struct ring *ring, evtchn_port_t port)
{
	ring->port = port;
	if (port > ring->rings->last_port)
		ring->rings->last_port = port;
	table_add(&ring->rings->by_port, &ring->by_port, port_hash(port));
}

static void
disconnect_port(struct ring *ring)
{
	struct rings *rings = ring->rings;

	if (ring->port == 0)
		return;
	table_remove(&rings->by_port, &ring->by_port);
	if (rings->evtchn != NULL) {
		server_wrote_elsewhere(rings->server);
		xenevtchn_unbind(rings->evtchn, ring->port);
		CRASH_POINT();
	}
	ring->port = 0;
}

static void
unmap_page(struct ring *ring)
{
	if (ring->page != NULL && ring->granted)
		xengnttab_unmap(ring->rings->gnttab, ring->page, 1);
	ring->page = NULL;
}

/*
 * Unbinds what nobody knows: a process that died between binding a port and
 * telling the log leaves it.
 */
static void
unbind_strays(struct rings *rings)
{
	evtchn_port_t port;

	rings->stray = false;
	for (port = 1; port < PORTS_MAX; port++)
		if (port != rings->virq && ring_by_port(rings, port) == NULL)
			(void)xenevtchn_unbind(rings->evtchn, port);
}

/* The same after a takeover, some in a turn, up to the place where a port can
 * have been bound. True: there are more. */
static bool
unbind_some_strays(void *ctx)
{
	struct rings *rings = ctx;
	evtchn_port_t until = rings->next_stray + PORTS_A_TURN;

	server_wrote_elsewhere(rings->server);
	for (; rings->next_stray < until; rings->next_stray++)
		if (rings->next_stray != rings->virq &&
		    ring_by_port(rings, rings->next_stray) == NULL)
			(void)xenevtchn_unbind(
			    rings->evtchn, rings->next_stray);
	return until <= rings->last_port + PORTS_ABOVE;
}

/* Binds the channel of DOMID's PAGE, or PORT; the local port, or -1. */
static int
bind_port(struct rings *rings, uint32_t domid, const struct wire_ring *page,
    uint32_t port)
{
	uint32_t hinted = ring_port(page);
	int local = -1;

	server_wrote_elsewhere(rings->server);
	if (hinted != 0)
		local =
		    xenevtchn_bind_interdomain(rings->evtchn, domid, hinted);
	if (local < 0)
		local = xenevtchn_bind_interdomain(rings->evtchn, domid, port);
	CRASH_POINT();
	if (local >= 0 || !rings->stray)
		return local;
	unbind_strays(rings);
	return bind_port(rings, domid, page, port);
}

static struct wire_ring *
map_page(struct rings *rings, uint32_t domid)
{
	return xengnttab_map_grant_ref(
	    rings->gnttab, domid, GRANT_XENSTORE, PROT_READ | PROT_WRITE);
}

/* RING, which has a page, is that of CONN. */
static void
attach(struct ring *ring, struct conn *conn)
{
	ring->bad = conn_is_ignored(conn);
	ring->told = false;
	ring->features = conn_features(conn);
	ring->transport.conn = conn;
	ring->transport.privileged = conn_privileged(conn);
	conn_set_shell(conn, &ring->transport);
}

static void
ring_free(struct ring *ring)
{
	server_remove(&ring->transport);
	disconnect_port(ring);
	unmap_page(ring);
	list_remove(&ring->link);
	talloc_free(ring);
}

/* --- the world of the state --- */

static enum xs_err
world_ring_open(struct world *world, struct conn *conn, uint32_t domid,
    uint32_t port, uint32_t features)
{
	struct rings *rings = list_entry(world, struct rings, world);
	struct transport *transport = conn_shell(conn);
	struct wire_ring *page = map_page(rings, domid);
	struct ring *ring;
	int local = -1;

	if (page == NULL)
		return XS_ENOENT;
	/* The event channel of before makes way, as it may be the same. */
	ring = transport != NULL ? as_ring(transport) : ring_new(rings, domid);
	if (ring != NULL) {
		disconnect_port(ring);
		unmap_page(ring);
		conn_set_port(conn, 0);
		local = bind_port(rings, domid, page, port);
	}
	if (local < 0) {
		xengnttab_unmap(rings->gnttab, page, 1);
		if (ring != NULL && transport == NULL)
			ring_free(ring);
		else if (ring != NULL)
			ring->bad = true;
		return ring != NULL ? XS_EINVAL : XS_ENOMEM;
	}
	ring->page = page;
	ring->granted = true;
	attach(ring, conn);
	ring->bad = false;
	ring->features = features;
	connect_port(ring, (evtchn_port_t)local);
	conn_set_port(conn, ring->port);
	ring_reset(page, features);
	ring_notify(ring);
	return XS_OK;
}

static void
world_ring_close(struct world *world, struct conn *conn)
{
	struct transport *transport = conn_shell(conn);

	(void)world;
	if (transport == NULL)
		return;
	conn_set_shell(conn, NULL);
	ring_free(as_ring(transport));
}

static struct domain_info
world_domain_info(struct world *world, uint32_t domid)
{
	return fates_ask(list_entry(world, struct rings, world)->fates, domid);
}

struct world *
rings_world(struct rings *rings)
{
	return &rings->world;
}

/* --- events --- */

/* Any port may be pending: look after all, and let all of them ring again. */
static void
sweep(struct rings *rings)
{
	struct list *link, *after;
	struct ring *ring;

	msg_warn("events were lost: every ring is looked at");
	xenevtchn_unmask(rings->evtchn, rings->virq);
	list_each(link, after, &rings->all)
	{
		ring = list_entry(link, struct ring, link);
		if (ring->port == 0)
			continue;
		xenevtchn_unmask(rings->evtchn, ring->port);
		server_activate(rings->server, &ring->transport);
	}
	fates_changed(rings->fates);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct rings *rings = arg;
	struct ring *ring;
	int i, port;

	(void)fd;
	(void)what;
	server_wrote_elsewhere(rings->server);
	for (i = 0; i < PORTS_AT_ONCE; i++) {
		port = xenevtchn_pending(rings->evtchn);
		if (port < 0) {
			if (errno == EFBIG)
				sweep(rings);
			else if (errno != EAGAIN && errno != EINTR)
				fatal("the event channel device failed");
			return;
		}
		if (xenevtchn_unmask(rings->evtchn, (evtchn_port_t)port) != 0)
			msg_warn("cannot unmask port %d", port);
		if ((evtchn_port_t)port == rings->virq) {
			fates_changed(rings->fates);
			continue;
		}
		ring = ring_by_port(rings, (evtchn_port_t)port);
		if (ring != NULL)
			server_activate(rings->server, &ring->transport);
	}
}

/* Uses EVTCHN from now on. */
static void
use_events(struct rings *rings, xenevtchn_handle *evtchn)
{
	int fd = xenevtchn_fd(evtchn);

	rings->evtchn = evtchn;
	server_wrote_elsewhere(rings->server);
	/* on_event() asks until nothing is left: that must not sleep */
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		fatal("cannot make the event channels non-blocking");
	rings->event = event_new(server_base(rings->server), fd,
	    EV_READ | EV_PERSIST, on_event, rings);
	if (rings->event == NULL || event_add(rings->event, NULL) != 0)
		fatalx("no memory");
}

/* --- set-up --- */

struct rings *
rings_new(struct server *server)
{
	struct rings *rings = talloc_zero(NULL, struct rings);

	if (rings == NULL || !table_init(&rings->by_port))
		fatalx("no memory");
	rings->server = server;
	list_init(&rings->all);
	rings->world.domain_info = world_domain_info;
	rings->world.ring_open = world_ring_open;
	rings->world.ring_close = world_ring_close;
	rings->gnttab = xengnttab_open(NULL, 0);
	if (rings->gnttab == NULL)
		fatal("cannot open grant tables; %s", hint);
	rings->fates = fates_open(server, hint);
	/* as many rings as there can be domains, where that can be told */
	(void)xengnttab_set_max_grants(rings->gnttab, 32752);
	fates_store_ring(rings->fates, &rings->store);
	return rings;
}

static void
bind_virq(struct rings *rings)
{
	int virq = xenevtchn_bind_virq(rings->evtchn, VIRQ_DOM_EXC);

	if (virq < 0 && rings->stray) {
		unbind_strays(rings);
		virq = xenevtchn_bind_virq(rings->evtchn, VIRQ_DOM_EXC);
	}
	if (virq < 0)
		fatal("cannot bind the domain exception interrupt; does "
		      "another xenstored run?");
	CRASH_POINT();
	rings->virq = (evtchn_port_t)virq;
	state_set_virq(server_state(rings->server), rings->virq);
}

/* Binds domain 0's store event channel, PORT or, if 0, as the platform says. */
static evtchn_port_t
bind_dom0(struct rings *rings, uint32_t port)
{
	int local;

	if (port == 0)
		port = rings->store.port;
	local = xenevtchn_bind_interdomain(rings->evtchn, 0, port);
	if (local < 0 && rings->stray) {
		unbind_strays(rings);
		local = xenevtchn_bind_interdomain(rings->evtchn, 0, port);
	}
	if (local < 0)
		fatal("cannot bind domain 0's store event channel %u",
		    (unsigned)port);
	CRASH_POINT();
	return (evtchn_port_t)local;
}

static void
open_dom0(struct rings *rings, uint32_t port)
{
	struct ring *ring = ring_new(rings, 0);

	if (ring == NULL)
		fatalx("no memory");
	connect_port(ring, bind_dom0(rings, port));
	ring->page = rings->store.page;
	ring->features = WIRE_FEATURES;
	ring->transport.privileged = true;
	ring->transport.conn = state_open_dom0(server_state(rings->server),
	    fates_ask(rings->fates, 0).unique_id, ring->port, &ring->transport);
	if (ring->transport.conn == NULL)
		fatalx("no memory");
	ring_adopt(ring->page, ring->features);
	rings->dom0 = ring;
}

xenevtchn_handle *
rings_open_events(void)
{
	xenevtchn_handle *evtchn = xenevtchn_open(NULL, 0);

	if (evtchn == NULL)
		fatal("cannot open event channels; %s", hint);
	return evtchn;
}

void
rings_begin(struct rings *rings, xenevtchn_handle *evtchn, uint32_t port)
{
	use_events(rings, evtchn);
	rings->stray = true;
	bind_virq(rings);
	open_dom0(rings, port);
	fates_changed(rings->fates);
}

struct rings *
rings_open(struct server *server, uint32_t port)
{
	xenevtchn_handle *evtchn = rings_open_events();
	struct rings *rings = rings_new(server);

	rings_begin(rings, evtchn, port);
	rings->stray = false;
	return rings;
}

void
rings_start(struct rings *rings)
{
	ring_notify(rings->dom0);
	server_activate(rings->server, &rings->dom0->transport);
}

/* --- following and taking over --- */

void
rings_follow(struct rings *rings, struct conn *conn)
{
	struct transport *transport = conn_shell(conn);
	struct ring *ring = transport != NULL
				? as_ring(transport)
				: ring_new(rings, conn_domid(conn));

	if (ring == NULL)
		fatalx("no memory");
	unmap_page(ring);
	attach(ring, conn);
	ring->granted = ring->domid != 0;
	if (ring->domid == 0) {
		rings->dom0 = ring;
		ring->page = rings->store.page;
	} else {
		/* it may be gone by now; then we shall be told of that */
		ring->page = map_page(rings, ring->domid);
	}
}

bool
rings_have_dom0(const struct rings *rings)
{
	return rings->dom0 != NULL;
}

void
rings_unfollow(struct conn *conn)
{
	world_ring_close(NULL, conn);
}

/* RING is bound, with the port of its connection. */
static void
resume(struct ring *ring)
{
	struct rings *rings = ring->rings;
	struct conn *conn = ring->transport.conn;

	ring->bad = conn_is_ignored(conn);
	if (ring->page == NULL && ring->domid != 0)
		ring->page = map_page(rings, ring->domid);
	ring->features = conn_features(conn);
	if (conn_port(conn) == 0) {
		ring->bad = true;
		return;
	}
	connect_port(ring, conn_port(conn));
	(void)xenevtchn_unmask(rings->evtchn, ring->port);
}

/* RING was unbound when its hypervisor's handle was closed. */
static void
rebind(struct ring *ring)
{
	struct rings *rings = ring->rings;
	struct conn *conn = ring->transport.conn;
	int local = -1;

	if (ring->domid == 0)
		local = (int)bind_dom0(rings, 0);
	else if (ring->page != NULL)
		local = bind_port(
		    rings, ring->domid, ring->page, conn_remote_port(conn));
	if (local < 0 && ring->domid != 0 && ring->page != NULL)
		msg_warn("domain %u: cannot bind its event channel again",
		    (unsigned)ring->domid);
	state_set_port(conn, local >= 0 ? (uint32_t)local : 0);
}

void
rings_take(struct rings *rings, xenevtchn_handle *evtchn, bool rebind_all)
{
	struct list *link, *after;
	struct ring *ring;

	use_events(rings, evtchn);
	rings->virq = state_virq(server_state(rings->server));
	if (rebind_all)
		bind_virq(rings);
	else if (rings->virq != 0)
		(void)xenevtchn_unmask(evtchn, rings->virq);
	list_each(link, after, &rings->all)
	{
		ring = list_entry(link, struct ring, link);
		if (rebind_all)
			rebind(ring);
		resume(ring);
	}
	rings->stray = true;
	if (rings->virq == 0) /* whoever was there before had it */
		bind_virq(rings);
}

/* Tells the last N of those who wait. */
static void
wake(struct rings *rings, unsigned n)
{
	if (n == 0)
		return;
	rings->n_waiting -= n;
	server_wrote_elsewhere(rings->server);
	/* a peer that is gone is told of by its domain's end */
	if (!crash_fault("notify"))
		(void)xenevtchn_notify_many(
		    rings->evtchn, rings->waiting + rings->n_waiting, n);
}

/* True: there are more. */
static bool
wake_some(void *ctx)
{
	struct rings *rings = ctx;

	wake(rings,
	    rings->n_waiting < WAKE_AT_ONCE ? rings->n_waiting : WAKE_AT_ONCE);
	return rings->n_waiting > 0;
}

void
rings_wake(struct rings *rings)
{
	struct list *link, *after;
	struct ring *ring;
	unsigned n = 0;

	list_each(link, after, &rings->all) n++;
	rings->waiting = talloc_array(rings, evtchn_port_t, n + 1);
	if (rings->waiting == NULL)
		fatalx("no memory");
	rings->n_waiting = 0;
	list_each(link, after, &rings->all)
	{
		ring = list_entry(link, struct ring, link);
		if (ring->page == NULL || ring->port == 0)
			continue;
		/* what its process died before saying */
		if (conn_is_ignored(ring->transport.conn))
			ring_blame(ring->page, WIRE_RING_EPROTOCOL);
		rings->waiting[rings->n_waiting++] = ring->port;
		if (!crash_fault("pending"))
			server_activate(rings->server, &ring->transport);
	}
	server_background(rings->server, wake_some, rings);
	fates_changed(rings->fates);
	fates_survey(rings->fates);
	rings->next_stray = 1;
	server_background(rings->server, unbind_some_strays, rings);
}

void
rings_leave(struct rings *rings)
{
	wake(rings, rings->n_waiting);
	if (rings->virq != 0)
		(void)xenevtchn_unbind(rings->evtchn, rings->virq);
}

void
rings_boot_id(uint8_t id[16])
{
	xenmanage_handle *manage = xenmanage_open(NULL, 0);

	if (manage == NULL)
		fatal("cannot ask for domains; %s", hint);
	if (xenmanage_boot_id(manage, id) != 0)
		msg_warn("cannot tell this boot of the hypervisor from others");
	xenmanage_close(manage);
}

/* --- ending --- */

void
rings_stop(struct rings *rings)
{
	if (rings->event != NULL)
		event_free(rings->event);
	rings->event = NULL;
}

void
rings_close(struct rings *rings)
{
	if (rings == NULL)
		return;
	fates_close(rings->fates);
	xengnttab_close(rings->gnttab);
	if (rings->evtchn != NULL)
		xenevtchn_close(rings->evtchn);
	table_end(&rings->by_port);
	talloc_free(rings);
}
