/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases about what the daemon stands on: pages, books, its program, its log. */
#include "case.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOME "/local/domain/1"

enum {
	CROWD = 1000,
	CROWD_FIRST = 100, /* domain id */
	CROWD_NODES = 100,
	MANY_NODES = 50000,
};

/* --- 10 --- */

static void
a_page_that_goes_away(void)
{
	struct guest *g = daemon_->link[G1].guest;

	guest_grant_ring(daemon_->machine, g, false);
	MUST(others_are_served(), "others are not served");
	MUST(is(ask(G1, WIRE_GET_DOMAIN_PATH, 0, "7"), "/local/domain/7"),
	    "what is mapped is not served any more");
	/* it cannot be had again; whether that is noticed is not the point */
	(void)target_guest_introduce(daemon_, G1);
	MUST(others_are_served(), "others are not served after INTRODUCE");
	guest_grant_ring(daemon_->machine, g, true);
	MUST(target_guest_introduce(daemon_, G1)->type != WIRE_ERROR,
	    "it cannot be introduced when the page is there again");
	MUST(is(ask(G1, WIRE_GET_DOMAIN_PATH, 0, "7"), "/local/domain/7"),
	    "it is not served when the page is there again");
}

/* --- 32 --- */

static unsigned seed;

static unsigned
pick(unsigned n)
{
	seed = seed * 1103515245u + 12345;
	return (seed >> 16) % n;
}

/* Nodes below PATH, it included, whose owner is domain 1. */
static int
count_owned(const char *path)
{
	char names[WIRE_PAYLOAD_MAX + 1], child[512], *name, *rest;
	int n = is(ask(S0, WIRE_GET_PERMS, 0, "%s", path), "n1") ||
		strncmp(ask(S0, WIRE_GET_PERMS, 0, "%s", path), "n1 ", 3) == 0;

	snprintf(
	    names, sizeof(names), "%s", ask(S0, WIRE_DIRECTORY, 0, "%s", path));
	for (name = strtok_r(names, " ", &rest); name != NULL;
	     name = strtok_r(NULL, " ", &rest)) {
		snprintf(child, sizeof(child), "%s/%s", path, name);
		n += count_owned(child);
	}
	return n;
}

/* One thing that the guest, or the toolstack with what it owns, does. */
static void
something(unsigned tx)
{
	static char large[3000];
	char path[32];

	memset(large, 'v', sizeof(large) - 1);
	snprintf(path, sizeof(path), "%c/%c/%c", 'a' + (char)pick(3),
	    'a' + (char)pick(3), 'a' + (char)pick(4));
	path[1 + 2 * pick(3)] = '\0';
	switch (pick(8)) {
	case 0:
		ask(G1, WIRE_RM, tx, "%s", path);
		break;
	case 1:
		ask(G1, WIRE_MKDIR, tx, "%s", path);
		break;
	case 2:
		ask(G1, WIRE_WRITE, pick(4) == 0 ? tx : 0, "%s|%s", path,
		    large); /* too large */
		break;
	case 3:
		ask(S0, WIRE_RM, 0, HOME "/%s", path);
		break;
	case 4:
		ask(S0, WIRE_WRITE, 0, HOME "/%s|v", path);
		break;
	case 5:
		ask(S0, WIRE_SET_PERMS, 0, HOME "/%s|n%u", path, pick(3));
		break;
	default:
		ask(G1, WIRE_WRITE, tx, "%s|v", path);
	}
}

/* What the daemon's books say that domain 1 has of WHAT; -1: nothing. */
static int
in_the_books(const char *what)
{
	const char *text = ask(S0, WIRE_CONTROL, 0, "quota|1");
	const char *line = strstr(text, what);
	int n = -1;

	if (line == NULL || sscanf(line + strlen(what), " : %d", &n) != 1)
		return -1;
	return n;
}

static void
counters_of_a_count(void)
{
	unsigned tx, i, j;
	int real;

	if (in_the_books("nodes") < 0) {
		case_void("it shows nobody its books");
		return;
	}
	seed = 32;
	for (i = 0; i < 150; i++) {
		tx = pick(2) != 0 ? begin(G1) : 0;
		for (j = pick(8) + 1; j > 0; j--)
			something(tx);
		if (tx != 0)
			ask(G1, WIRE_TRANSACTION_END, tx,
			    pick(4) == 0 ? "F" : "T");
	}
	for (i = 0; i < 5; i++)
		ask(G1, WIRE_WATCH, 0, "w%u|t", i);
	ask(G1, WIRE_WATCH, 0, "w1|t");
	ask(G1, WIRE_UNWATCH, 0, "w1|t");
	ask(G1, WIRE_UNWATCH, 0, "w1|t");
	real = count_owned(HOME);
	MUST(in_the_books("nodes") == real, "nodes: %d in the books, %d there",
	    in_the_books("nodes"), real);
	MUST(in_the_books("watches") == 4, "watches: %d of 4",
	    in_the_books("watches"));
	MUST(in_the_books("transactions") == 0, "transactions: %d of 0",
	    in_the_books("transactions"));
	ask(G1, WIRE_RESET_WATCHES, 0, "%s", "");
	ask(S0, WIRE_RM, 0, HOME);
	MUST(in_the_books("nodes") == 0 && in_the_books("watches") == 0,
	    "something is left in the books");
}

/* --- 40, 59 --- */

/* A live update to PROGRAM, HOW being options; the daemon's last word.
 * *WAIT_OUT is the longest that another client waited meanwhile, us, or -1. */
static const char *
update(const char *program, const char *how, long *wait_out)
{
	static char said[WIRE_PAYLOAD_MAX + 1];
	static struct raw one, other;
	long end = now_us() + 8000000, wait = 0;

	*wait_out = 0;
	if (!raw_open(&one) || !raw_open(&other))
		return "no connection";
	/* both steps on one connection: C xenstored wants it so */
	raw_add(&one, WIRE_CONTROL, "live-update|-f|%s", program);
	raw_send(&one);
	if (raw_reply(&one, said, target_patience_ms) != WIRE_CONTROL ||
	    !is(said, "OK")) {
		raw_close(&one);
		raw_close(&other);
		return said;
	}
	do {
		raw_add(&one, WIRE_CONTROL, "live-update|-s%s", how);
		raw_send(&one);
		while (!raw_is_answered(&one) && wait >= 0) {
			wait = raw_ping(&other);
			if (wait < 0 || wait > *wait_out)
				*wait_out = wait;
			usleep(1000);
		}
		if (raw_reply(&one, said, target_patience_ms) < 0)
			return "SILENCE";
	} while (is(said, "BUSY") && now_us() < end);
	raw_close(&one);
	raw_close(&other);
	return said;
}

static void
update_beside_a_transaction(void)
{
	const long bearable = raw_bearable(1000000);
	unsigned tx = begin(G1);
	const char *r;
	long wait;

	if (daemon_program == NULL) {
		case_void("its live update is of another kind");
		return;
	}
	ask(G1, WIRE_WRITE, tx, "x|v");
	ask(S0, WIRE_WRITE, 0, "/t/before|v");
	r = update(daemon_program, "|-t|1", &wait);
	MUST(wait >= 0 && wait < bearable, "others wait");
	if (is(r, "OK")) {
		MUST(is(commit(G1, tx), "OK"), "the transaction is lost");
	} else {
		r = update(daemon_program, "|-t|1|-F", &wait);
		MUST(is(r, "OK"), "it holds the update up for ever: %s", r);
	}
	MUST(is(ask(S0, WIRE_READ, 0, "/t/before"), "v"), "the tree is gone");
	MUST(
	    is(ask(G1, WIRE_WRITE, 0, "y|v"), "OK"), "the guest is not served");
	MUST(others_are_served(), "others are not served");
}

static void
update_that_cannot_go_well(void)
{
	static const char *const bad[] = { "/etc/passwd", "/nonexistent",
		"/bin/true" };
	long wait;
	size_t i;

	if (daemon_program == NULL) {
		case_void("its live update is of another kind");
		return;
	}
	ask(S0, WIRE_WRITE, 0, "/t/before|v");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		MUST(!is(update(bad[i], "|-t|1|-F", &wait), "OK"),
		    "%s takes its place", bad[i]);
		MUST(is(ask(S0, WIRE_READ, 0, "/t/before"), "v"),
		    "with %s the tree is gone", bad[i]);
		MUST(others_are_served(), "with %s others are not served",
		    bad[i]);
	}
}

/* --- 55 --- */

/* The longest that another client waits while one checks, us; -1: for ever. */
static long
wait_beside_a_check(void)
{
	static struct raw one, other;
	char said[WIRE_PAYLOAD_MAX + 1];
	long longest = 0, wait = 0;

	if (!raw_open(&one) || !raw_open(&other) ||
	    raw_add(&one, WIRE_CONTROL, "check") != 0 || !raw_send(&one))
		return -1;
	while (wait >= 0 && !raw_is_answered(&one)) {
		wait = raw_ping(&other);
		longest = wait > longest ? wait : longest;
	}
	if (raw_reply(&one, said, target_patience_ms) != WIRE_CONTROL)
		wait = -1;
	raw_close(&one);
	raw_close(&other);
	return wait < 0 ? -1 : longest;
}

static void
check_of_many_nodes(void)
{
	static struct raw raw;
	long wait, bearable, shortest = -1;
	int i;

	bearable = raw_bearable(50000);
	MUST(raw_open(&raw), "no connection");
	for (i = 0; i < MANY_NODES; i++)
		MUST(raw_add(&raw, WIRE_WRITE, "/t/d%d/n%d|v", i / 500, i) == 0,
		    "node %d is not made", i);
	MUST(raw_flush(&raw) == 0, "not all are made");
	/* the best of three: others use this machine as well */
	for (i = 0; i < 3; i++) {
		wait = wait_beside_a_check();
		MUST(wait >= 0, "no answer");
		if (shortest < 0 || wait < shortest)
			shortest = wait;
	}
	for (i = 0; i < MANY_NODES / 500; i++)
		raw_add(&raw, WIRE_RM, "/t/d%d", i);
	MUST(raw_flush(&raw) == 0, "not all are removed");
	raw_close(&raw);
	MUST(shortest < bearable, "others wait for it");
}

/* --- 56 --- */

static void
a_log_that_is_full(void)
{
	char value[1001];
	int i;

	if (!daemon_log_is_full) {
		case_void("nothing is full here");
		return;
	}
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (i = 0; i < 500; i++) {
		MUST(is(ask(S0, WIRE_WRITE, 0, "/t/n%d|%s", i % 20, value),
			 "OK"),
		    "write %d is refused", i);
		MUST(is(ask(G1, WIRE_WRITE, 0, "n%d|v", i % 20), "OK"),
		    "a guest's write %d is refused", i);
	}
	for (i = 0; i < 10; i++) {
		die(G1);
		birth(G1);
	}
	ask(S0, WIRE_CONTROL, 0, "print|this does not go in");
	MUST(others_are_served(), "others are not served");
}

/* --- 57 --- */

static struct guest *crowd[CROWD];

/* A thousand domains with a hundred nodes each. */
static const char *
crowd_comes(struct raw *raw)
{
	unsigned i, j, id;

	for (i = 0; i < CROWD; i++) {
		id = CROWD_FIRST + i;
		crowd[i] = guest_still(daemon_->machine, id);
		raw_add(raw, WIRE_INTRODUCE, "%u|%llu|%u", id,
		    (unsigned long long)guest_store_gfn(crowd[i]),
		    guest_store_port(crowd[i]));
		raw_add(raw, WIRE_MKDIR, "/local/domain/%u", id);
		raw_add(raw, WIRE_SET_PERMS, "/local/domain/%u|n%u", id, id);
		for (j = 0; j < CROWD_NODES; j++)
			raw_add(
			    raw, WIRE_WRITE, "/local/domain/%u/n%u|v", id, j);
		if (raw_flush(raw) != 0)
			return "a domain does not come";
	}
	return NULL;
}

static volatile bool dying;
static long waits[1 << 20];
static unsigned n_waits;

static void *
ping_meanwhile(void *raw)
{
	while (dying && n_waits < sizeof(waits) / sizeof(waits[0])) {
		waits[n_waits] = raw_ping(raw);
		if (waits[n_waits++] < 0)
			break;
	}
	return NULL;
}

static int
by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

/* Whether the daemon has forgotten all of the crowd, within 60 s. */
static bool
crowd_is_gone(struct raw *raw)
{
	char said[WIRE_PAYLOAD_MAX + 1];
	long end = now_us() + 60000000;
	unsigned i = 0;

	while (i < CROWD && now_us() < end) {
		raw_add(raw, WIRE_IS_DOMAIN_INTRODUCED, "%u", CROWD_FIRST + i);
		raw_send(raw);
		if (raw_reply(raw, said, 60000) != WIRE_IS_DOMAIN_INTRODUCED)
			return false;
		if (said[0] == 'F')
			i++;
		else
			usleep(1000);
	}
	return i == CROWD;
}

static void
a_burst_of_deaths(void)
{
	static struct raw raw, other;
	pthread_t thread;
	const long bearable = raw_bearable(20000);
	const char *why;
	long p99;
	bool gone;
	int i;

	MUST(raw_open(&raw) && raw_open(&other), "no connection");
	alarm(1200);
	why = crowd_comes(&raw);
	MUST(why == NULL, "%s", why);
	alarm((unsigned)case_seconds()); /* that they come took its time, too */
	if (getenv("SECURITY_VERBOSE") != NULL)
		fprintf(stderr, "they are there\n");
	n_waits = 0;
	dying = true;
	pthread_create(&thread, NULL, ping_meanwhile, &other);
	for (i = 0; i < CROWD; i++)
		guest_free(daemon_->machine, crowd[i]);
	gone = crowd_is_gone(&raw);
	dying = false;
	pthread_join(thread, NULL);
	raw_close(&raw);
	raw_close(&other);
	MUST(gone, "not all are told of");
	qsort(waits, n_waits, sizeof(waits[0]), by_size);
	MUST(n_waits > 0 && waits[0] >= 0, "others are not served");
	p99 = waits[n_waits - 1 - n_waits / 100];
	if (getenv("SECURITY_VERBOSE") != NULL)
		fprintf(stderr, "%u pings, p50 %ld p99 %ld max %ld us\n",
		    n_waits, waits[n_waits / 2], p99, waits[n_waits - 1]);
	MUST(p99 < bearable, "others wait: p99 above 20 ms");
	for (i = 0; i < CROWD; i++)
		MUST(is(ask(S0, WIRE_READ, 0, "/local/domain/%u",
			    CROWD_FIRST + i),
			 "ENOENT"),
		    "nodes of domain %d are left", CROWD_FIRST + i);
}

/* --- 58 --- */

/* The process that serves, and whether another one stands by. */
static long
who_serves(bool *stands_by)
{
	long supervisor, primary, standby;
	char path[140];
	FILE *f;

	*stands_by = false;
	snprintf(path, sizeof(path), "%s", daemon_->socket);
	snprintf(strrchr(path, '/'), 8, "/status");
	f = fopen(path, "r");
	if (f == NULL)
		return daemon_pid;
	if (fscanf(f, "supervisor %ld primary %ld standby %ld", &supervisor,
		&primary, &standby) != 3)
		primary = standby = 0;
	fclose(f);
	*stands_by = standby != 0;
	return primary;
}

/* Kills what serves, as soon as there is somebody to go on, if ever. */
static void
kill_it(void)
{
	long end = now_us() + 30000000;
	bool stands_by;
	long pid;

	while ((pid = who_serves(&stands_by)) == 0 ||
	       (pid != daemon_pid && !stands_by)) {
		if (now_us() > end)
			return;
		usleep(1000);
	}
	kill((pid_t)pid, SIGKILL);
}

static void
killed_in_each_situation(void)
{
	static char m[WIRE_PAYLOAD_MAX + 1];
	unsigned tx;
	size_t n;

	ask(S0, WIRE_WRITE, 0, "/t/a|v");
	ask(S1, WIRE_WATCH, 0, "/t|w");
	tx = begin(G1);
	ask(G1, WIRE_WRITE, tx, "x|v");
	forget_events();
	kill_it(); /* idle, with a watch and a transaction */
	MUST(is(ask(S0, WIRE_READ, 0, "/t/a"), "v"), "the tree is gone");
	MUST(is(commit(G1, tx), "OK"), "the transaction is lost");
	ask(S0, WIRE_WRITE, 0, "/t/b|v");
	MUST(events(S1, "/t/b") == 1, "the watch is lost");
	/* with half a request, and with replies that nobody has read */
	tell(S0, WIRE_WRITE, 0, "/t/c|v");
	n = message(m, WIRE_READ, "x", 2);
	put_bytes(G1, m, n);
	put_bytes(G1, m, n - 1);
	kill_it();
	put_bytes(G1, m + n - 1, 1); /* its NUL */
	targets_wait();
	MUST(target_reply(daemon_, S0)->there, "a request is not answered");
	MUST(get_message(G1, m) == WIRE_READ && strcmp(m, "v") == 0 &&
		 get_message(G1, m) == WIRE_READ && strcmp(m, "v") == 0,
	    "a guest's request is not answered");
	daemon_->link[G1].shut = false;
	/* while a domain dies and another one comes */
	guest_shutdown(daemon_->machine, daemon_->link[G2].guest);
	kill_it();
	die(G2);
	birth(G2);
	MUST(is(ask(G2, WIRE_WRITE, 0, "x|v"), "OK"), "a guest is not served");
	MUST(others_are_served(), "others are not served");
}

const struct security_case live_cases[] = {
	{ 10, "-", "a page that goes away", a_page_that_goes_away, NULL },
	{ 32, "421", "counters are those of a count", counters_of_a_count,
	    NULL },
	{ 40, "-", "a transaction that never ends, beside a live update",
	    update_beside_a_transaction, NULL },
	{ 55, "-", "CONTROL check of 50,000 nodes", check_of_many_nodes, NULL },
	{ 56, "-", "a log that cannot be written", a_log_that_is_full, NULL },
	{ 57, "-", "a burst of 1000 deaths", a_burst_of_deaths, NULL },
	{ 58, "-", "kill -9 in each situation", killed_in_each_situation,
	    NULL },
	{ 59, "-", "a live update that cannot go well",
	    update_that_cannot_go_well, NULL },
	{ 0, NULL, NULL, NULL, NULL },
};
