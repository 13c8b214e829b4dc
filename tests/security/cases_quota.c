/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases 31 to 40: quotas and what they count. */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOME "/local/domain/1"
#define ENOUGH "ENOSPC E2BIG EQUOTA ENOMEM"

/* Nodes that G1 may own, its home included. */
static int
count_nodes(void)
{
	int nodes = 1, i;

	for (i = 0; i < 1200; i++) {
		if (!is(ask(G1, WIRE_MKDIR, 0, "d%d/n%d", i / 60, i), "OK"))
			break;
		nodes += 1 + (i % 60 == 0);
	}
	for (i = 0; i < 3; i++)
		nodes += is(ask(G1, WIRE_MKDIR, 0, "last%d", i), "OK");
	for (i = 0; i < 20; i++)
		ask(G1, WIRE_RM, 0, "d%d", i);
	return nodes;
}

static void
limits_end_at_n(void)
{
	int watches = 0, open = 0, perms = 1, size = 1900, nodes;
	char list[256] = "n1", value[2100];
	int limit_watches = strcmp(daemon_->name, "ox417") == 0 ? 100 : 128;

	while (open < 200 && begin(G1) != 0)
		open++;
	while (
	    watches < 300 && is(ask(G1, WIRE_WATCH, 0, "w%d|t", watches), "OK"))
		watches++;
	ask(G1, WIRE_RESET_WATCHES, 0, "%s", "");
	nodes = count_nodes();
	ask(G1, WIRE_WRITE, 0, "p|v");
	while (perms < 30) {
		snprintf(list + strlen(list), 8, "|r%d", perms + 1);
		if (!is(ask(G1, WIRE_SET_PERMS, 0, "p|%s", list), "OK"))
			break;
		perms++;
	}
	memset(value, 'v', sizeof(value));
	for (; size < 2099; size++) {
		value[size] = '\0';
		if (!is(ask(G1, WIRE_WRITE, 0, "s|%s", value), "OK"))
			break;
		value[size] = 'v';
	}
	MUST(open == 10, "transactions: %d of 10", open);
	MUST(watches == limit_watches, "watches: %d of %d", watches,
	    limit_watches);
	MUST(nodes == 1000, "nodes: %d of 1000", nodes);
	MUST(perms == 5, "permissions: %d of 5", perms);
	MUST(size - 1 <= 2048, "values of more than 2048 bytes");
}

static void
made_and_removed(void)
{
	int i;

	for (i = 0; i < 1500; i++) {
		unsigned tx = begin(G1);

		ask(G1, WIRE_WRITE, tx, "x|v");
		ask(G1, WIRE_RM, tx, "x");
		MUST(is(commit(G1, tx), "OK"), "commit %d", i);
	}
	for (i = 0; i < 300; i++) {
		unsigned tx = begin(G1);

		ask(G1, WIRE_WRITE, 0, "y|v");
		ask(G1, WIRE_WRITE, tx, "y/z|v");
		ask(S0, WIRE_RM, 0, HOME "/y");
		commit(G1, tx);
		ask(S0, WIRE_RM, 0, HOME "/y");
	}
	for (i = 0; i < 300; i++)
		MUST(is(ask(G1, WIRE_WRITE, 0, "n%d|v", i), "OK"),
		    "afterwards node %d is refused", i);
	for (i = 300; i < 1100; i++)
		if (!is(ask(G1, WIRE_WRITE, 0, "m/n%d|v", i), "OK"))
			break;
	MUST(i < 1001, "afterwards there is no limit");
}

static void
a_whole_that_is_too_much(void)
{
	unsigned one = begin(G1), two = begin(G1);
	const char *r;
	int i;

	for (i = 0; i < 300; i++) {
		ask(G1, WIRE_WRITE, one, "a/n%d|v", i);
		ask(G1, WIRE_WRITE, one, "b/n%d|v", i);
		ask(G1, WIRE_WRITE, two, "c/n%d|v", i);
		ask(G1, WIRE_WRITE, two, "d/n%d|v", i);
	}
	MUST(is(commit(G1, one), "OK"), "the first is refused");
	r = commit(G1, two);
	MUST(is_one_of(r, ENOUGH " EAGAIN"), "the second: %s", r);
	MUST(!is(ask(S0, WIRE_READ, 0, HOME "/c/n0"), "v"),
	    "part of it was done");
	r = ask(S0, WIRE_DIRECTORY, 0, HOME);
	MUST(is(r, "a b"), "left: %s", r);
}

static void
a_parent_that_is_full(void)
{
	char name[31];
	int made = 0, listed = 0;
	const char *r;

	memset(name, 'n', 30);
	name[30] = '\0';
	while (made < 100) {
		snprintf(name, 5, "%04d", made);
		name[4] = 'n';
		if (!is(ask(G1, WIRE_MKDIR, 0, "%s", name), "OK"))
			break;
		made++;
	}
	r = ask(S0, WIRE_DIRECTORY, 0, HOME);
	for (listed = *r != '\0'; *r != '\0'; r++)
		listed += *r == ' ';
	MUST(listed == made, "%d made, %d listed", made, listed);
}

static void
limit_is_low(void)
{
	MUST(is(ask(G1, WIRE_WRITE, 0, "new|v"), "ENOSPC"), "it may grow");
	MUST(is(ask(G1, WIRE_WRITE, 0, "n1|w"), "OK"), "it may not change");
	MUST(is(ask(G1, WIRE_RM, 0, "n2"), "OK"), "it may not shrink");
}

static void
a_limit_below_use(void)
{
	int i;

	for (i = 0; i < 10; i++)
		ask(G1, WIRE_WRITE, 0, "n%d|v", i);
	/* for all domains, since releases up to 4.17 know only that */
	if (!is(ask(S0, WIRE_CONTROL, 0, "quota|set|nodes|3"), "OK") ||
	    is(ask(S0, WIRE_CONTROL, 0, "nonsense"), "OK")) {
		case_void("its limits cannot be changed");
		return;
	}
	limit_is_low();
	ask(S0, WIRE_CONTROL, 0, "quota|set|nodes|1000");
}

/* A guest makes children of its home while a toolstack adds others to it. */
static void
a_storm_of_writes(void)
{
	int tries, i = 0;

	for (tries = 1; tries <= 50; tries++) {
		unsigned tx = begin(S0);

		ask(S0, WIRE_WRITE, tx, HOME "/device/vif/0|v");
		ask(S0, WIRE_WRITE, tx, HOME "/control|v");
		tell(G1, WIRE_WRITE, 0, "storm%d|v", i++);
		tell(S1, WIRE_GET_DOMAIN_PATH, 0, "7");
		targets_wait();
		if (is(commit(S0, tx), "OK"))
			break;
	}
	MUST(tries <= 50, "50 transactions of a toolstack fail in a row");
}

static void
all_transactions_full(void)
{
	long before = memory_kib();
	char value[1901];
	unsigned tx[10];
	int i, j;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (i = 0; i < 10; i++)
		tx[i] = begin(G1);
	for (i = 0; i < 10; i++)
		for (j = 0; j < 900; j++)
			if (is(ask(G1, WIRE_WRITE, tx[i], "d%d/n%d|%s", j / 100,
				   j, value),
				"SILENCE"))
				i = j = 1000; /* it is not served any more */
	MUST(memory_kib() < before + 12288, "memory grew by %ld MiB",
	    (memory_kib() - before) >> 10);
}

static void
permissions_to_the_limit(void)
{
	ask(G1, WIRE_WRITE, 0, "a|v");
	ask(G1, WIRE_SET_PERMS, 0, "a|n1|r2|r3|r4|r5");
	MUST(is(ask(S0, WIRE_SET_PERMS, 0, HOME "/a|n1|r2|r3|r4|r5|r6|r7"),
		 "OK"),
	    "a toolstack cannot add one");
}

const struct security_case quota_cases[] = {
	{ 31, "272", "each limit allows N and no more", limits_end_at_n, NULL },
	{ 33, "421, 440", "made and removed in transactions", made_and_removed,
	    NULL },
	{ 34, "-", "limits hold for the whole at a commit",
	    a_whole_that_is_too_much, NULL },
	{ 35, "115", "a parent that takes no more children",
	    a_parent_that_is_full, NULL },
	{ 36, "-", "a limit below what is used", a_limit_below_use, NULL },
	{ 37, "206", "a storm of writes starves no toolstack",
	    a_storm_of_writes, NULL },
	{ 38, "326", "all transactions full of large values",
	    all_transactions_full, NULL },
	{ 39, "-", "permissions up to the limit", permissions_to_the_limit,
	    NULL },
	{ 0, NULL, NULL, NULL, NULL },
};
