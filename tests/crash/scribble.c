/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scribble RUNDIR TIMES: tells the supervisor, TIMES times and falsely, that
 * the primary is ending, as a primary could that somebody has got hold of.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/crash/asker.h"
#include "xenstored/flight.h"

enum { LOOKS = 10000, LOOK_US = 1000 };

/* The supervisor has been told, and has heard it: it accepts a client after
 * that. The watcher takes the word before it tells, so it may be the next time
 * that it has. */
static void
wait_until_told(const struct flight *flight)
{
	int i, fd;

	for (i = 0; __atomic_load_n(&flight->end_notice, __ATOMIC_ACQUIRE) != 0;
	     i++) {
		if (i == LOOKS)
			wrong("nobody looked at it");
		usleep(LOOK_US);
	}
	fd = dial();
	call(fd, WIRE_READ, 0, STR("/"), "");
	close(fd);
}

int
main(int argc, char *argv[])
{
	struct flight *flight;
	char path[512];
	uint32_t mark;
	int fd, i;

	if (argc != 3)
		return 2;
	asker_rundir = argv[1];
	snprintf(path, sizeof(path), "%s/flight", argv[1]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	flight = fd >= 0 ? mmap(NULL, sizeof(*flight), PROT_READ | PROT_WRITE,
			       MAP_SHARED, fd, 0)
			 : MAP_FAILED;
	if (flight == MAP_FAILED || flight->magic != FLIGHT_MAGIC)
		wrong("there is no flight");
	mark = flight->end_notice;
	for (i = 0; i < atoi(argv[2]); i++) {
		flight->end_notice = FUTEX_WAITERS | FUTEX_OWNER_DIED;
		(void)syscall(SYS_futex, &flight->end_notice, FUTEX_WAKE,
		    INT_MAX, NULL, NULL, 0);
		wait_until_told(flight);
	}
	/* what it was, so that its end is told */
	flight->end_notice = mark;
	return 0;
}
