/* The file server's interface xennet0: lwIP over netfront.
 *
 * Knows lwIP and netfront; knows nothing of what is served. */
#ifndef FILESERVER_NET_H
#define FILESERVER_NET_H

#include <stddef.h>
#include <stdint.h>

#include "netfront.h"

/* Starts lwIP and brings up xennet0 on NF with the address in the file
 * /etc/ifconfig.xennet0 ("inet A.B.C.D netmask M.M.M.M" or "inet A.B.C.D/N")
 * and the router in /etc/mygate, if there is one. -ENOENT, -EINVAL: the first
 * file is missing or makes no sense (a line on the console says what is
 * wrong). */
int net_start(struct netfront *nf);

/* Delivers received packets and runs lwIP's timers. Returns non-zero if there
 * is more to do at once: then no event will say so. */
int net_poll(void);

/* When net_poll() is due at the latest, in guest_now()'s clock. */
uint64_t net_deadline(void);

/* Prints the interface as ifconfig does, line by line. */
void net_ifconfig(void (*line)(const char *text));

/* Sends one echo request to the dotted address TO; DONE is called once, from
 * net_poll(), with the round trip in microseconds, or -1 after a second.
 * -EINVAL: bad address; -EBUSY: one is under way; -ENETDOWN. */
int net_ping(const char *to, void (*done)(const char *to, long us));

#endif
