/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of programs for their operator. Before log_to_file they go to
 * stderr as "PROG: text"; after it they go to the file as
 * "[YYYY-MM-DD HH:MM:SS] text". Control bytes in a message are escaped, so that
 * strings from a guest can be logged as they are; a message is one line.
 *
 * Not thread-safe. Preserves errno, except for log_to_file and log_reopen.
 */
#ifndef TOOLS_COMMON_LOG_H
#define TOOLS_COMMON_LOG_H

#include <stdnoreturn.h>

enum log_level {
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO, /* the default */
	LOG_LEVEL_DEBUG,
};

/* The name before messages on stderr: the last component of ARGV0, which must
 * stay valid. */
void log_init(const char *argv0);

/* Messages above LEVEL are dropped. */
void log_set_level(enum log_level level);

/* From now on append to PATH (mode 0644). 0; or -1 with open(2)'s errno, and
 * then messages go where they went before. */
int log_to_file(const char *path);

/* Opens the file of log_to_file anew, after a rotation. 0 (also when there is
 * no file), or -1 with errno; the old file then stays in use. */
int log_reopen(void);

/* These add ": " and errno's text. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
noreturn void fatal(const char *fmt, ...) /* exits 1 */
    __attribute__((format(printf, 1, 2)));

/* These do not. */
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
noreturn void fatalx(const char *fmt, ...) /* exits 1 */
    __attribute__((format(printf, 1, 2)));

#endif
