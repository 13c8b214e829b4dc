/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replacing a running daemon: what is asked of it, in which order, and how long
 * it may say that it is busy. A daemon that is a process gets the path of its
 * successor; one that is a domain of its own gets the image in pieces.
 */
#ifndef TOOLS_XSCONTROL_LIVEUPDATE_H
#define TOOLS_XSCONTROL_LIVEUPDATE_H

#include "xenstore.h"

/* Exit codes. */
enum {
	CONTROL_FAILED = 1,
	CONTROL_USAGE = 2,
	CONTROL_REFUSED = 3 /* by the daemon */
};

/* Carries out what ARGV's ARGC words, those behind "live-update", want. The
 * exit code; it has said why. */
int liveupdate_run(struct xs_handle *xs, int argc, char *const argv[]);

#endif
