/*
 * The core's own data: the machine, its domains, and what hangs off them.
 * Private to this folder.
 *
 * A struct belongs to the module that is named above it; the others read it,
 * but only that module writes.
 */
#ifndef HV_CORE_CORE_H
#define HV_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/errno.h"
#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/hvm.h"
#include "abi/xen.h"
#include "hv.h"

void *memcpy(void *to, const void *from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* evtchn: a port. The peer is named, not pointed to: it may be gone. */
enum port_state {
	PORT_FREE,
	PORT_RESERVED, /* port 0 */
	PORT_UNBOUND,
	PORT_INTERDOMAIN,
	PORT_VIRQ,
	PORT_IPI,
};

struct port {
	uint8_t state; /* enum port_state */
	uint8_t virq;
	domid_t remote_domid;
	uint32_t remote_port;
	uint32_t vcpu; /* notified; 0 while FREE */
	void *channel; /* owner or NULL */
};

#define PORTS_PER_BUCKET 64
#define PORT_BUCKETS (HV_MAX_PORTS / PORTS_PER_BUCKET)

struct port_table {
	struct port *bucket[PORT_BUCKETS];
	uint32_t nr;	      /* valid ports: 0 .. nr-1, whole buckets */
	uint32_t max;	      /* the highest that may be allocated */
	uint32_t active;      /* neither FREE nor RESERVED */
	uint32_t lowest_free; /* no FREE port is below it */
};

/* vcpu */
struct vcpu {
	bool up;
	struct vcpu_info *info; /* NULL if the domain has no shared_info */
	uint64_t info_gfn;	/* of a registered info, pinned */
	bool info_registered;
	uint32_t virq_port[NR_VIRQS]; /* 0 = not bound */
	uint64_t timer;		      /* HV_NO_DEADLINE = off */
};

/* grant: what pins of an entry exist. */
enum grant_pin { GRANT_PIN_READ, GRANT_PIN_WRITE, GRANT_PINS };

#define GRANT_PIN_MAX 128 /* of each kind */
#define GRANTS_PER_FRAME 512

struct grant_active {
	uint32_t gfn;  /* valid while pinned */
	domid_t domid; /* who pins it */
	uint8_t pin[GRANT_PINS];
};

struct grant_table {
	struct grant_active *active[HV_MAX_GRANT_FRAMES];
	uint32_t nr_frames, max_frames;
	uint32_t pinned; /* entries with a pin */
};

/* maptrack: the mappings that a domain holds of others' frames. */
#define MAPTRACK_PER_FRAME 256
#define MAPTRACK_NONE UINT32_MAX

struct maptrack {
	uint64_t host_addr;
	void *channel;
	grant_ref_t ref;
	uint32_t next_free;
	domid_t granter;
	bool used, readonly;
};

struct maptrack_table {
	struct maptrack *frame[HV_MAX_MAPTRACK_FRAMES];
	uint32_t nr_frames, max_frames;
	uint32_t first_free;
	uint32_t used;
};

/* p2m: one word a frame. */
#define P2M_PRESENT 0x80000000u
#define P2M_LEAVING 0x40000000u /* given up, but pinned: gone with the pin */
#define P2M_PINS 0x3fffffffu
#define P2M_CHUNK_FRAMES 4096
#define P2M_CHUNKS 4096
#define P2M_MAX_GFN ((uint64_t)P2M_CHUNK_FRAMES * P2M_CHUNKS)

struct p2m {
	uint32_t *chunk[P2M_CHUNKS];
	uint64_t pages; /* PRESENT or LEAVING */
	uint64_t max_pages;
	uint64_t pinned;  /* frames with a pin */
	uint64_t max_gfn; /* no frame was ever above */
};

enum domain_state {
	DOMAIN_ALIVE,
	DOMAIN_DYING, /* is being taken apart */
	DOMAIN_DEAD,  /* nothing left but what others have pinned */
};

/* How far the taking apart has got. */
enum domain_relinquish {
	RELINQUISH_PORTS,
	RELINQUISH_HANDLES,
	RELINQUISH_MEMORY,
	RELINQUISH_DONE,
};

#define WATCHDOGS 2
#define CONSOLE_LINE 120

/* domain */
struct domain {
	struct hv *hv;
	struct domain *next; /* ascending by domid */
	domid_t domid;
	uint64_t unique_id;
	struct hv_domain_spec spec;
	uint32_t ssidref;

	enum domain_state state;
	enum domain_relinquish relinquish;
	uint32_t cursor; /* within a step of it */
	bool privileged;
	bool shutdown;
	uint8_t shutdown_code;
	bool has_start_info, started;
	bool running;	      /* what the world was told last */
	bool changed;	      /* state change that nobody has asked for yet */
	uint32_t pause_count; /* by the toolstack */
	uint64_t start_info;

	struct hv_domain_pages pages;
	struct vcpu *vcpu; /* spec.max_vcpus of them */
	uint32_t nr_vcpus; /* that exist */
	struct port_table ports;
	struct grant_table grants;
	struct maptrack_table maptrack;
	struct p2m p2m;
	uint64_t hvm_param[HVM_NR_PARAMS];
	uint64_t paging_mempool; /* bytes; remembered for the toolstack */

	uint64_t watchdog[WATCHDOGS]; /* HV_NO_DEADLINE = not in use */
	char line[CONSOLE_LINE];      /* console output without its newline */
	uint32_t line_len;
};

/* console */
struct console {
	char ring[HV_CONSOLE_RING_SIZE];
	uint32_t prod, cons; /* free-running */
};

struct hv {
	const struct hv_world *ops;
	void *world;
	struct hv_config cfg;
	struct domain *domain[DOMID_FIRST_RESERVED];
	struct domain *first;
	domid_t rover; /* the id that was chosen last */
	uint64_t next_unique_id;
	uint64_t pages_used;		/* sum over the domains */
	domid_t virq_handler[NR_VIRQS]; /* of global ones */
	uint64_t gone[(DOMID_FIRST_RESERVED + 63) /
		      64]; /* freed, not yet reported */
	uint64_t deadline;
	struct console console;
};

/* One hypercall under way. */
struct call {
	struct hv *hv;
	struct domain *d; /* who calls; alive */
	const struct hv_caller *by;
	uint64_t *arg;
};

static inline int
call_read(const struct call *c, void *to, uint64_t addr, size_t len)
{
	return c->hv->ops->copy_from(c->hv->world, c->by, to, addr, len);
}

static inline int
call_write(const struct call *c, uint64_t addr, const void *from, size_t len)
{
	return c->hv->ops->copy_to(c->hv->world, c->by, addr, from, len);
}

static inline void *
core_alloc(struct hv *hv, size_t size)
{
	return hv->ops->alloc(hv->world, size);
}

static inline void
core_free(struct hv *hv, void *mem, size_t size)
{
	if (mem != NULL)
		hv->ops->free(hv->world, mem, size);
}

/* The domain, dying ones included, or NULL. */
static inline struct domain *
core_domain(const struct hv *hv, uint32_t domid)
{
	return domid < DOMID_FIRST_RESERVED ? hv->domain[domid] : NULL;
}

/* As an operation's dom field means it: DOMID_SELF is the caller. */
static inline struct domain *
call_domain(const struct call *c, domid_t domid)
{
	return domid == DOMID_SELF ? c->d : core_domain(c->hv, domid);
}

/* The channel to be written into what D gets by this call. */
static inline void *
call_channel(const struct call *c, const struct domain *d)
{
	return d == c->d ? c->by->channel : NULL;
}

#endif
