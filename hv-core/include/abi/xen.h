/*
 * The ground of the guest-visible ABI: hypercall numbers, domain ids, VIRQs,
 * shared_info. Names and numbers are Xen's public ones (x86-64, interface
 * 0x00040e00); only the 64-bit layouts exist here. Guest handles (pointers in
 * hypercall arguments) are plain uint64_t everywhere: what such an address
 * means is decided by the world that the caller lives in.
 *
 * Knows nothing of the core, of processes, or of any libc.
 */
#ifndef ABI_XEN_H
#define ABI_XEN_H

#include <stdint.h>
#include <stddef.h>

/* Hypercall numbers. */
#define __HYPERVISOR_platform_op 7
#define __HYPERVISOR_memory_op 12
#define __HYPERVISOR_multicall 13
#define __HYPERVISOR_set_timer_op 15
#define __HYPERVISOR_event_channel_op_compat 16
#define __HYPERVISOR_xen_version 17
#define __HYPERVISOR_console_io 18
#define __HYPERVISOR_grant_table_op 20
#define __HYPERVISOR_vm_assist 21
#define __HYPERVISOR_vcpu_op 24
#define __HYPERVISOR_xsm_op 27
#define __HYPERVISOR_sched_op 29
#define __HYPERVISOR_callback_op 30
#define __HYPERVISOR_event_channel_op 32
#define __HYPERVISOR_physdev_op 33
#define __HYPERVISOR_hvm_op 34
#define __HYPERVISOR_sysctl 35
#define __HYPERVISOR_domctl 36

/* Virtual interrupts: (V) one per vcpu, (D) one per domain, (G) one in the
 * machine, delivered to the domain that handles it. */
#define VIRQ_TIMER 0	  /* V */
#define VIRQ_DEBUG 1	  /* V */
#define VIRQ_CONSOLE 2	  /* G: bytes for the hypervisor's console arrived */
#define VIRQ_DOM_EXC 3	  /* G: a domain shut down or died */
#define VIRQ_TBUF 4	  /* G */
#define VIRQ_DEBUGGER 6	  /* G */
#define VIRQ_XENOPROF 7	  /* V */
#define VIRQ_CON_RING 8	  /* G: the console ring grew */
#define VIRQ_PCPU_STATE 9 /* G */
#define VIRQ_MEM_EVENT 10 /* G */
#define VIRQ_ARGO 11	  /* D */
#define VIRQ_ENOMEM 12	  /* G */
#define VIRQ_XENPMU 13	  /* V */
#define VIRQ_ARCH_0 16
#define VIRQ_ARCH_7 23
#define NR_VIRQS 24

/* console_io sub-operations: arg 1 = count, arg 2 = buffer. */
#define CONSOLEIO_write 0
#define CONSOLEIO_read 1

/* Domain ids that name no ordinary domain. */
#define DOMID_FIRST_RESERVED 0x7ff0u
#define DOMID_SELF 0x7ff0u
#define DOMID_IO 0x7ff1u
#define DOMID_XEN 0x7ff2u
#define DOMID_COW 0x7ff3u
#define DOMID_INVALID 0x7ff4u
#define DOMID_IDLE 0x7fffu
#define DOMID_MASK 0x7fffu

#define XEN_PAGE_SHIFT 12
#define XEN_PAGE_SIZE 4096
#define XEN_LEGACY_MAX_VCPUS 32
#define EVTCHN_2L_NR_CHANNELS 4096

typedef uint16_t domid_t;
typedef uint64_t xen_ulong_t;
typedef uint64_t xen_pfn_t;
typedef uint8_t xen_domain_handle_t[16];

/* An element of the array that multicall (13) works off in order. */
struct multicall_entry {
	xen_ulong_t op, result;
	xen_ulong_t args[6];
};

/* The paravirtual clock of a vcpu. version is odd while it is being written. */
struct vcpu_time_info {
	uint32_t version;
	uint32_t pad0;
	uint64_t tsc_timestamp;
	uint64_t system_time; /* ns since the machine started */
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad1[2];
};

#define XEN_PVCLOCK_TSC_STABLE_BIT (1 << 0)
#define XEN_PVCLOCK_GUEST_STOPPED (1 << 1)

struct arch_vcpu_info {
	uint64_t cr2;
	uint64_t pad;
};

struct vcpu_info {
	uint8_t evtchn_upcall_pending;
	uint8_t evtchn_upcall_mask;
	uint64_t evtchn_pending_sel; /* bit w: word w of evtchn_pending */
	struct arch_vcpu_info arch;
	struct vcpu_time_info time;
};

struct arch_shared_info {
	uint64_t max_pfn;
	uint64_t pfn_to_mfn_frame_list_list;
	uint64_t nmi_reason;
	uint64_t p2m_cr3;
	uint64_t p2m_vaddr;
	uint64_t p2m_generation;
};

/* One page a domain, written by the hypervisor and by the domain. */
struct shared_info {
	struct vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
	uint64_t evtchn_pending[64];
	uint64_t evtchn_mask[64];
	uint32_t wc_version; /* odd while the three below are being written */
	uint32_t wc_sec;     /* wall clock at system time 0 */
	uint32_t wc_nsec;
	uint32_t wc_sec_hi;
	struct arch_shared_info arch;
};

/* hvm_start_info.flags */
#define SIF_PRIVILEGED (1 << 0)
#define SIF_INITDOMAIN (1 << 1)

/* A bitmap in the caller's memory: nr_bits bits at address bitmap. */
struct xenctl_bitmap {
	uint64_t bitmap;
	uint32_t nr_bits;
};

_Static_assert(sizeof(struct vcpu_time_info) == 32, "vcpu_time_info");
_Static_assert(sizeof(struct vcpu_info) == 64, "vcpu_info");
_Static_assert(offsetof(struct vcpu_info, evtchn_pending_sel) == 8, "sel");
_Static_assert(offsetof(struct vcpu_info, time) == 32, "time");
_Static_assert(sizeof(struct shared_info) == 3136, "shared_info");
_Static_assert(offsetof(struct shared_info, evtchn_pending) == 2048, "pending");
_Static_assert(offsetof(struct shared_info, evtchn_mask) == 2560, "mask");
_Static_assert(offsetof(struct shared_info, wc_version) == 3072, "wc");
_Static_assert(offsetof(struct shared_info, arch) == 3088, "arch");
_Static_assert(sizeof(struct multicall_entry) == 64, "multicall_entry");

#endif
