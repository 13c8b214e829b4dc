/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log of a console: bytes appended to a file, if wanted with the time before
 * each line and with escape characters made harmless.
 */
#ifndef XENCONSOLED_LOGFILE_H
#define XENCONSOLED_LOGFILE_H

#include <stddef.h>

struct logfile;

#define LOGFILE_TIME 1u	  /* "[YYYY-MM-DD HH:MM:SS] " at the lines' beginning */
#define LOGFILE_ESCAPE 2u /* ESC becomes a dot */

/* Opens PATH to append, mode 0640. NULL with errno. */
struct logfile *logfile_open(const char *path, unsigned flags);

/* Failures are logged once, until a write succeeds again. NULL does nothing. */
void logfile_write(struct logfile *log, const char *data, size_t len);

/* After a rotation: opens the path anew. On failure the old file stays. */
void logfile_reopen(struct logfile *log);

void logfile_close(struct logfile *log);

#endif
