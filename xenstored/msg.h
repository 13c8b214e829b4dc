/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages for the operator: on stderr, or once in the background to syslog.
 * Control characters in a message are shown escaped. Keeps errno.
 */
#ifndef XENSTORED_MSG_H
#define XENSTORED_MSG_H

#include <stdnoreturn.h>

/* NAME stands before each message and must stay valid. */
void msg_init(const char *name);

/* How many messages there were: each was written somewhere. */
unsigned msg_count(void);

/* Connects to syslog, for msg_to_syslog() where that is not possible. */
void msg_prepare_syslog(void);

/* From now on to syslog. */
void msg_to_syslog(void);

/* These add errno's text. */
void msg_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void fatal(const char *format, ...)
    __attribute__((format(printf, 1, 2))); /* exits 1 */

/* These do not. */
void msg_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void msg_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void fatalx(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
