/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases 13 to 30: identity, permissions, paths. */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOME "/local/domain/1"

static void
a_right_for_nobody(void)
{
	ask(S0, WIRE_WRITE, 0, "/t/a|v");
	die(G2);
	ask(S0, WIRE_SET_PERMS, 0, "/t/a|n0|r2");
	birth(G2);
	MUST(is(ask(G2, WIRE_READ, 0, "/t/a"), "EACCES"),
	    "a later domain with that id may read");
}

static void
a_right_dies(void)
{
	ask(S0, WIRE_WRITE, 0, "/t/a|v");
	ask(S0, WIRE_SET_PERMS, 0, "/t/a|n0|r2");
	MUST(is(ask(G2, WIRE_READ, 0, "/t/a"), "v"), "the right is none");
	die(G2);
	birth(G2);
	MUST(is(ask(G2, WIRE_READ, 0, "/t/a"), "EACCES"),
	    "the next domain with that id may read");
	/* and when it was released and introduced between */
	ask(S0, WIRE_SET_PERMS, 0, "/t/a|n0|r2");
	target_guest_release(daemon_, G2);
	target_guest_introduce(daemon_, G2);
	ask(S0, WIRE_SET_PERMS, 0, "/t/a|n0|r2");
	die(G2);
	birth(G2);
	MUST(is(ask(G2, WIRE_READ, 0, "/t/a"), "EACCES"),
	    "after a release, the next domain with that id may read");
}

static void
counters_start_at_nothing(void)
{
	int life, i;

	for (life = 0; life < 2; life++) {
		for (i = 0; i < 600; i++)
			MUST(is(ask(G1, WIRE_WRITE, 0, "d%d/n%d|v", i / 60, i),
				 "OK"),
			    "life %d: node %d is refused", life + 1, i);
		for (i = 0; i < 90; i++)
			MUST(is(ask(G1, WIRE_WATCH, 0, "n%d|t", i), "OK"),
			    "life %d: watch %d is refused", life + 1, i);
		die(G1);
		birth(G1);
	}
}

static void
target_first(void)
{
	ask(S0, WIRE_WATCH, 0, "@releaseDomain|r");
	ask(S0, WIRE_WRITE, 0, "/t/a|v");
	ask(S0, WIRE_SET_PERMS, 0, "/t/a|n0|r1");
	ask(S0, WIRE_SET_TARGET, 0, "2|1");
	MUST(is(ask(G2, WIRE_READ, 0, "/t/a"), "v"), "no rights of the target");
	forget_events();
	guest_free(daemon_->machine, daemon_->link[G1].guest);
	daemon_->link[G1].guest = NULL;
	{
		long end = now_us() + 1500000;

		while (now_us() < end && events(S0, "@releaseDomain") == 0)
			;
	}
	MUST(events(S0, "@releaseDomain") > 0,
	    "the target's death is not told while the other one lives");
	MUST(is(ask(G2, WIRE_READ, 0, "/t/a"), "EACCES"),
	    "it keeps a dead target's rights");
	die(G2);
	birth(G2);
	birth(G1);
	ask(S0, WIRE_SET_TARGET, 0, "2|1");
	die(G2);
	die(G1);
}

static void
the_first_entry_counts(void)
{
	ask(S0, WIRE_WRITE, 0, "/t/a|v");
	ask(S0, WIRE_SET_PERMS, 0, "/t/a|n0|n1|b1|r2");
	MUST(is(ask(G1, WIRE_READ, 0, "/t/a"), "EACCES"),
	    "a later entry counts");
	MUST(is(ask(G2, WIRE_READ, 0, "/t/a"), "v"), "r is no right to read");
	MUST(is(ask(G2, WIRE_WRITE, 0, "/t/a|w"), "EACCES"),
	    "r is one to write");
	ask(S0, WIRE_SET_PERMS, 0, "/t/a|n0|w1");
	MUST(is(ask(G1, WIRE_WRITE, 0, "/t/a|w"), "OK"),
	    "w is no right to write");
	MUST(is(ask(G1, WIRE_READ, 0, "/t/a"), "EACCES"), "w is one to read");
	MUST(is(ask(G1, WIRE_GET_PERMS, 0, "/t/a"), "EACCES"),
	    "w is one to see permissions");
	MUST(is(ask(G1, WIRE_SET_PERMS, 0, "/t/a|b1"), "EACCES"),
	    "w is one to change them");
	ask(S0, WIRE_SET_PERMS, 0, "/t/a|b0|n1");
	MUST(is(ask(G1, WIRE_READ, 0, "/t/a"), "EACCES"), "n is no refusal");
	MUST(is(ask(G2, WIRE_READ, 0, "/t/a"), "w"), "the default is not b");
}

static void
missing_or_hidden(void)
{
	static const unsigned ops[] = { WIRE_READ, WIRE_DIRECTORY,
		WIRE_GET_PERMS, WIRE_RM, WIRE_MKDIR };
	char hidden[64];
	size_t i;

	ask(S0, WIRE_WRITE, 0, "/t/hidden|v");
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		snprintf(hidden, sizeof(hidden), "%s",
		    ask(G1, ops[i], 0, "/t/hidden"));
		MUST(is(ask(G1, ops[i], 0, "/t/missing"), hidden),
		    "%s tells them apart", wire_op_name(ops[i]));
	}
}

static void
nodes_given_away(void)
{
	ask(G1, WIRE_WRITE, 0, "a|v");
	MUST(is_one_of(ask(G1, WIRE_SET_PERMS, 0, "a|n2"), "EPERM EACCES"),
	    "it may");
	MUST(is_one_of(ask(G1, WIRE_SET_PERMS, 0, "a|n0"), "EPERM EACCES"),
	    "it may, to domain 0");
	MUST(is(ask(S0, WIRE_GET_PERMS, 0, HOME "/a"), "n1"),
	    "the permissions changed");
}

static void
root_and_specials(void)
{
	static const char *const path[] = { "/", "/tool", "/local" };
	size_t i;

	for (i = 0; i < 3; i++) {
		MUST(is_one_of(
			 ask(G1, WIRE_RM, 0, "%s", path[i]), "EACCES EINVAL"),
		    "RM %s", path[i]);
		MUST(is(ask(G1, WIRE_WRITE, 0, "%s|v", path[i]), "EACCES"),
		    "WRITE %s", path[i]);
		MUST(is_one_of(ask(G1, WIRE_SET_PERMS, 0, "%s|b1", path[i]),
			 "EACCES EPERM"),
		    "SET_PERMS %s", path[i]);
	}
	MUST(!is(ask(G1, WIRE_SET_PERMS, 0, "@releaseDomain|b1"), "OK"),
	    "SET_PERMS of a special");
	MUST(!is(ask(G1, WIRE_RM, 0, "@releaseDomain"), "OK"),
	    "RM of a special");
	MUST(!is(ask(S0, WIRE_RM, 0, "/"), "OK"), "the root can be removed");
	MUST(!is(ask(S0, WIRE_DIRECTORY, 0, "/"), "SILENCE"), "no root");
}

static void
only_readers_are_told(void)
{
	ask(S0, WIRE_WRITE, 0, "/t/secret/deep|v");
	ask(G1, WIRE_WATCH, 0, "/|t");
	ask(G1, WIRE_WATCH, 0, "@introduceDomain|t");
	forget_events();
	ask(S0, WIRE_WRITE, 0, "/t/secret/other|v");
	ask(S0, WIRE_RM, 0, "/t/secret/deep");
	die(G2);
	birth(G2);
	MUST(events(G1, "/t") == 0, "it is told of what it may not see");
	MUST(events(G1, "@intro") == 0, "it is told of other domains");
}

static void
the_last_event(void)
{
	ask(S0, WIRE_WRITE, 0, "/t/a|v");
	ask(S0, WIRE_SET_PERMS, 0, "/t/a|r0");
	ask(G1, WIRE_WATCH, 0, "/t/a|t");
	forget_events();
	ask(S0, WIRE_SET_PERMS, 0, "/t/a|n0");
	MUST(events(G1, "/t/a") == 1, "that it may not read is not told");
	forget_events();
	ask(S0, WIRE_WRITE, 0, "/t/a|w");
	MUST(events(G1, "/t/a") == 0, "it is told although it may not read");
}

static void
for_the_privileged(void)
{
	static const unsigned ops[] = { WIRE_INTRODUCE, WIRE_RELEASE,
		WIRE_IS_DOMAIN_INTRODUCED, WIRE_RESUME, WIRE_SET_TARGET,
		WIRE_SET_FEATURE, WIRE_SET_QUOTA };
	unsigned tx = begin(G1);
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		MUST(is_one_of(ask(G1, ops[i], 0, "2|1|1"), "EACCES ENOSYS"),
		    "%s", wire_op_name(ops[i]));
		MUST(is_one_of(ask(G1, ops[i], tx, "2"), "EACCES ENOSYS"),
		    "%s in a transaction", wire_op_name(ops[i]));
	}
	MUST(is(ask(G1, WIRE_CONTROL, 0, "check"), "EACCES"), "CONTROL check");
	MUST(is(ask(G1, WIRE_CONTROL, 0, "nonsense"), "EACCES"),
	    "CONTROL of an unknown command: %s",
	    ask(G1, WIRE_CONTROL, 0, "nonsense"));
}

static void
domid_any(void)
{
	ask(S0, WIRE_WRITE, 0, "/t/a|v");
	MUST(is_one_of(
		 ask(S0, WIRE_SET_PERMS, 0, "/t/a|n0|r32757"), "OK EINVAL"),
	    "it is not answered");
	MUST(others_are_served(), "others are not served");
}

static void
bad_permissions(void)
{
	static const char *const bad[] = { "", "r", "x0", "b6junk", "r-1",
		"r99999999999", "1r" };
	size_t i;

	ask(S0, WIRE_WRITE, 0, "/t/a|v");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		MUST(is(ask(S0, WIRE_SET_PERMS, 0, "/t/a|n0|%s", bad[i]),
			 "EINVAL"),
		    "'%s' is taken", bad[i]);
		MUST(is(ask(S0, WIRE_GET_PERMS, 0, "/t/a"), "n0"),
		    "'%s' changed something", bad[i]);
	}
}

static void
odd_paths(void)
{
	static const char *const odd[] = { "", "//", "/a/", "/local/domain/",
		"/local/domain//x", "local//x", "a b" };
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		MUST(is_one_of(ask(G1, WIRE_READ, 0, "%s", odd[i]),
			 "EINVAL ENOENT EACCES"),
		    "READ '%s' by a guest", odd[i]);
		MUST(is(ask(G1, WIRE_WRITE, 0, "%s|v", odd[i]), "EINVAL"),
		    "WRITE '%s' by a guest", odd[i]);
		MUST(is(ask(S0, WIRE_WRITE, 0, "%s|v", odd[i]), "EINVAL"),
		    "WRITE '%s'", odd[i]);
		MUST(others_are_served(), "after '%s' others are not served",
		    odd[i]);
	}
	ask(G1, WIRE_READ, 0, "/local/domain/x");
	ask(G1, WIRE_READ, 0, "/local/domain/4294967296/a");
	MUST(others_are_served(), "others are not served");
}

/* The longest path that the guest can make: others can list and remove it. */
static void
the_longest_path(void)
{
	char path[3200];
	size_t len;

	memset(path, 'p', sizeof(path));
	for (len = 3100; len > 100; len--) {
		path[len] = '\0';
		if (is(ask(G1, WIRE_MKDIR, 0, "%s", path), "OK"))
			break;
		path[len] = 'p';
	}
	MUST(len > 100, "none can be made");
	MUST(strlen(ask(S0, WIRE_DIRECTORY, 0, HOME)) == len,
	    "one of %zu is not listed", len);
	MUST(is(ask(S0, WIRE_READ, 0, HOME "/%s", path), ""),
	    "one of %zu cannot be read by others", len);
	MUST(is(ask(S0, WIRE_RM, 0, HOME "/%s", path), "OK"),
	    "one of %zu cannot be removed by others", len);
	MUST(is(ask(S0, WIRE_DIRECTORY, 0, HOME), ""), "it is still there");
}

static void
a_deep_tree(void)
{
	char path[2100] = "a";
	int i;

	for (i = 1; i < 500; i++)
		strcat(path, "/a");
	MUST(is(ask(G1, WIRE_WRITE, 0, "%s|v", path), "OK"), "500 levels");
	MUST(is(ask(S0, WIRE_READ, 0, HOME "/%s", path), "v"), "not read");
	MUST(is(ask(S0, WIRE_RM, 0, HOME "/a"), "OK"), "not removed");
	MUST(
	    is(ask(G1, WIRE_WRITE, 0, "%s|v", path), "OK"), "500 levels again");
	die(G1);
	birth(G1);
	MUST(others_are_served(), "others are not served");
}

static void
every_byte(void)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_@";
	int c;

	for (c = 1; c < 256; c++) {
		const char *r;

		if (c == '|' || c == '/')
			continue;
		r = ask(S0, WIRE_MKDIR, 0, "/t/x%cx", c);
		MUST(is(r, strchr(legal, c) != NULL ? "OK" : "EINVAL"),
		    "byte %d: %s", c, r);
	}
}

const struct security_case right_cases[] = {
	{ 13, "322", "a right given before there is such a domain",
	    a_right_for_nobody, NULL },
	{ 14, "417", "a right of a domain that died", a_right_dies, NULL },
	{ 15, "322", "two lives of one id between two interrupts", NULL,
	    "the hypervisor reuses no id whose page is mapped" },
	{ 16, "483", "a reused id starts with nothing used",
	    counters_start_at_nothing, NULL },
	{ 17, "233, 325", "a stubdom and its target end in any order",
	    target_first, NULL },
	{ 18, "115", "the first entry that matches counts",
	    the_first_entry_counts, NULL },
	{ 19, "115", "missing and hidden look the same", missing_or_hidden,
	    NULL },
	{ 20, "352", "a guest gives no node away", nodes_given_away, NULL },
	{ 21, "353", "the root and the specials are not a guest's",
	    root_and_specials, NULL },
	{ 22, "115", "who may not read is told nothing", only_readers_are_told,
	    NULL },
	{ 23, "115", "that it may not read any more is told", the_last_event,
	    NULL },
	{ 24, "115", "privileged operations are for the privileged",
	    for_the_privileged, NULL },
	{ 25, "-", "a permission for any domain", domid_any, NULL },
	{ 26, "-", "permissions that are none", bad_permissions, NULL },
	{ 27, "481", "odd paths", odd_paths, NULL },
	{ 28, "323", "the longest path can be removed by others",
	    the_longest_path, NULL },
	{ 29, "418", "a deep tree", a_deep_tree, NULL },
	{ 30, "-", "every byte in a name", every_byte, NULL },
	{ 0, NULL, NULL, NULL, NULL },
};
