/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user's terminal: raw while we run, as it was however we end; and signals
 * that end us, as bytes on a descriptor.
 */
#ifndef XENCONSOLE_TERM_H
#define XENCONSOLE_TERM_H

/* Makes stdin raw, if it is a terminal, until exit. */
void term_raw(void);

/* As it was; also done at exit. */
void term_restore(void);

/* A descriptor on which the number of a signal that wants to end us can be
 * read as one byte. Ends the program if there can be none. */
int term_signals(void);

#endif
