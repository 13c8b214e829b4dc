/*
 * What the core needs from the world that it runs in: a process on Linux
 * (hosted), bare metal, or a test (sim). About twenty-five functions; all else
 * is core.
 *
 * The contract, for all of them unless a function says otherwise:
 * - Calls come only from inside hv_*() functions, one at a time. They must not
 *   call back into the core: the core's state is consistent only between
 *   hv_*() calls (hv_port_info, hv_domain_info may be called: they only read,
 *   and where a notification is made the state that it tells of is complete).
 * - A call either does all that it says or, answering an error, nothing.
 * - int results are 0 or a negative XEN_E* number.
 * - Pointers that the world hands out stay valid as long as stated, and what
 *   they point to may be written at any time by a hostile domain.
 * - Functions marked "may be NULL" are left out where they make no sense.
 *
 * Knows the ABI's types. Does not know how the core keeps anything.
 */
#ifndef HV_CORE_WORLD_H
#define HV_CORE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/grant_table.h"
#include "abi/xen.h"

struct hv_caller; /* hv.h: who makes the hypercall */

/* A domain that is about to exist. */
struct hv_domain_spec {
	domid_t domid;
	uint64_t unique_id; /* never used twice */
	uint32_t flags;	    /* XEN_DOMCTL_CDF_* */
	uint32_t max_vcpus;
	uint32_t max_grant_frames;
	uint32_t max_evtchn_port;
	xen_domain_handle_t handle; /* its UUID */
};

/*
 * The pages that the hypervisor owns and shows to a domain; all zeroed.
 * shared_info may be NULL: then event_post delivers the domain's events
 * instead. grant_table may be NULL: then nothing of the domain can be granted;
 * else it has room for max_grant_frames frames, one after the other. The gfns
 * are what the domain is told about where it finds them (setup_table,
 * acquire_resource); the core does nothing else with them.
 */
struct hv_domain_pages {
	struct shared_info *shared_info;
	struct grant_entry_v1 *grant_table;
	uint64_t shared_info_gfn;
	uint64_t grant_table_gfn; /* of frame 0; frame i is at +i */
};

enum hv_xen_page {
	HV_XEN_PAGE_SHARED_INFO,
	HV_XEN_PAGE_GRANT,
};

/* A grant mapping as the world sees it. */
struct hv_grant_mapping {
	domid_t mapper, granter;
	void *channel;	    /* the mapper's, from struct hv_caller */
	uint64_t gfn;	    /* the granter's frame */
	uint64_t host_addr; /* from the mapper, opaque */
	grant_handle_t handle;
	bool readonly;
};

struct hv_vcpu_times {
	uint64_t cpu_time; /* ns spent running */
	bool running; /* runs just now, or would if there were a free CPU */
};

struct hv_world {
	/* Memory for the core's own tables: zeroed, aligned to 16 bytes, or
	 * NULL. free gets the size that alloc got. */
	void *(*alloc)(void *world, size_t size);
	void (*free)(void *world, void *mem, size_t size);

	/* The caller's argument memory. What addr means is the world's affair
	 * (guest-physical address, arena offset). All of len or -XEN_EFAULT;
	 * on an error the destination may be partly written. copy_from reads
	 * each byte once. */
	int (*copy_from)(void *world, const struct hv_caller *caller, void *to,
	    uint64_t addr, size_t len);
	int (*copy_to)(void *world, const struct hv_caller *caller,
	    uint64_t addr, const void *from, size_t len);

	/*
	 * Domain life, in this order: create, start once, any number of
	 * pause/unpause, kill, free. A domain that never started is not paused
	 * and is freed without kill.
	 *
	 * create: *out's pages stay until free. Called for domain 0, too, from
	 * hv_create; 0 is never started, paused or killed.
	 * start: the domain begins to run, its struct hvm_start_info at that
	 * guest-physical address. It may go on in the background; if it fails
	 * there, the world calls hv_domain_shutdown(SHUTDOWN_crash) later.
	 * kill: it must not run any more, nor make hypercalls.
	 * free: nobody refers to it: RAM and pages go. Its id may come back in
	 * a create before anything else happens.
	 */
	int (*domain_create)(void *world, const struct hv_domain_spec *spec,
	    struct hv_domain_pages *out);
	int (*domain_start)(void *world, domid_t domid, uint64_t start_info);
	void (*domain_pause)(void *world, domid_t domid);
	void (*domain_unpause)(void *world, domid_t domid);
	void (*domain_kill)(void *world, domid_t domid);
	void (*domain_free)(void *world, domid_t domid);

	/*
	 * A domain's RAM. The core knows which frames are there and never
	 * populates one twice, nor releases one that is absent or pinned.
	 * Limits have been checked before: an error is -XEN_ENOMEM, or
	 * -XEN_EINVAL if the world has no such address. populate: zeroed.
	 * Not called for domain 0.
	 * ram_frame: the 4096 bytes of a populated frame, valid until it is
	 * released; NULL if the world can't show it.
	 */
	int (*ram_populate)(
	    void *world, domid_t domid, uint64_t gfn, uint64_t nr);
	void (*ram_release)(
	    void *world, domid_t domid, uint64_t gfn, uint64_t nr);
	void *(*ram_frame)(void *world, domid_t domid, uint64_t gfn);
	/* Shows a hypervisor-owned page at a guest frame number. idx counts
	 * grant frames. May be NULL: the pages are where create said. */
	int (*physmap_add)(void *world, domid_t domid, enum hv_xen_page kind,
	    uint32_t idx, uint64_t gfn);

	/*
	 * Events.
	 * upcall: evtchn_upcall_pending of that vcpu went from 0 to 1; wake it.
	 * event_post: a domain without shared_info has an event at PORT.
	 * port_changed: the binding of PORT is another now (hv_port_info says
	 * which). When two ports change in one step it is called for both
	 * after both have changed, the port of the hypercall's caller last.
	 * Comes before an event at the same port that the same step causes.
	 * May be NULL.
	 */
	void (*upcall)(void *world, domid_t domid, uint32_t vcpu);
	void (*event_post)(void *world, domid_t domid, uint32_t port);
	void (*port_changed)(void *world, domid_t domid, uint32_t port);

	/*
	 * Grants. map: called when a mapping has passed all checks; an error
	 * refuses it (the caller sees GNTST_general_error). unmap: the mapping
	 * ends: because the mapper said so, its channel closed or it died.
	 * Both may be NULL: mapping is done elsewhere.
	 */
	int (*grant_map)(void *world, const struct hv_grant_mapping *m);
	void (*grant_unmap)(void *world, const struct hv_grant_mapping *m);

	/* System time: ns, monotonic, 0 at or before hv_create. wallclock: ns
	 * since 1970. */
	uint64_t (*now)(void *world);
	uint64_t (*wallclock)(void *world);
	/* What a vcpu has used. For domain 0, vcpu 0 stands for all of it. May
	 * be NULL: all 0. */
	void (*vcpu_times)(void *world, domid_t domid, uint32_t vcpu,
	    struct hv_vcpu_times *out);

	/* The machine's console. write gets what goes into the console ring,
	 * too; read answers how many bytes it delivered. May be NULL. */
	void (*console_write)(void *world, const char *text, size_t len);
	size_t (*console_read)(void *world, char *buf, size_t len);
};

#endif
