/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * takeover RUNDIR KILLS [SEED]: 20 clients with books (books.h) at the socket
 * of the daemon that serves RUNDIR, while its processes are killed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "books.h"

enum { CLIENTS = 20 };

int
main(int argc, char *argv[])
{
	int i;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: takeover RUNDIR KILLS [SEED]\n");
		return 2;
	}
	books_begin(argv[1],
	    argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)time(NULL));
	for (i = 0; i < CLIENTS; i++)
		books_add_socket();
	books_open();
	books_kill(strtoul(argv[2], NULL, 10));
	return 0;
}
