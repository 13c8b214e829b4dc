/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The bytes that a principal is charged for what is kept for it. Not what
 * malloc() takes here, but near it: builds that follow the same log must agree
 * on them.
 */
#ifndef XENSTORED_COST_H
#define XENSTORED_COST_H

enum {
	COST_NODE = 144, /* beside its texts and permissions */
	COST_PERM = 16,
	COST_WATCH = 208, /* beside its texts and places */
	COST_PLACE = 104, /* a component of a watched path */
	COST_TXN = 152,
	COST_TOUCHED = 48,  /* a path in a footprint, beside its text */
	COST_TXN_OP = 24,   /* a request in a log, beside its payload */
	COST_VERSION = 128, /* of a node, beside the node: in a list, a list */
};

/* Nanoseconds, about, so that a client pays for large requests with its turns.
 */
enum {
	WORK_NAME = 8,	    /* a name in a list, or passed over */
	WORK_COMMIT = 40,   /* a path of a transaction at its commit */
	WORK_REPLAY = 1000, /* the same if it is done again */
	WORK_EVENT = 200,   /* an event for somebody */
};

#endif
