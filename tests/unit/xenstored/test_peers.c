/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of the processes at the sockets: found by number and pid, for as
 * long as there is room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/peers.h"
#include "xenstored/plat.h"

static char dir[64], path[96];
static struct peers *peers;
static const struct peers *reader;

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/peers.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/peers", dir);
	peers = peers_make(path);
	assert_non_null(peers);
	reader = peers_map(path);
	return reader == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	peers_unmap(peers);
	peers_unmap(reader);
	(void)unlink(path);
	return rmdir(dir);
}

static void
a_name_is_found_by_number_and_pid(void **state)
{
	char name[PEERS_NAME] = "before";

	(void)state;
	assert_false(peers_find(reader, 5, 77, name));
	peers_note(peers, 5, 77, "xl");
	assert_true(peers_find(reader, 5, 77, name));
	assert_string_equal(name, "xl");
	strcpy(name, "before");
	assert_false(peers_find(reader, 5, 78, name));
	assert_false(peers_find(reader, 6, 77, name));
	assert_false(peers_find(reader, 0, 0, name));
	assert_false(peers_find(NULL, 5, 77, name));
	assert_string_equal(name, "before");
}

static void
a_later_one_takes_the_place(void **state)
{
	char name[PEERS_NAME];

	(void)state;
	peers_note(peers, 5, 77, "xl");
	peers_note(peers, 5 + PEERS_SLOTS, 77, "sh");
	assert_false(peers_find(reader, 5, 77, name));
	assert_true(peers_find(reader, 5 + PEERS_SLOTS, 77, name));
	assert_string_equal(name, "sh");
}

static void
one_without_a_name_is_not_known(void **state)
{
	char name[PEERS_NAME] = "";

	(void)state;
	peers_note(peers, 5, 77, name);
	assert_false(peers_find(reader, 5, 77, name));
	assert_null(peers_map("/nowhere/peers"));
}

static void
processes_say_what_they_are_called(void **state)
{
	char name[PEERS_NAME] = "?";

	(void)state;
	plat_process_name(getpid(), name);
	assert_true(name[0] == '\0' || strcmp(name, "test_peers") == 0);
	plat_process_name(0, name);
	assert_string_equal(name, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_is_found_by_number_and_pid),
		TEST(a_later_one_takes_the_place),
		TEST(one_without_a_name_is_not_known),
		TEST(processes_say_what_they_are_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
