/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rings HV_ROOT RUNDIR PUPPET GUESTS KILLS [SEED]: the same with GUESTS domains
 * besides (guest.c of tests/diff: real ones, running the kernel PUPPET, which
 * sends and receives the events of the ring that is worked here). Every second
 * one sends no event that the protocol does not need.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "books.h"
#include "tests/diff/diff.h"

enum { SOCKETS_ASKING = 20, PORTS = 4096 };

static struct machine *machine;
static unsigned client_of[PORTS]; /* 0: none */

static void
send_event(void *arg)
{
	guest_kick(machine, arg);
}

static void
events_come(void)
{
	int port;

	while ((port = machine_event(machine)) >= 0)
		if (port < PORTS && client_of[port] != 0)
			books_event(client_of[port]);
}

static void
add_guest(unsigned i)
{
	struct guest *g = guest_new(machine, i + 1);
	const struct books_ring ring = {
		.ring = guest_ring(g),
		.domid = i + 1,
		.gfn = guest_store_gfn(g),
		.port = guest_store_port(g),
		.kick = send_event,
		.arg = g,
		.quiet = i % 2 == 1,
	};
	int port = guest_string(g);

	if (port >= PORTS)
		books_wrong("a port beyond %d", PORTS);
	client_of[port] = books_add_ring(&ring);
}

int
main(int argc, char *argv[])
{
	unsigned i, guests;

	if (argc < 6 || argc > 7) {
		fprintf(stderr, "usage: rings HV_ROOT RUNDIR PUPPET GUESTS "
				"KILLS [SEED]\n");
		return 2;
	}
	guests = (unsigned)atoi(argv[4]);
	books_begin(argv[2],
	    argc > 6 ? strtoull(argv[6], NULL, 10) : (uint64_t)time(NULL));
	machine = machine_open(argv[1], argv[3]);
	for (i = 0; i < SOCKETS_ASKING; i++)
		books_add_socket();
	for (i = 0; i < guests; i++) {
		add_guest(i);
		usleep(10000); /* not more at once than hvd starts */
	}
	books_events_from(machine_fd(machine), events_come);
	books_open();
	books_kill(strtoul(argv[5], NULL, 10));
	return 0;
}
