/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libxengnttab: pages that other domains granted to this one (xengnttab_*) and
 * pages that this program grants to other domains (xengntshr_*).
 *
 * Knows domids, grant references and local addresses. Knows nothing of what
 * lies in a page, and trusts no byte of it.
 *
 * A mapping belongs to the handle that made it; closing the handle unmaps all
 * of them and performs their unmap notifications. So does dying where a kernel
 * keeps the mappings; on the hosted hypervisor dying unmaps, but does not
 * notify. A handle may be used by one thread at a time. After fork() the child
 * may only close an inherited handle, and must not touch its mappings.
 *
 * A page is 4096 bytes. PROT is PROT_READ or PROT_READ | PROT_WRITE; a page
 * granted read-only cannot be mapped writable.
 */
#ifndef XENGNTTAB_H
#define XENGNTTAB_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef uint32_t evtchn_port_t;

typedef struct xengntdev_handle xengnttab_handle;
typedef struct xengntdev_handle xengntshr_handle;

struct xentoollog_logger;

/* ------------------------------------------------ pages granted to us ----- */

/*
 * Open a handle without mappings. LOGGER receives the one line that says why it
 * failed; NULL sends it to stderr. OPEN_FLAGS must be 0. NULL with errno:
 * EINVAL unknown flag, ENOMEM, ENOENT no hypervisor here, EACCES,
 * ECONNREFUSED it is not running.
 */
xengnttab_handle *xengnttab_open(
    struct xentoollog_logger *logger, unsigned open_flags);

/* Unmap everything that XGT mapped and free it; NULL is allowed. Always 0. */
int xengnttab_close(xengnttab_handle *xgt);

/* XGT's descriptor, for fcntl() and the like; polling it is of no use. */
int xengnttab_fd(xengnttab_handle *xgt);

/*
 * Map the page that domain DOMID granted as REF. NULL with errno: ESRCH no such
 * domain, EINVAL no such grant, or not to us, or not for PROT; EACCES the
 * hypervisor's policy forbids it, ENOSPC too many mappings, ENOMEM, EAGAIN the
 * page is not in memory.
 */
void *xengnttab_map_grant_ref(
    xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot);

/*
 * Map COUNT pages at consecutive addresses: page i is REFS[i] of DOMIDS[i]. All
 * or none: on failure NULL with errno, which is that of the first page that
 * failed.
 */
void *xengnttab_map_grant_refs(xengnttab_handle *xgt, uint32_t count,
    uint32_t *domids, uint32_t *refs, int prot);

/* As xengnttab_map_grant_refs(), every page being granted by DOMID. */
void *xengnttab_map_domain_grant_refs(xengnttab_handle *xgt, uint32_t count,
    uint32_t domid, uint32_t *refs, int prot);

/*
 * As xengnttab_map_grant_ref(). When the page is unmapped, by whatever way, the
 * byte at NOTIFY_OFFSET is set to 0 (unless NOTIFY_OFFSET is UINT32_MAX), then
 * an event is sent on NOTIFY_PORT, a port of this domain (unless it is
 * UINT32_MAX). NULL with errno: as above, and EINVAL for an offset beyond the
 * page or a port that is not ours, EPERM for an offset in a read-only mapping.
 */
void *xengnttab_map_grant_ref_notify(xengnttab_handle *xgt, uint32_t domid,
    uint32_t ref, int prot, uint32_t notify_offset, evtchn_port_t notify_port);

/*
 * Unmap the COUNT pages that one call mapped at START_ADDRESS. 0, or -1 with
 * errno EINVAL: not a whole mapping of XGT.
 */
int xengnttab_unmap(xengnttab_handle *xgt, void *start_address, uint32_t count);

/*
 * Allow at most NR_GRANTS mapped pages at a time. Call it first. 0, or -1 with
 * errno: EINVAL zero, EBUSY something is mapped already.
 */
int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t nr_grants);

/* One copy between a granted page and local memory, or two granted pages. */
struct xengnttab_grant_copy_segment {
	union xengnttab_copy_ptr {
		void *virt; /* local memory: may cross page borders */
		struct {
			uint32_t ref;
			uint16_t offset; /* offset + len <= 4096 */
			uint16_t domid;
		} foreign;
	} source, dest;
	uint16_t len;	/* bytes, 0..4096 for a granted end */
	uint16_t flags; /* GNTCOPY_source_gref 1, GNTCOPY_dest_gref 2 */
	int16_t status; /* out: GNTST_*, 0 is success */
};

typedef struct xengnttab_grant_copy_segment xengnttab_grant_copy_segment_t;

/*
 * Perform COUNT copies; each has its own status, so look at them all. 0, or -1
 * with errno when nothing was tried: EINVAL a segment names no granted page,
 * ENOSYS the platform cannot copy.
 */
int xengnttab_grant_copy(xengnttab_handle *xgt, uint32_t count,
    xengnttab_grant_copy_segment_t *segs);

/* For flags of xengnttab_dmabuf_exp_from_refs(). */
#define GNTDEV_DMA_FLAG_WC (1 << 0)
#define GNTDEV_DMA_FLAG_COHERENT (1 << 1)

/* The four dmabuf calls exist for the linker only: -1 with ENOSYS. */
int xengnttab_dmabuf_exp_from_refs(xengnttab_handle *xgt, uint32_t domid,
    uint32_t flags, uint32_t count, const uint32_t *refs, uint32_t *fd);
int xengnttab_dmabuf_exp_wait_released(
    xengnttab_handle *xgt, uint32_t fd, uint32_t wait_to_ms);
int xengnttab_dmabuf_imp_to_refs(xengnttab_handle *xgt, uint32_t domid,
    uint32_t fd, uint32_t count, uint32_t *refs);
int xengnttab_dmabuf_imp_release(xengnttab_handle *xgt, uint32_t fd);

/* ---------------------------------------------- pages that we grant ------- */

/*
 * Open a handle for granting. NULL with errno as xengnttab_open(), and ENOSYS
 * where a process of domain 0 has no memory that it could grant (hosted).
 */
xengntshr_handle *xengntshr_open(
    struct xentoollog_logger *logger, unsigned open_flags);

/* Revoke every grant of XGS and free it; NULL is allowed. Always 0. */
int xengntshr_close(xengntshr_handle *xgs);

/* XGS's descriptor. */
int xengntshr_fd(xengntshr_handle *xgs);

/*
 * Allocate COUNT zeroed pages at consecutive addresses and grant them to DOMID;
 * WRITABLE says whether the other domain may write. REFS[i] is page i's
 * reference. The first address, or NULL with errno.
 */
void *xengntshr_share_pages(xengntshr_handle *xgs, uint32_t domid, int count,
    uint32_t *refs, int writable);

/*
 * As xengntshr_share_pages() for one page, with an unmap notification as in
 * xengnttab_map_grant_ref_notify() when we stop sharing it.
 */
void *xengntshr_share_page_notify(xengntshr_handle *xgs, uint32_t domid,
    uint32_t *ref, int writable, uint32_t notify_offset,
    evtchn_port_t notify_port);

/*
 * Stop sharing what one call shared at START_ADDRESS. The memory is given back
 * when the other side has unmapped it. 0, or -1 with errno.
 */
int xengntshr_unshare(
    xengntshr_handle *xgs, void *start_address, uint32_t count);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
