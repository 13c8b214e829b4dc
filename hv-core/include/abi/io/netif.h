/*
 * Requests and responses of a network device's two rings (see ring.h): tx,
 * frames that the guest sends, and rx, buffers that it offers.
 *
 * A tx packet is a chain of requests, all but the last with NETTXF_more_data;
 * the first one's size is the whole packet's. A slot that follows a request
 * with NETTXF_extra_info is a struct netif_extra_info.
 */
#ifndef ABI_IO_NETIF_H
#define ABI_IO_NETIF_H

#include "../grant_table.h"

#define XEN_NETIF_NR_SLOTS_MIN 18
#define XEN_NETIF_MAX_TX_SIZE 0xffff

#define NETTXF_csum_blank (1u << 0)
#define NETTXF_data_validated (1u << 1)
#define NETTXF_more_data (1u << 2)
#define NETTXF_extra_info (1u << 3)

struct netif_tx_request {
	grant_ref_t gref;
	uint16_t offset; /* in the frame */
	uint16_t flags;	 /* NETTXF_* */
	uint16_t id;
	uint16_t size; /* bytes; the first of a chain: of the packet */
};

struct netif_tx_response {
	uint16_t id;
	int16_t status; /* NETIF_RSP_* */
};

struct netif_rx_request {
	uint16_t id;
	uint16_t pad;
	grant_ref_t gref;
};

#define NETRXF_data_validated (1u << 0)
#define NETRXF_csum_blank (1u << 1)
#define NETRXF_more_data (1u << 2)
#define NETRXF_extra_info (1u << 3)

struct netif_rx_response {
	uint16_t id;
	uint16_t offset;
	uint16_t flags; /* NETRXF_* */
	int16_t status; /* bytes, or NETIF_RSP_* when negative */
};

#define XEN_NETIF_EXTRA_TYPE_NONE 0
#define XEN_NETIF_EXTRA_TYPE_GSO 1
#define XEN_NETIF_EXTRA_TYPE_MCAST_ADD 2
#define XEN_NETIF_EXTRA_TYPE_MCAST_DEL 3
#define XEN_NETIF_EXTRA_TYPE_HASH 4
#define XEN_NETIF_EXTRA_FLAG_MORE (1u << 0)
#define XEN_NETIF_GSO_TYPE_NONE 0
#define XEN_NETIF_GSO_TYPE_TCPV4 1
#define XEN_NETIF_GSO_TYPE_TCPV6 2

struct netif_extra_info {
	uint8_t type;  /* XEN_NETIF_EXTRA_TYPE_* */
	uint8_t flags; /* XEN_NETIF_EXTRA_FLAG_* */
	union {
		struct {
			uint16_t size;
			uint8_t type;
			uint8_t pad;
			uint16_t features;
		} gso;
		struct {
			uint8_t addr[6];
		} mcast;
		uint16_t pad[3];
	} u;
};

#define NETIF_RSP_DROPPED (-2)
#define NETIF_RSP_ERROR (-1)
#define NETIF_RSP_OKAY 0
#define NETIF_RSP_NULL 1

/* What one slot of each ring holds. */
union netif_tx_slot {
	struct netif_tx_request req;
	struct netif_tx_response rsp;
	struct netif_extra_info extra;
};

union netif_rx_slot {
	struct netif_rx_request req;
	struct netif_rx_response rsp;
	struct netif_extra_info extra;
};

_Static_assert(sizeof(struct netif_extra_info) == 8, "extra_info");
_Static_assert(sizeof(union netif_tx_slot) == 12, "netif_tx_slot");
_Static_assert(sizeof(union netif_rx_slot) == 8, "netif_rx_slot");

#endif
