/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The supervisor's beginning in the place of a daemon of another kind that
 * executed it: with that one's descriptors, and what it wrote into a file.
 */
#ifndef XENSTORED_SUP_ADOPT_H
#define XENSTORED_SUP_ADOPT_H

#include "xenstored/server.h"
#include "xenstored/sup_child.h"
#include "xenstored/sup_store.h"

/* What was found beside the store. */
struct sup_adopted {
	int listener; /* -1: none */
	int evtchn;   /* the device, ports bound; -1: none */
};

/*
 * Reads DIR/state_dump, which is removed, into STORE, which has begun with an
 * empty one as CONFIG says, and clients' sockets into SOCKS. WITH_DOMAINS: the
 * hypervisor is asked about domains. Exits with a message if it cannot.
 */
void sup_adopt(struct sup_store *store, struct sup_socks *socks,
    const char *dir, const struct server_config *config, bool with_domains,
    struct sup_adopted *adopted_out);

#endif
