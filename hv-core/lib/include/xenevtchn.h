/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libxenevtchn: event channels of the domain that this program belongs to.
 *
 * Knows ports and descriptors. Knows nothing of what an event means: rings and
 * grants are other libraries' business.
 *
 * A port is owned by the handle that bound it; another handle cannot send on
 * it, unbind it or receive from it. An event is delivered once: after
 * xenevtchn_pending() has returned a port, that port stays masked until
 * xenevtchn_unmask(). Events that arrive meanwhile collapse into one, which is
 * delivered after the unmask.
 *
 * A handle may be used by one thread at a time. After fork() the child may
 * only call xenevtchn_close() on an inherited handle.
 */
#ifndef XENEVTCHN_H
#define XENEVTCHN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef uint32_t evtchn_port_t;
typedef uint16_t domid_t;

/* A port, 0 or more, or -1 with errno set. */
typedef int xenevtchn_port_or_error_t;

typedef struct xenevtchn_handle xenevtchn_handle;

struct xentoollog_logger;

/* Flag for xenevtchn_open(): leave the descriptor open across exec(). */
#define XENEVTCHN_NO_CLOEXEC (1U << 0)

/*
 * Open a handle without ports. LOGGER receives the one line that says why it
 * failed; NULL sends it to stderr. FLAGS is 0 or XENEVTCHN_NO_CLOEXEC.
 * NULL with errno: EINVAL unknown flag, ENOMEM, ENOENT no hypervisor here,
 * EACCES not allowed to use it, ECONNREFUSED it is not running.
 */
xenevtchn_handle *xenevtchn_open(
    struct xentoollog_logger *logger, unsigned int flags);

/*
 * Make a handle of FD, which is or was xenevtchn_device_fd() of another handle,
 * in this process before an exec() or in one that is dead by now. Its ports are
 * this handle's, with the same numbers. What the other user had taken, masked
 * or left half done is unknown: the caller must look after every port as if it
 * were pending, unmask it, and notify each peer once. An event may also be
 * delivered for a port that the other user bound and nobody knows of; to
 * unbind it is the caller's business.
 *
 * Nobody else may use FD, or a handle on it, from then on, though anybody may
 * hold it. FLAGS must be 0. On success the handle owns FD; on failure the
 * caller keeps it and may try again. NULL with errno: EINVAL unknown flag or FD
 * is no event channel device, EBADF, ENOMEM, EMFILE, ENOTCONN the hypervisor
 * has gone (hosted).
 */
xenevtchn_handle *xenevtchn_fdopen(
    struct xentoollog_logger *logger, int fd, unsigned int flags);

/*
 * Unbind every port of XCE and free it; NULL is allowed and does nothing.
 * Peers find their channels broken. Always 0.
 */
int xenevtchn_close(xenevtchn_handle *xce);

/*
 * A descriptor for poll(): readable when xenevtchn_pending() has something to
 * say. Owned by XCE; do nothing else with it. Its status as blocking or
 * non-blocking is the caller's to set with fcntl() and decides whether
 * xenevtchn_pending() waits while the descriptor is not readable.
 *
 * On the hosted hypervisor the descriptor is now and then readable without an
 * event. A non-blocking one then answers EAGAIN; with a blocking one, programs
 * rely on getting a port: they get one of theirs, with a spurious event.
 */
int xenevtchn_fd(xenevtchn_handle *xce);

/*
 * Send an event to the peer of PORT. 0, or -1 with errno: ENOTCONN PORT is not
 * bound by XCE, EINVAL PORT's kind cannot send. A channel whose peer is gone
 * swallows the event silently.
 */
int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port);

/*
 * Allocate a port that domain DOMID may bind to. The port, or -1 with errno:
 * ENOSPC, or what the hypervisor answered.
 */
xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(
    xenevtchn_handle *xce, uint32_t domid);

/*
 * Bind a new local port to REMOTE_PORT, which domain DOMID left open for this
 * domain. The new port is pending at once, for events sent before the bind may
 * have been lost. The port, or -1 with errno: ESRCH no such domain, EINVAL the
 * remote port is not open for us, ENOSPC.
 */
xenevtchn_port_or_error_t xenevtchn_bind_interdomain(
    xenevtchn_handle *xce, uint32_t domid, evtchn_port_t remote_port);

/*
 * Bind a virtual interrupt (a VIRQ_* number) to a new port, on vcpu 0. The
 * port, or -1 with errno: EEXIST bound already (in this domain), EBUSY handled
 * by another domain, EINVAL no such VIRQ, ENOSPC.
 */
xenevtchn_port_or_error_t xenevtchn_bind_virq(
    xenevtchn_handle *xce, unsigned int virq);

/*
 * Unbind and free PORT; an undelivered event is dropped. 0, or -1 with errno
 * ENOTCONN: not bound by XCE.
 */
int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port);

/*
 * Take the next pending port and mask it. Waits for one when the descriptor is
 * blocking. The port, or -1 with errno: EAGAIN none and non-blocking, EINTR,
 * EFBIG (NetBSD) events were lost, which this call has repaired: the caller
 * must treat every port of XCE as pending and unmask them all.
 */
xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce);

/*
 * Let PORT deliver again; an event that came while it was masked is delivered
 * now. 0, or -1 with errno. A port that XCE has not bound is ignored (0).
 */
int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port);

/*
 * Give up, for good, the right to use XCE for any domain but DOMID. 0, or -1
 * with errno EOPNOTSUPP where the platform cannot promise that.
 */
int xenevtchn_restrict(xenevtchn_handle *xce, domid_t domid);

/* --------------------------------- Kernbus extension, node KERNBUS_1.0 ---- */

/*
 * The descriptor in which the ports of XCE live: they stay bound, and events
 * for them are kept, as long as any process holds it open, also as a duplicate
 * that came through a socket (SCM_RIGHTS), whatever becomes of XCE and its
 * process. xenevtchn_fdopen() makes a handle of it again. Owned by XCE: do not
 * read, write, poll or close it; dup() it to keep it. With duplicates about,
 * xenevtchn_close() unbinds nothing. Never fails.
 *
 * It need not be xenevtchn_fd().
 */
int xenevtchn_device_fd(xenevtchn_handle *xce);

/*
 * xenevtchn_notify() for each of the NR ports at PORTS: for a successor that
 * has a thousand peers to notify, which is far cheaper at once on the hosted
 * hypervisor. 0, or -1 with the errno of the first that failed, or ENOMEM; the
 * others have been notified all the same, but perhaps not if it is ENOMEM.
 */
int xenevtchn_notify_many(
    xenevtchn_handle *xce, const evtchn_port_t *ports, size_t nr);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
