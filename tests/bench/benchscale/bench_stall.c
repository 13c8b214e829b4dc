/*
 * For how long another client waits while something large is done.
 *
 * bench_stall SOCKET [CASE...]
 *     A client does READ round trips, and those around the large request are
 *     noted; first beside a process that only echoes, to show what the machine
 *     adds. Prints lines "what TAB whose TAB unit TAB figure". If the daemon
 *     keeps a page of figures beside SOCKET, its own longest round is told: no
 *     scheduler is in that but for what takes the CPU from the daemon.
 */
#include "wire.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "xenstored/stats.h"

#define DIR "/bench/d"
#define VALUE "0123456789"

enum { SIBLINGS = 20000, OPERATIONS = 4000, TIMES = 20, MOST = 1000000 };

static const char *sock;
static struct client *cl, *other;

/* --- the client that waits --- */

struct polite {
	volatile int go, stop, on;
	int n;
	double us[MOST];
};

static struct polite *polite;

static void
be_polite(int fd)
{
	struct sched_param first = { .sched_priority = 1 };
	struct client *c = calloc(1, sizeof(*c));
	double t;

	if (c == NULL || (c->out = malloc(OUT_SIZE)) == NULL ||
	    (c->in = malloc(IN_SIZE)) == NULL)
		die("no memory");
	c->fd = fd;
	/* what is measured is the daemon, not who gets the CPU first */
	if (sched_setscheduler(0, SCHED_RR, &first) != 0)
		(void)setpriority(PRIO_PROCESS, 0, -20);
	polite->go = 1;
	while (!polite->stop) {
		t = now_us();
		client_ask(c, OP_READ, 0, "/tool", NULL);
		client_sync(c);
		if (polite->on && polite->n < MOST)
			polite->us[polite->n++] = now_us() - t;
	}
	exit(0);
}

static pid_t
polite_start(int fd)
{
	pid_t pid;

	memset((void *)polite, 0, offsetof(struct polite, us));
	pid = fork();
	if (pid == 0)
		be_polite(fd);
	while (!polite->go)
		usleep(1000);
	return pid;
}

/* Echoes what comes from FD. */
static void
echo(int fd)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			break;
	exit(0);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
say(const char *what, const char *figure, const char *whose, double us)
{
	printf("another client beside %s: %s\t%s\tus\t%.1f\n", what, figure,
	    whose, us);
	fflush(stdout);
}

/* --- what is done meanwhile --- */

static const char *
node(int i)
{
	static char path[64];

	sprintf(path, DIR "/n%d", i);
	return path;
}

static void
make(uint32_t tx, int n)
{
	int i;

	for (i = 0; i < n; i++)
		client_write(cl, tx, node(i), VALUE);
	client_sync(cl);
}

static uint32_t
begin(void)
{
	client_ask(cl, OP_TX_START, 0, "", NULL);
	client_sync(cl);
	return (uint32_t)strtoul(cl->reply, NULL, 10);
}

static void
rm_prepare(uint32_t *tx)
{
	*tx = 0;
	make(0, SIBLINGS);
}

static void
rm_txn_prepare(uint32_t *tx)
{
	make(0, SIBLINGS);
	*tx = begin();
}

/* To a domain that need not have a ring; the first it meets owns it all. */
static void
rm_guest_prepare(uint32_t *tx)
{
	client_ask(cl, OP_MKDIR, 0, DIR, NULL);
	client_ask(cl, OP_SET_PERMS, 0, DIR, "n7", NULL);
	client_sync(cl);
	rm_prepare(tx);
}

static void
rm_watched_prepare(uint32_t *tx)
{
	long had;
	int i;

	rm_prepare(tx);
	had = other->events;
	for (i = 0; i < SIBLINGS; i++)
		client_ask(other, OP_WATCH, 0, node(i), "t", NULL);
	client_sync(other);
	client_await_events(other, had + SIBLINGS);
}

static void
rm_act(uint32_t tx)
{
	client_ask(cl, OP_RM, tx, DIR, NULL);
	if (tx != 0)
		client_ask(cl, OP_TX_END, tx, "T", NULL);
	client_sync(cl);
}

static void
rm_watched_act(uint32_t tx)
{
	long had = other->events;

	rm_act(tx);
	client_await_events(other, had + SIBLINGS);
}

static void
rm_watched_end(void)
{
	client_ask(other, OP_RESET_WATCHES, 0, "", NULL);
	client_sync(other);
}

static void
commit_prepare(uint32_t *tx)
{
	*tx = begin();
	make(*tx, OPERATIONS);
}

static void
commit_over_prepare(uint32_t *tx)
{
	commit_prepare(tx);
	client_write(other, 0, "/bench/else", VALUE);
	client_sync(other);
}

static void
commit_act(uint32_t tx)
{
	client_ask(cl, OP_TX_END, tx, "T", NULL);
	if (!client_ok(cl))
		die("the commit was refused: %s", cl->reply);
}

static void
remove_end(void)
{
	client_ask(cl, OP_RM, 0, DIR, NULL);
	client_sync(cl);
	usleep(20000);
}

static void
nothing_prepare(uint32_t *tx)
{
	*tx = 0;
}

static void
nothing_act(uint32_t tx)
{
	(void)tx;
}

static const struct {
	const char *name, *what;
	void (*prepare)(uint32_t *tx);
	void (*act)(uint32_t tx);
	void (*end)(void); /* or NULL */
} cases[] = {
	{ "nothing", "nothing", nothing_prepare, nothing_act, NULL },
	{ "rm", "RM of 20000 siblings", rm_prepare, rm_act, NULL },
	{ "rm-txn", "RM of 20000 siblings in a transaction", rm_txn_prepare,
	    rm_act, NULL },
	{ "rm-guest", "RM of a guest's 20000 siblings", rm_guest_prepare,
	    rm_act, NULL },
	{ "rm-watched", "RM of 20000 siblings, each watched",
	    rm_watched_prepare, rm_watched_act, rm_watched_end },
	{ "commit", "a commit of 4000 creations", commit_prepare, commit_act,
	    remove_end },
	{ "commit-over", "a commit of 4000 over another's change",
	    commit_over_prepare, commit_act, remove_end },
};

/* --- the daemon's own figures --- */

static const struct stats_page *
page_of_daemon(void)
{
	char path[256];
	void *page;
	int fd;

	snprintf(path, sizeof(path), "%s", sock);
	if (strrchr(path, '/') == NULL || strlen(path) > 200)
		return NULL;
	strcpy(strrchr(path, '/') + 1, "stats");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	page =
	    mmap(NULL, sizeof(struct stats_page), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return page != MAP_FAILED ? page : NULL;
}

/* The limit, us, that no round since BEFORE was beyond. */
static double
longest_round(const struct stats_page *page, const uint64_t *before)
{
	unsigned i = STATS_BUCKETS;

	while (i > 0 && page->round.bucket[i - 1] == before[i - 1])
		i--;
	return i > 0 ? (double)stats_limit(i - 1) / 1e3 : 0;
}

/* --- measuring --- */

static void
run(size_t c, const char *whose, int fd, const struct stats_page *page)
{
	uint64_t before[STATS_BUCKETS];
	double worst_round = 0, round;
	pid_t pid = polite_start(fd);
	uint32_t tx;
	int i;

	for (i = 0; i < TIMES; i++) {
		cases[c].prepare(&tx);
		usleep(20000);
		if (page != NULL)
			memcpy(before, page->round.bucket, sizeof(before));
		polite->on = 1;
		usleep(1000);
		cases[c].act(tx);
		usleep(20000);
		polite->on = 0;
		round = page != NULL ? longest_round(page, before) : 0;
		if (round > worst_round)
			worst_round = round;
		if (cases[c].end != NULL)
			cases[c].end();
	}
	polite->stop = 1;
	waitpid(pid, NULL, 0);
	qsort(polite->us, (size_t)polite->n, sizeof(double), by_value);
	say(cases[c].what, "p99.9", whose, polite->us[polite->n * 999L / 1000]);
	say(cases[c].what, "longest", whose, polite->us[polite->n - 1]);
	if (page != NULL)
		say(cases[c].what, "longest round, at most", whose,
		    worst_round);
}

static bool
is_wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 2; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc == 2;
}

int
main(int argc, char **argv)
{
	const struct stats_page *page;
	struct client *target;
	int pair[2];
	pid_t pid;
	size_t c;

	if (argc < 2) {
		fprintf(stderr, "usage: bench_stall SOCKET [CASE...]\n");
		return 2;
	}
	sock = argv[1];
	polite = mmap(NULL, sizeof(*polite), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cl = client_open(sock);
	other = client_open(sock);
	page = page_of_daemon();
	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		if (!is_wanted(cases[c].name, argc, argv))
			continue;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) !=
		    0)
			die("socketpair: %s", strerror(errno));
		pid = fork();
		if (pid == 0) {
			close(pair[1]);
			echo(pair[0]);
		}
		close(pair[0]);
		run(c, "echo server beside our xenstored", pair[1], NULL);
		close(pair[1]);
		waitpid(pid, NULL, 0);
		target = client_open(sock);
		run(c, "our xenstored", target->fd, page);
		client_close(target);
	}
	client_ask(cl, OP_RM, 0, "/bench", NULL);
	client_sync(cl);
	return 0;
}
