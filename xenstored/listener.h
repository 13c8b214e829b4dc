/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The socket that clients connect to: made, and taken away. Knows no client.
 */
#ifndef XENSTORED_LISTENER_H
#define XENSTORED_LISTENER_H

/*
 * Listens at PATH (mode 0600); the descriptor does not block. A socket that
 * nobody listens at is replaced. Exits with a message if that cannot be.
 */
int listener_open(const char *path);

/*
 * The same by FD (-1: there is none), which listened there before. If nobody
 * can connect to it there any more it is closed, and another one made.
 */
int listener_again(const char *path, int fd);

#endif
