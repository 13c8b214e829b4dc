/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domains [-r ROLE] [-s STEP] [-t MS] HV_ROOT RUNDIR PUPPET: does what a
 * toolstack and a guest with a real ring do (introduce, ask, start the ring
 * anew, release, die), each step again and again while ROLE (primary, or
 * takeover: its successor, too) is killed at place 1, then 2, 3 ... of it,
 * until no place is left. Whatever was killed, the step is done once, the ring
 * works in both directions, the watcher was told once, and no event channel or
 * mapping is left over. The daemon is xenstored-crash with that role.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/event_channel.h"
#include "tests/crash/asker.h"
#include "tests/crash/books.h"
#include "tests/diff/diff.h"
#include "xencall.h"
#include "xenstored/flight.h"

enum {
	DOMID = 1,
	POINTS_MAX = 2000,
	QUIET_MS = 2, /* for what nobody asked for */
};

static const char *step_name = "the beginning", *role = "primary";
static unsigned long point;
static struct flight *flight;
static uint64_t killed; /* before this step */
static struct machine *machine;
static struct guest *guest;
static xencall_handle *calls;
static int tool, watcher; /* sockets */

void
wrong(const char *format, ...)
{
	char place[48] = "";
	va_list ap;

	if (flight != NULL && flight->killed != killed)
		snprintf(place, sizeof(place), "%s", flight->killed_at);
	va_start(ap, format);
	fprintf(stderr, "FAIL %s, %s killed at place %lu (%s): ", step_name,
	    role, point, place);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

void
books_wrong(const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	wrong("%s", text);
}

/* --- the guest's ring --- */

static void
send_event(void *arg)
{
	guest_kick(machine, arg);
}

static struct books_ring
ring(void)
{
	return (struct books_ring){
		.ring = guest_ring(guest),
		.domid = DOMID,
		.kick = send_event,
		.arg = guest,
	};
}

/* A guest sleeps until its event comes. */
static void
wait_for_event(void)
{
	struct pollfd p = { .fd = machine_fd(machine), .events = POLLIN };
	int port;

	for (;;) {
		while ((port = machine_event(machine)) >= 0)
			if (port == guest_string(guest))
				return;
		if (poll(&p, 1, asker_wait_ms) != 1)
			wrong("the guest gets no event");
	}
}

static void
ring_ask(uint32_t type, const char *payload, size_t len)
{
	const struct books_ring r = ring();
	char buf[WIRE_MESSAGE_MAX];
	size_t n = message(buf, type, 9, 0, payload, len);
	bool more;

	if (ring_push(&r, buf, n, &more) != n)
		wrong("the ring is full");
}

/* The one answer that there is. */
static void
ring_hear(uint32_t type, const char *want)
{
	static char in[2 * WIRE_RING_SIZE + 1];
	const struct books_ring r = ring();
	struct wire_header h = { 0 };
	size_t n = 0;

	do {
		wait_for_event();
		n += ring_pull(&r, in + n);
		if (n >= sizeof(h))
			memcpy(&h, in, sizeof(h));
		if (h.len > WIRE_RING_SIZE || n > WIRE_RING_SIZE)
			wrong("the ring's stream is out of step");
	} while (n < sizeof(h) || n < sizeof(h) + h.len);
	in[n] = '\0';
	if (n > sizeof(h) + h.len)
		wrong("the guest gets more than it asked for");
	if (h.type != type || strcmp(in + sizeof(h), want) != 0)
		wrong("the guest gets message %u '%.60s', not %u '%s'", h.type,
		    in + sizeof(h), type, want);
}

static void
ring_call(uint32_t type, const char *payload, size_t len, const char *want)
{
	ring_ask(type, payload, len);
	ring_hear(type, want);
}

/* --- what is seen from outside --- */

/* Ports of domain 0 that are in use. The table grows as it needs to. */
static unsigned
count_ports(void)
{
	struct evtchn_status *op = xencall_alloc_buffer(calls, sizeof(*op));
	unsigned port, n = 0;

	for (port = 1;; port++) {
		memset(op, 0, sizeof(*op));
		op->port = port;
		if (xencall2(calls, __HYPERVISOR_event_channel_op,
			EVTCHNOP_status, (uintptr_t)op) != 0)
			break;
		n += op->status != EVTCHNSTAT_closed;
	}
	if (errno != EINVAL || n == 0)
		wrong("asking for port %u: %s", port, strerror(errno));
	xencall_free_buffer(calls, op);
	return n;
}

/* The watcher is told of PATH. */
static void
told(const char *path)
{
	hear(watcher, WIRE_WATCH_EVENT, path);
}

/* Nobody is told of anything more. */
static void
nothing_else(void)
{
	struct pollfd p[] = { { .fd = watcher, .events = POLLIN },
		{ .fd = tool, .events = POLLIN } };

	call(watcher, WIRE_READ, 0, STR("/tool/xenstored"), "");
	if (poll(p, 2, QUIET_MS) != 0)
		wrong("somebody was told more than once");
}

static void
introduced(const char *yes)
{
	call(tool, WIRE_IS_DOMAIN_INTRODUCED, 0, STR("1"), yes);
}

/* The ring works in both directions. */
static void
talk(void)
{
	ring_call(WIRE_WRITE, RAW("data\0before"), "OK");
	call(tool, WIRE_READ, 0, STR("/local/domain/1/data"), "before");
	call(tool, WIRE_WRITE, 0, RAW("/local/domain/1/data\0behind"), "OK");
	ring_call(WIRE_READ, STR("data"), "behind");
}

/* --- steps --- */

static void
ask_introduce(void)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%u%c%llu%c%u", DOMID, 0,
	    (unsigned long long)guest_store_gfn(guest), 0,
	    (unsigned)guest_store_port(guest));

	ask(tool, WIRE_INTRODUCE, 0, text, (size_t)n + 1);
}

static void
introduce(void)
{
	ask_introduce();
	hear(tool, WIRE_INTRODUCE, "OK");
}

static void
release(void)
{
	call(tool, WIRE_RELEASE, 0, STR("1"), "OK");
}

/* What a domain has goes when it is released. */
static void
make_home(void)
{
	call(tool, WIRE_MKDIR, 0, STR("/local/domain/1"), "OK");
	call(tool, WIRE_SET_PERMS, 0, STR("/local/domain/1\0n1"), "OK");
}

/* A new domain in place of the one that died. */
static void
birth(void)
{
	guest = guest_new(machine, DOMID);
	introduce();
	told("@introduceDomain");
	make_home();
	talk();
}

static void
before_introduce(void)
{
	release();
	told("@releaseDomain");
}

static void
check_introduce(void)
{
	told("@introduceDomain");
	make_home();
}

static void
check_release(void)
{
	told("@releaseDomain");
	introduced("F");
	nothing_else();
	introduce();
	check_introduce();
}

static void
resume(void)
{
	call(tool, WIRE_RESUME, 0, STR("1"), "OK");
}

/* A request that came in two pieces, and one behind it. */
static void
ask_ring(void)
{
	const struct books_ring r = ring();
	char buf[2 * WIRE_MESSAGE_MAX];
	size_t n = message(buf, WIRE_WRITE, 1, 0, RAW("data\0x"));
	bool more;

	(void)ring_push(&r, buf, 10, &more);
	guest_kick(machine, guest);
	(void)ring_push(&r, buf + 10, n - 10, &more);
	ring_hear(WIRE_WRITE, "OK");
	ring_call(WIRE_READ, STR("data"), "x");
}

/* The guest starts its ring anew, as a kernel does that was loaded by another
 * one. */
static void
reconnect(void)
{
	struct wire_ring *page = guest_ring(guest);

	__atomic_store_n(&page->connection, WIRE_RECONNECT, __ATOMIC_SEQ_CST);
	guest_kick(machine, guest);
	while (__atomic_load_n(&page->connection, __ATOMIC_ACQUIRE) !=
	       WIRE_CONNECTED)
		wait_for_event();
}

/* It may come while the one before is on its way. */
static void
die(void)
{
	guest_free(machine, guest);
	told("@releaseDomain");
}

static void
check_die(void)
{
	introduced("F");
	ask(tool, WIRE_READ, 0, STR("/local/domain/1"));
	hear(tool, WIRE_ERROR, "ENOENT");
	nothing_else();
	/* its number is only free when nobody maps its memory any more */
	birth();
}

static void
nothing(void)
{
}

static const struct deed {
	const char *name;
	void (*before)(void), (*act)(void), (*check)(void);
} steps[] = {
	{ "introduce", before_introduce, introduce, check_introduce },
	{ "again", nothing, introduce, nothing },
	{ "ask", nothing, ask_ring, nothing },
	{ "resume", nothing, resume, nothing },
	{ "reconnect", nothing, reconnect, nothing },
	{ "release", nothing, release, check_release },
	{ "die", nothing, die, check_die },
};

/* --- kills --- */

/* Until somebody serves and somebody stands by. */
static void
wait_for_both(void)
{
	uint64_t primary, standby;
	int i;

	for (i = 0; i < 20000; i++) {
		primary =
		    __atomic_load_n(&flight->primary_pid, __ATOMIC_ACQUIRE);
		standby =
		    __atomic_load_n(&flight->standby_pid, __ATOMIC_ACQUIRE);
		if (primary != 0 && standby != 0 && primary != standby &&
		    kill((pid_t)primary, 0) == 0)
			return;
		usleep(500);
	}
	wrong("nobody stands by");
}

/* Does STEP with a kill at place AT of it. False: it has no such place. */
static bool
play(const struct deed *step, unsigned long at)
{
	unsigned ports = count_ports();
	int i;

	killed = flight->killed;
	point = 0;
	step->before();
	wait_for_both();
	point = at;
	__atomic_store_n(&flight->kill_in, at, __ATOMIC_RELEASE);
	if (strcmp(role, "takeover") == 0)
		kill((pid_t)flight->primary_pid, SIGKILL);
	step->act();
	/* by then all is behind it that comes after its answer */
	call(tool, WIRE_READ, 0, STR("/tool/xenstored"), "");
	__atomic_store_n(&flight->kill_in, 0, __ATOMIC_RELEASE);
	step->check();
	introduced("T");
	talk();
	nothing_else();
	for (i = 0; i < asker_wait_ms && count_ports() != ports; i++)
		usleep(1000); /* it is looked after in turns */
	if (count_ports() != ports)
		wrong("%u ports are bound, not %u", count_ports(), ports);
	return flight->killed != killed;
}

static unsigned long
play_all(const struct deed *step)
{
	step_name = step->name;
	for (point = 1; point < POINTS_MAX; point++)
		if (!play(step, point))
			return point - 1;
	wrong("there is no end");
}

static void
begin(char *argv[])
{
	char path[256];
	int fd;

	asker_rundir = argv[1];
	snprintf(path, sizeof(path), "%s/flight", argv[1]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	flight = fd >= 0 ? flight_map(fd) : NULL;
	if (flight == NULL)
		wrong("%s: %s", path, strerror(errno));
	machine = machine_open(argv[0], argv[2]);
	calls = xencall_open(NULL, 0);
	tool = dial();
	watcher = dial();
	call(watcher, WIRE_WATCH, 0, STR("@introduceDomain\0t"), "OK");
	told("@introduceDomain");
	call(watcher, WIRE_WATCH, 0, STR("@releaseDomain\0t"), "OK");
	told("@releaseDomain");
	birth();
}

int
main(int argc, char *argv[])
{
	const char *only = NULL;
	unsigned long kills = 0, n;
	size_t i;
	int c;

	while ((c = getopt(argc, argv, "r:s:t:")) != -1) {
		if (c == 'r')
			role = optarg;
		else if (c == 's')
			only = optarg;
		else if (c == 't')
			asker_wait_ms = atoi(optarg);
		else
			optind = argc + 1;
	}
	if (argc - optind != 3) {
		fprintf(stderr, "usage: domains [-r ROLE] [-s STEP] [-t MS] "
				"HV_ROOT RUNDIR PUPPET\n");
		return 2;
	}
	begin(argv + optind);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (only == NULL || strcmp(only, steps[i].name) == 0) {
			n = play_all(&steps[i]);
			printf("%s: %lu places\n", steps[i].name, n);
			kills += n;
		}
	call(tool, WIRE_CONTROL, 0, STR("check"), "OK");
	printf("%lu times the %s was killed, each at another place\n", kills,
	    role);
	return kills > 0 ? 0 : 1;
}
