/*
 * domctl (hypercall 36): what a toolstack does to a domain. arg 0 = address
 * of a struct xen_domctl. interface_version must be
 * XEN_DOMCTL_INTERFACE_VERSION, else -EACCES; get_domain_state is stable and
 * takes 0 as well.
 */
#ifndef ABI_DOMCTL_H
#define ABI_DOMCTL_H

#include "xen.h"

#define XEN_DOMCTL_INTERFACE_VERSION 0x00000015u

#define XEN_DOMCTL_createdomain 1
#define XEN_DOMCTL_destroydomain 2
#define XEN_DOMCTL_pausedomain 3
#define XEN_DOMCTL_unpausedomain 4
#define XEN_DOMCTL_getdomaininfo 5
#define XEN_DOMCTL_setvcpuaffinity 9
#define XEN_DOMCTL_shadow_op 10
#define XEN_DOMCTL_max_mem 11
#define XEN_DOMCTL_setvcpucontext 12
#define XEN_DOMCTL_getvcpucontext 13
#define XEN_DOMCTL_getvcpuinfo 14
#define XEN_DOMCTL_max_vcpus 15
#define XEN_DOMCTL_scheduler_op 16
#define XEN_DOMCTL_setdomainhandle 17
#define XEN_DOMCTL_settimeoffset 24
#define XEN_DOMCTL_getvcpuaffinity 25
#define XEN_DOMCTL_resumedomain 27
#define XEN_DOMCTL_set_target 46
#define XEN_DOMCTL_set_virq_handler 66
#define XEN_DOMCTL_setnodeaffinity 68
#define XEN_DOMCTL_getnodeaffinity 69
#define XEN_DOMCTL_soft_reset 79
#define XEN_DOMCTL_get_paging_mempool_size 85
#define XEN_DOMCTL_set_paging_mempool_size 86
#define XEN_DOMCTL_get_domain_state 90
#define XEN_DOMCTL_hosted_start 0x1001 /* kernbus only */

/* xen_domctl_createdomain.flags */
#define XEN_DOMCTL_CDF_hvm (1u << 0)
#define XEN_DOMCTL_CDF_hap (1u << 1)
#define XEN_DOMCTL_CDF_s3_integrity (1u << 2)
#define XEN_DOMCTL_CDF_oos_off (1u << 3)
#define XEN_DOMCTL_CDF_xs_domain (1u << 4)
#define XEN_DOMCTL_CDF_iommu (1u << 5)
#define XEN_DOMCTL_CDF_nested_virt (1u << 6)
#define XEN_DOMCTL_CDF_vpmu (1u << 7)
#define XEN_DOMCTL_CDF_MAX XEN_DOMCTL_CDF_vpmu

#define XEN_DOMCTL_GRANT_version_mask 0xfu

struct xen_arch_domainconfig {
	uint32_t emulation_flags;
	uint32_t misc_flags;
};

/* domain: the id to be given; if that is 0, taken or reserved, the next free
 * one is chosen. Out: the id. */
struct xen_domctl_createdomain {
	uint32_t ssidref;
	xen_domain_handle_t handle;
	uint32_t flags; /* XEN_DOMCTL_CDF_* */
	uint32_t iommu_opts;
	uint32_t max_vcpus;
	uint32_t max_evtchn_port;
	int32_t max_grant_frames;    /* negative = the default */
	int32_t max_maptrack_frames; /* negative = the default */
	uint32_t grant_opts;	     /* highest grant table version */
	uint32_t vmtrace_size;
	uint32_t cpupool_id;
	struct xen_arch_domainconfig arch;
};

/* xen_domctl_getdomaininfo.flags */
#define XEN_DOMINF_dying (1u << 0)
#define XEN_DOMINF_hvm_guest (1u << 1)
#define XEN_DOMINF_shutdown (1u << 2)
#define XEN_DOMINF_paused (1u << 3)
#define XEN_DOMINF_blocked (1u << 4)
#define XEN_DOMINF_running (1u << 5)
#define XEN_DOMINF_debugged (1u << 6)
#define XEN_DOMINF_xs_domain (1u << 7)
#define XEN_DOMINF_hap (1u << 8)
#define XEN_DOMINF_shutdownmask 255
#define XEN_DOMINF_shutdownshift 16

/* Describes the first domain whose id is not below the one asked for. */
struct xen_domctl_getdomaininfo {
	domid_t domain;
	uint16_t pad1;
	uint32_t flags; /* XEN_DOMINF_* */
	uint64_t tot_pages;
	uint64_t max_pages;
	uint64_t outstanding_pages;
	uint64_t shr_pages;
	uint64_t paged_pages;
	uint64_t shared_info_frame;
	uint64_t cpu_time; /* ns */
	uint32_t nr_online_vcpus;
	uint32_t max_vcpu_id;
	uint32_t ssidref;
	xen_domain_handle_t handle;
	uint32_t cpupool;
	uint8_t gpaddr_bits;
	uint8_t pad2[7];
	struct xen_arch_domainconfig arch_config;
};

struct xen_domctl_max_mem {
	uint64_t max_memkb;
};

struct xen_domctl_getvcpuinfo {
	uint32_t vcpu;
	uint8_t online;
	uint8_t blocked;
	uint8_t running;
	uint64_t cpu_time; /* ns */
	uint32_t cpu;
};

#define XEN_VCPUAFFINITY_HARD (1u << 0)
#define XEN_VCPUAFFINITY_SOFT (1u << 1)

struct xen_domctl_vcpuaffinity {
	uint32_t vcpu;
	uint32_t flags; /* XEN_VCPUAFFINITY_* */
	struct xenctl_bitmap cpumap_hard;
	struct xenctl_bitmap cpumap_soft;
};

struct xen_domctl_nodeaffinity {
	struct xenctl_bitmap nodemap;
};

struct xen_domctl_max_vcpus {
	uint32_t max;
};

struct xen_domctl_setdomainhandle {
	xen_domain_handle_t handle;
};

struct xen_domctl_settimeoffset {
	int64_t time_offset_seconds;
};

struct xen_domctl_set_target {
	domid_t target;
};

struct xen_domctl_set_virq_handler {
	uint32_t virq;
};

struct xen_domctl_paging_mempool {
	uint64_t size; /* bytes */
};

#define XEN_DOMCTL_GETDOMSTATE_STATE_EXIST 0x0001
#define XEN_DOMCTL_GETDOMSTATE_STATE_SHUTDOWN 0x0002
#define XEN_DOMCTL_GETDOMSTATE_STATE_DYING 0x0004
#define XEN_DOMCTL_GETDOMSTATE_STATE_DEAD 0x0008
#define XEN_DOMCTL_GETDOMSTATE_CAP_CONTROL 0x0001
#define XEN_DOMCTL_GETDOMSTATE_CAP_HARDWARE 0x0002
#define XEN_DOMCTL_GETDOMSTATE_CAP_XENSTORE 0x0004

/* domain DOMID_INVALID = any domain whose state changed since the last such
 * question (its id is written back; -ENOENT when there is none). Only the
 * domain that has VIRQ_DOM_EXC bound may ask that (-EACCES). */
struct xen_domctl_get_domain_state {
	uint16_t state;	    /* XEN_DOMCTL_GETDOMSTATE_STATE_* */
	uint16_t caps;	    /* XEN_DOMCTL_GETDOMSTATE_CAP_* */
	uint32_t pad0;	    /* 0 */
	uint64_t unique_id; /* never used twice */
};

/* Where the domain's struct hvm_start_info lies. The domain starts to run
 * when it is unpaused for the first time after this. */
struct xen_domctl_hosted_start {
	uint64_t start_info_paddr;
};

struct xen_domctl {
	uint32_t cmd; /* XEN_DOMCTL_* */
	uint32_t interface_version;
	domid_t domain;
	uint16_t _pad[3];
	union {
		struct xen_domctl_createdomain createdomain;
		struct xen_domctl_getdomaininfo getdomaininfo;
		struct xen_domctl_max_mem max_mem;
		struct xen_domctl_getvcpuinfo getvcpuinfo;
		struct xen_domctl_vcpuaffinity vcpuaffinity;
		struct xen_domctl_nodeaffinity nodeaffinity;
		struct xen_domctl_max_vcpus max_vcpus;
		struct xen_domctl_setdomainhandle setdomainhandle;
		struct xen_domctl_settimeoffset settimeoffset;
		struct xen_domctl_set_target set_target;
		struct xen_domctl_set_virq_handler set_virq_handler;
		struct xen_domctl_paging_mempool paging_mempool;
		struct xen_domctl_get_domain_state get_domain_state;
		struct xen_domctl_hosted_start hosted_start;
		uint64_t align;
		uint8_t pad[128];
	} u;
};

_Static_assert(sizeof(struct xen_domctl) == 144, "domctl");
_Static_assert(sizeof(struct xen_domctl_createdomain) == 64, "createdomain");
_Static_assert(sizeof(struct xen_domctl_getdomaininfo) == 112, "info");
_Static_assert(sizeof(struct xen_domctl_get_domain_state) == 16, "state");

#endif
