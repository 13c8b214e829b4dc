/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libxenforeignmemory: memory of other domains, mapped into this process by the
 * right of a privileged domain and without their consent.
 *
 * Knows domids, frame numbers (4096 bytes each) and local addresses.
 *
 * A handle may be used by one thread at a time. After fork() the child may only
 * close an inherited handle, and must not touch its mappings.
 */
#ifndef XENFOREIGNMEMORY_H
#define XENFOREIGNMEMORY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef uint16_t domid_t;
typedef uint64_t xen_pfn_t;

typedef struct xenforeignmemory_handle xenforeignmemory_handle;
typedef struct xenforeignmemory_resource_handle
    xenforeignmemory_resource_handle;

struct xentoollog_logger;

/*
 * Open a handle. LOGGER receives the one line that says why it failed; NULL
 * sends it to stderr. OPEN_FLAGS must be 0. NULL with errno: EINVAL unknown
 * flag, ENOMEM, ENOENT no hypervisor here, EACCES, ECONNREFUSED it is not
 * running.
 */
xenforeignmemory_handle *xenforeignmemory_open(
    struct xentoollog_logger *logger, unsigned open_flags);

/*
 * Free FMEM; NULL is allowed. Its mappings should have been unmapped: what is
 * left stays mapped until the process ends. Always 0.
 */
int xenforeignmemory_close(xenforeignmemory_handle *fmem);

/*
 * Map frames ARR[0..PAGES) of domain DOM at consecutive addresses. PROT is as
 * for mmap(). With ERR, page i's errno value goes to ERR[i] (0 is success), a
 * page that failed must not be touched, and the result is NULL only when
 * nothing was tried. Without ERR one failing page fails the call. NULL with
 * errno: ESRCH no such domain, EINVAL no such frame, ENOMEM.
 */
void *xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t dom,
    int prot, size_t pages, const xen_pfn_t arr[], int err[]);

/*
 * The same at ADDR, with FLAGS, both as for mmap() (MAP_SHARED is implied).
 */
void *xenforeignmemory_map2(xenforeignmemory_handle *fmem, uint32_t dom,
    void *addr, int prot, int flags, size_t pages, const xen_pfn_t arr[],
    int err[]);

/*
 * Unmap PAGES pages mapped at ADDR by this library. 0, or -1 with errno of
 * munmap().
 */
int xenforeignmemory_unmap(
    xenforeignmemory_handle *fmem, void *addr, size_t pages);

/*
 * Give up, for good, the right to use FMEM for any domain but DOMID. 0, or -1
 * with errno EOPNOTSUPP where the platform cannot promise that.
 */
int xenforeignmemory_restrict(xenforeignmemory_handle *fmem, domid_t domid);

/*
 * Map frames FRAME..FRAME + NR_FRAMES of a resource that the hypervisor keeps
 * for domain DOMID: TYPE is a XENMEM_resource_* number, ID depends on it (grant
 * table, type 1: 0 the shared frames, 1 the status frames). *PADDR is a hint on
 * entry (NULL for none) and the address on return; PROT and FLAGS are as for
 * mmap(). NULL with errno: ESRCH, EINVAL no such resource or frames,
 * EOPNOTSUPP, ENOMEM.
 */
xenforeignmemory_resource_handle *xenforeignmemory_map_resource(
    xenforeignmemory_handle *fmem, domid_t domid, unsigned int type,
    unsigned int id, unsigned long frame, unsigned long nr_frames, void **paddr,
    int prot, int flags);

/*
 * Unmap FRES and free it; NULL is allowed. 0, or -1 with errno, FRES being
 * freed all the same.
 */
int xenforeignmemory_unmap_resource(
    xenforeignmemory_handle *fmem, xenforeignmemory_resource_handle *fres);

/*
 * The size of a resource, in bytes, goes to *SIZE. 0, or -1 with errno: ESRCH,
 * EINVAL, EOPNOTSUPP.
 */
int xenforeignmemory_resource_size(xenforeignmemory_handle *fmem, domid_t domid,
    unsigned int type, unsigned int id, size_t *size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
