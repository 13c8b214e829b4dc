/*
 * The doorbell: threads that send and sleep at the same pair page, and never
 * miss each other.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv-core/hosted/proto.h"

#define SENDERS 3
#define ROUNDS 40000u
#define LOST_MS 60000

struct bench {
	struct pair_page page;
	int bell;
	uint32_t sent[SENDERS * 64];  /* what was announced, by port */
	uint32_t taken[SENDERS * 64]; /* what was seen when the port came */
	uint64_t rings;
};

struct sender {
	struct bench *b;
	uint32_t first; /* of its 64 ports */
	pthread_t thread;
};

static void
ring(struct bench *b)
{
	__atomic_fetch_add(&b->rings, 1, __ATOMIC_RELAXED);
	eventfd_write(b->bell, 1);
}

/* Each port's counter is written before its bit. */
static void *
send_all(void *arg)
{
	struct sender *s = arg;

	for (uint32_t i = 1; i <= ROUNDS; i++) {
		uint32_t port = s->first + i % 64;

		__atomic_store_n(&s->b->sent[port], i, __ATOMIC_RELAXED);
		if (pair_post(&s->b->page, port))
			ring(s->b);
		if (i % 1024 == 0)
			poll(NULL, 0, 1); /* let it fall asleep */
	}
	return NULL;
}

static void
take(void *arg, uint32_t word, uint64_t bits)
{
	struct bench *b = arg;

	for (; bits != 0; bits &= bits - 1) {
		uint32_t port = word * 64 + (uint32_t)__builtin_ctzll(bits);

		b->taken[port] =
		    __atomic_load_n(&b->sent[port], __ATOMIC_RELAXED);
	}
}

/* The highest number that each port will be sent has been seen. */
static int
all_taken(const struct bench *b)
{
	for (uint32_t p = 0; p < SENDERS * 64; p++) {
		uint32_t last = ROUNDS - (ROUNDS - p % 64) % 64;

		if (b->taken[p] != last)
			return 0;
	}
	return 1;
}

static void
no_wakeup_is_lost(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct sender s[SENDERS];
	eventfd_t n;

	(void)state;
	b->bell = eventfd(0, EFD_NONBLOCK);
	for (uint32_t i = 0; i < SENDERS; i++) {
		s[i] = (struct sender){ .b = b, .first = i * 64 };
		pthread_create(&s[i].thread, NULL, send_all, &s[i]);
	}
	while (!all_taken(b)) {
		struct pollfd pfd = { .fd = b->bell, .events = POLLIN };

		pair_take(&b->page, take, b);
		if (pair_arm(&b->page))
			continue;
		/* Sleep without a look: only the bell wakes us. */
		if (all_taken(b))
			break;
		assert_int_equal(poll(&pfd, 1, LOST_MS), 1);
		eventfd_read(b->bell, &n);
	}
	for (int i = 0; i < SENDERS; i++)
		pthread_join(s[i].thread, NULL);
	/* and the bell rings far less often than is sent */
	assert_true(b->rings < (uint64_t)SENDERS * ROUNDS / 2);
	close(b->bell);
	free(b);
}

struct counted {
	unsigned words;
	uint64_t bits[HV_PORT_WORDS];
};

static void
count(void *arg, uint32_t word, uint64_t bits)
{
	struct counted *c = arg;

	c->words++;
	c->bits[word] |= bits;
}

static void
every_port_can_be_sent(void **state)
{
	static struct pair_page p;
	struct counted c;

	(void)state;
	memset(&p, 0, sizeof(p));
	for (uint32_t port = 0; port < HV_PORTS; port++) {
		memset(&c, 0, sizeof(c));
		pair_post(&p, port);
		assert_int_equal(pair_take(&p, count, &c), 1);
		assert_int_equal(c.words, 1);
		assert_true(c.bits[port / 64] == UINT64_C(1) << (port % 64));
		assert_int_equal(pair_take(&p, count, &c), 0);
	}
}

static void
the_bell_rings_once_for_each_arming(void **state)
{
	static struct pair_page p;
	struct counted c = { 0 };

	(void)state;
	memset(&p, 0, sizeof(p));
	assert_int_equal(pair_post(&p, 7), 0); /* nobody sleeps */
	assert_int_equal(pair_arm(&p), 1);     /* it is seen before sleeping */
	pair_take(&p, count, &c);
	assert_int_equal(pair_arm(&p), 0);
	assert_int_equal(pair_post(&p, 7), 1);
	assert_int_equal(pair_post(&p, 8), 0);
	pair_take(&p, count, &c);
	assert_int_equal(pair_arm(&p), 0);
	assert_int_equal(pair_kick(&p), 1);
	assert_int_equal(pair_kick(&p), 0);
}

static void
a_dropped_port_is_gone_and_only_it(void **state)
{
	static struct pair_page p;
	struct counted c = { 0 };

	(void)state;
	memset(&p, 0, sizeof(p));
	pair_post(&p, 64);
	pair_post(&p, 65);
	pair_drop(&p, 64);
	pair_drop(&p, 4095);
	assert_int_equal(pair_take(&p, count, &c), 1);
	assert_true(c.bits[1] == 2);
}

static void
a_hostile_page_yields_no_port_beyond_the_last(void **state)
{
	static struct pair_page p;
	struct counted c = { 0 };

	(void)state;
	memset(&p, 0xff, sizeof(p));
	assert_int_equal(pair_take(&p, count, &c), HV_PORT_WORDS);
}

static void
table_entries_carry_slot_and_port(void **state)
{
	uint64_t tx = HV_TX(HV_SLOTS - 1, HV_GENS - 1, HV_PORTS - 1);

	(void)state;
	assert_true(tx != 0);
	assert_int_equal(HV_TX_SLOT(tx), HV_SLOTS - 1);
	assert_int_equal(HV_TX_PORT(tx), HV_PORTS - 1);
	assert_int_equal(HV_TX_GEN(tx), HV_GENS - 1);
	assert_true(HV_TX(0, 0, 0) != 0); /* told from "not direct" */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wakeup_is_lost),
		cmocka_unit_test(every_port_can_be_sent),
		cmocka_unit_test(the_bell_rings_once_for_each_arming),
		cmocka_unit_test(a_dropped_port_is_gone_and_only_it),
		cmocka_unit_test(a_hostile_page_yields_no_port_beyond_the_last),
		cmocka_unit_test(table_entries_carry_slot_and_port),
	};

	return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
