/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Child processes with an end: each child leads a process group of its own, so
 * that a timeout takes its children with it. And becoming a daemon whose parent
 * waits until it is ready.
 *
 * Callers own SIGCHLD: nothing here installs a handler; SIGCHLD must not be
 * ignored while these functions wait.
 */
#ifndef TOOLS_COMMON_PROC_H
#define TOOLS_COMMON_PROC_H

#include <stddef.h>
#include <sys/types.h>

#define PROC_INHERIT (-1) /* the child uses our descriptor */
#define PROC_NULL (-2)	  /* the child gets /dev/null */

struct proc_spec {
	const char *const *argv; /* argv[0] is searched in PATH without a / */
	const char *const *env;	 /* NULL, or NAME=value strings put on top */
	int in;			 /* a descriptor, PROC_INHERIT or PROC_NULL */
	int out;
	int err;
};

/* Starts a child: own process group, default signal dispositions, nothing
 * blocked. 0 and *PID_OUT; or -1 with errno, which is execve(2)'s if the
 * program could not be executed (no child remains then). */
int proc_start(const struct proc_spec *spec, pid_t *pid_out);

/* Waits for PID. 0 and *STATUS_OUT as waitpid(2) gives it; or -1 with errno
 * ETIMEDOUT after TIMEOUT_MS: its process group has then been killed and PID
 * has been reaped. TIMEOUT_MS 0 waits for ever. */
int proc_wait(pid_t pid, unsigned timeout_ms, int *status_out);

/* proc_start and proc_wait. */
int proc_run(
    const struct proc_spec *spec, unsigned timeout_ms, int *status_out);

/* proc_run, collecting what the child writes on stdout (spec->out is not
 * looked at), at most LIMIT bytes. *TEXT_OUT is NUL-terminated and the
 * caller's to free, *LEN_OUT (may be NULL) its length; on error *TEXT_OUT is
 * NULL. Also -1 with errno E2BIG when the child wrote more than LIMIT; it has
 * then been killed. */
int proc_output(const struct proc_spec *spec, unsigned timeout_ms, size_t limit,
    char **text_out, size_t *len_out, int *status_out);

/* TERM to PID's process group, KILL after GRACE_MS, and reaps PID. */
void proc_kill(pid_t pid, unsigned grace_ms);

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
