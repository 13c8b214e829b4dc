/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The Unix socket and its clients: bytes in, bytes out.
 */
#ifndef XENSTORED_TRANSPORT_UNIX_H
#define XENSTORED_TRANSPORT_UNIX_H

#include "xenstored/server.h"

struct unix_listener;

/*
 * Listens at PATH (mode 0600). A socket that nobody listens at is replaced.
 * Exits with a message if that cannot be.
 */
struct unix_listener *unix_listen(struct server *server, const char *path);

/* Closes all clients and the socket, and removes PATH. */
void unix_close(struct unix_listener *listener);

#endif
