/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output that may have to be thrown away: a growing buffer. And values as text:
 * escapes for bytes that a terminal would not show.
 */
#ifndef TOOLS_XS_OUT_H
#define TOOLS_XS_OUT_H

#include <stddef.h>

struct out {
	char *text;
	size_t len;
	size_t size;
};

/* These end the program when memory is out. */
void out_bytes(struct out *out, const void *data, size_t len);
void out_string(struct out *out, const char *s);
/* VALUE with \t \n \r \\ \ooo and \xNN for what is not printable. */
void out_escaped(struct out *out, const char *value, size_t len);

/* Forgets what is in it; keeps the memory. */
void out_clear(struct out *out);

/* Writes it to stdout and clears it. 0, or -1 with errno. */
int out_show(struct out *out);

void out_free(struct out *out);

/* Undoes out_escaped in place: TEXT becomes bytes, whose number is returned. A
 * backslash before any other character means that character; one at the end
 * means a NUL. */
size_t out_unescape(char *text);

#endif
