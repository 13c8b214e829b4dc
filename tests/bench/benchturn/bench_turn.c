/*
 * The longest piece of work that the store daemon does without asking who else
 * waits: the state machine alone, in this process, with stores and requests
 * that are made to be slow. A piece is one call of the machine; what it puts
 * off is done in pieces of its own, which count as well.
 *
 * bench_turn [CASE...]
 *     Prints lines "what TAB unit TAB figure". Each figure is the longest piece
 *     of the best of some repetitions: the work, not the scheduler's noise.
 */
#include "../../unit/xenstored/harness.h"

#include <stdlib.h>
#include <time.h>

#include "xenstored/domain.h"

enum { TIMES = 5, STEP = 1000, QUANTUM = 32 };

static struct h h;
static struct conn *s, *other;
static double longest, total;
static char reply[65536];
static size_t reply_len;
static int n_pieces, slowest;

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double piece_began;

static void
piece(void)
{
	piece_began = now_us();
}

static void
piece_end(void)
{
	double us = now_us() - piece_began;

	total += us;
	n_pieces++;
	if (us > longest) {
		longest = us;
		slowest = n_pieces;
	}
}

/* What was put off, in pieces. */
static void
settle(void)
{
	bool more;

	do {
		piece();
		more = state_step(h.st, STEP);
		piece_end();
	} while (more);
}

static size_t
message(
    char *bytes, uint32_t type, uint32_t tx, const char *payload, size_t len)
{
	struct wire_header header = {
		.type = type, .req_id = 7, .tx_id = tx, .len = (uint32_t)len
	};

	memcpy(bytes, &header, sizeof(header));
	if (len > 0)
		memcpy(bytes + sizeof(header), payload, len);
	return sizeof(header) + len;
}

/* A request in as many pieces as it takes, and its reply away. */
static void
ask_bytes(struct conn *conn, uint32_t type, uint32_t tx, const char *payload,
    size_t len)
{
	static char bytes[WIRE_MESSAGE_MAX], out[65536];
	size_t size = message(bytes, type, tx, payload, len), used;
	struct taken taken;
	int budget;

	do {
		budget = QUANTUM;
		piece();
		(void)state_input(conn, bytes, size, &budget, &used);
		piece_end();
		piece();
		(void)state_step(h.st, STEP);
		piece_end();
	} while (used == 0);
	reply_len = 0;
	do {
		piece();
		state_take(conn, out, sizeof(out), sizeof(out), &taken);
		piece_end();
		if (reply_len == 0)
			memcpy(reply, out, reply_len = taken.len);
	} while (taken.len > 0);
}

static void
ask(struct conn *conn, uint32_t type, uint32_t tx, const char *a, const char *b)
{
	char payload[WIRE_PAYLOAD_MAX];
	size_t len = (size_t)snprintf(payload, sizeof(payload), "%s", a) + 1;

	if (b != NULL)
		len += (size_t)snprintf(
			   payload + len, sizeof(payload) - len, "%s", b) +
		       (type == WIRE_WRITE ? 0 : 1);
	ask_bytes(conn, type, tx, payload, len);
}

static void
make(struct conn *conn, uint32_t tx, const char *dir, int from, int to)
{
	char path[128];
	int i;

	for (i = from; i < to; i++) {
		snprintf(path, sizeof(path), "%s/n%d", dir, i);
		ask(conn, WIRE_WRITE, tx, path, "0123456789");
	}
}

static void
watch_each_of(struct conn *conn, const char *dir, int n)
{
	static char out[65536];
	char path[128], token[16];
	struct taken taken;
	int i;

	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/n%d", dir, i);
		snprintf(token, sizeof(token), "%d", i);
		ask(conn, WIRE_WATCH, 0, path, token);
	}
	do
		state_take(conn, out, sizeof(out), sizeof(out), &taken);
	while (taken.len > 0);
}

static struct conn *
guest(unsigned domid)
{
	return h_guest(&h, s, domid);
}

static void
no_limits(void)
{
	struct quota_pool *pool = principals_pool(h.st->all);
	unsigned i;

	for (i = 0; i < QUOTA_COUNT; i++)
		if (i != QUOTA_PATHMAX)
			pool->limits.n[i] = 0;
}

static uint32_t
begin(struct conn *conn)
{
	return h_begin(&h, conn);
}

/* From here on it counts. */
static void
start(void)
{
	settle();
	longest = total = 0;
	n_pieces = 0;
}

/* --- cases --- */

static void
rm_20000(void)
{
	make(s, 0, "/d", 0, 20000);
	start();
	ask(s, WIRE_RM, 0, "/d", NULL);
}

static void
rm_20000_after_500000(void)
{
	char dir[32];
	int i;

	for (i = 0; i < 500; i++) {
		snprintf(dir, sizeof(dir), "/e/%d", i);
		make(s, 0, dir, 0, 1000);
	}
	ask(s, WIRE_RM, 0, "/e", NULL);
	settle();
	start();
	make(s, 0, "/d", 0, 20000);
	ask(s, WIRE_RM, 0, "/d", NULL);
}

static void
rm_20000_in_txn(void)
{
	uint32_t tx;

	make(s, 0, "/d", 0, 20000);
	tx = begin(s);
	start();
	ask(s, WIRE_RM, tx, "/d", NULL);
	ask(s, WIRE_TRANSACTION_END, tx, "T", NULL);
}

static void
rm_20000_watched(void)
{
	make(s, 0, "/d", 0, 20000);
	watch_each_of(other, "/d", 20000);
	start();
	ask(s, WIRE_RM, 0, "/d", NULL);
}

static void
rm_20000_of_guest(void)
{
	struct conn *g = guest(1);

	make(g, 0, "/local/domain/1/d", 0, 20000);
	start();
	ask(g, WIRE_RM, 0, "/local/domain/1/d", NULL);
}

static void
rm_20000_of_guest_in_txn(void)
{
	struct conn *g = guest(1);
	uint32_t tx;

	make(g, 0, "/local/domain/1/d", 0, 20000);
	tx = begin(g);
	start();
	ask(g, WIRE_RM, tx, "/local/domain/1/d", NULL);
	ask(g, WIRE_TRANSACTION_END, tx, "T", NULL);
}

static void
rm_100000_of_guest(void)
{
	struct conn *g = guest(1);

	make(g, 0, "/local/domain/1/d", 0, 100000);
	start();
	ask(g, WIRE_RM, 0, "/local/domain/1/d", NULL);
}

static void
die(void)
{
	struct domain_info gone = { .exists = false };

	h.domain[1] = gone;
	piece();
	state_domain_changed(h.st, 1, &gone);
	piece_end();
	settle();
}

static void
death_100000(void)
{
	struct conn *g = guest(1);

	make(g, 0, "/local/domain/1/d", 0, 100000);
	start();
	die();
}

static void
death_100000_flat(void)
{
	make(guest(1), 0, "/local/domain/1", 0, 100000);
	start();
	die();
}

/* Each in a directory of domain 0's. */
static void
death_20000_scattered(void)
{
	char path[64];
	int i;

	(void)guest(1);
	for (i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "/backend/d%d/1", i);
		ask(s, WIRE_WRITE, 0, path, "");
		(void)h_perms(&h, s, 0, path, "n1", NULL, NULL);
	}
	start();
	die();
}

static void
death_20000_watched(void)
{
	struct conn *g = guest(1);

	make(g, 0, "/local/domain/1/d", 0, 20000);
	watch_each_of(other, "/local/domain/1/d", 20000);
	start();
	die();
}

static void
commit_4000(void)
{
	uint32_t tx = begin(s);

	make(s, tx, "/t", 0, 4000);
	start();
	ask(s, WIRE_TRANSACTION_END, tx, "T", NULL);
}

static void
commit_4000_over(void)
{
	uint32_t tx = begin(s);

	make(s, tx, "/t", 0, 4000);
	ask(other, WIRE_WRITE, 0, "/else", "x");
	start();
	ask(s, WIRE_TRANSACTION_END, tx, "T", NULL);
}

static void
commit_4000_over_same(void)
{
	uint32_t tx;

	make(s, 0, "/t", 100000, 100001);
	tx = begin(s);
	make(s, tx, "/t", 0, 4000);
	make(other, 0, "/t", 5000, 5001);
	start();
	ask(s, WIRE_TRANSACTION_END, tx, "T", NULL);
}

static void
commit_4000_of_guest(void)
{
	struct conn *g = guest(1);
	uint32_t tx = begin(g);

	make(g, tx, "/local/domain/1/d", 0, 4000);
	start();
	ask(g, WIRE_TRANSACTION_END, tx, "T", NULL);
}

static void
commit_4000_of_guest_over(void)
{
	struct conn *g = guest(1);
	uint32_t tx = begin(g);

	make(g, tx, "/local/domain/1/d", 0, 4000);
	ask(other, WIRE_WRITE, 0, "/else", "x");
	start();
	ask(g, WIRE_TRANSACTION_END, tx, "T", NULL);
}

/* All 4000 are seen by one watch. */
static void
commit_4000_watched(void)
{
	uint32_t tx = begin(s);

	ask(other, WIRE_WATCH, 0, "/t", "t");
	make(s, tx, "/t", 0, 4000);
	start();
	ask(s, WIRE_TRANSACTION_END, tx, "T", NULL);
}

static void
commit_40000(void)
{
	uint32_t tx = begin(s);

	make(s, tx, "/t", 0, 40000);
	start();
	ask(s, WIRE_TRANSACTION_END, tx, "T", NULL);
}

static void
give_up_40000(void)
{
	uint32_t tx = begin(s);

	make(s, tx, "/t", 0, 40000);
	start();
	ask(s, WIRE_TRANSACTION_END, tx, "F", NULL);
}

static void
write_1000_watchers(void)
{
	char token[16];
	int i;

	for (i = 0; i < 1000; i++) {
		snprintf(token, sizeof(token), "%d", i);
		ask(other, WIRE_WATCH, 0, "/probe", token);
	}
	ask(other, WIRE_READ, 0, "/", NULL);
	start();
	ask(s, WIRE_WRITE, 0, "/probe", "x");
}

static void
write_10000_watchers(void)
{
	char token[16];
	int i;

	for (i = 0; i < 10000; i++) {
		snprintf(token, sizeof(token), "%d", i);
		ask(other, WIRE_WATCH, 0, "/probe", token);
	}
	ask(other, WIRE_READ, 0, "/", NULL);
	start();
	ask(s, WIRE_WRITE, 0, "/probe", "x");
}

static void
reset_10000_watches(void)
{
	watch_each_of(s, "/w", 10000);
	start();
	ask(s, WIRE_RESET_WATCHES, 0, "", NULL);
}

static void
close_10000_watches(void)
{
	struct conn *c = h_socket(&h);

	watch_each_of(c, "/w", 10000);
	start();
	piece();
	state_close(c);
	piece_end();
	settle();
}

/* Which it was told of and never asked for. */
static void
close_10000_events(void)
{
	struct conn *c = h_socket(&h);

	ask(c, WIRE_WATCH, 0, "/w", "t");
	make(s, 0, "/w", 0, 10000);
	start();
	piece();
	state_close(c);
	piece_end();
	settle();
}

static void
close_1000_txns(void)
{
	struct conn *c = h_socket(&h);
	int i;

	for (i = 0; i < 1000; i++)
		make(c, begin(c), "/t", 0, 20);
	start();
	piece();
	state_close(c);
	piece_end();
	settle();
}

static void
last_of_1000_txns(void)
{
	uint32_t tx = 0;
	int i;

	for (i = 0; i < 1000; i++)
		tx = begin(s);
	start();
	ask(s, WIRE_READ, tx, "/tool", NULL);
	ask(s, WIRE_TRANSACTION_START, 0, "", NULL);
}

/* Part by part, N names. */
static void
list(int n)
{
	const size_t head = sizeof(struct wire_header);
	char offset[16];
	size_t at = 0, len;

	make(s, 0, "/d", 0, n);
	start();
	do {
		snprintf(offset, sizeof(offset), "%zu", at);
		ask(s, WIRE_DIRECTORY_PART, 0, "/d", offset);
		len = reply_len - head - strlen(reply + head) - 1;
		at += len;
	} while (len > 1 && reply[reply_len - 2] != '\0');
}

static void
list_100000(void)
{
	list(100000);
}

static void
list_1000000(void)
{
	list(1000000);
}

/* By somebody who did not ask for what comes before. */
static void
list_end_1000000(void)
{
	make(s, 0, "/d", 0, 1000000);
	start();
	ask(s, WIRE_DIRECTORY_PART, 0, "/d", "7000000");
}

static void
first_change_after_snapshot_of_1000000(void)
{
	uint32_t tx;

	make(s, 0, "/d", 0, 1000000);
	tx = begin(other);
	start();
	ask(s, WIRE_WRITE, 0, "/d/n77", "x");
	ask(s, WIRE_RM, 0, "/d/n77", NULL);
	ask(s, WIRE_WRITE, 0, "/d/n77", "x");
	ask(other, WIRE_TRANSACTION_END, tx, "F", NULL);
}

static void
remove_first_of_1000000(void)
{
	char path[64];
	int i;

	make(s, 0, "/d", 0, 1000000);
	start();
	for (i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/d/n%d", i);
		ask(s, WIRE_RM, 0, path, NULL);
	}
}

static void
make_1000000(void)
{
	start();
	make(s, 0, "/d", 0, 1000000);
}

static void
watch_1000000(void)
{
	start();
	watch_each_of(other, "/w", 1000000);
}

static void
check_100000(void)
{
	make(s, 0, "/d", 0, 100000);
	start();
	ask(s, WIRE_CONTROL, 0, "check", NULL);
}

static void
check_1000000(void)
{
	make(s, 0, "/d", 0, 1000000);
	start();
	ask(s, WIRE_CONTROL, 0, "check", NULL);
}

static void
check_100000_watches(void)
{
	watch_each_of(other, "/w", 100000);
	start();
	ask(s, WIRE_CONTROL, 0, "check", NULL);
}

static void
memreport_4000_conns(void)
{
	struct conn *c[4000];
	int i;

	for (i = 0; i < 4000; i++)
		c[i] = h_socket(&h);
	start();
	ask(s, WIRE_CONTROL, 0, "memreport", NULL);
	for (i = 0; i < 4000; i++)
		state_close(c[i]);
}

static void
perms_1000(void)
{
	static char payload[WIRE_PAYLOAD_MAX];
	size_t len = 3;
	int i;

	strcpy(payload, "/p");
	ask(s, WIRE_WRITE, 0, "/p", "");
	for (i = 0; i < 1000; i++)
		len += (size_t)sprintf(
			   payload + len, "%c%d", "nrwb"[i % 4], i % 9 + 1) +
		       1;
	start();
	ask_bytes(s, WIRE_SET_PERMS, 0, payload, len);
	ask(s, WIRE_GET_PERMS, 0, "/p", NULL);
}

static const struct {
	const char *name, *what;
	void (*run)(void);
	int times;
} cases[] = {
	{ "rm", "RM of 20000 siblings", rm_20000, TIMES },
	{ "rm-after", "20000 siblings and their RM after that of 500000 nodes",
	    rm_20000_after_500000, 3 },
	{ "rm-txn", "RM of 20000 siblings in a transaction", rm_20000_in_txn,
	    TIMES },
	{ "rm-guest", "RM of a guest's 20000 siblings", rm_20000_of_guest,
	    TIMES },
	{ "rm-guest-txn", "RM of a guest's 20000 siblings in a transaction",
	    rm_20000_of_guest_in_txn, TIMES },
	{ "rm-guest-100000", "RM of a guest's 100000 siblings",
	    rm_100000_of_guest, 3 },
	{ "rm-watched", "RM of 20000 siblings, each watched", rm_20000_watched,
	    TIMES },
	{ "death", "death of a domain with 100000 nodes", death_100000, 3 },
	{ "death-flat", "death of a domain with 100000 nodes in its home",
	    death_100000_flat, 3 },
	{ "death-scattered",
	    "death of a domain with 20000 nodes in others' directories",
	    death_20000_scattered, 3 },
	{ "death-watched", "death of a domain with 20000 nodes, each watched",
	    death_20000_watched, 3 },
	{ "commit", "commit of 4000 creations", commit_4000, TIMES },
	{ "commit-over", "commit of 4000 creations over another's change",
	    commit_4000_over, TIMES },
	{ "commit-over-same",
	    "commit of 4000 creations over another's in the same directory",
	    commit_4000_over_same, TIMES },
	{ "commit-guest", "commit of a guest's 4000 creations",
	    commit_4000_of_guest, TIMES },
	{ "commit-guest-over",
	    "commit of a guest's 4000 creations over another's change",
	    commit_4000_of_guest_over, TIMES },
	{ "commit-watched", "commit of 4000 creations that a watch sees",
	    commit_4000_watched, TIMES },
	{ "commit-40000", "commit of 40000 creations", commit_40000, 3 },
	{ "give-up", "40000 creations given up", give_up_40000, 3 },
	{ "fanout-1000", "WRITE that 1000 watches see", write_1000_watchers,
	    TIMES },
	{ "fanout-10000", "WRITE that 10000 watches see", write_10000_watchers,
	    TIMES },
	{ "reset", "RESET_WATCHES of 10000", reset_10000_watches, TIMES },
	{ "close", "end of a client with 10000 watches", close_10000_watches,
	    TIMES },
	{ "close-events", "end of a client that 10000 events wait for",
	    close_10000_events, TIMES },
	{ "close-txns", "end of a client with 1000 transactions of 20 changes",
	    close_1000_txns, TIMES },
	{ "txns", "a request in the last of 1000 transactions",
	    last_of_1000_txns, TIMES },
	{ "list", "DIRECTORY_PART of 100000, one after the other", list_100000,
	    3 },
	{ "list-1000000", "DIRECTORY_PART of 1000000, one after the other",
	    list_1000000, 2 },
	{ "list-end", "DIRECTORY_PART of only the end of 1000000",
	    list_end_1000000, 2 },
	{ "shared", "changes among 1000000 siblings beside a transaction",
	    first_change_after_snapshot_of_1000000, 2 },
	{ "remove-first", "RM of the first of 1000000 siblings",
	    remove_first_of_1000000, 2 },
	{ "make", "WRITE of the next of up to 1000000 siblings", make_1000000,
	    2 },
	{ "watch", "WATCH, the next of up to 1000000", watch_1000000, 2 },
	{ "check", "CONTROL check of 100000 siblings", check_100000, 3 },
	{ "check-1000000", "CONTROL check of 1000000 siblings", check_1000000,
	    3 },
	{ "check-watches", "CONTROL check beside 100000 watches",
	    check_100000_watches, 3 },
	{ "memreport", "CONTROL memreport of 4000 connections",
	    memreport_4000_conns, 3 },
	{ "perms", "SET_PERMS and GET_PERMS of 1000 entries", perms_1000,
	    TIMES },
};

static bool
is_wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc == 1;
}

int
main(int argc, char **argv)
{
	double best, all;
	int pieces, which = 0, i;
	size_t c;

	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		if (!is_wanted(cases[c].name, argc, argv))
			continue;
		best = all = 1e12;
		pieces = 0;
		for (i = 0; i < cases[c].times; i++) {
			h_start(&h);
			no_limits();
			s = h_socket(&h);
			other = h_socket(&h);
			cases[c].run();
			settle();
			if (longest < best) {
				best = longest;
				all = total;
				pieces = n_pieces;
				which = slowest;
			}
			state_free(h.st);
		}
		printf("longest turn: %s\tus\t%.1f", cases[c].what, best);
		if (getenv("VERBOSE") != NULL)
			printf("\tno. %d, %.1f in %d", which, all, pieces);
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
