/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernbus extension of libxengnttab: mapping many granted pages where nobody
 * needs them at consecutive addresses, as a backend serving a ring does.
 *
 * On the hosted hypervisor a page then costs pointer arithmetic: one hypercall
 * for the whole batch and no other system call, once the granter's memory is
 * mapped. Elsewhere each page is mapped as by xengnttab_map_grant_ref().
 *
 * Version node KERNBUS_1.0: a program that uses these needs our library.
 */
#ifndef KBGNTTAB_H
#define KBGNTTAB_H

#include <stdint.h>

#include "xengnttab.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* In HANDLES_OUT: this page is not mapped. */
#define KBGNTTAB_NO_HANDLE UINT32_MAX

/*
 * Map REFS[0..COUNT) of domain DOMID. Page i is at PAGES_OUT[i] and is named
 * HANDLES_OUT[i] until it is unmapped. PROT as in xengnttab.h.
 * Returns the number of pages that could not be mapped: theirs are NULL and
 * KBGNTTAB_NO_HANDLE. -1 with errno when none was tried (EINVAL bad PROT or
 * COUNT 0, ESRCH no such domain, ENOSPC over the limit of mappings, ENOMEM).
 */
int kbgnttab_map_pages(xengnttab_handle *xgt, uint32_t domid, uint32_t count,
    const uint32_t *refs, int prot, void **pages_out, uint32_t *handles_out);

/*
 * Unmap what kbgnttab_map_pages() named HANDLES[0..COUNT); entries that are
 * KBGNTTAB_NO_HANDLE are skipped. Handles may come from several calls and in
 * any order. 0, or -1 with errno EINVAL: an entry names no mapping of XGT (the
 * others are unmapped).
 */
int kbgnttab_unmap_pages(
    xengnttab_handle *xgt, uint32_t count, const uint32_t *handles);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
