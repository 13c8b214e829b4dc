/*
 * memory_op (hypercall 12): arg 0 = XENMEM_*, arg 1 = address of the
 * operation's structure.
 */
#ifndef ABI_MEMORY_H
#define ABI_MEMORY_H

#include "xen.h"

#define XENMEM_increase_reservation 0
#define XENMEM_decrease_reservation 1
#define XENMEM_maximum_ram_page 2
#define XENMEM_current_reservation 3
#define XENMEM_maximum_reservation 4
#define XENMEM_populate_physmap 6
#define XENMEM_add_to_physmap 7
#define XENMEM_memory_map 9
#define XENMEM_machine_memory_map 10
#define XENMEM_set_memory_map 13
#define XENMEM_maximum_gpfn 14
#define XENMEM_remove_from_physmap 15
#define XENMEM_set_pod_target 16
#define XENMEM_get_pod_target 17
#define XENMEM_add_to_physmap_batch 23
#define XENMEM_claim_pages 24
#define XENMEM_acquire_resource 28

/* increase, decrease, populate. Answers the number of extents done. */
struct xen_memory_reservation {
	uint64_t extent_start; /* address of nr_extents xen_pfn_t */
	xen_ulong_t nr_extents;
	uint32_t extent_order; /* 2^order frames an extent */
	uint32_t mem_flags;
	domid_t domid;
};

/* current_reservation, maximum_reservation, maximum_gpfn. */
struct xen_memory_domain {
	domid_t domid;
};

#define XENMAPSPACE_shared_info 0
#define XENMAPSPACE_grant_table 1
#define XENMAPSPACE_gmfn 2
#define XENMAPSPACE_gmfn_range 3
#define XENMAPSPACE_gmfn_foreign 4
#define XENMAPIDX_grant_table_status 0x80000000u

struct xen_add_to_physmap {
	domid_t domid;
	uint16_t size;
	uint32_t space; /* XENMAPSPACE_* */
	xen_ulong_t idx;
	xen_pfn_t gpfn;
};

struct xen_remove_from_physmap {
	domid_t domid;
	xen_pfn_t gpfn;
};

struct xen_memory_map {
	uint32_t nr_entries;
	uint64_t buffer;
};

struct xen_foreign_memory_map {
	domid_t domid;
	struct xen_memory_map map;
};

#define XENMEM_resource_ioreq_server 0
#define XENMEM_resource_grant_table 1
#define XENMEM_resource_vmtrace_buf 2
#define XENMEM_resource_grant_table_id_shared 0
#define XENMEM_resource_grant_table_id_status 1

/* Names the frames behind a resource of domid. With frame_list 0 it answers
 * in nr_frames how many there may be. */
struct xen_mem_acquire_resource {
	domid_t domid;
	uint16_t type; /* XENMEM_resource_* */
	uint32_t id;
	uint32_t nr_frames; /* in, out */
	uint32_t pad;
	uint64_t frame;	     /* first one */
	uint64_t frame_list; /* address of nr_frames xen_pfn_t */
};

_Static_assert(sizeof(struct xen_memory_reservation) == 32, "reservation");
_Static_assert(sizeof(struct xen_add_to_physmap) == 24, "add_to_physmap");
_Static_assert(sizeof(struct xen_mem_acquire_resource) == 32, "acquire");

#endif
