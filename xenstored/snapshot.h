/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An image of the state for others (subscribe.h), written by a child process
 * while this one goes on. The file ends with SNAPSHOT_END behind the image: who
 * sees that there has all of it. Knows no connection.
 */
#ifndef XENSTORED_SNAPSHOT_H
#define XENSTORED_SNAPSHOT_H

#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "xenstored/log.h"
#include "xenstored/state.h"

#define SNAPSHOT_PREFIX "snapshot."		  /* of names */
#define SNAPSHOT_END UINT64_C(0x646e657367616d69) /* "imagsend" */

struct snapshots {
	const char *dir; /* where they go; NULL: there are none */
	int files_fd;	 /* who opens files (files.h); 0: we do */
	int fd;		 /* of the one that was asked for, or -1 */
	pid_t pid;	 /* of the child that writes one, or 0 */
};

/* DIR must stay valid. */
void snapshots_init(struct snapshots *s, const char *dir, int files_fd);

/*
 * Asks for one in the file NAME of the directory: "snapshot." and letters,
 * digits, dots and hyphens, 63 characters at most. XS_EINVAL: it is not;
 * XS_EBUSY: one is being made; XS_EIO: the file cannot be made.
 */
enum xs_err snapshots_ask(struct snapshots *s, const char *name);

/* Begins to make the one that was asked for, of ST, whose last record is LOG's
 * newest. To be called between two records. */
void snapshots_make(
    struct snapshots *s, const struct state *st, const struct log *log);

#endif
