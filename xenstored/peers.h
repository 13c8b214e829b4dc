/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the processes at the sockets are called, in a file that followers map:
 * they come too late to ask, as many a client lives for a millisecond. Whoever
 * accepts writes; the latest PEERS_SLOTS are there.
 */
#ifndef XENSTORED_PEERS_H
#define XENSTORED_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PEERS_SLOTS = 4096, PEERS_NAME = 16 };

struct peer {
	uint64_t
	    sock; /* number of the socket (struct record_socket); 0: none */
	uint64_t pid;
	char name[PEERS_NAME]; /* with a NUL */
};

struct peers {
	struct peer slot[PEERS_SLOTS];
};

/* The file PATH, made anew with mode 0600; NULL with errno. */
struct peers *peers_make(const char *path);

/* The file PATH again, which was made by this process as another program; NULL
 * with errno. */
struct peers *peers_again(const char *path);

/* For a reader; NULL: there is no such file. */
const struct peers *peers_map(const char *path);

void peers_unmap(const struct peers *peers);

/* The process PID, which is called NAME (cut if need be), came to the socket
 * number SOCK. */
void peers_note(
    struct peers *peers, uint64_t sock, pid_t pid, const char *name);

/* What the process PID at SOCK is called; false: that is not known (any more).
 * PEERS may be NULL. */
bool peers_find(const struct peers *peers, uint64_t sock, pid_t pid,
    char name_out[PEERS_NAME]);

#endif
