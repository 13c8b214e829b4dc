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

#include "xenstored/flight.h"

enum { PAUSE_US = 5000 }; /* so that each is heard of */

int
main(int argc, char *argv[])
{
	struct flight *flight;
	char path[512];
	uint32_t mark;
	int fd, i;

	if (argc != 3)
		return 2;
	snprintf(path, sizeof(path), "%s/flight", argv[1]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	flight = fd >= 0 ? mmap(NULL, sizeof(*flight), PROT_READ | PROT_WRITE,
			       MAP_SHARED, fd, 0)
			 : MAP_FAILED;
	if (flight == MAP_FAILED || flight->magic != FLIGHT_MAGIC) {
		puts("there is no flight");
		return 1;
	}
	mark = flight->end_notice;
	for (i = 0; i < atoi(argv[2]); i++) {
		flight->end_notice = FUTEX_WAITERS | FUTEX_OWNER_DIED;
		(void)syscall(SYS_futex, &flight->end_notice, FUTEX_WAKE,
		    INT_MAX, NULL, NULL, 0);
		usleep(PAUSE_US);
		if (flight->end_notice != 0) {
			puts("nobody looked at it");
			return 1;
		}
	}
	/* what it was, so that its end is told */
	flight->end_notice = mark;
	return 0;
}
