/*
 * What the store daemon's work costs as its store grows.
 *
 * bench_scale TEST SOCKET [N]
 * bench_scale first SOCKET COMMAND...
 * bench_scale exec COMMAND...
 *     Runs TEST and prints lines "what TAB unit TAB figure". "Daemon" figures
 *     are CPU time of the serving process, system calls included; where there
 *     is none, they are the wall clock's. Everything that was made is removed.
 *     "first": how long after its start COMMAND, a daemon that stays in the
 *     foreground, answers at SOCKET, and what it takes then; it is ended.
 *     "exec": in how many milliseconds COMMAND has come and gone.
 */
#include "wire.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define TOP "/bench"
#define VALUE "0123456789"

static const char *sock;
static struct client *cl;
static struct family daemon_;
static int n;

static void
say(const char *what, const char *unit, double figure)
{
	printf("%s\t%s\t%.3f\n", what, unit, figure);
	fflush(stdout);
}

static void
path_of(char *buf, const char *dir, int i)
{
	sprintf(buf, "%s/n%d", dir, i);
}

static void
remove_all(void)
{
	client_ask(cl, OP_RM, 0, TOP, NULL);
	client_sync(cl);
}

/* --- another client that is served meanwhile --- */

struct polite {
	volatile int go, stop;
	double longest, p99, median;
};

static struct polite *polite;
static pid_t polite_pid;
static double rounds_us[400000];

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* It gets a CPU when it wants one: what is measured is the daemon's justice,
 * not the scheduler's. */
static void
be_polite(void)
{
	struct sched_param first = { .sched_priority = 1 };
	struct client *c = client_open(sock);
	int i = 0;
	double t;

	if (sched_setscheduler(0, SCHED_RR, &first) != 0)
		(void)setpriority(PRIO_PROCESS, 0, -20);

	polite->go = 1;
	while (!polite->stop && i < 400000) {
		t = now_us();
		client_ask(c, OP_READ, 0, "/tool", NULL);
		client_sync(c);
		rounds_us[i++] = now_us() - t;
	}
	qsort(rounds_us, (size_t)i, sizeof(rounds_us[0]), by_value);
	polite->longest = rounds_us[i - 1];
	polite->p99 = rounds_us[i * 99 / 100];
	polite->median = rounds_us[i / 2];
	exit(0);
}

static void
polite_start(void)
{
	if (polite == NULL)
		polite = mmap(NULL, sizeof(*polite), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset((void *)polite, 0, sizeof(*polite));
	polite_pid = fork();
	if (polite_pid == 0)
		be_polite();
	while (!polite->go)
		usleep(1000);
	usleep(50000);
}

static void
polite_stop(void)
{
	polite->stop = 1;
	waitpid(polite_pid, NULL, 0);
}

/* --- tests --- */

/* All names in DIR by parts; an empty name is the end. False: it knows no
 * parts. */
static bool
list_parts(const char *dir)
{
	char offset[24];
	const char *end;
	size_t at = 0, gen;

	do {
		sprintf(offset, "%zu", at);
		client_ask(cl, OP_PART, 0, dir, offset, NULL);
		if (!client_ok(cl))
			return false;
		gen = strlen(cl->reply) + 1;
		at += cl->reply_len - gen;
		end = cl->reply + cl->reply_len;
	} while (cl->reply_len > gen + 1 && (end[-1] != 0 || end[-2] != 0));
	return true;
}

/* N children of one directory: made, listed, removed. */
static void
siblings(void)
{
	const char *dir = TOP "/d";
	char path[64];
	double t;
	int i;

	n = n != 0 ? n : 20000;
	family_start(&daemon_);
	for (i = 0; i < n; i++) {
		path_of(path, dir, i);
		client_write(cl, 0, path, VALUE);
	}
	client_sync(cl);
	say("siblings: create one of them, daemon", "us",
	    family_cpu(&daemon_) / n);
	family_start(&daemon_);
	if (list_parts(dir))
		say("siblings: list one of them, daemon", "us",
		    family_cpu(&daemon_) / n);
	family_start(&daemon_);
	for (i = 0; i < n / 2; i++) {
		path_of(path, dir, (int)((unsigned)i * 7919u % (unsigned)n));
		client_ask(cl, OP_RM, 0, path, NULL);
	}
	client_sync(cl);
	say("siblings: remove one of them, daemon", "us",
	    family_cpu(&daemon_) / (n / 2));
	for (i = 0; i < n; i++) {
		path_of(path, dir, i);
		client_write(cl, 0, path, VALUE);
	}
	client_sync(cl);
	polite_start();
	t = now_us();
	client_ask(cl, OP_RM, 0, dir, NULL);
	client_sync(cl);
	say("siblings: RM of their directory", "us", now_us() - t);
	usleep(300000);
	polite_stop();
	say("siblings: longest wait of another client at that RM", "us",
	    polite->longest);
}

static void
start_and_give_up(const char *what)
{
	enum { TIMES = 2000 };
	uint32_t tx;
	int i;

	family_start(&daemon_);
	for (i = 0; i < TIMES; i++) {
		client_ask(cl, OP_TX_START, 0, "", NULL);
		client_sync(cl);
		tx = (uint32_t)strtoul(cl->reply, NULL, 10);
		client_ask(cl, OP_TX_END, tx, "F", NULL);
		client_sync(cl);
	}
	say(what, "us", family_cpu(&daemon_) / TIMES);
}

/* SEES, or NULL, has a watch that sees each write. */
static void
round_trips(const char *what, struct client *sees)
{
	enum { TIMES = 3000 };
	double end;
	int i;

	client_write(cl, 0, TOP "/probe", VALUE);
	client_sync(cl);
	family_start(&daemon_);
	end = now_us() + 2e6;
	for (i = 0; i < TIMES && now_us() < end; i++) {
		client_write(cl, 0, TOP "/probe", VALUE);
		client_sync(cl);
		if (sees != NULL)
			client_await_events(sees, sees->events + 1);
	}
	say(what, "us", family_cpu(&daemon_) / i);
}

/* What COUNT nodes take, where there were BEFORE bytes without them. */
static void
say_room(int count, double before)
{
	char what[64];

	client_sync(cl);
	sprintf(what, "store of %d nodes: bytes of memory a node", count);
	say(what, "bytes", (family_rss(&daemon_) - before) / count);
}

/* N nodes of 10 bytes, in directories of 1000. */
static void
nodes(void)
{
	char path[64], what[96];
	double before, t;
	int i;

	n = n != 0 ? n : 100000;
	round_trips("store of 10 nodes: WRITE round trip, daemon", NULL);
	start_and_give_up("store of 10 nodes: transaction begun and given up, "
			  "daemon");
	before = family_rss(&daemon_);
	t = now_us();
	for (i = 0; i < n; i++) {
		if (i == 100000)
			say_room(i, before);
		sprintf(path, TOP "/d%d/n%d", i / 1000, i % 1000);
		client_write(cl, 0, path, VALUE);
	}
	client_sync(cl);
	t = now_us() - t;
	say_room(n, before);
	sprintf(what, "store of %d nodes: ", n);
	i = (int)strlen(what);
	strcpy(what + i, "load it");
	say(what, "nodes/s", n / t * 1e6);
	strcpy(what + i, "WRITE round trip, daemon");
	round_trips(what, NULL);
	strcpy(what + i, "transaction begun and given up, daemon");
	start_and_give_up(what);
	polite_start();
	t = now_us();
	client_ask(cl, OP_CONTROL, 0, "check", NULL);
	client_sync(cl);
	t = now_us() - t;
	polite_stop();
	strcpy(what + i, "CONTROL check");
	say(what, "us", t);
	strcpy(what + i, "longest wait of another client at that check");
	say(what, "us", polite->longest);
	polite_start();
	t = now_us();
	remove_all();
	t = now_us() - t;
	usleep(500000);
	polite_stop();
	strcpy(what + i, "RM of all");
	say(what, "us", t);
	strcpy(what + i, "longest wait of another client at that RM");
	say(what, "us", polite->longest);
}

/* A transaction of N creations. */
static void
txn(void)
{
	char path[64], what[96];
	uint32_t tx;
	int i;

	n = n != 0 ? n : 4000;
	client_write(cl, 0, TOP "/t", "");
	client_ask(cl, OP_TX_START, 0, "", NULL);
	client_sync(cl);
	tx = (uint32_t)strtoul(cl->reply, NULL, 10);
	family_start(&daemon_);
	for (i = 0; i < n; i++) {
		path_of(path, TOP "/t", i);
		client_write(cl, tx, path, VALUE);
	}
	client_ask(cl, OP_TX_END, tx, "T", NULL);
	if (!client_ok(cl))
		die("the transaction was refused: %s", cl->reply);
	sprintf(what, "transaction of %d creations: an operation, daemon", n);
	say(what, "us", family_cpu(&daemon_) / n);
}

/* A write that matches one of N watches, which others have. */
static void
watches(void)
{
	char path[64], token[16], what[96];
	struct client *o = client_open(sock);
	double before;
	long seen;
	int i;

	n = n != 0 ? n : 10000;
	client_ask(o, OP_WATCH, 0, TOP "/probe", "t", NULL);
	client_sync(o);
	client_await_events(o, 1);
	round_trips("a WRITE that one watch sees, daemon", o);
	seen = o->events;
	before = family_rss(&daemon_);
	for (i = 0; i < n; i++) {
		sprintf(path, "/other/d%d/n%d", i / 1000, i % 1000);
		sprintf(token, "%d", i);
		client_ask(o, OP_WATCH, 0, path, token, NULL);
	}
	client_sync(o);
	client_await_events(o, seen + n);
	sprintf(what, "a WRITE that one of %d watches sees, daemon", n);
	round_trips(what, o);
	say("bytes a watch", "bytes", (family_rss(&daemon_) - before) / n);
	client_close(o);
}

/* One write to 1000 watches of N connections. */
static void
fanout(void)
{
	enum { WATCHES = 1000, TIMES = 50 };
	struct client **o;
	char token[16], what[96];
	int i, t;

	n = n != 0 ? n : 10;
	o = calloc((size_t)n, sizeof(*o));
	for (i = 0; o != NULL && i < n; i++)
		o[i] = client_open(sock);
	client_write(cl, 0, TOP "/probe", "");
	client_sync(cl);
	for (i = 0; i < WATCHES; i++) {
		sprintf(token, "%d", i);
		client_ask(o[i % n], OP_WATCH, 0, TOP "/probe", token, NULL);
		client_sync(o[i % n]);
	}
	for (i = 0; i < n; i++)
		client_await_events(o[i], WATCHES / n);
	family_start(&daemon_);
	for (t = 0; t < TIMES; t++) {
		client_write(cl, 0, TOP "/probe", "x");
		client_sync(cl);
		for (i = 0; i < n; i++)
			client_await_events(o[i], (t + 2L) * (WATCHES / n));
	}
	sprintf(
	    what, "one WRITE, 1000 watches of %d connections: each, daemon", n);
	say(what, "us", family_cpu(&daemon_) / TIMES / WATCHES);
	for (i = 0; i < n; i++)
		client_close(o[i]);
	free(o);
}

/* Beside N connections that do nothing. */
static void
idle(void)
{
	struct client **o;
	char what[96];
	int i;

	n = n != 0 ? n : 2000;
	o = calloc((size_t)n, sizeof(*o));
	round_trips("beside no idle sockets: WRITE round trip, daemon", NULL);
	for (i = 0; o != NULL && i < n; i++) {
		o[i] = client_open(sock);
		free(o[i]->in);
		o[i]->in = NULL;
	}
	sprintf(what, "beside %d idle sockets: WRITE round trip, daemon", n);
	round_trips(what, NULL);
	for (i = 0; i < n; i++)
		client_close(o[i]);
	free(o);
}

/* A device of domain DOM as a toolstack makes one: all below shared parents. */
static bool
create_device(struct client *c, int dom, int dev, int writes)
{
	char path[96];
	uint32_t tx;
	int i;

	client_ask(c, OP_TX_START, 0, "", NULL);
	client_sync(c);
	tx = (uint32_t)strtoul(c->reply, NULL, 10);
	for (i = 0; i < writes; i++) {
		sprintf(path, TOP "/%s/vbd/%d/%d/k%d",
		    i % 2 == 0 ? "backend" : "device", dom, dev, i / 2);
		client_write(c, tx, path, VALUE);
	}
	client_sync(c);
	client_ask(c, OP_TX_END, tx, "T", NULL);
	return client_ok(c);
}

/* Eight clients that create devices for a second. */
static void
devices(void)
{
	enum { CLIENTS = 8 };
	long *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double end;
	int i, dev;

	client_ask(cl, OP_MKDIR, 0, TOP "/backend/vbd", NULL);
	client_ask(cl, OP_MKDIR, 0, TOP "/device/vbd", NULL);
	client_sync(cl);
	for (i = 0; i < CLIENTS; i++) {
		if (fork() != 0)
			continue;
		cl = client_open(sock);
		end = now_us() + 1e6;
		for (dev = 0; now_us() < end; dev++)
			count[2 * i + !create_device(cl, i, dev, 20)]++;
		exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (i = 1; i < CLIENTS; i++) {
		count[0] += count[2 * i];
		count[1] += count[2 * i + 1];
	}
	say("8 clients create devices: commits", "/s", (double)count[0]);
	say("8 clients create devices: EAGAIN", "%",
	    100.0 * (double)count[1] / (double)(count[0] + count[1]));
}

/* N domains are created at once, each in one transaction of 30 writes that is
 * done again until it succeeds. */
static void
domains(void)
{
	enum { WRITES = 30, CONNS = 10 };
	struct client *conn[CONNS], *c;
	char path[96], what[64];
	int i, k, left;
	uint32_t *tx;
	double t;

	n = n != 0 ? n : 300;
	tx = calloc((size_t)n, sizeof(*tx));
	for (i = 0; i < CONNS; i++)
		conn[i] = client_open(sock);
	client_ask(cl, OP_MKDIR, 0, TOP "/backend", NULL);
	client_ask(cl, OP_MKDIR, 0, TOP "/device", NULL);
	client_sync(cl);
	t = now_us();
	for (left = n; tx != NULL && left > 0;) {
		for (i = 0; i < n; i++) {
			c = conn[i % CONNS];
			if (tx[i] == UINT32_MAX)
				continue;
			client_ask(c, OP_TX_START, 0, "", NULL);
			client_sync(c);
			tx[i] = (uint32_t)strtoul(c->reply, NULL, 10);
		}
		for (k = 0; k < WRITES; k++) {
			for (i = 0; i < n; i++) {
				if (tx[i] == UINT32_MAX)
					continue;
				sprintf(path, TOP "/%s/%d/k%d",
				    k % 2 == 0 ? "backend" : "device", i, k);
				client_write(
				    conn[i % CONNS], tx[i], path, VALUE);
			}
		}
		for (i = 0; i < n; i++) {
			if (tx[i] == UINT32_MAX)
				continue;
			client_ask(
			    conn[i % CONNS], OP_TX_END, tx[i], "T", NULL);
			if (client_ok(conn[i % CONNS])) {
				tx[i] = UINT32_MAX;
				left--;
			}
		}
	}
	sprintf(what, "%d domains created in parallel", n);
	say(what, "ms", (now_us() - t) / 1e3);
	for (i = 0; i < CONNS; i++)
		client_close(conn[i]);
	free(tx);
}

/* A client alone, and beside eight that send as fast as they can. */
static void
flood(void)
{
	enum { FLOODS = 8 };
	pid_t pid[FLOODS];
	double quiet;
	int i;

	polite_start();
	usleep(700000);
	polite_stop();
	quiet = polite->p99;
	say("a polite client alone: p99", "us", quiet);
	for (i = 0; i < FLOODS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			(void)setpriority(PRIO_PROCESS, 0, 19);
			cl = client_open(sock);
			for (;;)
				client_write(cl, 0, TOP "/probe", VALUE);
		}
	}
	polite_start();
	usleep(700000);
	polite_stop();
	for (i = 0; i < FLOODS; i++)
		kill(pid[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	say("a polite client beside 8 that flood: p99", "us", polite->p99);
}

/* Sends for a second, if O takes it. */
static void
send_to(struct client *o)
{
	static const char request[] = "\2\0\0\0\0\0\0\0\0\0\0\0\6\0\0\0/tool";
	double end = now_us() + 1e6;

	while (now_us() < end)
		if (send(o->fd, request, sizeof(request), MSG_DONTWAIT) < 0)
			usleep(1000);
}

/* A client that sends for two seconds and never reads. */
static void
deaf(void)
{
	struct client *o = client_open(sock);
	double before, after;

	client_ask(cl, OP_READ, 0, "/tool", NULL);
	client_sync(cl);
	before = family_rss(&daemon_);
	send_to(o);
	after = family_rss(&daemon_);
	/* what others had before may be given back meanwhile */
	say("a client that never reads: growth", "KiB",
	    after > before ? (after - before) / 1024 : 0);
	send_to(o);
	before = family_rss(&daemon_) - after;
	say("a client that never reads: growth in the next second", "KiB",
	    before > 0 ? before / 1024 : 0);
	client_close(o);
}

/* A connection as soon as there is one. */
static struct client *
client_wait(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, i;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	for (i = 0; i < 100000; i++) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
			close(fd);
			return client_open(path);
		}
		close(fd);
		usleep(50);
	}
	die("nobody listens at %s", path);
}

static pid_t
start(char **command)
{
	pid_t pid = fork();

	if (pid == 0) {
		execvp(command[0], command);
		die("%s: %s", command[0], strerror(errno));
	}
	return pid;
}

/* What it says goes elsewhere. */
static int
come_and_go(char **command)
{
	int out = dup(STDOUT_FILENO);
	double t;

	if (out < 0 || freopen("/dev/null", "w", stdout) == NULL)
		die("dup: %s", strerror(errno));
	t = now_us();
	waitpid(start(command), NULL, 0);
	dprintf(out, "%.3f\n", (now_us() - t) / 1e3);
	return 0;
}

static int
first(char **command)
{
	double t = now_us();
	pid_t pid = start(command);

	cl = client_wait(sock);
	client_ask(cl, OP_READ, 0, "/tool", NULL);
	client_sync(cl);
	say("first reply after exec", "ms", (now_us() - t) / 1e3);
	usleep(500000);
	daemon_ = family_of(cl);
	client_ask(cl, OP_READ, 0, "/tool", NULL);
	client_sync(cl);
	say("idle daemon: memory of the serving process, no file's", "KiB",
	    family_rss(&daemon_) / 1024);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return 0;
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "siblings", siblings },
	{ "nodes", nodes },
	{ "txn", txn },
	{ "watches", watches },
	{ "fanout", fanout },
	{ "idle", idle },
	{ "devices", devices },
	{ "domains", domains },
	{ "flood", flood },
	{ "deaf", deaf },
};

int
main(int argc, char **argv)
{
	size_t i = 0, n_tests = sizeof(tests) / sizeof(tests[0]);

	if (argc > 3 && strcmp(argv[1], "first") == 0) {
		sock = argv[2];
		return first(argv + 3);
	}
	if (argc > 2 && strcmp(argv[1], "exec") == 0)
		return come_and_go(argv + 2);
	while (argc >= 3 && i < n_tests && strcmp(tests[i].name, argv[1]) != 0)
		i++;
	if (argc < 3 || argc > 4 || i == n_tests) {
		fprintf(stderr, "usage: bench_scale TEST SOCKET [N] | "
				"first SOCKET COMMAND... | "
				"exec COMMAND...\n");
		return 2;
	}
	sock = argv[2];
	n = argc > 3 ? atoi(argv[3]) : 0;
	cl = client_open(sock);
	daemon_ = family_of(cl);
	tests[i].run();
	cl = client_open(sock);
	remove_all();
	return 0;
}
