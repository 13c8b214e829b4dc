/*
 * The log: one line an event, with the time, to stderr or to a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hv-core/hosted/hvd.h"

static int log_to = STDERR_FILENO;

int
log_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0)
		return -errno;
	log_to = fd;
	return 0;
}

int
log_fd(void)
{
	return log_to;
}

static void
log_bytes(int fd, const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nowhere to complain */
		buf += n;
		len -= (size_t)n;
	}
}

static void
log_to_fd(int fd, const char *fmt, va_list ap)
{
	char buf[1024];
	struct timespec ts;
	struct tm tm;
	size_t n;
	int len;

	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	n = strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S hvd: ", &tm);
	len = vsnprintf(buf + n, sizeof(buf) - n - 1, fmt, ap);
	if (len < 0)
		return;
	n += (size_t)len < sizeof(buf) - n - 1 ? (size_t)len
					       : sizeof(buf) - n - 2;
	buf[n++] = '\n';
	log_bytes(fd, buf, n);
}

void
log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_to_fd(log_to, fmt, ap);
	va_end(ap);
}

void
log_note(struct hvd *h, const char *fmt, ...)
{
	size_t room = sizeof(h->notes) - h->notes_len;
	char line[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log_line("%s", line);
	n = snprintf(h->notes + h->notes_len, room, "(XEN) %s\n", line);
	if (n > 0 && (size_t)n < room)
		h->notes_len += (size_t)n;
	else
		h->notes[h->notes_len] = '\0'; /* no room: the log has it */
}

void
log_flush_notes(struct hvd *h)
{
	if (h->notes_len == 0)
		return;
	h->printing = true;
	hv_console_print(h->hv, h->notes);
	h->printing = false;
	h->notes_len = 0;
}

void
log_loud(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_to_fd(log_to, fmt, ap);
	va_end(ap);
	if (log_to == STDERR_FILENO)
		return;
	va_start(ap, fmt);
	log_to_fd(STDERR_FILENO, fmt, ap);
	va_end(ap);
}
