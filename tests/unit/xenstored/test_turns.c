/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose turn it is. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h> /* before cmocka.h */

#include <cmocka.h>

#include "xenstored/server.h"

enum { FLOODS = 8, TURNS = 20 };

/* Somebody with work for LEFT turns, which are noted in ORDER by NAME. */
struct fake {
	struct transport transport;
	int left;
	char name;
};

static char order[1024];
static size_t n_turns;

static enum turn
fake_run(struct transport *transport, int budget)
{
	struct fake *f = (struct fake *)(void *)transport;

	assert_true(budget > 0);
	assert_true(n_turns < sizeof(order));
	order[n_turns++] = f->name;
	return --f->left > 0 ? TURN_MORE : TURN_IDLE;
}

static void
fake_add(struct server *server, struct fake *f, char name, int left)
{
	memset(f, 0, sizeof(*f));
	server_add(&f->transport);
	f->transport.privileged = true;
	f->transport.run = fake_run;
	f->name = name;
	f->left = left;
	server_activate(server, &f->transport);
}

static void
who_asks_little_waits_for_one_turn_of_those_who_ask_much(void **unused)
{
	static const struct server_config config;
	struct log *log = log_private(65536, 1);
	struct server *server = server_new(&config, log);
	struct fake flood[FLOODS], polite;
	size_t before, i;

	(void)unused;
	n_turns = 0;
	for (i = 0; i < FLOODS; i++)
		fake_add(server, &flood[i], (char)('a' + i), TURNS);
	fake_add(server, &polite, 'P', 1);
	while (memchr(order, 'P', n_turns) == NULL)
		assert_true(server_turn(server, false));
	/* again and again, beside those who have had turns */
	for (i = 0; i < TURNS; i++) {
		before = n_turns;
		polite.left = 1;
		server_activate(server, &polite.transport);
		(void)server_turn(server, false);
		assert_true(n_turns - before <= 4);
		assert_true(order[before] == 'P' || order[before + 1] == 'P');
	}
	/* and they go on meanwhile: all get all their turns */
	while (server_turn(server, false))
		;
	assert_int_equal(n_turns, FLOODS * TURNS + 1 + TURNS);
	for (i = 0; i < FLOODS; i++)
		assert_int_equal(flood[i].left, 0);
	server_free(server);
	log_close(log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    who_asks_little_waits_for_one_turn_of_those_who_ask_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
