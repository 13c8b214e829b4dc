/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open transactions of a handle, by the numbers that its user knows. After
 * a reconnection those that were open are lost, and the server may give their
 * numbers out again; then the user's number and the server's are not the same.
 * Knows no connection.
 */
#ifndef LIBXENSTORE_TXNS_H
#define LIBXENSTORE_TXNS_H

#include <stdbool.h>
#include <stdint.h>

struct txns {
	struct txn *list;
	bool lost_any; /* ever */
};

enum txns_state {
	TXNS_UNKNOWN, /* never given out, or ended */
	TXNS_OPEN,
	TXNS_LOST /* open when the connection broke */
};

/* The server has started WIRE. The user's number for it, or 0 with ENOMEM. */
uint32_t txns_add(struct txns *t, uint32_t wire);

/* What ID is, and the server's number for it: for a lost one 0, or what
 * txns_replace said. As long as nothing was lost an unknown ID is passed on as
 * it is, for the server to judge. */
enum txns_state txns_find(
    const struct txns *t, uint32_t id, uint32_t *wire_out);

/* The lost transaction ID goes on in WIRE, which will never be committed. */
void txns_replace(struct txns *t, uint32_t id, uint32_t wire);

/* ID has ended. */
void txns_drop(struct txns *t, uint32_t id);

/* The connection broke. */
void txns_lose(struct txns *t);

void txns_free(struct txns *t);

#endif
