/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Child processes, each of which leads a process group of its own, so that its
 * children can be ended with it. And becoming a daemon whose parent waits until
 * it is ready.
 *
 * Callers own SIGCHLD: nothing here installs a handler; SIGCHLD must not be
 * ignored in proc_start.
 */
#ifndef TOOLS_COMMON_PROC_H
#define TOOLS_COMMON_PROC_H

#include <sys/types.h>

#define PROC_NULL (-2) /* the child gets /dev/null */

struct proc_spec {
	const char *const *argv; /* argv[0] is searched in PATH without a / */
	int in;			 /* a descriptor, or PROC_NULL */
	int out;
	int err;
};

/* Starts a child: own process group, default signal dispositions, nothing
 * blocked. 0 and *PID_OUT; or -1 with errno, which is execve(2)'s if the
 * program could not be executed (no child remains then). */
int proc_start(const struct proc_spec *spec, pid_t *pid_out);

/* Goes to the background: a new session, working directory /, stdin and stdout
 * /dev/null. Returns in the child only, with a descriptor for proc_ready. The
 * parent stays until then and exits 0; if the child ends before, the parent
 * exits with the child's status (1 when it was killed). -1 with errno, in the
 * caller itself, if it could not fork. Stderr stays open until proc_ready so
 * that errors of the start are seen. */
int proc_daemonize(void);

/* Tells whoever waits that we serve now. FD is proc_daemonize's, or one given
 * by the user (--ready-fd), or -1: one newline is written to it and it is
 * closed. If $NOTIFY_SOCKET is set, READY=1 is sent there as well. */
void proc_ready(int fd);

/* Sends stderr to /dev/null: the last step of a daemon that has a log. */
void proc_drop_stderr(void);

#endif
