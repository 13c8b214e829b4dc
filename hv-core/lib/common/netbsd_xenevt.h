/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers of NetBSD's /dev/xenevt, for the library that uses such a node
 * and for hv-kernfs, which serves one. They are NetBSD's on every platform:
 * Linux's <sys/ioctl.h> would encode them differently.
 */
#ifndef LIB_COMMON_NETBSD_XENEVT_H
#define LIB_COMMON_NETBSD_XENEVT_H

#include <stdint.h>

#define XENEVT_RESET_OLD 0x20004501ul
#define XENEVT_RESET 0x20004509ul
#define XENEVT_BIND_VIRQ 0xc0084504ul	     /* struct xenevt_bind_virq */
#define XENEVT_BIND_INTERDOMAIN 0xc00c4505ul /* ..._bind_interdomain */
#define XENEVT_BIND_UNBOUND_PORT 0xc0084506ul
#define XENEVT_UNBIND 0x80044507ul
#define XENEVT_NOTIFY 0x80044508ul

#define XENEVT_PORTS 4096u	/* NR_EVENT_CHANNELS of the 2-level ABI */
#define XENEVT_RING_SLOTS 2048u /* one of which stays empty */

struct xenevt_bind_virq {
	uint32_t virq;
	uint32_t port; /* out */
};

struct xenevt_bind_interdomain {
	uint32_t remote_domain;
	uint32_t remote_port;
	uint32_t port; /* out */
};

struct xenevt_bind_unbound_port {
	uint32_t remote_domain;
	uint32_t port; /* out */
};

struct xenevt_unbind {
	uint32_t port;
};

struct xenevt_notify {
	uint32_t port;
};

#endif
