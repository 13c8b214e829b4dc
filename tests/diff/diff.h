/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The differential tester: one sequence of requests, given in the same steps to
 * several store daemons, each alone on a hypervisor of its own. The first
 * daemon is ours; every difference of another one from it must be declared in
 * allowed.tbl.
 *
 * A sequence is a list of steps; a step is a request on one connection, or
 * something that happens to a connection. Connections are the same everywhere:
 * sockets s0.. (privileged) and guests g1.. (domains 1.. with real rings).
 */
#ifndef TESTS_DIFF_H
#define TESTS_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libxenstore/common/wire.h"

enum {
	SOCKETS = 3,
	GUESTS = 2, /* domains 1 .. GUESTS */
	CONNS = SOCKETS + GUESTS,
	SLOTS = 3,     /* transactions of a connection, 1 .. SLOTS */
	SLOT_DEAD = 9, /* a transaction id that never was */
	TARGETS = 3,
	STEPS_MAX = 400,
	EVENTS_MAX = 256,
	TEXT_MAX = 4 * WIRE_PAYLOAD_MAX + 8,
};

/* ---------------------------------------------------------------- steps -- */

enum step_kind {
	STEP_REQUEST,
	STEP_CLOSE,   /* a socket is closed, and opened again */
	STEP_DIE,     /* a guest's domain is destroyed, and the daemon knows */
	STEP_BIRTH,   /* it is created and introduced, its home is made */
	STEP_RELEASE, /* a guest's domain is released, and lives on */
	STEP_INTRODUCE, /* it is introduced: again, or after its release */
	STEP_SHUTDOWN,	/* it shuts down; it can then only die */
};

struct step {
	enum step_kind kind;
	int conn;
	int slot; /* 0: no transaction. TRANSACTION_START: where the id goes */
	uint32_t op;
	size_t len;
	char payload[WIRE_PAYLOAD_MAX + 1]; /* a NUL behind it */
};

struct sequence {
	int n;
	struct step *step[STEPS_MAX];
};

/* Appends a copy of STEP; nothing happens when SEQ is full. */
void sequence_add(struct sequence *seq, const struct step *step);
void sequence_clear(struct sequence *seq);

/*
 * The text format, a step a line: `s0:1 READ "/t/a\0"`, `s1 close`, `g1 die`,
 * `g1 birth`, `g1 release`, `g1 introduce`, `g1 shutdown`. Lines that begin
 * with # and empty ones are for readers. `s0:x` names a transaction that never
 * was.
 */
void step_print(const struct step *step, char *text, size_t size);
/* 0; or -1 and one line in WHY. */
int sequence_read(
    struct sequence *seq, const char *file, char *why, size_t size);
int sequence_write(
    const struct sequence *seq, const char *file, const char *comment);

/* PAYLOAD with everything but plain characters escaped, in quotes. */
void bytes_print(const char *payload, size_t len, char *text, size_t size);

/* "s0" or "g1"; static storage. */
const char *conn_name(int conn);
static inline bool
conn_is_guest(int conn)
{
	return conn >= SOCKETS;
}
static inline unsigned
conn_domid(int conn)
{
	return (unsigned)(conn - SOCKETS + 1);
}

/* --------------------------------------------------------------- guests -- */

struct guest; /* one domain of one machine, with its store page mapped */
struct machine;

/* The hypervisor at ROOT. KERNEL: puppet.gz. NULL with a line on stderr. */
struct machine *machine_open(const char *root, const char *kernel);
/* Creates domain DOMID and starts it. Ends the program on failure. */
struct guest *guest_new(struct machine *m, unsigned domid);
/* The same, but it never runs and nobody here maps its ring. */
struct guest *guest_still(struct machine *m, unsigned domid);
/* Destroys the domain; its id is free when nobody maps its memory. */
void guest_free(struct machine *m, struct guest *g);
struct wire_ring *guest_ring(struct guest *g);
uint32_t guest_store_port(const struct guest *g);
uint64_t guest_store_gfn(const struct guest *g);
/* Has the guest grant its store page (it does from the start), or one that is
 * none. Who maps it keeps it. */
void guest_grant_ring(struct machine *m, struct guest *g, bool granted);
/* Shuts the domain down; its processors do not run any more. */
void guest_shutdown(struct machine *m, struct guest *g);
/* Has the guest send its store event. */
void guest_kick(struct machine *m, struct guest *g);
/* Readable after a guest got an event; the caller then drains it. */
int machine_fd(struct machine *m);
void machine_drain(struct machine *m);
/* Takes one event: the port at which it came; -1: there is none. */
int machine_event(struct machine *m);
/* The port at which events of G come. */
int guest_string(const struct guest *g);

/* -------------------------------------------------------------- targets -- */

struct event {
	int conn;
	int number; /* of all that came since the last step */
	bool late;  /* behind the reply, on the connection that asked */
	char text[TEXT_MAX]; /* "path" "token", printed */
	char *path;	     /* malloc'ed, raw */
};

struct reply {
	bool there;
	uint32_t type, tx_id;
	size_t len;
	char payload[WIRE_PAYLOAD_MAX * 2 + 1]; /* some daemons exceed 4096 */
};

struct target; /* one daemon with its machine and its connections */

extern int n_targets;
extern struct target *targets[TARGETS];

/* SPEC is NAME:HV_ROOT:SOCKET. Ends the program on failure. */
struct target *target_open(const char *spec, const char *kernel);
/* Called before the program ends because a daemon is gone. */
extern void (*target_on_death)(void);
/* Whether the daemon has closed a connection by itself. */
bool target_hung_up(const struct target *t);
const char *target_name(const struct target *t);

/* Sends a request on CONN; its reply comes with targets_wait(). */
void target_send(struct target *t, int conn, uint32_t op, uint32_t tx,
    const char *payload, size_t len);
/*
 * Waits until every request that was sent anywhere is answered. Replies are at
 * target_reply(); one that does not come within target_patience_ms (30 s) is
 * not there.
 */
extern int target_patience_ms;
void targets_wait(void);
const struct reply *target_reply(struct target *t, int conn);

/* Requests of the tester's own, on a connection that no step names. */
const struct reply *target_ctl(
    struct target *t, uint32_t op, const char *payload, size_t len);

/* After this, events that were caused by earlier steps are in. CONNS_MASK says
 * on which connections to look. */
void targets_barrier(unsigned conns_mask);
/* The events that have come in, sorted by connection and text, each once (the
 * first of equal ones); the caller clears them. */
int target_events(struct target *t, struct event **events_out);
void target_clear_events(struct target *t);

void target_reopen(struct target *t, int conn);
void target_guest_die(struct target *t, int conn);
void target_guest_birth(struct target *t, int conn);
/* RELEASE and INTRODUCE of a living guest's domain; the daemon's reply. A
 * released one has no connection. */
const struct reply *target_guest_release(struct target *t, int conn);
const struct reply *target_guest_introduce(struct target *t, int conn);
/* Returns when the daemon has told of it; the guest is not heard any more. */
void target_guest_shutdown(struct target *t, int conn);
enum guest_state { GUEST_DEAD, GUEST_UP, GUEST_RELEASED, GUEST_SHUT };
enum guest_state target_guest_state(struct target *t, int conn);
/* Brings the daemon's tree, connections and domains to the known start. FRESH:
 * the guests are made anew as well. */
void target_reset(struct target *t, bool fresh);

/* The tree below "/", one printed line a node; malloc'ed. */
char *target_walk(struct target *t);

/* ---------------------------------------------------- declared differences --
 */

enum allow { ALLOW_NO, ALLOW_SAME, ALLOW_STOP, ALLOW_RETRY, ALLOW_SKIP };

/* Reads the table. The number of its lines; ends the program on errors. */
int allow_load(const char *file);
/* What the first line that matches says; counts it. */
enum allow allow_find(const char *daemon, const char *key);
/* Lines that nothing has matched, on stdout. Their number. */
int allow_unused(bool print);

/* -------------------------------------------------------------- running -- */

struct verdict {
	bool failed;
	int at; /* the step, or -1: the trees at the end */
	char daemon[32];
	char key[256];
	char text[3 * TEXT_MAX];
};

/* Runs SEQ from the known start on all targets. */
/* The sequence under way, on stdout. */
void run_print(void);
void run_sequence(const struct sequence *seq, struct verdict *out);
extern unsigned long run_steps, run_compared;
extern bool run_planted; /* ours is wrong in one thing */

/* ---------------------------------------------------------------- tally -- */

/* Counts OURS, a reply to OP that another daemon's was compared with. */
void tally_reply(uint32_t op, const struct reply *ours);
/* A line for each operation on stdout: how often each answer of ours was
 * compared. The number of operations from 0 to 26 never asked, plus that of the
 * pairs of operation and error in tally.c's list that never came. */
int tally_print(void);

/* Whether all of them came. */
bool tally_is_whole(void);

/* ------------------------------------------------------------ sequences -- */

/* A random sequence of N steps. RNG is the state of the generator. */
void gen_sequence(struct sequence *seq, int n, uint64_t *rng);

#endif
