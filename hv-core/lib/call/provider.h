/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libxencall asks of a platform. call.c has the public functions; each of
 * hosted.c, linux.c and netbsd.c knows one platform's way into the hypervisor.
 */
#ifndef LIB_CALL_PROVIDER_H
#define LIB_CALL_PROVIDER_H

#include "../include/xencall.h"

struct call_ops;

struct xencall_handle {
	const struct call_ops *ops;
	struct xentoollog_logger *logger;
	int fd;			  /* what xencall_fd() returns */
	int buf_fd;		  /* linux: /dev/xen/hypercall, or -1 */
	struct hv_client *client; /* hosted only */
};

/*
 * open sets fd or logs why it cannot and answers -1 with errno. call answers
 * what the hypervisor did, or minus an errno of this system. alloc answers
 * NR_PAGES zeroed pages that a hypercall may use, or NULL with errno;
 * small_alloc (may be NULL: alloc serves) the same in bytes.
 */
struct call_ops {
	int (*open)(struct xencall_handle *xcall);
	void (*close)(struct xencall_handle *xcall);
	long (*call)(
	    struct xencall_handle *xcall, unsigned op, const uint64_t arg[5]);
	void *(*alloc)(struct xencall_handle *xcall, size_t nr_pages);
	void (*free)(struct xencall_handle *xcall, void *p, size_t nr_pages);
	void *(*small_alloc)(struct xencall_handle *xcall, size_t size);
	void (*small_free)(struct xencall_handle *xcall, void *p);
	int never_fault;
};

/* hvd of this project. */
const struct call_ops *call_hosted_ops(void);

/* Linux's /dev/xen/privcmd. Not tried on hardware. */
const struct call_ops *call_linux_ops(void);

/* NetBSD's /kern/xen/privcmd. Not tried on hardware. */
const struct call_ops *call_netbsd_ops(void);

#endif
