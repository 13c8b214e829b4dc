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
	COST_TOUCHED = 48, /* a path in a footprint, beside its text */
	COST_TXN_OP = 24,  /* a request in a log, beside its payload */
};

#endif
