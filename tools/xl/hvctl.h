/*
 * hvctl: what xl has the hypervisor do to domains. Typed wrappers over
 * libxencall and libxenforeignmemory.
 *
 * Knows the ABI's structures; knows no configuration and no store. Functions
 * return 0, or -1 with errno as the hypervisor answered (ESRCH: no such
 * domain; EPERM: not allowed) unless they say otherwise.
 */
#ifndef XL_HVCTL_H
#define XL_HVCTL_H

#include <stddef.h>
#include <stdint.h>

#define HVCTL_PAGE_SIZE 4096u

struct hvctl; /* a connection; not to be shared by threads or across fork */

/* NULL with errno if there is no hypervisor, or it is not for us. */
struct hvctl *hvctl_open(void);
void hvctl_close(struct hvctl *hv); /* NULL does nothing */

/* A new, paused, empty domain. EBUSY or ENOMEM if there are too many. */
int hvctl_create(struct hvctl *hv, const uint8_t uuid[16], unsigned vcpus,
    uint32_t *domid_out);

/*
 * Ends a domain, giving way to others while its memory is freed. Its id stays
 * in use while somebody still maps its memory.
 */
int hvctl_destroy(struct hvctl *hv, uint32_t domid);

/* Changes a domain's uuid. */
int hvctl_set_uuid(struct hvctl *hv, uint32_t domid, const uint8_t uuid[16]);

int hvctl_pause(struct hvctl *hv, uint32_t domid);
int hvctl_unpause(struct hvctl *hv, uint32_t domid);

int hvctl_max_memory(struct hvctl *hv, uint32_t domid, uint64_t kib);
int hvctl_max_vcpus(struct hvctl *hv, uint32_t domid, unsigned vcpus);

/* Memory for frames 0 .. COUNT - 1. ENOMEM when the machine has too little;
 * part of it may then be there. */
int hvctl_populate(struct hvctl *hv, uint32_t domid, uint64_t count);

/* INDEX is an HVM_PARAM_*. */
int hvctl_set_param(
    struct hvctl *hv, uint32_t domid, uint32_t index, uint64_t value);

/* A port of DOMID that domain 0 may bind to. */
int hvctl_alloc_port(struct hvctl *hv, uint32_t domid, uint32_t *port_out);

/* Entry REF of DOMID's grant table: frame GFN for domain 0. */
int hvctl_grant(struct hvctl *hv, uint32_t domid, uint32_t ref, uint64_t gfn);

/* Where DOMID's hvm_start_info lies: it starts when it is unpaused. */
int hvctl_start_at(struct hvctl *hv, uint32_t domid, uint64_t paddr);

/* PAGES frames of DOMID from FIRST on, writable; unmap with hvctl_unmap. NULL
 * with errno: EINVAL if it has no such frames. */
void *hvctl_map(struct hvctl *hv, uint32_t domid, uint64_t first, size_t pages);
void hvctl_unmap(struct hvctl *hv, void *addr, size_t pages);

#endif
