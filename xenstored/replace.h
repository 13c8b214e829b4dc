/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * xenstored --replace: asks the daemon that serves, as a client of it, to hand
 * over to this program. Knows the protocol; knows no state.
 */
#ifndef XENSTORED_REPLACE_H
#define XENSTORED_REPLACE_H

#include <stdbool.h>
#include <stdint.h>

enum { REPLACE_WHY = 600 };

/*
 * Asks the daemon at the socket PATH to be replaced by PROGRAM, within SECONDS,
 * with the words CMDLINE (NULL: those it has itself). False: WHY, and the
 * daemon serves on.
 */
bool replace_daemon(const char *path, const char *program, const char *cmdline,
    uint32_t seconds, char why[REPLACE_WHY]);

/* The words of ARGV behind the first, without "--replace", as one line in
 * memory for free(). NULL: there are none, or (*BAD_OUT) one that cannot be
 * told. */
char *replace_cmdline(char *argv[], bool *bad_out);

#endif
