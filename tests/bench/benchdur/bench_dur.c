/*
 * For how long nobody is answered when the store's primary is killed.
 *
 * bench_dur fill SOCKET NODES DOMAINS
 *     Makes NODES nodes, and DOMAINS domains with a ring each, introduced. They
 *     are paused: nobody runs in them, their rings and events are real.
 * bench_dur kill RUNDIR TIMES
 *     Kills the primary TIMES times, a standby being there; prints lines "what
 *     TAB unit TAB figure": until a client that asks at once has its reply.
 * bench_dur wait RUNDIR
 *     Waits until a request is answered; prints since when it waited, in ms.
 */
#include "../benchscale/wire.h"

#include <signal.h>

#include "tools/xl/hvctl.h"

enum { OP_INTRODUCE = 8, FRAMES = 16, RING_FRAME = 4, RING_GRANT = 1 };

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* --- filling --- */

static void
make_nodes(struct client *c, int nodes)
{
	char path[64], value[24];
	int i;

	for (i = 0; i < nodes; i++) {
		snprintf(path, sizeof(path), "/bench/%d/device/%d/key%d",
		    i / 100, i / 10 % 10, i % 10);
		snprintf(value, sizeof(value), "value %d", i);
		client_write(c, 0, path, value);
	}
	client_sync(c);
}

static void
make_domain(struct hvctl *hv, struct client *c)
{
	static const uint8_t uuid[16];
	char text[3][16];
	uint32_t domid, port;

	if (hvctl_create(hv, uuid, 1, &domid) != 0 ||
	    hvctl_max_memory(hv, domid, FRAMES * 4) != 0 ||
	    hvctl_populate(hv, domid, FRAMES) != 0 ||
	    hvctl_alloc_port(hv, domid, &port) != 0 ||
	    hvctl_grant(hv, domid, RING_GRANT, RING_FRAME) != 0)
		die("a domain: %s", strerror(errno));
	snprintf(text[0], sizeof(text[0]), "%u", (unsigned)domid);
	snprintf(text[1], sizeof(text[1]), "%d", (int)RING_FRAME);
	snprintf(text[2], sizeof(text[2]), "%u", (unsigned)port);
	client_ask(
	    c, (enum op)OP_INTRODUCE, 0, text[0], text[1], text[2], NULL);
	if (!client_ok(c))
		die("INTRODUCE of domain %s: %s", text[0], c->reply);
}

static int
fill(const char *socket_path, int nodes, int domains)
{
	struct client *c = client_open(socket_path);
	struct hvctl *hv = domains > 0 ? hvctl_open() : NULL;
	int i;

	if (hv == NULL && domains > 0)
		die("no hypervisor: %s", strerror(errno));
	make_nodes(c, nodes);
	for (i = 0; i < domains; i++)
		make_domain(hv, c);
	return 0;
}

/* --- killing --- */

/* The store's processes. */
struct trio {
	long supervisor, primary, standby;
};

/* They, once the primary is not BEFORE and there is a standby, too. */
static struct trio
wait_for_both(const char *rundir, long before)
{
	struct trio t;
	char path[128];
	FILE *f;
	int i, n;

	snprintf(path, sizeof(path), "%s/status", rundir);
	for (i = 0; i < 30000; i++) {
		f = fopen(path, "re");
		n = f == NULL
			? 0
			: fscanf(f, "supervisor %ld primary %ld standby %ld",
			      &t.supervisor, &t.primary, &t.standby);
		if (f != NULL)
			fclose(f);
		if (n == 3 && t.primary > 0 && t.primary != before &&
		    t.standby > 0 && kill((pid_t)t.primary, 0) == 0)
			return t;
		usleep(1000);
	}
	die("nobody stands by");
}

/* For how long process PID worked, and had work but no CPU, ms. */
struct fate {
	double cpu, delay;
};

static struct fate
fate_of(long pid)
{
	struct fate fate = { 0, 0 };
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/schedstat", pid);
	f = fopen(path, "re");
	if (f == NULL || fscanf(f, "%lf %lf", &fate.cpu, &fate.delay) != 2)
		die("%s: no figures", path);
	fclose(f);
	fate.cpu /= 1e6;
	fate.delay /= 1e6;
	return fate;
}

struct outage {
	double ms;
	struct fate supervisor, heir;
};

static int
by_length(const void *a, const void *b)
{
	return by_value(
	    &((const struct outage *)a)->ms, &((const struct outage *)b)->ms);
}

static struct outage
kill_once(struct client *c, const struct trio *t)
{
	struct fate supervisor = fate_of(t->supervisor);
	struct fate heir = fate_of(t->standby);
	double start = now_us();
	struct outage o;

	kill((pid_t)t->primary, SIGKILL);
	client_write(c, 0, "/bench/kills", "1");
	client_sync(c);
	o.ms = (now_us() - start) / 1000;
	o.supervisor = fate_of(t->supervisor);
	o.heir = fate_of(t->standby);
	o.supervisor.cpu -= supervisor.cpu;
	o.supervisor.delay -= supervisor.delay;
	o.heir.cpu -= heir.cpu;
	o.heir.delay -= heir.delay;
	return o;
}

static void
say_shares(const char *which, const struct outage *o)
{
	printf(
	    "%s: the supervisor worked\tms\t%.2f\n", which, o->supervisor.cpu);
	printf("%s: the supervisor waited for a CPU\tms\t%.2f\n", which,
	    o->supervisor.delay);
	printf("%s: the heir worked\tms\t%.2f\n", which, o->heir.cpu);
	printf(
	    "%s: the heir waited for a CPU\tms\t%.2f\n", which, o->heir.delay);
}

static int
kill_often(const char *rundir, int times)
{
	struct outage *all = calloc((size_t)times, sizeof(*all));
	struct trio t = { 0, 0, 0 };
	struct client *c;
	char path[128];
	int i;

	if (all == NULL)
		die("no memory");
	snprintf(path, sizeof(path), "%s/socket", rundir);
	c = client_open(path);
	for (i = 0; i < times; i++) {
		t = wait_for_both(rundir, t.primary);
		usleep(20000); /* it follows */
		all[i] = kill_once(c, &t);
	}
	qsort(all, (size_t)times, sizeof(*all), by_length);
	printf("median\tms\t%.2f\n", all[times / 2].ms);
	printf("99th percentile\tms\t%.2f\n", all[times * 99 / 100].ms);
	printf("longest\tms\t%.2f\n", all[times - 1].ms);
	say_shares("median", &all[times / 2]);
	say_shares("99th percentile", &all[times * 99 / 100]);
	if (getenv("VERBOSE") != NULL)
		for (i = 0; i < times; i++)
			fprintf(stderr,
			    "%.2f: supervisor %.2f + %.2f, heir %.2f + %.2f\n",
			    all[i].ms, all[i].supervisor.cpu,
			    all[i].supervisor.delay, all[i].heir.cpu,
			    all[i].heir.delay);
	return 0;
}

/* --- starting --- */

static int
wait_for_reply(const char *rundir)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	double start = now_us();
	struct client *c;
	int fd;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", rundir);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	while (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		if (now_us() - start > 30e6)
			die("nobody listens");
		usleep(200);
	}
	close(fd);
	c = client_open(at.sun_path);
	client_ask(c, OP_READ, 0, "/bench/kills", NULL);
	if (!client_ok(c))
		die("%s", c->reply);
	printf("%.1f\n", (now_us() - start) / 1000);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "fill") == 0)
		return fill(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (argc == 4 && strcmp(argv[1], "kill") == 0)
		return kill_often(argv[2], atoi(argv[3]));
	if (argc == 3 && strcmp(argv[1], "wait") == 0)
		return wait_for_reply(argv[2]);
	fprintf(stderr, "usage: bench_dur fill SOCKET NODES DOMAINS | "
			"kill RUNDIR TIMES | wait RUNDIR\n");
	return 2;
}
