/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * In place of xenstored/msg.c: a guest may make the daemon say much. And a
 * failed assertion of the tests' harness is a finding.
 */
#ifndef TESTS_FUZZ_QUIET_H
#define TESTS_FUZZ_QUIET_H

#include <stdlib.h>

#include "xenstored/msg.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	return 0;
}

void
msg_init(const char *name)
{
	(void)name;
}

unsigned
msg_count(void)
{
	return 0;
}

void
msg_to_syslog(void)
{
}

void
msg_warn(const char *format, ...)
{
	(void)format;
}

void
msg_warnx(const char *format, ...)
{
	(void)format;
}

void
msg_info(const char *format, ...)
{
	(void)format;
}

noreturn void
fatal(const char *format, ...)
{
	(void)format;
	abort();
}

noreturn void
fatalx(const char *format, ...)
{
	(void)format;
	abort();
}

#endif
