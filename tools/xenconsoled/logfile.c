/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsoled/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/common/log.h"

struct logfile {
	char *path;
	unsigned flags;
	int fd;
	bool within_line;
	bool failed; /* and told */
};

static int
open_path(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

struct logfile *
logfile_open(const char *path, unsigned flags)
{
	struct logfile *log = malloc(sizeof(*log));
	int err;

	if (log == NULL)
		return NULL;
	*log = (struct logfile){ .flags = flags, .path = strdup(path) };
	log->fd = log->path != NULL ? open_path(path) : -1;
	if (log->fd >= 0)
		return log;
	err = errno;
	free(log->path);
	free(log);
	errno = err;
	return NULL;
}

static void
write_all(struct logfile *log, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(log->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (!log->failed)
				log_warn("%s", log->path);
			log->failed = true;
			return;
		}
		data += n;
		len -= (size_t)n;
	}
	log->failed = false;
}

static void
write_time(struct logfile *log)
{
	char text[40];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	write_all(log, text, strftime(text, sizeof(text), "[%F %T] ", &tm));
}

/* A part of a line, or a line with its newline. */
static void
write_piece(struct logfile *log, const char *data, size_t len)
{
	if (!(log->flags & LOGFILE_ESCAPE)) {
		write_all(log, data, len);
		return;
	}
	while (len > 0) {
		const char *esc = memchr(data, 0x1b, len);
		size_t n = esc != NULL ? (size_t)(esc - data) : len;

		write_all(log, data, n);
		if (esc == NULL)
			break;
		write_all(log, ".", 1);
		data += n + 1;
		len -= n + 1;
	}
}

void
logfile_write(struct logfile *log, const char *data, size_t len)
{
	if (log == NULL)
		return;
	if (!(log->flags & LOGFILE_TIME)) {
		write_piece(log, data, len);
		return;
	}
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t n = end != NULL ? (size_t)(end - data) + 1 : len;

		if (!log->within_line)
			write_time(log);
		log->within_line = end == NULL;
		write_piece(log, data, n);
		data += n;
		len -= n;
	}
}

void
logfile_reopen(struct logfile *log)
{
	int fd;

	if (log == NULL)
		return;
	fd = open_path(log->path);
	if (fd < 0) {
		log_warn("%s", log->path);
		return;
	}
	close(log->fd);
	log->fd = fd;
}

void
logfile_close(struct logfile *log)
{
	if (log == NULL)
		return;
	close(log->fd);
	free(log->path);
	free(log);
}
