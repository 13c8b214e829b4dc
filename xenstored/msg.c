/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/msg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static const char *name = "xenstored";
static bool use_syslog;
static unsigned count;

unsigned
msg_count(void)
{
	return count;
}

void
msg_init(const char *prog)
{
	name = prog;
}

void
msg_prepare_syslog(void)
{
	openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
msg_to_syslog(void)
{
	if (use_syslog)
		return;
	openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	use_syslog = true;
}

/* TEXT without control characters, into BUF of SIZE. */
static void
escape(const char *text, char *buf, size_t size)
{
	size_t len = 0;
	unsigned char c;

	for (; (c = (unsigned char)*text) != '\0' && len + 5 < size; text++) {
		if (c >= 0x20 && c != 0x7f)
			buf[len++] = (char)c;
		else
			len += (size_t)snprintf(
			    buf + len, size - len, "\\x%02x", c);
	}
	buf[len] = '\0';
}

static void __attribute__((format(printf, 3, 0)))
say(int level, int errnum, const char *format, va_list ap)
{
	char raw[1024], text[2048];
	int saved = errno;

	count++;
	vsnprintf(raw, sizeof(raw), format, ap);
	if (errnum != 0) {
		size_t len = strlen(raw);

		snprintf(
		    raw + len, sizeof(raw) - len, ": %s", strerror(errnum));
	}
	escape(raw, text, sizeof(text));
	if (use_syslog)
		syslog(level, "%s", text);
	else
		fprintf(stderr, "%s: %s\n", name, text);
	errno = saved;
}

void
msg_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(LOG_WARNING, errno, format, ap);
	va_end(ap);
}

void
msg_warnx(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(LOG_WARNING, 0, format, ap);
	va_end(ap);
}

void
msg_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(LOG_INFO, 0, format, ap);
	va_end(ap);
}

void
fatal(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(LOG_ERR, errno, format, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(LOG_ERR, 0, format, ap);
	va_end(ap);
	exit(1);
}
