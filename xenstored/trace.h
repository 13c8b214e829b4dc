/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The trace file: one line per request and reply. Knows the wire format.
 */
#ifndef XENSTORED_TRACE_H
#define XENSTORED_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

struct trace;

/*
 * A trace that writes nowhere yet. FILES_FD: who opens its files (files.h); 0:
 * we do. NULL: no memory.
 */
struct trace *trace_new(int files_fd);
void trace_free(struct trace *trace);

/* Writes to PATH (appended to, mode 0600) from now on. False with errno: as
 * before. */
bool trace_open(struct trace *trace, const char *path);

/* Opens the same file anew. False with errno. */
bool trace_reopen(struct trace *trace);

/*
 * Switches as users name them: "on", "off", "+io", "-io"; the others of "obj
 * wrl acc" are known and do nothing. False: unknown.
 */
bool trace_control(struct trace *trace, const char *what);

/* Which switches are on, as text. */
size_t trace_describe(const struct trace *trace, char *buf, size_t size);

bool trace_wanted(const struct trace *trace);

/* A message of connection CONN of domain DOMID; DIRECTION "IN" or "OUT". */
void trace_message(struct trace *trace, const char *direction, uint32_t conn,
    uint32_t domid, const struct wire_header *header, const void *payload);

#endif
