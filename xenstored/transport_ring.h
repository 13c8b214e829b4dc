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

#endif
