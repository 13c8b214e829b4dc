/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What each platform does in its own way: giving up what the daemon will not
 * need, and who is at the other end of a socket. One file per platform.
 */
#ifndef XENSTORED_PRIV_H
#define XENSTORED_PRIV_H

#include <sys/types.h>

/* After start: no program that we might ever execute gains rights. Warns if it
 * cannot. */
void priv_drop(void);

/* The process and user that connected FD; 0 what cannot be told. */
void priv_peer(int fd, uid_t *uid_out, pid_t *pid_out);

#endif
