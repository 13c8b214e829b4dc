/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Guests' rings: mapped by grant, signalled by event channel; and the domains'
 * fates as the hypervisor tells them. The world of struct server.
 */
#ifndef XENSTORED_TRANSPORT_RING_H
#define XENSTORED_TRANSPORT_RING_H

#include "xenstored/server.h"

struct rings;
struct wire_ring;
struct xenevtchn_handle;

/*
 * Connects to the hypervisor and to domain 0's ring, at event channel PORT or
 * where the platform says (0). Exits with a message that names what is missing
 * if it cannot.
 */
struct rings *rings_open(struct server *server, uint32_t port);

struct world *rings_world(struct rings *rings);

/* Lets domain 0's kernel know that the store is there: call it when serving. */
void rings_start(struct rings *rings);

/* Events come no more; the rings are still mapped. */
void rings_stop(struct rings *rings);

/* After the state is gone: unmaps and frees everything. NULL is allowed. */
void rings_close(struct rings *rings);

/* --- for a process that may have to take over --- */

/* A handle of event channels; exits with a message if it cannot be had. */
struct xenevtchn_handle *rings_open_events(void);

/* What differs between two boots of the hypervisor; as it was if that cannot be
 * told. Exits with a message if there is none. */
void rings_boot_id(uint8_t id[16]);

/* Connects to the hypervisor but for event channels, as another process has
 * them. Exits with a message if it cannot. */
struct rings *rings_new(struct server *server);

/* The rest of rings_open() for it: nobody has served before. It owns EVTCHN. */
void rings_begin(
    struct rings *rings, struct xenevtchn_handle *evtchn, uint32_t port);

/* CONN, a ring, was opened or opened anew in the log: maps its page. */
void rings_follow(struct rings *rings, struct conn *conn);

/* Whether domain 0's ring is in the state: somebody served before. */
bool rings_have_dom0(const struct rings *rings);

/* CONN is about to be freed. */
void rings_unfollow(struct conn *conn);

/*
 * Serves all rings of the server's state with EVTCHN, which it owns then. The
 * ports are bound as the connections have it, or, with REBIND, none is. Call
 * rings_wake() when the flight is over.
 */
void rings_take(
    struct rings *rings, struct xenevtchn_handle *evtchn, bool rebind);

/* Every ring counts as signalled, and every guest is. */
void rings_wake(struct rings *rings);

/* A daemon of another kind is to bind the hypervisor's interrupt. */
void rings_leave(struct rings *rings);

/* The page of CONN, a ring, or NULL. */
struct wire_ring *rings_page(const struct conn *conn);

/* CONN, a ring, is told that it is out of order, and ignored. */
void rings_fail(struct conn *conn);

#endif
