/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exclusive lock files that tell who holds them: the file holds the owner's
 * pid in decimal and a newline. The lock is bound to the open file (flock): it
 * survives a fork, and ends when the last descriptor is closed. The descriptor
 * is closed on exec.
 */
#ifndef TOOLS_COMMON_LOCK_H
#define TOOLS_COMMON_LOCK_H

#include <sys/types.h>

/* Takes PATH, creating it (mode 0644) if it is missing, and writes our pid
 * into it. Returns the descriptor that holds the lock; or -1 with errno
 * EWOULDBLOCK if somebody else holds it, or open(2)'s. OWNER_OUT may be NULL;
 * after EWOULDBLOCK it holds the owner's pid, or 0 when that is unknown. */
int lock_take(const char *path, pid_t *owner_out);

/* As lock_take, but waits up to TIMEOUT_MS for it. */
int lock_wait(const char *path, unsigned timeout_ms, pid_t *owner_out);

/* Writes our pid into a lock taken before a fork. 0, or -1 with errno. */
int lock_set_owner(int fd);

/* The pid of PATH's holder; 0 when nobody holds it or PATH is missing; -1 when
 * somebody does whose pid cannot be read. Takes nothing. */
pid_t lock_owner(const char *path);

/* Removes PATH and lets go of it. FD -1 does nothing. */
void lock_release(int fd, const char *path);

#endif
