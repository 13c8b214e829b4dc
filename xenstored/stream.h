/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The migration stream of Xenstore as other daemons write and read it (Xen's
 * docs/designs/xenstore-migration, versions 1 and 2): a state handed over to
 * another program in the same process, with its descriptors. It says less than
 * an image: which event waits for whom, what is owned by the dead, peaks and
 * stamps are lost. Knows no file.
 */
#ifndef XENSTORED_STREAM_H
#define XENSTORED_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "xenstored/image.h"

enum { STREAM_VERSION_MIN = 1, STREAM_VERSION_MAX = 2 };

/* What a stream says of the process that it is read in. */
struct stream_process {
	unsigned version;
	int socket_fd; /* listens for clients; -1: none */
	int evtchn_fd; /* the event-channel device, ports bound; -1: none */
};

/* Whom a socket belongs to, and the number that it has from now on. */
struct stream_peer {
	uint64_t sock;
	uid_t uid;
	pid_t pid;
};

/* Who reads a stream. */
struct stream_reader {
	void *ctx;

	/* The connected socket FD: *PEER_OUT. False: it is no socket any more;
	 * the connection is left out. NULL: sock is the descriptor. */
	bool (*adopt)(void *ctx, int fd, struct stream_peer *peer_out);
};

/*
 * A new state of CONFIG, with what LEN bytes at DATA say, and *PROCESS_OUT.
 * ENV is asked about domains, and for nothing else but a record of the answer;
 * who has a ring has no ring open, but conn_port(). Domains that the stream
 * knows and that are gone are there, so that state_domain_changed() tells of
 * their end. NULL: it was refused, or there was no memory, which WHY says.
 */
struct state *stream_import(const void *data, size_t len,
    const struct state_config *config, const struct state_env *env,
    const struct stream_reader *reader, struct stream_process *process_out,
    char why[IMAGE_WHY_SIZE]);

/* What a stream is to say. */
struct stream_options {
	struct stream_process process;
	bool txns; /* open transactions; stock daemons want none */

	/* The descriptor of socket SOCK in the process that will read it; -1:
	 * the connection is left out. NULL: the number itself. */
	int (*fd_of)(void *ctx, uint64_t sock);
	void *ctx;
};

/*
 * The state ST as OPTIONS say to *STREAM_OUT, which image_free() frees. False:
 * WHY; something is there that a stream cannot say (whole requests that wait),
 * or there is no memory.
 */
bool stream_export(const struct state *st, const struct stream_options *options,
    struct image *stream_out, char why[IMAGE_WHY_SIZE]);

#endif
