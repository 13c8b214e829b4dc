/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the supervisor and its two children tell each other, with descriptors.
 * One message is one struct supmsg over a SEQPACKET pair.
 */
#ifndef XENSTORED_SUPMSG_H
#define XENSTORED_SUPMSG_H

#include <stdbool.h>
#include <stdint.h>

enum { SUPMSG_FDS = 64, SUPMSG_VERSION = 1 };

enum supmsg_type {
	/* To a child. The first: A is SUPMSG_VERSION, B is enum supmsg_flags;
	 * log, flight, files and, if there is a hypervisor, event channels. */
	SUPMSG_SETUP = 1,
	SUPMSG_SOCKS, /* N sockets of clients with their numbers in ID */
	SUPMSG_LOAD, /* with a descriptor: an image; without: the log's start */
	SUPMSG_PROMOTE, /* serve as soon as the log is done; A: nobody did
			 * before since the hypervisor was told of us; B: as
			 * the new program of a live update */
	SUPMSG_IMAGE,	/* make an image */
	SUPMSG_REOPEN,	/* the trace file */
	SUPMSG_STOP,

	/* From a child. */
	SUPMSG_READY,	 /* it is as far as the log */
	SUPMSG_SERVING,	 /* A: the record from which on it writes */
	SUPMSG_CLOSED,	 /* A: number of a socket that is done with */
	SUPMSG_IMAGE_IS, /* with the image of the log's offset A; without: none
			  */
	SUPMSG_LOST,	 /* it cannot follow: why */

	/* Live update; texts are in ID. To a child: */
	SUPMSG_AUDIT,	      /* is the state sound? */
	SUPMSG_STEP_DOWN,     /* end now, between two turns */
	SUPMSG_UPDATE_FAILED, /* why */
	SUPMSG_STREAM, /* as soon as can be, make a migration stream of version
			* A and end; B: open transactions may be lost. With
			* the descriptors' numbers (update_table) */

	/* From a child: */
	SUPMSG_UPDATE_CHECK, /* can the program be executed? With the request
			      * and a pipe for the answer */
	SUPMSG_UPDATE,	     /* with the request */
	SUPMSG_AUDITED,	     /* A: it is sound; otherwise what is wrong */
	SUPMSG_STREAM_IS,    /* A: with the stream; otherwise why not yet */

	/* From the primary, and on to the standby: there are records again. */
	SUPMSG_WAKE,

	/* From a child: its state need not be the log's writer's; A: the record
	 * at which that began. */
	SUPMSG_DIFFERS,
};

enum supmsg_flags {
	SUPMSG_SYSLOG = 1, /* messages go there */
};

struct supmsg {
	uint32_t type; /* enum supmsg_type */
	uint32_t n;
	uint64_t a, b;
	uint64_t id[SUPMSG_FDS];
};

/*
 * Sends MSG with the N_FDS (at most SUPMSG_FDS) descriptors FDS through SOCK.
 * False with errno: EAGAIN if there is no room now and SOCK does not block.
 */
bool supmsg_send(
    int sock, const struct supmsg *msg, const int *fds, unsigned n_fds);

/* The same for a message without anything. */
bool supmsg_say(int sock, enum supmsg_type type, uint64_t a);

/* The same with TEXT in ID, cut if need be. */
bool supmsg_say_text(
    int sock, enum supmsg_type type, uint64_t a, const char *text);

/* MSG's text, which is made to end; in MSG. */
const char *supmsg_text(struct supmsg *msg);

/*
 * Receives one message and its descriptors, which are the caller's, without
 * waiting. 1; 0: the other end is gone; -1 with errno: EAGAIN: there is none;
 * EPROTO: that was no message, and its descriptors are closed. There are less
 * descriptors than were sent if this process can have no more.
 */
int supmsg_receive(int sock, struct supmsg *msg_out, int fds_out[SUPMSG_FDS],
    unsigned *n_fds_out);

#endif
