/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 };

static struct {
	const char *prog;
	enum log_level level;
	int fd; /* of the file, or -1 */
	char path[PATH_MAX];
} state = { .prog = "kernbus", .level = LOG_LEVEL_INFO, .fd = -1 };

void
log_init(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	state.prog = slash != NULL ? slash + 1 : argv0;
}

void
log_set_level(enum log_level level)
{
	state.level = level;
}

int
log_to_file(const char *path)
{
	int fd;

	if (strlen(path) >= sizeof(state.path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	if (state.fd >= 0)
		close(state.fd);
	state.fd = fd;
	if (path != state.path)
		snprintf(state.path, sizeof(state.path), "%s", path);
	return 0;
}

int
log_reopen(void)
{
	return state.fd < 0 ? 0 : log_to_file(state.path);
}

/* Appends TEXT with control bytes as \xNN; leaves room for the newline. */
static size_t
append_escaped(char *line, size_t len, const char *text)
{
	for (; *text != '\0' && len < LINE_SIZE - 6; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			len += (size_t)snprintf(
			    line + len, LINE_SIZE - len, "\\x%02x", c);
		else
			line[len++] = (char)c;
	}
	return len;
}

/* The beginning of a line: a time in files, the program's name on stderr. */
static size_t
prefix(char *line)
{
	struct tm tm;
	time_t now = time(NULL);
	int n;

	if (state.fd < 0) {
		n = snprintf(line, 128, "%s: ", state.prog);
		return n < 128 ? (size_t)n : 127;
	}
	localtime_r(&now, &tm);
	return strftime(line, 128, "[%Y-%m-%d %H:%M:%S] ", &tm);
}

static void
emit(const char *fmt, va_list ap, const char *why)
{
	char text[LINE_SIZE];
	char line[LINE_SIZE];
	size_t len;

	vsnprintf(text, sizeof(text), fmt, ap);
	len = append_escaped(line, prefix(line), text);
	if (why != NULL) {
		len = append_escaped(line, len, ": ");
		len = append_escaped(line, len, why);
	}
	line[len++] = '\n';
	/* one write: lines of several processes do not mix */
	if (write(state.fd >= 0 ? state.fd : STDERR_FILENO, line, len) < 0)
		return; /* there is nowhere to tell it */
}

#define EMIT(why)                                                              \
	do {                                                                   \
		va_list ap_;                                                   \
		int err_ = errno;                                              \
		va_start(ap_, fmt);                                            \
		emit(fmt, ap_, why);                                           \
		va_end(ap_);                                                   \
		errno = err_;                                                  \
	} while (0)

void
log_warn(const char *fmt, ...)
{
	EMIT(strerror(err_));
}

void
log_warnx(const char *fmt, ...)
{
	EMIT(NULL);
}

void
log_info(const char *fmt, ...)
{
	if (state.level >= LOG_LEVEL_INFO)
		EMIT(NULL);
}

void
log_debug(const char *fmt, ...)
{
	if (state.level >= LOG_LEVEL_DEBUG)
		EMIT(NULL);
}

void
fatal(const char *fmt, ...)
{
	EMIT(strerror(err_));
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	EMIT(NULL);
	exit(1);
}
