/*
 * The wire between hvd and everybody who is attached to it: messages on a
 * SEQPACKET channel, and the pages that both sides map.
 *
 * Knows the layout of messages, pair pages and port tables, and how a doorbell
 * is rung and answered. Does not know what a hypercall means (include/abi), who
 * owns a port (hosted/endpoint.c) or how a client waits (lib/hosted/client.h).
 *
 * A channel is one connected AF_UNIX SOCK_SEQPACKET socket and is the identity:
 * no message carries the sender's domid. The client speaks first: ATTACH, then
 * any number of requests, one at a time. hvd answers each request with the
 * message of the same type; asynchronous messages (PAIR, PAIR_GONE, RAM_GONE)
 * may come at any time, also between a request and its answer.
 */
#ifndef HV_HOSTED_PROTO_H
#define HV_HOSTED_PROTO_H

#include <stddef.h>
#include <stdint.h>

#define HV_PROTO_VERSION 2u

#define HV_ROOT_DEFAULT "/run/kernbus"
#define HV_SOCKET_NAME "hvd.sock"

#define HV_PAGE_SIZE 4096u
#define HV_PORTS 4096u /* of the 2-level ABI with 64-bit words */
#define HV_PORT_WORDS (HV_PORTS / 64)

/* Where a guest is born with its channel. */
#define HV_GUEST_CHANNEL_FD 3

/*
 * Where a guest must map what ATTACH gives it. hvd does not depend on it: the
 * addresses are fixed so that a guest-physical address is one addition away.
 */
#define HV_GUEST_RAM_BASE UINT64_C(0x200000000000)
#define HV_GUEST_XEN_BASE UINT64_C(0x1f0000000000)

/* A control client's arena, bytes. */
#define HV_ARENA_SIZE UINT64_C(0x1000000)

/*
 * arena_base of a CALL channel without an arena: its arguments lie in the
 * memory of the process that connected, as those of a kernel's hypercalls do.
 * Slower; for imitations of other kernels' nodes.
 */
#define HV_ARENA_NONE UINT64_MAX

enum hv_msg_type {
	HV_MSG_ATTACH = 1,
	HV_MSG_HYPERCALL = 2,
	HV_MSG_GET_RAM = 3,
	HV_MSG_GET_RESOURCE = 4,
	HV_MSG_PAIR_READY = 5, /* the only request without an answer */
	HV_MSG_SEND = 6,
	/* sent by hvd unasked */
	HV_MSG_PAIR = 16,
	HV_MSG_PAIR_GONE = 17,
	HV_MSG_RAM_GONE = 18,
};

/*
 * What a channel is for. Every control kind has an arena and may make any
 * hypercall; EVTCHN also is an event endpoint: the dom0 ports that it binds are
 * delivered to it. Ports, grant handles and so on belong to the channel that
 * made them and go with it. GUEST is refused on hvd.sock.
 */
enum hv_chan_kind {
	HV_CHAN_CALL = 1,
	HV_CHAN_EVTCHN = 2,
	HV_CHAN_GNTTAB = 3,
	HV_CHAN_FOREIGN = 4,
	HV_CHAN_MANAGE = 5,
	HV_CHAN_GUEST = 6,
};

/*
 * ATTACH. A control client has reserved HV_ARENA_SIZE of its address space at
 * arena_base (page aligned, not 0) and will map the arena there: it then passes
 * plain pointers, also inside of structures. 0 for guests.
 *
 * An EVTCHN channel may be attached again, with the same kind: by a successor
 * of a client that is dead, which holds the other end of the same socket. The
 * ports stay as they are. It gets a new arena, the same port table, hv pair and
 * doorbell, and after the answer a PAIR for every pair there is: with the old
 * slot, gen, pages and doorbells, so that peers notice nothing; until the
 * successor's PAIR_READY they send by the hypercall. Before the answer may come
 * whatever the dead client had not read, also answers to its ATTACH: the cookie
 * tells ours.
 */
struct hv_msg_attach {
	uint32_t version;
	uint32_t kind; /* enum hv_chan_kind */
	uint64_t arena_base;
	uint64_t cookie; /* any number; comes back in the answer */
};

#define HV_ATTACH_STRICT 0x1u  /* every send is a hypercall */
#define HV_ATTACH_CONTROL 0x2u /* acts for domain 0 */

/*
 * The descriptors with a positive answer, in this order:
 *   control kinds   arena
 *   EVTCHN          arena, port table, hv pair, hv doorbell
 *   GUEST           RAM, Xen pages, port table, hv pair, hv doorbell
 * Arena, RAM, Xen pages and hv pair are mapped read-write, the port table can
 * only be mapped read-only. The Xen pages hold shared_info, and from
 * grant_offset the frames of the grant table; frames beyond those that the
 * domain has grown to are mapped but mean nothing.
 */
struct hv_msg_attached {
	int32_t err; /* 0 or negative Xen errno; nothing else is set then */
	uint32_t version; /* what hvd speaks, also set on error */
	uint16_t domid;
	uint16_t pad;
	uint32_t flags;		     /* HV_ATTACH_* */
	uint64_t arena_size;	     /* control kinds: bytes */
	uint64_t ram_size;	     /* GUEST: bytes from guest-physical 0 */
	uint64_t xen_size;	     /* GUEST: bytes of the Xen pages */
	uint64_t shared_info_offset; /* in the Xen pages */
	uint64_t grant_offset;	     /* in the Xen pages */
	uint32_t grant_frames_max;
	uint32_t ports;	     /* entries of the port table, <= HV_PORTS */
	uint64_t start_info; /* GUEST: guest-physical, 0 if there is none */
	uint64_t cookie;     /* of the ATTACH that this answers */
};

/*
 * HYPERCALL. Control clients pass addresses within their arena, guests
 * guest-physical ones; any other is -EFAULT.
 */
struct hv_msg_call {
	uint64_t nr;
	uint64_t arg[5];
};

/* SEND: EVTCHNOP_send of the client's own port, without a buffer. */
struct hv_msg_send {
	uint32_t port;
};

/* The answer to both. */
struct hv_msg_ret {
	int64_t ret; /* negative: Xen errno */
};

/* GET_RAM, control clients only. */
struct hv_msg_ram {
	uint32_t domid;
};

/* err -ESRCH: no such domain; -EPERM: not for guests; -ENOENT: it has none. */
struct hv_msg_ram_is {
	int32_t err;
	uint32_t domid;
	uint64_t size;	 /* bytes; offset = guest-physical address */
	uint64_t serial; /* never two domains the same, also of one domid */
};

/* GET_RESOURCE, control clients only: as XENMEM_acquire_resource, but mapped.
 */
struct hv_msg_resource {
	uint32_t domid;
	uint32_t type; /* XENMEM_resource_* */
	uint32_t id;
	uint32_t frame;
	uint32_t nr_frames;
};

struct hv_msg_resource_is {
	int32_t err;
	uint32_t nr_frames;
	uint64_t offset; /* of the first one in the descriptor, bytes */
};

/*
 * PAIR: endpoint SLOT has come up. Descriptors: pages (two pair pages in one
 * memfd), the doorbell that we hear, the doorbell that we ring. Slot 0 is hvd
 * itself, comes with ATTACH, and has only the direction towards the client.
 */
struct hv_msg_pair {
	uint32_t slot; /* 1 .. HV_SLOTS-1 */
	uint32_t peer_domid;
	uint32_t rx_page; /* 0 or 1: which page is peer to us */
	uint32_t tx_page; /* the other one; the same if the peer is ourselves */
	uint32_t gen;	  /* of the slot's uses; 0 .. HV_GENS-1 */
};

#define HV_SLOTS 4096u
#define HV_GENS 0x8000u

/*
 * PAIR_READY: the client hears the slot. Until hvd has this from the receiving
 * end, sends go by the hypercall, so a client that has no descriptor left may
 * ignore a PAIR. PAIR_GONE: the peer has gone; the slot will be used again,
 * with another gen: an end that has not read that yet must not take the new
 * pair for the old one, nor hvd its PAIR_READY for the old one as for the new.
 */
struct hv_msg_slot {
	uint32_t slot;
	uint32_t gen;
};

/* The domain's memory has been given up; drop the cached window. */
struct hv_msg_ram_gone {
	uint32_t domid;
	uint32_t pad;
	uint64_t serial;
};

struct hv_msg {
	uint32_t type; /* enum hv_msg_type */
	uint32_t pad;
	union {
		struct hv_msg_attach attach;
		struct hv_msg_attached attached;
		struct hv_msg_call call;
		struct hv_msg_send send;
		struct hv_msg_ret ret;
		struct hv_msg_ram ram;
		struct hv_msg_ram_is ram_is;
		struct hv_msg_resource resource;
		struct hv_msg_resource_is resource_is;
		struct hv_msg_pair pair;
		struct hv_msg_slot slot;
		struct hv_msg_ram_gone ram_gone;
	} u;
};

#define HV_MSG_FDS 5u /* descriptors with one message, at most */

/* ------------------------------------------------------------ port table -- */

enum hv_port_state {
	HV_PORT_CLOSED = 0,
	HV_PORT_UNBOUND = 1,
	HV_PORT_INTERDOMAIN = 2,
	HV_PORT_OTHER = 3, /* VIRQ, IPI */
};

/*
 * One port of the endpoint, written by hvd, read by the client with one load a
 * word. tx: 0, or HV_TX(slot, gen, peer's port): ring that pair. rx: the slot
 * whose pair page may bring this port; slot 0 (hvd) may bring every port. hvd
 * stores the rx of both ends before the tx of either, so a bit never comes
 * before the receiver's table allows it.
 */
struct port_table_entry {
	uint64_t tx;
	uint16_t rx;
	uint8_t state; /* enum hv_port_state */
	uint8_t pad;
	uint16_t peer_domid;
	uint16_t pad2;
};

#define HV_TX_DIRECT (UINT64_C(1) << 63)
#define HV_TX(slot, gen, port)                                                 \
	(HV_TX_DIRECT | (uint64_t)(gen) << 48 | (uint64_t)(slot) << 32 | (port))
#define HV_TX_GEN(tx) ((uint32_t)((tx) >> 48) & (HV_GENS - 1))
#define HV_TX_SLOT(tx) ((uint32_t)((tx) >> 32) & 0xffffu)
#define HV_TX_PORT(tx) ((uint32_t)(tx)&0xffffffffu)

#define HV_PORT_TABLE_SIZE (HV_PORTS * sizeof(struct port_table_entry))

static inline uint64_t
hv_port_tx(const struct port_table_entry *e)
{
	return __atomic_load_n(&e->tx, __ATOMIC_ACQUIRE);
}

static inline uint16_t
hv_port_rx(const struct port_table_entry *e)
{
	return __atomic_load_n(&e->rx, __ATOMIC_ACQUIRE);
}

/* ------------------------------------------------------------- pair page -- */

/*
 * One direction between two endpoints. A bit is the *receiver's* port. Both
 * ends can write all of it, so a hostile peer can forge or lose events of this
 * pair only: what a broken peer in Xen can do as well.
 */
struct pair_page {
	uint64_t gen;	/* 0: the port table says what is bound */
	uint32_t armed; /* the receiver wants the doorbell rung */
	uint32_t pad;
	uint64_t sel; /* one bit a word of bits */
	uint64_t pad2[5];
	uint64_t bits[HV_PORT_WORDS];
	uint64_t pad3[HV_PAGE_SIZE / 8 - 8 - HV_PORT_WORDS];
};

_Static_assert(sizeof(struct pair_page) == HV_PAGE_SIZE, "one page");
_Static_assert(sizeof(struct port_table_entry) == 16, "two words");

/*
 * Leave the receiver's PORT in the page. 1: the doorbell must be rung (write
 * the eventfd), 0: it need not.
 *
 * Order: what the sender wrote before is visible to whoever takes the bit
 * (release, acquire). or(sel) and exchange(armed) are sequentially consistent
 * with the receiver's store to armed and its scan of sel: of the two ends, at
 * least one sees the other's store. Either the sender finds armed set and
 * rings, or the receiver's scan after arming finds the bit.
 */
static inline int
pair_post(struct pair_page *p, uint32_t port)
{
	uint32_t w = port / 64;

	__atomic_fetch_or(
	    &p->bits[w], UINT64_C(1) << (port % 64), __ATOMIC_RELEASE);
	__atomic_fetch_or(&p->sel, UINT64_C(1) << w, __ATOMIC_SEQ_CST);
	return __atomic_exchange_n(&p->armed, 0, __ATOMIC_SEQ_CST) != 0;
}

/* Ring without a bit: "look at shared_info". The result is as pair_post's. */
static inline int
pair_kick(struct pair_page *p)
{
	return __atomic_exchange_n(&p->armed, 0, __ATOMIC_SEQ_CST) != 0;
}

/*
 * Take every bit that is there: TAKE(arg, word, bits) for each non-zero word,
 * lowest first. The number of words taken.
 */
static inline unsigned
pair_take(struct pair_page *p,
    void (*take)(void *arg, uint32_t word, uint64_t bits), void *arg)
{
	uint64_t sel = __atomic_exchange_n(&p->sel, 0, __ATOMIC_SEQ_CST);
	unsigned n = 0;

	while (sel != 0) {
		uint32_t w = (uint32_t)__builtin_ctzll(sel);
		uint64_t b =
		    __atomic_exchange_n(&p->bits[w], 0, __ATOMIC_ACQ_REL);

		sel &= sel - 1;
		if (b == 0)
			continue;
		take(arg, w, b);
		n++;
	}
	return n;
}

/*
 * Before sleeping: ask for the doorbell, then look once more. 1: there are bits
 * (armed is off again: take them, then arm again), 0: sleep, the next post
 * rings. Scanning *before* arming loses wakeups
 * (tests/support/evtchn_doorbell.pml).
 */
static inline int
pair_arm(struct pair_page *p)
{
	__atomic_store_n(&p->armed, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&p->sel, __ATOMIC_SEQ_CST) == 0)
		return 0;
	__atomic_store_n(&p->armed, 0, __ATOMIC_SEQ_CST);
	return 1;
}

/* Forget PORT, if it is there: its channel has been closed. Receiver or hvd. */
static inline void
pair_drop(struct pair_page *p, uint32_t port)
{
	__atomic_fetch_and(&p->bits[port / 64], ~(UINT64_C(1) << (port % 64)),
	    __ATOMIC_ACQ_REL);
}

#endif
