/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libxenforeignmemory asks of a platform. foreignmemory.c has the public
 * functions; hosted.c, linux.c and netbsd.c know one platform each.
 */
#ifndef LIB_FOREIGNMEMORY_PROVIDER_H
#define LIB_FOREIGNMEMORY_PROVIDER_H

#include "../include/xenforeignmemory.h"

#define FOREIGN_PAGE 4096u

struct foreign_ops;

struct xenforeignmemory_handle {
	const struct foreign_ops *ops;
	struct xentoollog_logger *logger;
	int fd;
	struct hv_client *client; /* hosted only */
};

struct xenforeignmemory_resource_handle {
	domid_t domid;
	unsigned type, id;
	unsigned long frame, nr_frames;
	void *addr; /* in: hint or NULL; out */
	int prot, flags;
};

/*
 * open sets fd or logs why it cannot. map fills SIZE bytes of addresses at ADDR
 * with frames; every ERR[i] is set (0 or an errno number) if it answers 0, and
 * what failed stays unusable; -1 and errno: nothing was tried. reserve answers
 * addresses for map. map_resource sets addr.
 */
struct foreign_ops {
	int (*open)(struct xenforeignmemory_handle *f);
	void (*close)(struct xenforeignmemory_handle *f);
	void *(*reserve)(struct xenforeignmemory_handle *f, void *hint,
	    size_t size, int prot, int flags);
	int (*map)(struct xenforeignmemory_handle *f, domid_t dom, void *addr,
	    int prot, size_t pages, const xen_pfn_t arr[], int err[]);
	int (*restrict_to)(struct xenforeignmemory_handle *f, domid_t dom);
	int (*map_resource)(struct xenforeignmemory_handle *f,
	    struct xenforeignmemory_resource_handle *res);
	int (*resource_size)(struct xenforeignmemory_handle *f, domid_t dom,
	    unsigned type, unsigned id, size_t *size);
};

/* hvd of this project. */
const struct foreign_ops *foreign_hosted_ops(void);

/* Linux's /dev/xen/privcmd. Not tried on hardware. */
const struct foreign_ops *foreign_linux_ops(void);

/* NetBSD's /kern/xen/privcmd. Tried on an imitation, not on hardware. */
const struct foreign_ops *foreign_netbsd_ops(void);

#endif
