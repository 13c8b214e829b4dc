/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of domain 0 that has its events from NetBSD's xenevt node, by
 * libxenevtchn; it talks with one that is attached to hvd itself. Exit status 0
 * if what each sends is what the other gets. With "hold" it keeps the node open
 * afterwards until its standard input ends.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "xenevtchn.h"

#define FUSE_MAGIC 0x65735546

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static xenevtchn_handle *
open_by(const char *provider)
{
	xenevtchn_handle *h;

	setenv("HV_PROVIDER", provider, 1);
	h = xenevtchn_open(NULL, 0);
	if (h == NULL)
		fail(provider);
	return h;
}

static bool
on_the_node(xenevtchn_handle *h)
{
	struct statfs s;

	return fstatfs(xenevtchn_fd(h), &s) == 0 && s.f_type == FUSE_MAGIC;
}

/* PORT, and nothing else, comes to H. */
static void
expect(xenevtchn_handle *h, int port, const char *where)
{
	struct pollfd p = { .fd = xenevtchn_fd(h), .events = POLLIN };
	int got;

	errno = ETIME;
	if (poll(&p, 1, 60000) != 1)
		fail(where);
	got = xenevtchn_pending(h);
	if (got != port) {
		fprintf(
		    stderr, "%s: port %d, not %d, came\n", where, got, port);
		exit(1);
	}
	if (xenevtchn_unmask(h, (evtchn_port_t)got) != 0)
		fail(where);
}

int
main(int argc, char **argv)
{
	xenevtchn_handle *node = open_by("netbsd"), *direct = open_by("hosted");
	int here = xenevtchn_bind_unbound_port(node, 0), there;
	char c;

	if (!on_the_node(node) || on_the_node(direct)) {
		fprintf(stderr, "the wrong provider was taken\n");
		return 1;
	}
	if (here <= 0)
		fail("binding a port through the node");
	there = xenevtchn_bind_interdomain(direct, 0, (evtchn_port_t)here);
	if (there <= 0)
		fail("binding its other end");
	expect(direct, there, "what binding pends");
	for (int i = 0; i < 100; i++) {
		if (xenevtchn_notify(direct, (evtchn_port_t)there) != 0)
			fail("sending to the node");
		expect(node, here, "from the node");
		if (xenevtchn_notify(node, (evtchn_port_t)here) != 0)
			fail("sending through the node");
		expect(direct, there, "sent through the node");
	}
	puts("100 events each way");
	fflush(stdout);
	while (argc > 1 && strcmp(argv[1], "hold") == 0 && read(0, &c, 1) > 0)
		;
	xenevtchn_close(direct);
	xenevtchn_close(node);
	return 0;
}
