/*
 * For how long another client waits while something large is done.
 *
 * bench_stall SOCKET [CASE...]
 *     A client does READ round trips, and those around the large request are
 *     noted, with what became of the server meanwhile: whether it worked, or
 *     waited for a CPU. What it worked is what it is to blame for; the rest is
 *     the machine's. To show that, the same is asked of a process that only
 *     echoes, beside the daemon that does the large request, and beside another
 *     that does nothing but compute, on the daemon's CPU. Prints lines "what
 * TAB whose TAB unit TAB figure". If the daemon keeps a page of figures beside
 *     SOCKET, its own longest round is told: no scheduler is in that but for
 *     what takes the CPU from the daemon.
 */
#include "wire.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
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

/* What became of a process up to a moment, us. */
struct fate {
	double cpu;   /* it worked */
	double delay; /* it could have, but had no CPU */
};

/* A wait, and the share of it that the server and the client had. */
struct wait {
	double us;
	struct fate server, client;
};

struct polite {
	volatile int go, stop, on;
	int n;
	struct wait longest;
	double most_work; /* of the server, within one wait */
	double us[MOST];
};

static struct polite *polite;

/* Its CPU time to the moment, and the file with its delays. */
struct observed {
	clockid_t cpu;
	int schedstat;
};

static void
observe(struct observed *o, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	o->schedstat = open(path, O_RDONLY | O_CLOEXEC);
	if (o->schedstat < 0 || clock_getcpuclockid(pid, &o->cpu) != 0)
		die("%s: %s", path, strerror(errno));
}

static struct fate
fate_of(const struct observed *o)
{
	struct fate fate = { 0, 0 };
	struct timespec ts;
	char text[96];
	double ns;
	ssize_t n = pread(o->schedstat, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%lf %lf", &ns, &fate.delay) == 2)
		fate.delay /= 1e3;
	if (clock_gettime(o->cpu, &ts) == 0)
		fate.cpu = (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
	return fate;
}

static struct fate
fate_since(const struct observed *o, const struct fate *then)
{
	struct fate now = fate_of(o);

	now.cpu -= then->cpu;
	now.delay -= then->delay;
	return now;
}

static void
note_wait(const struct wait *w)
{
	if (!polite->on || polite->n >= MOST)
		return;
	polite->us[polite->n++] = w->us;
	if (w->us > polite->longest.us)
		polite->longest = *w;
	/* what it did after its reply is not in the wait */
	if (w->server.cpu > polite->most_work)
		polite->most_work =
		    w->server.cpu < w->us ? w->server.cpu : w->us;
}

static void
be_polite(int fd, pid_t server)
{
	struct sched_param first = { .sched_priority = 1 };
	struct client *c = calloc(1, sizeof(*c));
	struct observed served, own;
	struct fate before, own_before;
	struct wait w;
	double t;

	if (c == NULL || (c->out = malloc(OUT_SIZE)) == NULL ||
	    (c->in = malloc(IN_SIZE)) == NULL)
		die("no memory");
	c->fd = fd;
	observe(&served, server);
	observe(&own, getpid());
	/* what is measured is the daemon, not who gets the CPU first */
	if (sched_setscheduler(0, SCHED_RR, &first) != 0)
		(void)setpriority(PRIO_PROCESS, 0, -20);
	polite->go = 1;
	while (!polite->stop) {
		before = fate_of(&served);
		own_before = fate_of(&own);
		t = now_us();
		client_ask(c, OP_READ, 0, "/tool", NULL);
		client_sync(c);
		w.us = now_us() - t;
		w.server = fate_since(&served, &before);
		w.client = fate_since(&own, &own_before);
		note_wait(&w);
	}
	exit(0);
}

static pid_t
polite_start(int fd, pid_t server)
{
	pid_t pid;

	memset((void *)polite, 0, offsetof(struct polite, us));
	pid = fork();
	if (pid == 0)
		be_polite(fd, server);
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
run(size_t c, const char *whose, int fd, pid_t server,
    const struct stats_page *page)
{
	uint64_t before[STATS_BUCKETS];
	double worst_round = 0, round;
	pid_t pid = polite_start(fd, server);
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
	say(cases[c].what, "longest", whose, polite->longest.us);
	say(cases[c].what, "longest: the server worked", whose,
	    polite->longest.server.cpu);
	say(cases[c].what, "longest: the server waited for a CPU", whose,
	    polite->longest.server.delay);
	say(cases[c].what, "longest: the client waited for a CPU", whose,
	    polite->longest.client.delay);
	say(cases[c].what, "the server's work within a wait, most", whose,
	    polite->most_work);
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

/* A process that echoes what comes from *FD_OUT's other end. */
static pid_t
echo_start(int *fd_out)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		die("socketpair: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		close(pair[1]);
		echo(pair[0]);
	}
	close(pair[0]);
	*fd_out = pair[1];
	return pid;
}

static void
beside_ours(size_t c)
{
	int fd;
	pid_t pid = echo_start(&fd);

	run(c, "echo server beside our xenstored", fd, pid, NULL);
	close(fd);
	waitpid(pid, NULL, 0);
}

/* An echo server where SERVER may run, beside one that computes. */
static void
beside_work(size_t c, pid_t server)
{
	cpu_set_t cpus;
	pid_t pid, hog;
	int fd;

	pid = echo_start(&fd);
	hog = fork();
	if (hog == 0) {
		close(fd);
		for (;;)
			;
	}
	if (sched_getaffinity(server, sizeof(cpus), &cpus) != 0 ||
	    sched_setaffinity(pid, sizeof(cpus), &cpus) != 0 ||
	    sched_setaffinity(hog, sizeof(cpus), &cpus) != 0)
		die("affinity: %s", strerror(errno));
	run(c, "echo server beside one that computes", fd, pid, NULL);
	close(fd);
	kill(hog, SIGKILL);
	waitpid(pid, NULL, 0);
	waitpid(hog, NULL, 0);
}

int
main(int argc, char **argv)
{
	const struct stats_page *page;
	struct client *target;
	struct family family;
	pid_t server;
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
	family = family_of(cl);
	server = family.pid[family.serves];
	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		if (!is_wanted(cases[c].name, argc, argv))
			continue;
		if (cases[c].act == nothing_act)
			beside_work(c, server);
		beside_ours(c);
		target = client_open(sock);
		run(c, "our xenstored", target->fd, server, page);
		client_close(target);
	}
	client_ask(cl, OP_RM, 0, "/bench", NULL);
	client_sync(cl);
	return 0;
}
