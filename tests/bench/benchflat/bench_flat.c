/*
 * Whether a store's size is felt: one daemon of ours that holds next to nothing
 * and one that holds much do the same in turns, so that what the machine does
 * meanwhile falls on both.
 *
 * bench_flat nodes|watches|sockets SMALL BIG N...
 *     SMALL and BIG are sockets. BIG gets N nodes, N watches that nothing
 * meets, or N idle connections; then both are measured, and so on with the next
 * N. Prints lines "what TAB whose TAB unit TAB figure". Figures are CPU time of
 * the serving process, system calls included.
 */
#include "../benchscale/wire.h"

#define PROBE "/flat/probe"
#define VALUE "0123456789"

enum { DEPTH = 16, SLICES = 41 };

struct side {
	struct client *cl;
	struct client *sees; /* has a watch on the probe, or NULL */
	struct family daemon;
	double figure[SLICES];
};

/* One piece of work of TIMES requests. */
struct work {
	const char *what;
	void (*slice)(struct side *s, int times);
	int times;
};

static uint32_t seed = 1;
static int made; /* nodes or watches that there are */

static uint32_t
random_below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)seed * n >> 32);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
node_path(char *buf, uint32_t i)
{
	sprintf(buf, "/flat/d%u/n%u", i / 1000, i % 1000);
}

/* --- pieces of work --- */

static void
settle(struct side *s, long seen)
{
	client_sync(s->cl);
	if (s->sees != NULL)
		client_await_events(s->sees, seen);
}

static void
writes(struct side *s, int times, int depth)
{
	long seen = s->sees != NULL ? s->sees->events : 0;
	char path[64];
	int i;

	for (i = 0; i < times; i++) {
		/* another one each time: the same event is not queued twice */
		sprintf(path, PROBE "/%d", i % depth);
		client_write(s->cl, 0, path, VALUE);
		seen++;
		if (i % depth == depth - 1)
			settle(s, seen);
	}
}

static void
slice_deep(struct side *s, int times)
{
	writes(s, times, DEPTH);
}

static void
slice_trips(struct side *s, int times)
{
	writes(s, times, 1);
}

static void
slice_reads(struct side *s, int times)
{
	int i;

	for (i = 0; i < times; i++) {
		client_ask(s->cl, OP_READ, 0, PROBE, NULL);
		if (i % DEPTH == DEPTH - 1)
			client_sync(s->cl);
	}
}

static void
slice_txn(struct side *s, int times)
{
	uint32_t tx;
	int i;

	for (i = 0; i < times; i++) {
		client_ask(s->cl, OP_TX_START, 0, "", NULL);
		client_sync(s->cl);
		tx = (uint32_t)strtoul(s->cl->reply, NULL, 10);
		client_ask(s->cl, OP_TX_END, tx, "F", NULL);
		client_sync(s->cl);
	}
}

/* Anywhere: what the processor's caches make of a store that is too large for
 * them. */
static void
slice_anywhere(struct side *s, int times)
{
	char path[64];
	int i;

	for (i = 0; i < times; i++) {
		node_path(path, random_below((uint32_t)made));
		client_write(s->cl, 0, path, VALUE);
		if (i % DEPTH == DEPTH - 1)
			client_sync(s->cl);
	}
}

static const struct work works[] = {
	{ "WRITE, 16 outstanding", slice_deep, 1600 },
	{ "READ, 16 outstanding", slice_reads, 1600 },
	{ "WRITE round trip", slice_trips, 300 },
	{ "transaction begun and given up", slice_txn, 200 },
};

/* --- measuring --- */

static void
measure_side(struct side *s, const struct work *work, int i)
{
	work->slice(s, DEPTH); /* its lines are warm */
	family_start(&s->daemon);
	work->slice(s, work->times);
	s->figure[i] = family_cpu(&s->daemon) / work->times;
}

static void
say(const struct work *work, const char *where, struct side *s)
{
	qsort(s->figure, SLICES, sizeof(s->figure[0]), by_value);
	printf("%s, %s, daemon\tour xenstored\tus\t%.3f\n", work->what, where,
	    s->figure[SLICES / 2]);
	fflush(stdout);
}

static void
measure(const char *test, struct side side[2])
{
	char where[2][64];
	size_t w;
	int i;

	sprintf(where[0], "in turns with %d %s", made, test);
	sprintf(where[1], "beside %d %s", made, test);
	for (w = 0; w < sizeof(works) / sizeof(works[0]); w++) {
		for (i = 0; i < SLICES; i++) {
			/* each goes first as often as the other */
			measure_side(&side[i % 2], &works[w], i);
			measure_side(&side[1 - i % 2], &works[w], i);
		}
		say(&works[w], where[0], &side[0]);
		say(&works[w], where[1], &side[1]);
	}
}

static void
measure_anywhere(struct side *s)
{
	static const struct work work = { "WRITE of one at random, "
					  "16 outstanding",
		slice_anywhere, 1600 };
	char where[64];
	int i;

	sprintf(where, "of %d nodes", made);
	for (i = 0; i < SLICES; i++)
		measure_side(s, &work, i);
	say(&work, where, s);
}

/* --- filling --- */

static void
fill_nodes(struct client *c, int n)
{
	char path[64];

	for (; made < n; made++) {
		node_path(path, (uint32_t)made);
		client_write(c, 0, path, VALUE);
	}
	client_sync(c);
}

static void
fill_watches(struct client *c, int n)
{
	char path[64], token[16];
	long seen = c->events + n - made;

	for (; made < n; made++) {
		sprintf(path, "/other/d%d/n%d", made / 1000, made % 1000);
		sprintf(token, "%d", made);
		client_ask(c, OP_WATCH, 0, path, token, NULL);
	}
	client_sync(c);
	client_await_events(c, seen);
}

/* What they had room for is not needed: they never say anything. */
static void
fill_sockets(const char *path, int n)
{
	struct client *c;

	for (; made < n; made++) {
		c = client_open(path);
		free(c->in);
		free(c->out);
	}
}

static void
side_open(struct side *s, const char *path, bool sees)
{
	s->cl = client_open(path);
	client_write(s->cl, 0, PROBE, VALUE);
	client_sync(s->cl);
	s->daemon = family_of(s->cl);
	if (!sees)
		return;
	s->sees = client_open(path);
	client_ask(s->sees, OP_WATCH, 0, PROBE, "t", NULL);
	client_sync(s->sees);
	client_await_events(s->sees, 1);
}

static void
fill(const char *test, const char *path, int n)
{
	if (test[0] == 'n')
		fill_nodes(client_open(path), n);
	else if (test[0] == 'w')
		fill_watches(client_open(path), n);
	else
		fill_sockets(path, n);
}

int
main(int argc, char **argv)
{
	static const char *const tests[] = { "nodes", "watches", "sockets" };
	static struct side side[2];
	int i, t = 0;

	while (argc >= 5 && t < 3 && strcmp(argv[1], tests[t]) != 0)
		t++;
	if (argc < 5 || t == 3) {
		fprintf(stderr, "usage: bench_flat nodes|watches|sockets "
				"SMALL BIG N...\n");
		return 2;
	}
	side_open(&side[0], argv[2], argv[1][0] == 'w');
	side_open(&side[1], argv[3], argv[1][0] == 'w');
	for (i = 4; i < argc; i++) {
		fill(argv[1], argv[3], atoi(argv[i]));
		measure(argv[1], side);
	}
	if (argv[1][0] == 'n')
		measure_anywhere(&side[1]);
	return 0;
}
