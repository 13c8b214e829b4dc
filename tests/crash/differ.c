/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * differ RUNDIR WANT: asks a daemon that, as a fault of xenstored-crash, has no
 * memory for what names /enomem in one of its processes, for just that, in two
 * pieces, so that it is in the log however it ends. WANT (OK, or ENOMEM) is the
 * answer. Then the standby must be another one, and when the primary is killed,
 * the store must be what it was.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/crash/asker.h"

/* Until somebody but BEFORE stands by. */
static long
standby_after(long before)
{
	long pid;
	int i;

	for (i = 0; i < asker_wait_ms; i++) {
		pid = pid_of("standby");
		if (pid > 0 && pid != before)
			return pid;
		usleep(1000);
	}
	wrong("nobody %sstands by", before != 0 ? "else " : "");
}

int
main(int argc, char *argv[])
{
	char buf[64];
	size_t n = message(buf, WIRE_WRITE, 7, 0, RAW("/enomem\0x"));
	long standby;
	int fd;

	if (argc != 3) {
		fputs("usage: differ RUNDIR WANT\n", stderr);
		return 2;
	}
	asker_rundir = argv[1];
	standby = standby_after(0);
	fd = dial();
	call(fd, WIRE_WRITE, 0, RAW("/before\0x"), "OK");
	send_all(fd, buf, 20);
	call(dial(), WIRE_READ, 0, STR("/before"), "x"); /* it was received */
	send_all(fd, buf + 20, n - 20);
	hear(fd, strcmp(argv[2], "OK") == 0 ? WIRE_WRITE : WIRE_ERROR, argv[2]);
	if (strcmp(argv[2], "OK") == 0)
		standby_after(standby);
	kill((pid_t)pid_of("primary"), SIGKILL);
	ask(fd, WIRE_READ, 0, STR("/enomem"));
	if (strcmp(argv[2], "OK") == 0)
		hear(fd, WIRE_READ, "x");
	else
		hear(fd, WIRE_ERROR, "ENOENT");
	call(fd, WIRE_CONTROL, 0, STR("check"), "OK");
	silence(fd);
	return 0;
}
