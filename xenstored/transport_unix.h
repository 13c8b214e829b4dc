/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Clients of the Unix socket: bytes in, bytes out. Both are in the flight while
 * it is not in the log or with the client what has become of them.
 */
#ifndef XENSTORED_TRANSPORT_UNIX_H
#define XENSTORED_TRANSPORT_UNIX_H

#include "xenstored/server.h"

struct unix_clients;

/*
 * No clients yet. CLOSED (may be NULL) is called with CTX when one with the
 * number SOCK is closed and gone. Exits with a message without memory.
 */
struct unix_clients *unix_clients_new(
    struct server *server, void (*closed)(void *ctx, uint64_t sock), void *ctx);

/* A new connection through FD, which the client owns from now on, with the
 * number SOCK, or 0. False: no memory, FD is still the caller's. */
bool unix_add(struct unix_clients *clients, int fd, uint64_t sock);

/* The same for CONN, which another process served before. */
bool unix_adopt(struct unix_clients *clients, int fd, struct conn *conn);

/* Serves those that were adopted, when the flight is over. */
void unix_start(struct unix_clients *clients);

/* The socket of CONN's client. */
int unix_fd(const struct conn *conn);

/*
 * How many bytes a process that is dead received from FD in the turn that
 * started at START (struct flight_turn). False: that cannot be told.
 */
bool unix_received(int fd, uint64_t start, size_t *n_out);

/* Closes CONN's client: it cannot be served on. */
void unix_drop(struct conn *conn);

/* Closes all of them, and frees it. */
void unix_clients_close(struct unix_clients *clients);

/* --- without a supervisor --- */

struct unix_listener;

/* Listens at PATH (listener_open()) and accepts clients. */
struct unix_listener *unix_listen(struct server *server, const char *path);

/* Closes all clients and the socket, and removes PATH. */
void unix_close(struct unix_listener *listener);

#endif
