/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor may do to the store: calls of it that fail, and a
 * thousand domains that die at once.
 */
enum { CROWD = 1000 };
#define FAKE_DOMS (CROWD + 8)

#include "fakehv.h"

static void
interrupt(struct t *t)
{
	uint64_t one = 1;

	fake.virq = true;
	assert_int_equal(write(fake.fd, &one, sizeof(one)), sizeof(one));
	turns(t);
}

/* The answer is in the ring, whether it was told of or not. */
static void
is_served(struct t *t, int domid)
{
	assert_int_equal(ask(t, domid, WIRE_GET_DOMAIN_PATH, "1\0", 2),
	    WIRE_GET_DOMAIN_PATH);
}

static void
all_are_there(struct t *t)
{
	is_served(t, 1);
	is_served(t, 2);
	assert_string_equal(h_read(&t->h, t->s, 0, "/local/domain/1/x"), "1");
	assert_string_equal(h_read(&t->h, t->s, 0, "/local/domain/2/x"), "2");
}

static void
calls_of_the_hypervisor_that_fail_harm_nobody(void **unused)
{
	static const char *const calls[] = { "notify", "bind", "unbind",
		"unmask", "map", "info", "poll" };
	struct t t;
	size_t i;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(introduce(&t, 2), XS_OK);
	assert_int_equal(
	    h_write(&t.h, t.s, 0, "/local/domain/1/x", "1"), XS_OK);
	assert_int_equal(
	    h_write(&t.h, t.s, 0, "/local/domain/2/x", "2"), XS_OK);
	assert_int_equal(h_watch(&t.h, t.s, "@releaseDomain", "r"), XS_OK);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		fake.broken = calls[i];
		all_are_there(&t);
		interrupt(&t);
		if (strcmp(calls[i], "unbind") != 0)
			(void)introduce(&t, 3); /* it may fail */
		all_are_there(&t);
		fake.broken = NULL;
		interrupt(&t);
		assert_int_equal(introduce(&t, 3), XS_OK);
		is_served(&t, 3);
		all_are_there(&t);
		assert_string_equal(h_events(&t.h, t.s), "");
	}
	end(&t);
}

/* A domain that is introduced again is not taken for dead. */
static void
a_domain_that_cannot_be_asked_for_lives_on(void **unused)
{
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_int_equal(
	    h_write(&t.h, t.s, 0, "/local/domain/1/x", "1"), XS_OK);
	assert_int_equal(
	    h_perms(&t.h, t.s, 0, "/local/domain/1/x", "n1", NULL, NULL),
	    XS_OK);
	fake.broken = "info";
	assert_int_equal(introduce(&t, 1), XS_OK);
	assert_string_equal(h_read(&t.h, t.s, 0, "/local/domain/1/x"), "1");
	assert_int_equal(introduce(&t, 4), XS_ENOENT); /* nobody knows it */
	fake.broken = NULL;
	assert_int_equal(introduce(&t, 4), XS_OK);
	is_served(&t, 1);
	end(&t);
}

/* Turns until domain I's request is answered. */
static int
turns_to_answer(struct t *t, int i)
{
	char bytes[WIRE_MESSAGE_MAX];
	uint64_t one = 1;
	int n;

	put(i, bytes, make(bytes, WIRE_GET_DOMAIN_PATH, "1\0", 2));
	fake.pending[i] = true;
	assert_int_equal(write(fake.fd, &one, sizeof(one)), sizeof(one));
	for (n = 1; n < 10000; n++) {
		(void)server_turn(t->server, false);
		if (get(i, bytes) > 0)
			break;
	}
	return n;
}

static void
a_thousand_deaths_at_once_hold_up_nobody(void **unused)
{
	const int other = CROWD + 1;
	int i, n, most = 0, rounds = 0;
	char path[64];
	struct t t;

	(void)unused;
	begin(&t);
	for (i = 1; i <= other; i++) {
		assert_int_equal(introduce(&t, i), XS_OK);
		snprintf(path, sizeof(path), "/local/domain/%d", i);
		assert_int_equal(h_write(&t.h, t.s, 0, path, "x"), XS_OK);
		snprintf(path + strlen(path), 8, "/n");
		assert_int_equal(h_write(&t.h, t.s, 0, path, "x"), XS_OK);
	}
	for (i = 1; i <= CROWD; i++) {
		fake.state[i] = 0;
		fake.changed[i] = true;
	}
	fake.virq = true;
	while (fake.virq || memchr(fake.changed, true, sizeof(fake.changed))) {
		n = turns_to_answer(&t, other);
		if (n > most)
			most = n;
		assert_true(++rounds < 10000);
	}
	assert_true(most <= 2);
	assert_true(rounds >= CROWD / 20); /* a few at a time */
	turns(&t);
	for (i = 1; i <= CROWD; i++) {
		assert_false(fake.bound[i]);
		assert_int_equal(fake.mapped[i], 0);
	}
	is_served(&t, other);
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_of_the_hypervisor_that_fail_harm_nobody),
		cmocka_unit_test(a_domain_that_cannot_be_asked_for_lives_on),
		cmocka_unit_test(a_thousand_deaths_at_once_hold_up_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
