/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The supervisor's end in favour of a daemon of another kind, which it executes
 * in its own place with a migration stream and the clients' sockets. A process
 * of its own, the guardian, keeps all of them until that daemon has answered a
 * client. If it does not, the guardian becomes a supervisor and goes on with
 * the stream.
 */
#ifndef XENSTORED_SUP_LEAVE_H
#define XENSTORED_SUP_LEAVE_H

#include "xenstored/sup_child.h"

struct sup_leave {
	const char *dir;    /* for the stream, as "state_dump" */
	const char *socket; /* path that clients connect to */
	const struct sup_socks *socks;
	int listener, evtchn; /* -1: none */
	int lock;	      /* daemon_claim(), which that one may want */
	int stream;
	const char *binary;
	char **words; /* to execute it with */
	char **argv;  /* this program's own */
	int ms;	      /* it has to answer in */
};

/* Comes back only if the program cannot be executed; all is as before then.
 * What is wrong, in static memory. The caller holds signals back
 * (sup_exec_hold_signals()); the program does not. */
const char *sup_leave(const struct sup_leave *l);

#endif
