/*
 * A second, naive opinion of what hypercalls do: a few arrays and the rules of
 * the ABI written down as plainly as possible. Nothing is cached, counted or
 * indexed; what can be derived is derived by searching. A model_*() function
 * answers what the hypercall must answer and changes the model as the
 * hypercall must change the world.
 *
 * Knows the ABI's numbers. Does not know the core, not even its headers.
 */
#ifndef HV_SIM_MODEL_H
#define HV_SIM_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/errno.h"
#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/xen.h"

#define MODEL_DOMAINS 4 /* at a time, domain 0 included */
#define MODEL_PORTS 64
#define MODEL_VCPUS 2
#define MODEL_REFS 12 /* of all entries; model_ref says which */
#define MODEL_FRAMES 8
#define MODEL_BYTES 16 /* of each frame that are kept track of */
#define MODEL_HANDLES 300
#define MODEL_PINS 128 /* of a kind, of an entry */

struct model_port {
	uint32_t status; /* EVTCHNSTAT_* */
	uint32_t vcpu;
	domid_t remote_domid;
	uint32_t remote_port;
	uint32_t virq;
	void *channel;
};

/* A pin is a handle that is used; there is no other record of it. The entry's
 * frame and owner while it is pinned are those of the first pin. */
struct model_handle {
	bool used;
	grant_handle_t handle;
	domid_t granter;
	unsigned ref; /* index into the granter's entries */
	uint32_t gfn;
	bool readonly;
	uint64_t host_addr;
	void *channel;
};

struct model_frame {
	bool here, leaving;
	uint8_t bytes[MODEL_BYTES];
};

enum model_state { MODEL_ALIVE, MODEL_DYING, MODEL_DEAD };

struct model_domain {
	bool exists;
	domid_t domid;
	enum model_state state;
	unsigned steps; /* of dying, that are done */
	uint32_t max_port, vcpus;
	unsigned pauses;
	bool shutdown;
	uint8_t shutdown_code;
	struct model_port port[MODEL_PORTS];
	uint64_t pending, mask; /* of ports 0 .. 63 */
	bool sel[MODEL_VCPUS];	/* selector bit 0 */
	bool upcall[MODEL_VCPUS];
	unsigned upcalls;
	struct grant_entry_v1 entry[MODEL_REFS];
	uint32_t grant_frames, max_grant_frames;
	struct model_frame frame[MODEL_FRAMES];
	uint64_t max_pages;
	struct model_handle handle[MODEL_HANDLES];
	uint32_t max_handles;
};

struct model {
	struct model_domain d[MODEL_DOMAINS];
	uint64_t total_pages, dom0_pages;
	domid_t last_domid;
};

/* Only domain 0, with one vcpu and its MODEL_PORTS ports. */
void model_init(struct model *m, uint64_t total_pages, uint64_t dom0_pages,
    uint32_t dom0_max_grant_frames);

/* By id; NULL: no such domain. */
struct model_domain *model_domain(struct model *m, uint32_t domid);

/* Which entry the model's REFth is. */
grant_ref_t model_ref(unsigned ref);

/* Life (model_life.c). Create answers the new id. A step of destroy answers
 * -XEN_ERESTART as long as there is more to do. */
long model_create(struct model *m, uint32_t max_port, uint32_t max_handles);
long model_destroy_step(struct model *m, domid_t domid);
void model_shutdown(struct model *m, struct model_domain *d, uint8_t code);
long model_pause(struct model_domain *d);
long model_unpause(struct model_domain *d);
long model_populate(struct model *m, struct model_domain *d, uint64_t gfn);
long model_decrease(struct model *m, struct model_domain *d, uint64_t gfn);
uint64_t model_pages(const struct model_domain *d);
void model_channel_closed(
    struct model *m, struct model_domain *d, const void *channel);

/* Events (model_evtchn.c). BY has been found alive. */
long model_alloc(struct model *m, struct model_domain *by, domid_t dom,
    domid_t remote, void *channel, uint32_t *port);
long model_bind(struct model *m, struct model_domain *by, domid_t remote,
    uint32_t remote_port, void *channel, uint32_t *port);
long model_bind_virq(struct model_domain *by, uint32_t virq, uint32_t vcpu,
    void *channel, uint32_t *port);
long model_bind_ipi(
    struct model_domain *by, uint32_t vcpu, void *channel, uint32_t *port);
long model_bind_vcpu(struct model_domain *by, uint32_t port, uint32_t vcpu);
long model_close(struct model *m, struct model_domain *by, uint32_t port);
long model_send(struct model *m, struct model_domain *by, uint32_t port);
long model_unmask(struct model_domain *by, uint32_t port);
long model_reset(struct model *m, struct model_domain *by, domid_t dom);
void model_close_all(struct model *m, struct model_domain *d);
void model_dom_exc(struct model *m);

/* Grants (model_grant.c). Refs that are no index of an entry stand for
 * themselves. *SLOT_OUT: the record of a mapping that succeeded; the caller
 * fills in its handle. */
#define MODEL_BAD_REF 1000u
int16_t model_map(struct model *m, struct model_domain *by,
    const struct gnttab_map_grant_ref *op, unsigned ref, void *channel,
    struct model_handle **slot_out);
int16_t model_unmap(struct model *m, struct model_domain *by,
    const struct gnttab_unmap_grant_ref *op);
int16_t model_copy(struct model *m, struct model_domain *by,
    const struct gnttab_copy *op, unsigned from_ref, unsigned to_ref);
void model_release(struct model *m, struct model_handle *h);
int16_t model_setup_table(struct model_domain *d, uint32_t frames);
bool model_frame_pinned(
    const struct model *m, const struct model_domain *d, uint64_t gfn);

#endif
