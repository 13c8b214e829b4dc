#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "hv-core/dom0/log.h"

void
dom0_log(const char *who, const char *fmt, ...)
{
	char text[512], line[1200];
	int err = errno, n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = snprintf(line, 64, "dom0: %s: ", who);
	if (n > 63)
		n = 63;
	for (const char *p = text; *p != '\0' && n < (int)sizeof(line) - 6; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			n += snprintf(line + n, 5, "\\%03o", (unsigned char)*p);
		else
			line[n++] = *p;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		n = 0; /* there is nobody to tell */
	errno = err;
}
