/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the serving process is in the middle of, in memory that survives it: the
 * turn of one connection, and the bytes on their way out. With it and the log
 * whoever takes over knows of each request whether it was done and of each byte
 * whether it was sent. Also where followers of the log are. Knows no descriptor
 * but that of the memory; knows no message.
 *
 * Stores are in the order of the program: a process that is killed has done all
 * of them up to one instruction and none behind it.
 */
#ifndef XENSTORED_FLIGHT_H
#define XENSTORED_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

#define FLIGHT_MAGIC UINT64_C(0x31746c6673726b62) /* "bkrsflt1" */
#define FLIGHT_UNKNOWN UINT64_MAX

enum {
	FLIGHT_VERSION = 3,
	FLIGHT_TAIL = 15,
	FLIGHT_IN_SIZE = 8 * 1024,   /* bytes of input at a time */
	FLIGHT_OUT_SIZE = 64 * 1024, /* bytes of whole items at a time */
};

/* What struct flight_out is about. */
enum flight_kind {
	FLIGHT_NONE,
	FLIGHT_ITEMS, /* whole items out of the queue */
	FLIGHT_KEPT,  /* bytes that were kept */
};

/* Where a turn has its input from. */
enum flight_source {
	FLIGHT_SOCKET, /* out of a socket into struct flight.in */
	FLIGHT_STASH,  /* taken before, known to the state */
	FLIGHT_RING,
};

/* Requests of one connection are at work. */
struct flight_turn {
	uint64_t conn; /* 0: none; set last */
	uint64_t seq;  /* of the first record it can have written */
	uint64_t source;
	uint64_t start; /* socket: what counted down how much was received, or
			 * FLIGHT_UNKNOWN; ring: req_cons */
	uint64_t used;	/* input whose output was on its way */
	uint64_t total; /* all input it used, once that is known */
};

struct flight_out {
	uint64_t kind; /* enum flight_kind; set last */
	uint64_t conn;
	uint64_t seq; /* of the TAKE or SENT record, or what else follows */
	uint64_t n_logged;
	uint64_t upto;	/* input that is answered by it */
	uint64_t len;	/* bytes that go to the peer now */
	uint64_t all;	/* bytes there are; the rest is kept */
	uint64_t at;	/* ring: rsp_prod before; socket: bytes written before,
			 * or FLIGHT_UNKNOWN */
	uint64_t pid;	/* whose bytes written */
	uint64_t final; /* all that process wrote ... */
	uint64_t final_of; /* ... if this is its pid */
};

struct flight {
	uint64_t magic;
	uint32_t version, size;
	struct flight_turn turn;
	struct flight_out out;
	/* A connection at whose turn a process crashed, and how often. */
	uint64_t suspect, crashes;
	uint64_t keep_from; /* log offset that a new start needs */
	uint64_t follower;  /* log offset up to which the standby is */
	uint64_t sleeps;    /* not 0: the standby does until it is woken */
	/* What struct tail is where the last images were taken: before record
	 * SEQ. */
	struct flight_tail {
		uint64_t seq, word[FLIGHT_TAIL];
	} tail[2];
	uint64_t primary_pid, standby_pid, supervisor_pid;
	uint64_t takeovers;
	uint64_t last_sock; /* number given last */
	/* Of a test (crash_point.h): at which place from now on a process is to
	 * be killed, if any; how many were, and where the last one. */
	uint64_t kill_in, killed;
	char killed_at[32];
	uint64_t leaving_pid; /* one that ends and was not waited for */
	uint32_t end_notice;  /* of who serves, see end_notice.h */
	uint32_t spare;
	char in[FLIGHT_IN_SIZE];
	char bytes[FLIGHT_OUT_SIZE + WIRE_MESSAGE_MAX];
};

/* A descriptor of a new file PATH (mode 0600) with an idle flight. -1 with
 * errno. */
int flight_make(const char *path);

/* Maps it. NULL with errno; EINVAL: it is none of this version. */
struct flight *flight_map(int fd);

/* One that no one else sees. NULL: no memory. */
struct flight *flight_private(void);

void flight_unmap(struct flight *flight);

/* The standby goes to sleep, and then looks whether there was a record; or does
 * not after all. */
void flight_sleep(struct flight *flight, bool yes);

/* After a record: whether the standby is to be woken; said once. */
bool flight_wake(struct flight *flight);

/* The turn of CONN begins; SEQ is what the next record will have. START: see
 * struct flight_turn. */
void flight_turn_begin(struct flight *flight, uint64_t conn, uint64_t seq,
    enum flight_source source, uint64_t start);

/* TOTAL bytes of input were used: from here on they count as done. */
void flight_turn_total(struct flight *flight, uint64_t total);

/* The input is consumed. */
void flight_turn_end(struct flight *flight);

/* OUT (kind, conn, seq, n_logged, upto, len, all, at and pid are set) begins;
 * its bytes are in FLIGHT->bytes. */
void flight_out_begin(struct flight *flight, const struct flight_out *out);

/* All about it is in the log. */
void flight_out_end(struct flight *flight);

/* Process PID, which is dead, has written FINAL bytes in all. */
void flight_final(struct flight *flight, uint64_t pid, uint64_t final);

/*
 * How many of the bytes on their way to a socket have left. False: that cannot
 * be told.
 */
bool flight_sent(const struct flight *flight, uint64_t *sent_out);

#endif
