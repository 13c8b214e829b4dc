/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libxencall: hypercalls from a process of a privileged domain.
 *
 * Knows hypercall numbers and five words of arguments; what they mean is the
 * caller's and the hypervisor's business.
 *
 * Whatever a hypercall reads or writes in memory must lie in buffers from
 * xencall_alloc_buffer() or xencall_alloc_buffer_pages() of the same handle;
 * anything else is EFAULT. Pointers, in arguments and inside the structures
 * that they point to, are plain addresses of this process.
 *
 * Several threads may use one handle, unless it was opened with
 * XENCALL_OPENFLAG_NON_REENTRANT. After fork() the child may only close it.
 */
#ifndef XENCALL_H
#define XENCALL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct xencall_handle xencall_handle;

struct xentoollog_logger;

/* Promise that one thread at a time uses the handle. */
#define XENCALL_OPENFLAG_NON_REENTRANT (1U << 0)

/*
 * Open a handle. LOGGER receives the one line that says why it failed; NULL
 * sends it to stderr. NULL with errno: EINVAL unknown flag, ENOMEM, ENOENT no
 * hypervisor here, EACCES, ECONNREFUSED it is not running.
 */
xencall_handle *xencall_open(
    struct xentoollog_logger *logger, unsigned open_flags);

/* Free XCALL and its buffers; NULL is allowed. Always 0. */
int xencall_close(xencall_handle *xcall);

/* XCALL's descriptor. */
int xencall_fd(xencall_handle *xcall);

/*
 * Hypercall OP with that many arguments. What the hypervisor returned, 0 or
 * more; or -1 with errno set to the error that it answered. xencall2L() is for
 * calls whose result does not fit an int.
 */
int xencall0(xencall_handle *xcall, unsigned int op);
int xencall1(xencall_handle *xcall, unsigned int op, uint64_t arg1);
int xencall2(
    xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2);
int xencall3(xencall_handle *xcall, unsigned int op, uint64_t arg1,
    uint64_t arg2, uint64_t arg3);
int xencall4(xencall_handle *xcall, unsigned int op, uint64_t arg1,
    uint64_t arg2, uint64_t arg3, uint64_t arg4);
int xencall5(xencall_handle *xcall, unsigned int op, uint64_t arg1,
    uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5);
long xencall2L(
    xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2);

/*
 * NR_PAGES zeroed, page-aligned pages that a hypercall may use; to be freed
 * with xencall_free_buffer_pages() and the same NR_PAGES. NULL with errno:
 * ENOMEM, EINVAL for 0 pages.
 */
void *xencall_alloc_buffer_pages(xencall_handle *xcall, size_t nr_pages);
void xencall_free_buffer_pages(xencall_handle *xcall, void *p, size_t nr_pages);

/*
 * SIZE bytes, aligned for any type, that a hypercall may use; to be freed with
 * xencall_free_buffer(), which allows NULL. The buffer is not zeroed. NULL with
 * errno ENOMEM.
 */
void *xencall_alloc_buffer(xencall_handle *xcall, size_t size);
void xencall_free_buffer(xencall_handle *xcall, void *p);

/* 1 when a hypercall on a buffer can never fail with EFAULT, else 0. */
int xencall_buffers_never_fault(xencall_handle *xcall);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
