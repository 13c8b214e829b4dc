/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A byte connection to a Xenstore server that carries whole messages: a unix
 * socket or a kernel device. Knows framing, and nothing of what messages mean.
 *
 * Not thread-safe: one thread may send while another receives; two may not do
 * the same.
 */
#ifndef LIBXENSTORE_CONN_H
#define LIBXENSTORE_CONN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

enum conn_kind {
	CONN_SOCKET,
	CONN_DEVICE,
	CONN_DEVICE_SYNC, /* the reply is there when write returns; no poll,
			     no watches, one thread only */
};

struct conn {
	int fd;
	enum conn_kind kind;
	size_t have;		    /* bytes in buf */
	size_t used;		    /* of them, those already taken */
	struct sockaddr_un address; /* of a socket */
	uint8_t buf[4096 + 16];
};

struct message {
	uint32_t type;
	uint32_t req_id;
	uint32_t len;
	char body[]; /* len bytes and a NUL */
};

/* The longest payload taken from a server. Some servers exceed the protocol's
 * 4096 in long directories. */
#define CONN_PAYLOAD_MAX 16384

/* Connects as xs_open says. 0, or -1 with errno and nothing to close. */
int conn_open(struct conn *c);

/* Opens PATH, whatever it is. 0, or -1 with errno. */
int conn_open_path(struct conn *c, const char *path);

/* Connects to the same socket again, after conn_close, without waiting; the
 * descriptor then does not block. 0, or -1 with errno. */
int conn_again(struct conn *c);

/* Sends MSG, header included; to a device in one write. 0, or -1 with errno:
 * then the stream is broken. */
int conn_send(struct conn *c, const void *msg, size_t len);

/* Waits for a whole message. The caller frees it. NULL with errno: EBADF at
 * the end of the stream, EPROTO when it cannot be a message, ENOMEM. After any
 * of them the stream is broken. */
struct message *conn_recv(struct conn *c);

/* Waits until conn_recv has something to take (1), or until STOP_FD is
 * readable (0). -1 with errno. */
int conn_wait(const struct conn *c, int stop_fd);

/* Ends a broken stream for the peer; the descriptor stays ours. */
void conn_shut(struct conn *c);

void conn_close(struct conn *c);

#endif
