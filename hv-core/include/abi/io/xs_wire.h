/*
 * The page that a domain shares with its Xenstore daemon. Only the ring: what
 * the bytes in it mean is the Xenstore protocol's business.
 *
 * Indexes run freely (mod 2^32); an index's byte is at idx % ring size. A
 * reader must distrust the other side's index: prod - cons may not exceed
 * XENSTORE_RING_SIZE.
 */
#ifndef ABI_IO_XS_WIRE_H
#define ABI_IO_XS_WIRE_H

#include <stdint.h>
#include <stddef.h>

#define XENSTORE_RING_SIZE 1024
#define MASK_XENSTORE_IDX(idx) ((idx) & (XENSTORE_RING_SIZE - 1))

typedef uint32_t XENSTORE_RING_IDX;

struct xenstore_domain_interface {
	char req[XENSTORE_RING_SIZE]; /* domain to daemon */
	char rsp[XENSTORE_RING_SIZE]; /* daemon to domain */
	XENSTORE_RING_IDX req_cons, req_prod;
	XENSTORE_RING_IDX rsp_cons, rsp_prod;
	uint32_t server_features; /* XENSTORE_SERVER_FEATURE_* */
	uint32_t connection;	  /* XENSTORE_CONNECTED or _RECONNECT */
	uint32_t error;		  /* XENSTORE_ERROR_* */
	/* The domain's port of the channel, when not 0: written by whoever made
	 * the page, it overrides what the daemon is told. */
	uint32_t evtchn_port;
};

#define XENSTORE_SERVER_FEATURE_RECONNECTION 1
#define XENSTORE_SERVER_FEATURE_ERROR 2

#define XENSTORE_CONNECTED 0
#define XENSTORE_RECONNECT 1

#define XENSTORE_ERROR_NONE 0
#define XENSTORE_ERROR_COMM 1
#define XENSTORE_ERROR_RINGIDX 2
#define XENSTORE_ERROR_PROTO 3

_Static_assert(offsetof(struct xenstore_domain_interface, evtchn_port) == 2076,
    "evtchn_port");
_Static_assert(
    offsetof(struct xenstore_domain_interface, server_features) == 2064,
    "server_features");

#endif
