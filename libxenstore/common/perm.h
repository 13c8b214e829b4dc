/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One permission of a node and its text: a letter (n none, r read, w write, b
 * both) and a domain id. Pure functions; knows no list and no rule about who
 * may do what.
 */
#ifndef XS_COMMON_PERM_H
#define XS_COMMON_PERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PERM_NONE = 0,
	PERM_READ = 1,
	PERM_WRITE = 2,
	PERM_TEXT_MAX = 12,	 /* "b4294967295" and its NUL */
	PERM_DOMID_ANY = 0x7ff5, /* an entry that is for every domain */
};

struct perm {
	uint32_t domid;
	uint8_t bits; /* PERM_READ | PERM_WRITE */
};

/*
 * Parses TEXT: a letter, then a decimal number of 32 bits, and nothing else.
 * False, PERM_OUT untouched, otherwise. Whether there can be such a domain is
 * not judged.
 */
bool perm_parse(const char *text, struct perm *perm_out);

/* The text of PERM with its NUL into BUF; the length without the NUL. */
size_t perm_format(const struct perm *perm, char buf[PERM_TEXT_MAX]);

#endif
