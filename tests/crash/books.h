/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Clients of the store that keep books: each asks without pause, on a socket or
 * on a guest's ring, while the daemon's processes are killed. Each reply must
 * be there once, in order, and be what the client's own book says; each shared
 * counter must be what the commits that were answered make it; each change must
 * be told to its watcher. What is wrong ends the program, with status 1.
 *
 * Knows no hypervisor: who has rings says how their events are sent, and when
 * some came. A ring is looked at only when its event came.
 */
#ifndef TESTS_CRASH_BOOKS_H
#define TESTS_CRASH_BOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

enum {
	BOOKS_CLIENTS = 128, /* at most */
	BOOKS_STUCK_US = 60000000,
};

/* The daemon of RUNDIR, and luck. */
void books_begin(const char *rundir, uint64_t seed);

/* A client more, at the socket. */
void books_add_socket(void);

/*
 * A client more: RING of domain DOMID, introduced with frame GFN and PORT. KICK
 * sends its event. QUIET: only when the protocol needs it, as Linux does. Its
 * number, for books_event().
 */
struct books_ring {
	struct wire_ring *ring;
	uint32_t domid;
	uint64_t gfn;
	uint32_t port;
	void (*kick)(void *arg);
	void *arg;
	bool quiet;
};
unsigned books_add_ring(const struct books_ring *ring);

/* When FD is readable COME is called, which calls books_event() for each ring
 * whose event came. */
void books_events_from(int fd, void (*come)(void));
void books_event(unsigned client);

/* Connects all and makes what they work on. The first one is a socket's. */
void books_open(void);

/* --- the parts: books.c, books_ring.c, kills.c --- */

extern const char *books_rundir;

/* A random number below N. */
unsigned books_pick(unsigned n);

uint64_t books_now_us(void);

/* One round of all; at most MS. True: somebody got something. */
bool books_turn(int ms);

/* Goes on until each request is answered and nothing more comes. */
void books_drain(void);

/* What only shows at the end. */
void books_check(void);

/* Takes what is in RING to BUF, which has room for WIRE_RING_SIZE bytes; how
 * much that was. */
size_t ring_pull(const struct books_ring *ring, char *buf);

/* Puts of LEN BYTES what there is room for into RING; how much that was.
 * *MORE_OUT: there is still room. */
size_t ring_push(const struct books_ring *ring, const char *bytes, size_t len,
    bool *more_out);

/* Kills KILLS times under load, looks at all at the end, and says what it saw
 * on stdout. */
void books_kill(unsigned long kills);

/* Ends the program. */
void books_wrong(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
