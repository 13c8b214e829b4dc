/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One open of NetBSD's /dev/xenevt, to the letter: a ring of pending ports, the
 * set of bound ports, the ioctls.
 *
 * Knows that contract and libxenevtchn, which does the work. Knows nothing of
 * FUSE, of who waits, or of other opens. Nothing here sleeps.
 */
#ifndef KERNFS_XENEVT_H
#define KERNFS_XENEVT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xenevt;

/*
 * A new open with an empty ring. NULL and *ERR_OUT, an errno number: ENXIO
 * there is no hypervisor, ENOMEM, EACCES.
 */
struct xenevt *xenevt_open(int *err_out);

/* Unbind every port, so that the peers find their channels broken; free. */
void xenevt_close(struct xenevt *x);

/* Readable when xenevt_collect() has something to do. */
int xenevt_fd(const struct xenevt *x);

/*
 * Take what has come into the ring. False: the hypervisor has gone; nothing
 * will ever come any more.
 */
bool xenevt_collect(struct xenevt *x);

/*
 * Give up to SIZE / 4 ports, host order, to BUF (of SIZE bytes). The number of
 * bytes; or negative: -EAGAIN nothing is there, -EFBIG events were lost and no
 * RESET has come since, -EIO the hypervisor has gone.
 */
ptrdiff_t xenevt_read(struct xenevt *x, void *buf, size_t size);

/* The ring has entries (which xenevt_read() withholds after an overflow). */
bool xenevt_readable(const struct xenevt *x);

/*
 * Unmask the ports in BUF, SIZE / 2 16-bit numbers; those that are not bound
 * here are ignored. SIZE, or negative: -EMSGSIZE as many numbers as there are
 * ports or more, -EINVAL SIZE is odd.
 */
ptrdiff_t xenevt_write(struct xenevt *x, const void *buf, size_t size);

/*
 * How many bytes of argument the ioctl CMD has, in and out together being one
 * structure; -EINVAL: there is no such ioctl.
 */
int xenevt_ioctl_size(unsigned long cmd);

/*
 * Perform CMD on ARG, of xenevt_ioctl_size() bytes. 0, ARG being updated; or a
 * negative errno number: -EINVAL no such ioctl or port, -ENOTCONN the port is
 * not bound here, or what the hypervisor answered.
 */
int xenevt_ioctl(struct xenevt *x, unsigned long cmd, void *arg);

#endif
