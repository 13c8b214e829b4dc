/* SPDX-License-Identifier: BSD-2-Clause */
/* asker.h's wrong(), for programs that have nothing to add. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/crash/asker.h"

void
wrong(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("FAIL ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}
