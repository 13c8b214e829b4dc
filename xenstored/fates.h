/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the hypervisor says about domains, and where domain 0's ring is. Knows
 * libxenmanage; knows no ring's contents.
 */
#ifndef XENSTORED_FATES_H
#define XENSTORED_FATES_H

#include "xenstored/server.h"

struct fates;
struct xenmanage_store_ring;

/* Exits with a message that ends in HINT if the hypervisor cannot be asked. */
struct fates *fates_open(struct server *server, const char *hint);
void fates_close(struct fates *fates);

/* What became of DOMID; all zero if there is no such domain. If the hypervisor
 * cannot tell, what was known of it. */
struct domain_info fates_ask(struct fates *fates, uint32_t domid);

/* Something happened to some domains: the state is told, in turns. */
void fates_changed(struct fates *fates);

/*
 * Asks for every domain that the state knows, in turns: whoever learnt of an
 * end may have died before the log did, and each change is told once only.
 */
void fates_survey(struct fates *fates);

/* Maps domain 0's ring into *RING; fates_close() releases it. Exits with a
 * message that names the node at fault. */
void fates_store_ring(struct fates *fates, struct xenmanage_store_ring *ring);

#endif
