/*
 * netfront_int: what the two files of netfront share. Nobody else includes it.
 */
#ifndef HV_GUEST_NETFRONT_INT_H
#define HV_GUEST_NETFRONT_INT_H

#include "hv-core/guest/netfront.h"

#include "abi/io/ring.h"

#define NETFRONT_SLOTS 256u
/* What may come in: a frame, a VLAN tag, and some air. */
#define NETFRONT_RX_MAX 2048u
/* Two packets fit a page of the transmit buffers. */
#define NETFRONT_TX_SIZE (4096u / 2)

enum netfront_state {
	NETFRONT_DETACHED,
	NETFRONT_WAITING,   /* for the backend to say what it can do */
	NETFRONT_PUBLISHED, /* our rings are known, the backend connects */
	NETFRONT_CONNECTED,
};

/* One direction. Its buffers are granted as long as the interface lives. */
struct netfront_ring {
	struct ring_front ring;
	void *page;
	uint32_t ring_ref;
	uint8_t *buf[NETFRONT_SLOTS]; /* pages */
	uint32_t ref[NETFRONT_SLOTS];
	uint8_t busy[NETFRONT_SLOTS]; /* by request id: with the backend */
};

struct netfront {
	struct frontend *fe; /* NULL while detached */
	enum netfront_state state;
	uint32_t handle;
	unsigned int index;
	uint8_t mac[6];
	uint32_t port;
	struct netfront_ring tx, rx;
	unsigned int tx_hint; /* where to look for a free buffer */
	uint8_t packet[NETFRONT_RX_MAX];
	size_t packet_len;
	int packet_bad; /* the rest of a chain is thrown away */
	netfront_receive_fn *receive;
	void *receive_arg;
	struct netfront_stats stats;
};

/* Rings and buffers, granted to DOMID. -ENOMEM, -ENOSPC: call _down(). */
int netfront_ring_up(struct netfront *nf, uint16_t domid);

/* Takes all grants back and gives up the buffers. */
void netfront_ring_down(struct netfront *nf);

/* The backend is connected: offers it the receive buffers. */
void netfront_ring_start(struct netfront *nf);

#endif
