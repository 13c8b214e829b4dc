/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases 41 to 60: transactions, watches, directories, resources. */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HOME "/local/domain/1"

static void
reset_in_a_transaction(void)
{
	unsigned tx;

	ask(G1, WIRE_WATCH, 0, "x|t");
	MUST(is_one_of(
		 ask(G1, WIRE_RESET_WATCHES, 57005, "%s", ""), "ENOENT EIO"),
	    "with a dead transaction it is done");
	ask(G1, WIRE_WRITE, 0, "x|v");
	MUST(events(G1, "x") > 0, "the watch is gone although it was refused");
	tx = begin(G1);
	ask(G1, WIRE_WRITE, tx, "x|w");
	ask(G1, WIRE_READ, tx, "x");
	MUST(is(ask(G1, WIRE_RESET_WATCHES, tx, "%s", ""), "OK"),
	    "in a transaction it is refused");
	MUST(is_one_of(ask(G1, WIRE_READ, tx, "x"), "ENOENT EIO"),
	    "the transaction is still there");
	MUST(others_are_served(), "others are not served");
}

static void
another_letter(void)
{
	unsigned tx = begin(G1);

	ask(G1, WIRE_WRITE, tx, "x|v");
	MUST(
	    is(ask(G1, WIRE_TRANSACTION_END, tx, "X"), "EINVAL"), "X is taken");
	MUST(is(ask(G1, WIRE_TRANSACTION_END, tx, "T"), "OK"),
	    "the transaction has ended");
	MUST(is(ask(G1, WIRE_READ, 0, "x"), "v"), "it was not committed");
}

static void
released_while_busy(void)
{
	char m[128];
	int i;

	for (i = 0; i < 20; i++) {
		tell(G1, WIRE_WRITE, 0, "x|v");
		tell(S0, WIRE_RELEASE, 0, "1");
		/* its own reply may come or not */
		daemon_->link[G1].released = true;
		targets_wait();
		link_forget(&daemon_->link[G1]);
		MUST(is_one_of(ask(S0, WIRE_RELEASE, 0, "1"), "ENOENT EINVAL"),
		    "a second time it is taken");
		target_guest_introduce(daemon_, G1);
		/* half a request, and then away */
		put_bytes(G1, m, message(m, WIRE_READ, "x", 2) - 1);
		ask(S0, WIRE_RELEASE, 0, "1");
		daemon_->link[G1].shut = false;
		target_guest_introduce(daemon_, G1);
		MUST(others_are_served(), "others are not served");
		die(G1);
		birth(G1);
	}
}

static void
introduced_again_while_busy(void)
{
	unsigned tx;
	char m[128];
	int i;

	for (i = 0; i < 20; i++) {
		tx = begin(G1);
		ask(G1, WIRE_WRITE, tx, "x|v");
		ask(G1, WIRE_WATCH, 0, "x|t");
		put_bytes(G1, m, message(m, WIRE_READ, "x", 2) - 1);
		daemon_->link[G1].shut = false;
		MUST(target_guest_introduce(daemon_, G1)->type != WIRE_ERROR,
		    "it cannot be introduced again");
		MUST(is(ask(G1, WIRE_GET_DOMAIN_PATH, 0, "7"),
			 "/local/domain/7"),
		    "it is not served afterwards");
		MUST(is_one_of(ask(G1, WIRE_READ, tx, "x"), "ENOENT EIO"),
		    "a transaction of before goes on");
		forget_events();
		ask(S0, WIRE_WRITE, 0, HOME "/x|w");
		MUST(events(G1, "x") == 0, "a watch of before goes on");
	}
}

static void
an_event_too_long(void)
{
	char token[3001], path[2001];

	memset(token, 't', sizeof(token) - 1);
	token[sizeof(token) - 1] = '\0';
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ask(S0, WIRE_WATCH, 0, "/t|%s", token);
	ask(S0, WIRE_WRITE, 0, "/t/%s|v", path);
	MUST(is(ask(S0, WIRE_GET_DOMAIN_PATH, 0, "7"), "/local/domain/7"),
	    "its connection is gone");
}

static void
watches_of_all_kinds(void)
{
	const long bearable = raw_bearable(1000000);
	long took;
	int i;

	MUST(is(ask(S0, WIRE_WATCH, 0, "/t/a|t"), "OK"), "no watch");
	MUST(is(ask(S0, WIRE_WATCH, 0, "/t/a|t"), "EEXIST"), "a second one");
	MUST(is(ask(S0, WIRE_UNWATCH, 0, "/t/a|u"), "ENOENT"),
	    "one that is not there");
	for (i = 0; i < 2000; i++)
		MUST(is(ask(S1, WIRE_WATCH, 0, "/t/b|%d", i), "OK"), "watch %d",
		    i);
	target_clear_events(daemon_);
	took = now_us();
	tell(S0, WIRE_WRITE, 0, "/t/b|v");
	MUST(others_are_served(), "others are not served meanwhile");
	took = now_us() - took;
	MUST(took < bearable, "others wait %ld ms", took / 1000);
	targets_barrier(1u << S1);
	MUST(daemon_->lost_events, "not all are told"); /* more than it holds */
}

static void
a_failed_write_in_a_transaction(void)
{
	unsigned tx = begin(G1);
	char value[3001];

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	ask(G1, WIRE_WRITE, tx, "good|v");
	MUST(!is(ask(G1, WIRE_WRITE, tx, "bad|%s", value), "OK"),
	    "3000 bytes are taken");
	MUST(!is(commit(G1, tx), "OK") ||
		 !is(ask(G1, WIRE_READ, 0, "good"), "v"),
	    "half of it was committed");
}

static void
order_of_deaths(void)
{
	if (is(ask(S0, WIRE_WATCH, 0, "@releaseDomain|r|1"), "EINVAL")) {
		case_void("it has no depths");
		return;
	}
	forget_events();
	die(G1);
	MUST(events(S0, "@releaseDomain/1") > 0, "the domain is not named");
}

static void
depths(void)
{
	static const struct {
		const char *depth;
		bool ok;
	} all[] = { { "0", true }, { "1", true }, { "65534", true },
		{ "-1", false }, { "abc", false } };
	size_t i;

	if (is(ask(S0, WIRE_WATCH, 0, "/t|z|1"), "EINVAL")) {
		case_void("it has no depths");
		return;
	}
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		MUST(is(ask(S0, WIRE_WATCH, 0, "/t|%zu|%s", i, all[i].depth),
			 "OK") == all[i].ok,
		    "depth %s", all[i].depth);
}

static void
many_children(void)
{
	char next[32] = "0", part[8192];
	const struct reply *r;
	size_t offset = 0, len;
	int i, n = 0;

	for (i = 0; i < 5000; i++)
		ask(S0, WIRE_MKDIR, 0, "/t/d/n%d", i);
	MUST(is(ask(S0, WIRE_DIRECTORY, 0, "/t/d"), "E2BIG"),
	    "a listing of 30 kB is sent as one");
	for (i = 0; i < 100; i++) {
		snprintf(next, sizeof(next), "%zu", offset);
		ask(S0, WIRE_DIRECTORY_PART, 0, "/t/d|%s", next);
		r = target_reply(daemon_, S0);
		MUST(r->type != WIRE_ERROR, "parts: %s", r->payload);
		memcpy(part, r->payload, r->len);
		len = r->len - strlen(part) - 1;
		for (size_t at = strlen(part) + 1; at < r->len; at++)
			n += part[at] == '\0' && part[at - 1] != '\0';
		offset += len;
		if (r->len >= 2 && part[r->len - 1] == '\0' &&
		    part[r->len - 2] == '\0')
			break;
	}
	MUST(n == 5000, "%d of 5000 are listed", n);
}

static void
replies_fit_a_message(void)
{
	char list[4200] = "n0";
	int i;

	for (i = 0; i < 700; i++)
		ask(S0, WIRE_MKDIR, 0, "/t/d/n%d", i);
	ask(S0, WIRE_SET_PERMS, 0, "/t/d|r0");
	for (i = 1; i < 600; i++)
		snprintf(list + strlen(list), 8, "|r%d", i);
	ask(S0, WIRE_SET_PERMS, 0, "/t|%s", list);
	ask(S0, WIRE_GET_PERMS, 0, "/t");
	MUST(target_reply(daemon_, S0)->len <= WIRE_PAYLOAD_MAX,
	    "permissions of %zu bytes", target_reply(daemon_, S0)->len);
	ask(G1, WIRE_DIRECTORY, 0, "/t/d");
	MUST(target_reply(daemon_, G1)->len <= WIRE_PAYLOAD_MAX,
	    "a guest's listing of %zu bytes", target_reply(daemon_, G1)->len);
	MUST(is(ask(G1, WIRE_GET_DOMAIN_PATH, 0, "7"), "/local/domain/7"),
	    "the guest's ring is dead");
	ask(S0, WIRE_DIRECTORY, 0, "/t/d");
	MUST(target_reply(daemon_, S0)->len <= WIRE_PAYLOAD_MAX,
	    "a listing of %zu bytes", target_reply(daemon_, S0)->len);
}

static void
many_clients(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	long before;
	int fd[400], i;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", daemon_->socket);
	for (i = 0; i < 400; i++) {
		fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd[i], (void *)&sun, sizeof(sun)) != 0)
			break;
		if (write(fd[i], "half", 4) != 4)
			break;
	}
	MUST(i == 400, "client %d is refused", i);
	MUST(others_are_served(), "others are not served");
	for (i = 0; i < 400; i++)
		close(fd[i]);
	/* one who watches and never reads */
	fd[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd[0], (void *)&sun, sizeof(sun)) == 0) {
		char m[64];
		size_t n = message(m, WIRE_WATCH, "/t\0t", 5);

		MUST(write(fd[0], m, n) == (ssize_t)n, "not written");
	}
	ask(S0, WIRE_WRITE, 0, "/t/n|v");
	before = memory_kib();
	for (i = 0; i < 30000; i++)
		if (is(ask(S0, WIRE_WRITE, 0, "/t/n%d|v", i % 500), "SILENCE"))
			break;
	MUST(i == 30000, "a writer is not answered any more");
	close(fd[0]);
	MUST(memory_kib() < before + 4096, "memory grew by %ld KiB",
	    memory_kib() - before);
}

const struct security_case other_cases[] = {
	{ 41, "484", "RESET_WATCHES in a transaction", reset_in_a_transaction,
	    NULL },
	{ 42, "-", "a transaction ended by another letter", another_letter,
	    NULL },
	{ 43, "425", "a domain released with requests under way",
	    released_while_busy, NULL },
	{ 44, "425", "introduced again with requests under way",
	    introduced_again_while_busy, NULL },
	{ 45, "324", "an event longer than a message", an_event_too_long,
	    NULL },
	{ 46, "-", "watches: twice, none, thousands of one path",
	    watches_of_all_kinds, NULL },
	{ 47, "414", "a failed write in a transaction",
	    a_failed_write_in_a_transaction, NULL },
	{ 48, "-", "deaths are told by name", order_of_deaths, NULL },
	{ 49, "-", "depths of watches", depths, NULL },
	{ 50, "72", "thousands of children are listed in parts", many_children,
	    NULL },
	{ 51, "72", "replies fit a message", replies_fit_a_message, NULL },
	{ 52, "414", "no memory at any moment", NULL,
	    "needs the daemon's allocator" },
	{ 53, "326", "many clients, and one who never reads", many_clients,
	    NULL },
	{ 54, "492", "hypervisor calls that fail or block", NULL,
	    "needs other hypervisor libraries" },
	{ 60, "-", "a hostile daemon", NULL,
	    "a property of the client library" },
	{ 0, NULL, NULL, NULL, NULL },
};
