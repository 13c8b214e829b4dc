/*
 * How domain 0's kernel and the store daemon find each other: the page and the
 * port that the kernel offers, and its side of the event channel.
 *
 * Knows $HV_ROOT's nodes and libxenevtchn. What is said over the ring is
 * xenbus's business.
 */
#ifndef HV_DOM0_STORELINK_H
#define HV_DOM0_STORELINK_H

#include <stddef.h>

struct storelink;
struct xenbus_transport;

/*
 * Makes $HV_ROOT/dev/xsd_kva, opens a port for domain 0 and writes its number
 * to $HV_ROOT/kern/xen/xsd_port. NULL: WHY (of SIZE bytes) says in one line
 * what failed.
 */
struct storelink *storelink_open(const char *root, char *why, size_t size);

/* Removes the nodes and closes the port. NULL is allowed. */
void storelink_close(struct storelink *link);

/* Readable when the daemon has sent an event. The link's own. */
int storelink_fd(const struct storelink *link);

/* Takes the events that are there. 0; or -1 with errno. */
int storelink_take(struct storelink *link);

/* The transport for xenbus_open(). LINK must live on. */
struct xenbus_transport storelink_transport(struct storelink *link);

#endif
