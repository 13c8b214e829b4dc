/*
 * sysctl (hypercall 35): the machine as a whole. arg 0 = address of a struct
 * xen_sysctl. interface_version must be XEN_SYSCTL_INTERFACE_VERSION, else
 * -EACCES.
 */
#ifndef ABI_SYSCTL_H
#define ABI_SYSCTL_H

#include "xen.h"

#define XEN_SYSCTL_INTERFACE_VERSION 0x00000015u

#define XEN_SYSCTL_readconsole 1
#define XEN_SYSCTL_physinfo 3
#define XEN_SYSCTL_sched_id 4
#define XEN_SYSCTL_getdomaininfolist 6
#define XEN_SYSCTL_debug_keys 7
#define XEN_SYSCTL_getcpuinfo 8
#define XEN_SYSCTL_availheap 9
#define XEN_SYSCTL_cputopoinfo 16
#define XEN_SYSCTL_numainfo 17
#define XEN_SYSCTL_cpupool_op 18

/* Reads the console ring. */
struct xen_sysctl_readconsole {
	uint8_t clear;	     /* afterwards, forget what has been read */
	uint8_t incremental; /* start at index instead of at the oldest byte */
	uint8_t pad0, pad1;
	uint32_t index; /* in, out: where to go on */
	uint64_t buffer;
	uint32_t count; /* in: room; out: bytes written */
};

#define XEN_SYSCTL_PHYSCAP_hvm (1u << 0)
#define XEN_SYSCTL_PHYSCAP_pv (1u << 1)
#define XEN_SYSCTL_PHYSCAP_directio (1u << 2)
#define XEN_SYSCTL_PHYSCAP_hap (1u << 3)
#define XEN_SYSCTL_PHYSCAP_shadow (1u << 4)
#define XEN_SYSCTL_PHYSCAP_gnttab_v1 (1u << 8)
#define XEN_SYSCTL_PHYSCAP_gnttab_v2 (1u << 9)

struct xen_sysctl_physinfo {
	uint32_t threads_per_core;
	uint32_t cores_per_socket;
	uint32_t nr_cpus;
	uint32_t max_cpu_id;
	uint32_t nr_nodes;
	uint32_t max_node_id;
	uint32_t cpu_khz;
	uint32_t capabilities; /* XEN_SYSCTL_PHYSCAP_* */
	uint32_t arch_capabilities;
	uint32_t pad;
	uint64_t total_pages;
	uint64_t free_pages;
	uint64_t scrub_pages;
	uint64_t outstanding_pages;
	uint64_t max_mfn;
	uint32_t hw_cap[8];
};

#define XEN_SCHEDULER_CREDIT 5
#define XEN_SCHEDULER_CREDIT2 6
#define XEN_SCHEDULER_NULL 9

struct xen_sysctl_sched_id {
	uint32_t sched_id; /* XEN_SCHEDULER_* */
};

/* Up to max_domains records of struct xen_domctl_getdomaininfo, ascending
 * from first_domain. */
struct xen_sysctl_getdomaininfolist {
	domid_t first_domain;
	uint32_t max_domains;
	uint64_t buffer;
	uint32_t num_domains; /* out */
};

struct xen_sysctl_debug_keys {
	uint64_t keys;
	uint32_t nr_keys;
};

struct xen_sysctl_cpuinfo {
	uint64_t idletime; /* ns */
};

struct xen_sysctl_getcpuinfo {
	uint32_t max_cpus;
	uint64_t info;	  /* max_cpus of the above */
	uint32_t nr_cpus; /* out */
};

struct xen_sysctl_availheap {
	uint32_t min_bitwidth;
	uint32_t max_bitwidth;
	int32_t node;
	uint64_t avail_bytes; /* out */
};

struct xen_sysctl_cputopo {
	uint32_t core;
	uint32_t socket;
	uint32_t node;
};

struct xen_sysctl_cputopoinfo {
	uint32_t num_cpus; /* in, out */
	uint64_t cputopo;  /* num_cpus of the above */
};

struct xen_sysctl_meminfo {
	uint64_t memsize;
	uint64_t memfree;
};

struct xen_sysctl_numainfo {
	uint32_t num_nodes; /* in, out */
	uint64_t meminfo;   /* num_nodes of the above */
	uint64_t distance;  /* num_nodes squared uint32_t */
};

#define XEN_SYSCTL_CPUPOOL_OP_CREATE 1
#define XEN_SYSCTL_CPUPOOL_OP_DESTROY 2
#define XEN_SYSCTL_CPUPOOL_OP_INFO 3
#define XEN_SYSCTL_CPUPOOL_OP_ADDCPU 4
#define XEN_SYSCTL_CPUPOOL_OP_RMCPU 5
#define XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN 6
#define XEN_SYSCTL_CPUPOOL_OP_FREEINFO 7

struct xen_sysctl_cpupool_op {
	uint32_t op; /* XEN_SYSCTL_CPUPOOL_OP_* */
	uint32_t cpupool_id;
	uint32_t sched_id;
	uint32_t domid;
	uint32_t cpu;
	uint32_t n_dom;
	struct xenctl_bitmap cpumap;
};

struct xen_sysctl {
	uint32_t cmd; /* XEN_SYSCTL_* */
	uint32_t interface_version;
	union {
		struct xen_sysctl_readconsole readconsole;
		struct xen_sysctl_physinfo physinfo;
		struct xen_sysctl_sched_id sched_id;
		struct xen_sysctl_getdomaininfolist getdomaininfolist;
		struct xen_sysctl_debug_keys debug_keys;
		struct xen_sysctl_getcpuinfo getcpuinfo;
		struct xen_sysctl_availheap availheap;
		struct xen_sysctl_cputopoinfo cputopoinfo;
		struct xen_sysctl_numainfo numainfo;
		struct xen_sysctl_cpupool_op cpupool_op;
		uint8_t pad[128];
	} u;
};

_Static_assert(sizeof(struct xen_sysctl) == 136, "sysctl");
_Static_assert(sizeof(struct xen_sysctl_physinfo) == 112, "physinfo");

#endif
