/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What each platform does in its own way: giving up what the daemon will not
 * need, and who is at the other end of a socket. One file per platform.
 */
#ifndef XENSTORED_PRIV_H
#define XENSTORED_PRIV_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * From here on this process, and those that it forks, can neither execute a
 * program, nor open, make or name a file, nor make or connect a socket, nor
 * look into another process, nor make code at run time, and have no capability.
 * What serving takes stays: descriptors that are open or are received, memory,
 * events, time, fork. Whatever else is called fails with EPERM; nothing is
 * ended for it. Everything must be open by then, and there is no way back.
 *
 * USER: an account to change to, or NULL for the one named PRIV_USER if this is
 * root and there is one. Not done when we are not root.
 *
 * True, or false where the platform has no such thing (or the build's
 * sanitizers would not work in it). Exits with a message if the platform has it
 * and it fails.
 */
#define PRIV_USER "_xenstored"
bool priv_sandbox(const char *user);

/*
 * Does what priv_sandbox(USER) would begin with: takes time, gives nothing up.
 * In the process that will be sandboxed: the list names it.
 */
void priv_prepare(const char *user);

/* The process and user that connected FD; 0 what cannot be told. */
void priv_peer(int fd, uid_t *uid_out, pid_t *pid_out);

/*
 * This process, a child that only writes something down, gives way to all
 * others from now on: whoever serves or follows needs the CPU more. Works in
 * the sandbox.
 */
void priv_give_way(void);

#endif
