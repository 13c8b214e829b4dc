/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases 1 to 12: hostile rings. */
#include "case.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buf[WIRE_PAYLOAD_MAX + 1];

static void
indexes_too_far_apart(void)
{
	static const uint32_t far[] = { WIRE_RING_SIZE + 1, 0x80000000u, 77777,
		0xffffffffu };
	size_t i;

	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		page(G1)->req_prod = page(G1)->req_cons + far[i];
		kick(G1);
		MUST(others_are_served(), "others are not served");
		die(G1);
		birth(G1);
	}
}

static volatile bool hammering;

static void *
hammer_indexes(void *arg)
{
	struct wire_ring *r = arg;
	unsigned n = 0;

	while (hammering) {
		n++;
		r->req_prod = r->req_cons + (n % 3 == 0 ? 4096 : n % 1024);
		r->rsp_cons = r->rsp_prod + n % 7;
	}
	return NULL;
}

static void *
hammer_bytes(void *arg)
{
	struct wire_ring *r = arg;
	unsigned n = 0;

	for (; hammering; n++)
		r->req[(r->req_cons + 12 + n % 4) % WIRE_RING_SIZE] ^=
		    (uint8_t)(1u << n / 4 % 8);
	return NULL;
}

static void *
hammer_page(void *arg)
{
	uint8_t *bytes = arg;
	unsigned i, seed = 1;

	while (hammering) {
		for (i = 0; i < 2080; i++)
			bytes[i] = (uint8_t)rand_r(&seed);
		usleep(100);
	}
	return NULL;
}

/* One second of that beside others, who must be served. */
static void
hammer(void *(*how)(void *))
{
	const long bearable = raw_bearable(1000000);
	long end = now_us() + 1000000, one, slowest = 0;
	pthread_t thread;

	hammering = true;
	pthread_create(&thread, NULL, how, page(G1));
	while (now_us() < end) {
		kick(G1);
		one = now_us();
		if (!others_are_served()) {
			slowest = 1000000000;
			break;
		}
		one = now_us() - one;
		slowest = one > slowest ? one : slowest;
	}
	hammering = false;
	pthread_join(thread, NULL);
	MUST(slowest < bearable, "others are not served");
}

static void
a_page_that_changes(void)
{
	hammer(hammer_indexes);
}

static void
bytes_that_change(void)
{
	char m[64];

	put_bytes(G1, m, message(m, WIRE_READ, "x", 2));
	hammer(hammer_bytes);
}

static void
a_page_of_random_bytes(void)
{
	ask(S0, WIRE_WATCH, 0, "@releaseDomain|r");
	forget_events();
	hammer(hammer_page);
	die(G1);
	MUST(events(S0, "@releaseDomain") > 0, "its death is not told");
}

static void
a_full_ring(void)
{
	char bytes[WIRE_RING_SIZE + 64];
	char path[WIRE_RING_SIZE];
	size_t n = 0;
	int i;

	/* eight requests of 128 bytes */
	memset(path, 'p', sizeof(path));
	path[111] = '\0';
	for (i = 0; i < 8; i++)
		n += message(bytes + n, WIRE_READ, path, 112);
	put_bytes(G1, bytes, n);
	for (i = 0; i < 8; i++)
		MUST(get_message(G1, buf) == WIRE_ERROR &&
			 strcmp(buf, "ENOENT") == 0,
		    "reply %d does not come", i);
}

static void
lengths_beyond_the_limit(void)
{
	static const uint32_t lens[] = { 4097, 0x80000000u, 0xffffffffu,
		0xfffffff0u, 0 };
	long before = memory_kib();
	size_t i;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct wire_header h = { .type = WIRE_READ, .len = lens[i] };

		put_bytes(G1, (const char *)&h, sizeof(h));
		MUST(others_are_served(), "others are not served");
		die(G1);
		birth(G1);
	}
	MUST(memory_kib() < before + 2048, "memory grew");
}

static void
one_byte_at_a_time(void)
{
	char bytes[WIRE_RING_SIZE];
	size_t n = message(bytes, WIRE_GET_DOMAIN_PATH, "7", 2), i;

	memset(bytes + 64, 'a', 900);
	/* the next header lies across the end */
	n = message(bytes, WIRE_READ, bytes + 64, 990);
	bytes[n - 1] = '\0';
	put_bytes(G1, bytes, n);
	MUST(get_message(G1, buf) >= 0, "no reply");
	n = message(bytes, WIRE_GET_DOMAIN_PATH, "7", 2);
	put_bytes(G1, bytes, n - 1);
	put_bytes(G1, bytes + n - 1, 1);
	MUST(get_message(G1, buf) == WIRE_GET_DOMAIN_PATH, "no reply");
	for (i = 0; i < n; i++)
		put_bytes(G1, bytes + i, 1);
	MUST(get_message(G1, buf) == WIRE_GET_DOMAIN_PATH &&
		 strcmp(buf, "/local/domain/7") == 0,
	    "no reply");
}

static void
replies_nobody_reads(void)
{
	long before = memory_kib(), end = now_us() + 500000;
	char m[64];
	size_t n = message(m, WIRE_GET_DOMAIN_PATH, "7", 2);
	int sent = 0, got = 0;

	while (now_us() < end && sent < 100000) {
		struct wire_ring *r = page(G1);

		if (r->req_prod - r->req_cons + n <= WIRE_RING_SIZE) {
			put_bytes(G1, m, n);
			sent++;
		} else {
			MUST(others_are_served(), "others are not served");
		}
	}
	MUST(sent < 100000, "it is served without end");
	MUST(memory_kib() < before + 2048, "memory grew");
	while (got < sent && get_message(G1, buf) == WIRE_GET_DOMAIN_PATH)
		got++;
	MUST(got == sent, "%d of %d replies came", got, sent);
}

/* 64 paths written often while nobody reads; each must be heard of at last. */
static void
events_nobody_reads(void)
{
	long before = memory_kib();
	char m[64];
	bool heard[64] = { false };
	int i, type;

	ask(S0, WIRE_MKDIR, 0, "/t/w");
	ask(S0, WIRE_SET_PERMS, 0, "/t/w|r0");
	put_bytes(G1, m, message(m, WIRE_WATCH, "/t/w\0t", 7));
	MUST(get_message(G1, buf) == WIRE_WATCH, "no watch");
	for (i = 0; i < 20000; i++)
		MUST(is(ask(S0, WIRE_WRITE, 0, "/t/w/%d|%d", i % 64, i), "OK"),
		    "a writer is not answered");
	MUST(memory_kib() < before + 8192, "memory grew by %ld KiB",
	    memory_kib() - before);
	while ((type = get_message(G1, buf)) == WIRE_WATCH_EVENT) {
		if (strcmp(buf, "/t/w") == 0)
			memset(heard, i < 64 ? 0 : 1, sizeof(heard));
		else if (strncmp(buf, "/t/w/", 5) == 0)
			heard[atoi(buf + 5) % 64] = true;
	}
	for (i = 0; i < 64; i++)
		MUST(heard[i], "a change is never told");
}

static void
a_storm_of_events(void)
{
	const long bearable = raw_bearable(200000);
	long end = now_us() + 1000000, one, slowest = 0;

	while (now_us() < end) {
		int i;

		for (i = 0; i < 200; i++)
			kick(G1);
		one = now_us();
		MUST(others_are_served(), "others are not served");
		one = now_us() - one;
		slowest = one > slowest ? one : slowest;
	}
	MUST(slowest < bearable, "another one waits %ld ms", slowest / 1000);
}

const struct security_case ring_cases[] = {
	{ 1, "38", "indexes of a ring too far apart", indexes_too_far_apart,
	    NULL },
	{ 2, "38", "indexes that change between loads", a_page_that_changes,
	    NULL },
	{ 3, "38", "a full ring is legal", a_full_ring, NULL },
	{ 4, "420", "lengths beyond the limit, and none",
	    lengths_beyond_the_limit, NULL },
	{ 5, "-", "a byte at a time, a header across the end",
	    one_byte_at_a_time, NULL },
	{ 6, "38", "bytes that change while they are parsed", bytes_that_change,
	    NULL },
	{ 7, "325", "random bytes all over the page; its death is told",
	    a_page_of_random_bytes, NULL },
	{ 8, "326", "replies that nobody reads", replies_nobody_reads, NULL },
	{ 9, "326", "events that nobody reads cost little and are not lost",
	    events_nobody_reads, NULL },
	{ 11, "-", "a storm of events without data", a_storm_of_events, NULL },
	{ 12, "-", "an event for a port that was never bound", NULL,
	    "the hypervisor sends none" },
	{ 0, NULL, NULL, NULL, NULL },
};
