/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program that is to take the place of this one: whether it can be executed,
 * of which kind it is, with which words; and how the request for it travels
 * between the process that serves and the one that executes. Knows files and
 * words only.
 */
#ifndef XENSTORED_UPDATE_PROGRAM_H
#define XENSTORED_UPDATE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "xenstored/live_update.h"

/*
 * Whether PATH can be executed and is, as far as its bytes tell, a store daemon
 * that can go on for another one. False: WHY, as stock daemons say it.
 */
bool update_can_execute(const char *path, char why[LIVE_UPDATE_TEXT]);

/*
 * Whether PATH is a xenstored that can stand by for this one. Others are given
 * a migration stream.
 */
bool update_is_ours(const char *path);

/*
 * The words to execute REQUEST's program with, NULL-terminated: those of ARGV,
 * or of the command line that was asked for, split at blanks. EXTRA (or NULL)
 * is added at the end. One block of memory, for free(); NULL: no memory.
 */
char **update_argv(
    const struct live_update_request *request, char *argv[], const char *extra);

/* Where in a process a migration stream finds what it names. */
struct update_fds {
	int64_t listener, evtchn; /* -1: none */
	uint64_t n;
	struct update_sock {
		uint64_t sock;
		int64_t fd;
	} sock[]; /* by number of the socket, ascending */
};

/* The descriptor of SOCK, or -1. */
int update_fd_of(const struct update_fds *fds, uint64_t sock);

/* REQUEST in a file without name. -1 with errno. */
int update_pack(const struct live_update_request *request);

/* The same back; FD stays open. False: it is none. */
bool update_unpack(int fd, struct live_update_request *request_out);

#endif
