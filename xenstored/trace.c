/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "xenstored/files.h"

struct trace {
	FILE *file;
	char *path;
	int files_fd; /* or 0 */
	unsigned on;  /* bits by switch */
};

static const char *const switches[] = { "io", "obj", "wrl", "acc" };

enum { SWITCHES = sizeof(switches) / sizeof(switches[0]), SWITCH_IO = 1 };

struct trace *
trace_new(int files_fd)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (trace != NULL)
		trace->files_fd = files_fd;
	return trace;
}

void
trace_free(struct trace *trace)
{
	if (trace == NULL)
		return;
	if (trace->file != NULL)
		fclose(trace->file);
	free(trace->path);
	free(trace);
}

static FILE *
open_file(const struct trace *trace, const char *path)
{
	int fd =
	    trace->files_fd > 0
		? files_open(trace->files_fd, path)
		: open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	return fd >= 0 ? fdopen(fd, "a") : NULL;
}

bool
trace_open(struct trace *trace, const char *path)
{
	char *copy = strdup(path);
	FILE *file = copy != NULL ? open_file(trace, path) : NULL;

	if (file == NULL) {
		free(copy);
		return false;
	}
	if (trace->file != NULL)
		fclose(trace->file);
	free(trace->path);
	trace->file = file;
	trace->path = copy;
	setvbuf(file, NULL, _IOLBF, 0);
	return true;
}

bool
trace_reopen(struct trace *trace)
{
	FILE *file;

	if (trace->path == NULL)
		return true;
	file = open_file(trace, trace->path);
	if (file == NULL)
		return false;
	if (trace->file != NULL)
		fclose(trace->file);
	trace->file = file;
	setvbuf(file, NULL, _IOLBF, 0);
	return true;
}

bool
trace_control(struct trace *trace, const char *what)
{
	unsigned i;

	if (strcmp(what, "on") == 0) {
		trace->on |= SWITCH_IO;
		return true;
	}
	if (strcmp(what, "off") == 0) {
		trace->on = 0;
		return true;
	}
	for (i = 0; i < SWITCHES && what[0] != '\0'; i++) {
		if (strcmp(what + 1, switches[i]) != 0)
			continue;
		if (what[0] == '+')
			trace->on |= 1u << i;
		else if (what[0] == '-')
			trace->on &= ~(1u << i);
		else
			return false;
		return true;
	}
	return false;
}

size_t
trace_describe(const struct trace *trace, char *buf, size_t size)
{
	size_t len = 0;
	unsigned i;

	for (i = 0; i < SWITCHES; i++)
		len += (size_t)snprintf(buf + len, size - len, "%c%s%s",
		    (trace->on & 1u << i) != 0 ? '+' : '-', switches[i],
		    i + 1 < SWITCHES ? " " : "");
	return len;
}

bool
trace_wanted(const struct trace *trace)
{
	return trace->file != NULL && (trace->on & SWITCH_IO) != 0;
}

/* LEN bytes, strings separated by spaces, the rest escaped. */
static void
put_payload(FILE *file, const unsigned char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (bytes[i] == '\0')
			putc(' ', file);
		else if (bytes[i] >= 0x20 && bytes[i] < 0x7f &&
			 bytes[i] != '\\')
			putc(bytes[i], file);
		else
			fprintf(file, "\\x%02x", bytes[i]);
	}
}

void
trace_message(struct trace *trace, const char *direction, uint32_t conn,
    uint32_t domid, const struct wire_header *header, const void *payload)
{
	const char *name = wire_op_name(header->type);
	struct timespec now;
	struct tm tm;
	char when[32];

	if (!trace_wanted(trace))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y%m%d %H:%M:%S", &tm);
	fprintf(trace->file, "io: %s %u %s.%06ld d%u %s tx %u (", direction,
	    (unsigned)conn, when, now.tv_nsec / 1000, (unsigned)domid,
	    name != NULL ? name : "?", (unsigned)header->tx_id);
	put_payload(trace->file, payload, header->len);
	fputs(")\n", trace->file);
}
