/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What moves the bytes of one connection, as the server sees it. A transport
 * knows no node, operation or permission.
 */
#ifndef XENSTORED_TRANSPORT_H
#define XENSTORED_TRANSPORT_H

#include <stdbool.h>

#include "xenstored/list.h"
#include "xenstored/state.h"

/* What a turn of work came to. */
enum turn {
	TURN_IDLE, /* nothing to do until the peer does something */
	TURN_MORE, /* there is more to do */
};

struct transport {
	struct list active; /* in the server's list of those with work */
	struct list unsent; /* in its list of those with output */
	struct conn *conn;
	bool privileged;
	/* Takes input and runs requests, about BUDGET microseconds' worth. */
	enum turn (*run)(struct transport *transport, int budget);
	/* Sends what can be sent. */
	void (*flush)(struct transport *transport);
};

#endif
