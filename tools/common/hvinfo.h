/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor tells its tools: domains, the machine, the version, the
 * console ring. Typed wrappers of the domctl, sysctl and xen_version
 * hypercalls over libxencall.
 *
 * Knows no store and changes nothing, hvinfo_console_clear excepted.
 */
#ifndef TOOLS_COMMON_HVINFO_H
#define TOOLS_COMMON_HVINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hvinfo; /* a connection; not to be shared by threads or across fork */

struct hvinfo_domain {
	uint32_t domid;
	bool dying;
	bool shutdown; /* shutdown_code is meant */
	bool crashed;  /* shutdown with code SHUTDOWN_crash */
	bool paused;   /* by the toolstack */
	bool blocked;  /* all vcpus wait for an event */
	bool running;  /* on a cpu now */
	bool hvm;
	unsigned shutdown_code; /* SHUTDOWN_poweroff 0, reboot 1, ... */
	uint64_t memory_kib;	/* what it has */
	uint64_t max_memory_kib;
	uint64_t cpu_time_ns; /* of all its vcpus together */
	unsigned vcpus;	      /* online */
	unsigned max_vcpu_id; /* the highest that exists */
	uint32_t ssidref;
	uint64_t shared_info_frame;
	uint8_t uuid[16]; /* in the order it is written */
};

struct hvinfo_machine {
	unsigned cpus;
	unsigned max_cpu_id;
	unsigned nodes;
	unsigned threads_per_core;
	unsigned cores_per_socket;
	unsigned cpu_khz;
	uint64_t total_kib;
	uint64_t free_kib;
	uint64_t scrub_kib;
	uint32_t capabilities; /* XEN_SYSCTL_PHYSCAP_* */
	uint32_t hw_cap[8];
};

struct hvinfo_version {
	unsigned major;
	unsigned minor;
	char extra[17]; /* ".7": what follows major.minor */
	char compiler[64];
	char compile_by[32];
	char compile_domain[32];
	char compile_date[32];
	char capabilities[1025];
	char changeset[65];
	char commandline[1025];
	uint64_t virt_start;
	unsigned page_size;
};

/* Opens a connection. NULL with errno if there is no hypervisor or we may not
 * talk to it. */
struct hvinfo *hvinfo_open(void);
void hvinfo_close(struct hvinfo *hv); /* NULL does nothing */

/* All domains in the order of their ids. *DOMAINS_OUT is the caller's to free.
 * 0, or -1 with errno (nothing to free then). */
int hvinfo_list(
    struct hvinfo *hv, struct hvinfo_domain **domains_out, size_t *count_out);

/* One domain. 0, or -1 with errno: ESRCH if there is no such domain. */
int hvinfo_domain(struct hvinfo *hv, uint32_t domid, struct hvinfo_domain *out);

/* 0, or -1 with errno. */
int hvinfo_physinfo(struct hvinfo *hv, struct hvinfo_machine *out);
int hvinfo_version(struct hvinfo *hv, struct hvinfo_version *out);

/* The hypervisor's console ring from *INDEX on: copies up to SIZE bytes into
 * BUF and moves *INDEX behind them. Returns how many, 0 at the end; or -1 with
 * errno. With *INDEX 0 it starts at the oldest byte still there. */
long hvinfo_console_read(
    struct hvinfo *hv, uint32_t *index, char *buf, size_t size);

/* Forgets the console ring's content. 0, or -1 with errno. */
int hvinfo_console_clear(struct hvinfo *hv);

#endif
