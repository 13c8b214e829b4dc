/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Being a daemon: one instance, in the background, ready, with a pid file.
 */
#ifndef XENSTORED_DAEMON_H
#define XENSTORED_DAEMON_H

#include <stdbool.h>

/*
 * Makes the directory DIR (mode 0755, parents too) and holds the lock file in
 * it for as long as the returned descriptor is open. Exits with a message if
 * that cannot be or another one holds it.
 */
int daemon_claim(const char *dir);

/*
 * Goes to the background, with stdin and stdout at /dev/null. The caller's
 * process stays until daemon_ready() and exits 0; if the new one ends before,
 * it exits with its status. Call it before daemon_claim().
 */
void daemon_fork(void);

/* Writes the process id to PATH, unless it is there already. False with errno.
 */
bool daemon_pid_file(const char *path);

/*
 * Tells everybody who waits that we serve: a byte to READY_FD (-1: nobody), the
 * parent of daemon_fork(), and $NOTIFY_SOCKET.
 */
void daemon_ready(int ready_fd);

/* For a process that was forked: it holds no lock, and nobody waits for it. */
void daemon_is_child(int ready_fd);

/* Lets the process have as many descriptors as it may: one a client. */
void daemon_many_files(void);

#endif
