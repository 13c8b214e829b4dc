/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the mains of daemons have in common: the pid file, the way to the
 * background, telling that they serve. For mains only: whatever fails here ends
 * the program with a message, status 1, or 2 for what the user gave.
 *
 * Knows neither what is served nor where messages go.
 */
#ifndef TOOLS_COMMON_SERVICE_H
#define TOOLS_COMMON_SERVICE_H

#include <stdbool.h>

struct service {
	const char *name;     /* of the program */
	const char *pid_file; /* NULL: NAME.pid in PATHS_RUN, which is made */
	int ready_fd;	      /* for service_ready; -1: none */
	bool foreground;
	int lock;	/* of service_start: the pid file's */
	int background; /* the parent waits at it; -1: there is none */
};

/* PATH from the root on: a daemon leaves the folder that it was started in.
 * Lasts as long as the program. */
const char *service_path(const char *path);

/* The descriptor of an option --ready-fd. */
int service_fd(const char *text);

/* Takes the pid file, so that there is one of us, and goes to the background
 * unless FOREGROUND. Stderr stays. */
void service_start(struct service *s);

/* Lets go of stderr, in the background, and tells whoever waits that we
 * serve. */
void service_ready(const struct service *s);

/* Removes the pid file: the last step. */
void service_end(const struct service *s);

#endif
