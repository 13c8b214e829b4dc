/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * security --kernel FILE --pid PID [--program FILE] [--full-log] [--from N]
 * [--to N] NAME:HV_ROOT:SOCKET: runs the cases, a line each:
 * NUMBER|XSA|WHAT|RESULT, where RESULT is
 * "passes", "fails: REASON" or "-: REASON". The daemon may die of one: the line
 * then says so, the exit status is 3, and the caller starts another daemon.
 */
#include "case.h"

#include <dirent.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct target *daemon_;
long daemon_pid;
const char *daemon_program;
bool daemon_log_is_full;
static const struct security_case *now;
static char verdict[400];

void
case_failed(const char *format, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, format);
	n = (size_t)snprintf(verdict, sizeof(verdict), "fails: ");
	vsnprintf(verdict + n, sizeof(verdict) - n, format, ap);
	va_end(ap);
}

void
case_void(const char *why)
{
	snprintf(verdict, sizeof(verdict), "-: %s", why);
}

/* --- asking --- */

static char payload[WIRE_PAYLOAD_MAX * 2];

static size_t
fill(unsigned op, const char *format, va_list ap)
{
	int n = vsnprintf(payload, sizeof(payload), format, ap), i;

	for (i = 0; i < n; i++)
		if (payload[i] == '|')
			payload[i] = '\0';
	n += op != WIRE_WRITE;
	return n < WIRE_PAYLOAD_MAX ? (size_t)n : WIRE_PAYLOAD_MAX;
}

void
tell(int conn, unsigned op, unsigned tx, const char *format, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, format);
	len = fill(op, format, ap);
	va_end(ap);
	target_send(daemon_, conn, op, tx, payload, len);
}

const char *
ask(int conn, unsigned op, unsigned tx, const char *format, ...)
{
	static char text[sizeof(((struct reply *)0)->payload)];
	const struct reply *r;
	va_list ap;
	size_t len, i;

	va_start(ap, format);
	len = fill(op, format, ap);
	va_end(ap);
	target_send(daemon_, conn, op, tx, payload, len);
	targets_wait();
	r = target_reply(daemon_, conn);
	if (!r->there)
		return "SILENCE";
	memcpy(text, r->payload, r->len + 1);
	for (i = 0; i + 1 < r->len; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	return text;
}

bool
is(const char *reply, const char *wanted)
{
	return strcmp(reply, wanted) == 0;
}

bool
is_one_of(const char *reply, const char *wanted)
{
	size_t n = strlen(reply);
	const char *at = strstr(wanted, reply);

	return n > 0 && at != NULL && (at[n] == ' ' || at[n] == '\0') &&
	       (at == wanted || at[-1] == ' ');
}

unsigned
begin(int conn)
{
	return (unsigned)strtoul(
	    ask(conn, WIRE_TRANSACTION_START, 0, "%s", ""), NULL, 10);
}

const char *
commit(int conn, unsigned tx)
{
	return ask(conn, WIRE_TRANSACTION_END, tx, "T");
}

int
events(int conn, const char *start)
{
	struct event *e;
	int i, n, found = 0;

	targets_barrier(1u << conn);
	n = target_events(daemon_, &e);
	for (i = 0; i < n; i++)
		found += e[i].conn == conn &&
			 strncmp(e[i].text + 1, start, strlen(start)) == 0;
	return found;
}

void
forget_events(void)
{
	targets_barrier((1u << CONNS) - 1);
	target_clear_events(daemon_);
}

bool
others_are_served(void)
{
	return is(ask(G2, WIRE_GET_DOMAIN_PATH, 0, "7"), "/local/domain/7") &&
	       is(ask(S2, WIRE_GET_DOMAIN_PATH, 0, "7"), "/local/domain/7");
}

static long
anon_of(long pid)
{
	char path[64], line[128];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "RssAnon: %ld", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib;
}

static long
parent_of(long pid)
{
	char path[64];
	long parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (f != NULL && fscanf(f, "%*d (%*[^)]) %*c %ld", &parent) != 1)
		parent = 0;
	if (f != NULL)
		fclose(f);
	return parent;
}

long
memory_kib(void)
{
	long sum = anon_of(daemon_pid), pid;
	DIR *proc = opendir("/proc");
	struct dirent *d;

	while (proc != NULL && (d = readdir(proc)) != NULL) {
		pid = strtol(d->d_name, NULL, 10);
		if (pid > 0 && parent_of(pid) == daemon_pid)
			sum += anon_of(pid);
	}
	if (proc != NULL)
		closedir(proc);
	return sum;
}

long
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

void
die(int conn)
{
	target_guest_die(daemon_, conn);
}

void
birth(int conn)
{
	target_guest_birth(daemon_, conn);
}

/* --- rings by hand --- */

struct wire_ring *
page(int conn)
{
	/* nobody else reads it from now on */
	daemon_->link[conn].shut = true;
	return guest_ring(daemon_->link[conn].guest);
}

void
kick(int conn)
{
	guest_kick(daemon_->machine, daemon_->link[conn].guest);
}

size_t
message(char *to, unsigned op, const void *bytes, size_t len)
{
	struct wire_header h = {
		.type = op, .req_id = 77, .len = (uint32_t)len
	};

	memcpy(to, &h, sizeof(h));
	memcpy(to + sizeof(h), bytes, len);
	return sizeof(h) + len;
}

void
put_bytes(int conn, const char *bytes, size_t len)
{
	struct wire_ring *r = page(conn);
	uint32_t prod = r->req_prod;
	size_t i;

	for (i = 0; i < len; i++)
		r->req[prod++ % WIRE_RING_SIZE] = (uint8_t)bytes[i];
	__atomic_store_n(&r->req_prod, prod, __ATOMIC_RELEASE);
	kick(conn);
}

/* LEN bytes of the replies; false: they did not come. */
static bool
take(int conn, char *to, size_t len)
{
	struct wire_ring *r = page(conn);
	long end = now_us() + 5000000;
	size_t got = 0;

	while (got < len && now_us() < end) {
		uint32_t prod = __atomic_load_n(&r->rsp_prod, __ATOMIC_ACQUIRE);

		if (prod == r->rsp_cons) {
			usleep(50);
			continue;
		}
		while (got < len && r->rsp_cons != prod)
			to[got++] =
			    (char)r->rsp[r->rsp_cons++ % WIRE_RING_SIZE];
		kick(conn);
	}
	return got == len;
}

int
get_message(int conn, char buf[WIRE_PAYLOAD_MAX + 1])
{
	struct wire_header h;

	if (!take(conn, (char *)&h, sizeof(h)) || h.len > WIRE_PAYLOAD_MAX ||
	    !take(conn, buf, h.len))
		return -1;
	buf[h.len] = '\0';
	return (int)h.type;
}

/* --- running --- */

static void
show(void)
{
	printf("%d|%s|%s|%s\n", now->number, now->xsa, now->what, verdict);
	fflush(stdout);
}

static void
on_death(void)
{
	if (now == NULL)
		exit(4);
	snprintf(verdict, sizeof(verdict),
	    "fails: the daemon ends or does not answer any more");
	show();
	_exit(3);
}

int
case_seconds(void)
{
	return strcmp(daemon_->name, "ours") == 0 ? 150 : 15;
}

static void
on_alarm(int signo)
{
	(void)signo;
	snprintf(verdict, sizeof(verdict), "fails: it takes more than %d s",
	    case_seconds());
	show();
	_exit(3);
}

static void
run(const struct security_case *c)
{
	long start = now_us();

	now = c;
	alarm((unsigned)case_seconds());
	strcpy(verdict, "passes");
	if (c->run == NULL) {
		case_void(c->not_by_wire);
	} else {
		c->run();
		/* whoever is asked now is not who did it */
		if (verdict[0] == 'p' &&
		    target_ctl(daemon_, WIRE_GET_DOMAIN_PATH, "7", 2)->type ==
			WIRE_ERROR)
			case_failed("the daemon is out of order");
		/* harm that shows when all of it is taken back */
		target_reset(daemon_, true);
	}
	alarm(0);
	show();
	if (getenv("SECURITY_VERBOSE") != NULL)
		fprintf(stderr, "%s case %d: %ld ms\n", daemon_->name,
		    c->number, (now_us() - start) / 1000);
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = { { "kernel", 1, NULL, 'k' },
		{ "pid", 1, NULL, 'p' }, { "from", 1, NULL, 'f' },
		{ "to", 1, NULL, 't' }, { "program", 1, NULL, 'P' },
		{ "full-log", 0, NULL, 'L' }, { NULL, 0, NULL, 0 } };
	static const struct security_case *const all[] = { ring_cases,
		right_cases, quota_cases, other_cases, live_cases };
	const char *kernel = NULL;
	const struct security_case *c;
	int from = 1, to = 60, letter, number;
	size_t i;

	while ((letter = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (letter == 'k')
			kernel = optarg;
		else if (letter == 'p')
			daemon_pid = atol(optarg);
		else if (letter == 'f')
			from = atoi(optarg);
		else if (letter == 't')
			to = atoi(optarg);
		else if (letter == 'P')
			daemon_program = optarg;
		else if (letter == 'L')
			daemon_log_is_full = true;
		else
			return 2;
	}
	if (kernel == NULL || argc - optind != 1) {
		fprintf(stderr, "security: --kernel and one daemon\n");
		return 2;
	}
	target_patience_ms =
	    strncmp(argv[optind], "ours:", 5) == 0 ? 30000 : 3000;
	target_on_death = on_death;
	signal(SIGALRM, on_alarm);
	targets[n_targets++] = daemon_ = target_open(argv[optind], kernel);
	target_reset(daemon_, true);
	for (number = from; number <= to; number++)
		for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			for (c = all[i]; c->number != 0; c++)
				if (c->number == number)
					run(c);
	return 0;
}
