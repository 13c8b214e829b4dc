/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A case of the security history as something that is done to a running store
 * daemon, any of those that tests/diff runs: three sockets s0.. and two guests
 * with real rings. A case returns normally if the daemon does what it must;
 * else it says what it did instead.
 */
#ifndef TESTS_SECURITY_CASE_H
#define TESTS_SECURITY_CASE_H

#include "tests/diff/target.h"

enum { S0, S1, S2, G1, G2 };
/* What takes a case longer has failed. Ours is judged on busy machines, too. */
int case_seconds(void);

struct security_case {
	int number; /* in the list */
	const char *xsa, *what;
	void (*run)(void);
	const char *not_by_wire; /* why it cannot be run, RUN is NULL */
};

extern struct target *daemon_;
extern long daemon_pid;
/* The daemon's program, for a live update; or NULL. */
extern const char *daemon_program;
/* Whether what it writes its trace or log to is full. */
extern bool daemon_log_is_full;

/* Ends the case: it failed, for that reason. */
#define MUST(condition, ...)                                                   \
	do {                                                                   \
		if (!(condition)) {                                            \
			case_failed(__VA_ARGS__);                              \
			return;                                                \
		}                                                              \
	} while (0)
void case_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the case: the daemon has no such thing. */
void case_void(const char *why);

/*
 * A connection besides, as bytes: many requests at once, or one that nobody
 * else waits for. A request is put together by raw_add(); raw_flush() sends
 * what was added and waits for all replies. The number of errors among them; or
 * -1: they do not come within 30 s.
 */
struct raw {
	int fd, pending;
	size_t len;
	char buf[1 << 16];
};
bool raw_open(struct raw *raw);
void raw_close(struct raw *raw);
/* FORMAT as in ask(). Flushes by itself; -1 if that failed. */
int raw_add(struct raw *raw, unsigned op, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int raw_flush(struct raw *raw);
/* What is added is sent; nobody waits. */
bool raw_send(struct raw *raw);
/* Whether an answer is there. */
bool raw_is_answered(struct raw *raw);
/* The next reply's text in BUF, its type; -1: it does not come within MS. */
int raw_reply(struct raw *raw, char buf[WIRE_PAYLOAD_MAX + 1], int ms);
/* How long one request takes, us; -1: it is not answered. */
long raw_ping(struct raw *raw);
/*
 * What others may wait, us: LIMIT on a quiet machine, and ten times what this
 * one, as busy as it is, lets them wait when nobody else asks for anything.
 */
long raw_bearable(long limit);

/*
 * Asks on CONN; each | is a NUL, and one is added but for WRITE. The error's
 * name, "OK", or the data as text, NULs as spaces; "SILENCE" after 3 s
 * (ours: 30).
 */
const char *ask(int conn, unsigned op, unsigned tx, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, sent only. */
void tell(int conn, unsigned op, unsigned tx, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool is(const char *reply, const char *wanted);
/* One of several, separated by blanks. */
bool is_one_of(const char *reply, const char *wanted);
/* The id of a new transaction of CONN; 0: there is none. */
unsigned begin(int conn);
const char *commit(int conn, unsigned tx);
/* How many events came for CONN whose text begins with START, printed. */
int events(int conn, const char *start);
void forget_events(void);

/* Whether both other kinds of client get an answer. */
bool others_are_served(void);
/* The daemon's memory of its own (no shared log), KiB. */
long memory_kib(void);
long now_us(void);

void die(int conn);
void birth(int conn);

/* The ring of guest CONN, by hand. */
struct wire_ring *page(int conn);
void kick(int conn);
/* Puts a request together at TO; its length. */
size_t message(char *to, unsigned op, const void *payload, size_t len);
/* Puts LEN bytes behind what is there and publishes them. */
void put_bytes(int conn, const char *bytes, size_t len);
/* Waits up to 5 s for the next message; its payload in BUF, its type; or -1. */
int get_message(int conn, char buf[WIRE_PAYLOAD_MAX + 1]);

/* cases_*.c: NULL-terminated by number 0 */
extern const struct security_case ring_cases[], right_cases[], quota_cases[],
    other_cases[], live_cases[];

#endif
