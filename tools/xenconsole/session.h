/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user at a console: finding the console's terminal in the store, and
 * carrying bytes both ways until one of the sides ends it.
 */
#ifndef XENCONSOLE_SESSION_H
#define XENCONSOLE_SESSION_H

#include <stdbool.h>

#include "xenstore.h"

struct session {
	struct xs_handle *xs;
	char path[128]; /* of the store node that names the terminal */
	char tty[128];	/* the name of the one that is open */
	int fd;		/* of it; -1: none */
	int escape;
	int signals; /* of term_signals() */
	bool blind;  /* xenstored is gone */
};

/* Watches the node and waits for the terminal, some seconds. 0; or -1, having
 * said why. */
int session_attach(struct session *s);

/* Carries bytes. The exit code; after a signal 128 and its number. */
int session_run(struct session *s);

#endif
