/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A client at the store's socket that asks one thing after the other and knows
 * what it has to hear. What is wrong ends the program.
 */
#ifndef TESTS_CRASH_ASKER_H
#define TESTS_CRASH_ASKER_H

#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

#define STR(s) (s), sizeof(s)	  /* with its NUL */
#define RAW(s) (s), sizeof(s) - 1 /* without */

/* Where the daemon's socket is, and how long it may take to answer. */
extern const char *asker_rundir;
extern int asker_wait_ms;

/* Says what is wrong, and what the program was at, and ends it; the program's
 * own. */
void wrong(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* The process that is WHO ("primary", ...) in the daemon's status; 0: nobody.
 */
long pid_of(const char *who);

/* A new connection; -1: nobody is there. The other one ends the program then.
 */
int try_dial(void);
int dial(void);

void send_all(int fd, const void *bytes, size_t len);

/* A message into BUF; its length. */
size_t message(char *buf, uint32_t type, uint32_t id, uint32_t txn,
    const void *payload, size_t len);

/* Sends one. */
void ask(int fd, uint32_t type, uint32_t txn, const void *payload, size_t len);

void receive_all(int fd, void *buf, size_t len);

/* The next message has TYPE and the string TEXT (NULL: any). Its payload, until
 * the next call. */
const char *hear(int fd, uint32_t type, const char *text);

/* Nothing is there to be heard. */
void silence(int fd);

/* Asks, and hears WANT. */
void call(int fd, uint32_t type, uint32_t txn, const char *payload, size_t len,
    const char *want);

#endif
