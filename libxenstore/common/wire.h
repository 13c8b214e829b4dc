/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The wire format: message header, operation numbers, the page that a guest and
 * the daemon share, and reading strings and numbers out of a payload. Pure
 * functions on bytes; knows no connection and no meaning of a path.
 */
#ifndef XS_COMMON_WIRE_H
#define XS_COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WIRE_HEADER_SIZE = 16,
	WIRE_PAYLOAD_MAX = 4096,
	WIRE_MESSAGE_MAX = WIRE_HEADER_SIZE + WIRE_PAYLOAD_MAX,
	WIRE_ABS_PATH_MAX = 3072, /* characters, without the NUL */
	WIRE_REL_PATH_MAX = 2048,
	WIRE_RING_SIZE = 1024, /* bytes each way */
};

/* Operation numbers: WIRE_READ, WIRE_WATCH, ... from schema/ops.tbl. */
enum wire_op {
#define XS_OP(number, name, handler, args, flags) WIRE_##name = number,
#include "schema/ops.tbl"
	WIRE_OP_COUNT
};

/* In front of each message, in the byte order of the machine. */
struct wire_header {
	uint32_t type;	 /* enum wire_op */
	uint32_t req_id; /* echoed by the server; 0 in events */
	uint32_t tx_id;	 /* 0: no transaction; echoed; 0 in events */
	uint32_t len;	 /* of the payload, at most WIRE_PAYLOAD_MAX */
};

/* Server features: wire_ring.features, and the mask of GET_FEATURE. */
enum {
	WIRE_FEATURE_RECONNECT = 1u << 0,
	WIRE_FEATURE_ERROR = 1u << 1,
	WIRE_FEATURE_WATCH_DEPTH = 1u << 2,
	WIRE_FEATURE_DOMID_ANY = 1u << 3,
	WIRE_FEATURES = 15,
};

/* wire_ring.connection: a client sets RECONNECT, the server CONNECTED. */
enum { WIRE_CONNECTED = 0, WIRE_RECONNECT = 1 };

/* wire_ring.error */
enum {
	WIRE_RING_OK = 0,
	WIRE_RING_ECOMM = 1, /* event channel or mapping failed */
	WIRE_RING_EINDEX =
	    2, /* distance of two indexes above the ring's size */
	WIRE_RING_EPROTOCOL = 3, /* a header with a length above the maximum */
};

/*
 * The shared page. Indexes run freely and are used modulo WIRE_RING_SIZE; their
 * start is not known. Either side may find anything here at any time: copy a
 * word once, check the copy.
 */
struct wire_ring {
	uint8_t req[WIRE_RING_SIZE]; /* client to server */
	uint8_t rsp[WIRE_RING_SIZE]; /* server to client */
	uint32_t req_cons, req_prod;
	uint32_t rsp_cons, rsp_prod;
	uint32_t features;
	uint32_t connection;
	uint32_t error;
	uint32_t evtchn_port; /* set by the hypervisor when not 0 */
};

/* "READ", or NULL for a number that is none. Static storage. */
const char *wire_op_name(uint32_t op);

/*
 * What is left to read of one payload. The only way in which anything reads
 * what a peer sent. The bytes are borrowed and must not change meanwhile.
 */
struct wire_in {
	const char *pos;
	size_t left;
};

struct wire_in wire_in(const void *payload, size_t len);

/* How many NUL-terminated strings follow. */
size_t wire_in_strings(const struct wire_in *in);

/*
 * The next string, borrowed from the payload, and its length without the NUL
 * (LEN_OUT may be NULL). False, and nothing taken, if no NUL is left.
 */
bool wire_in_string(struct wire_in *in, const char **str_out, size_t *len_out);

/* All that is left, NULs and all. */
const char *wire_in_rest(struct wire_in *in, size_t *len_out);

/*
 * A decimal number of at least one digit and nothing else; leading zeros are
 * fine. False, VALUE_OUT untouched, if it is not one or exceeds MAX.
 */
bool wire_number(const char *str, uint64_t max, uint64_t *value_out);

#endif
