/* SPDX-License-Identifier: BSD-2-Clause */
/* The key that ends xenconsole. Pure functions. */
#ifndef XENCONSOLE_ESCAPE_H
#define XENCONSOLE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

enum { ESCAPE_DEFAULT = 0x1d }; /* ^] */

/* What TEXT names: "c" is that character, "^X" the control character of X (@,
 * a letter, or one of [ \ ] ^ _). -1 if it names none. */
int escape_parse(const char *text);

/* Is this input the key? Only if it came alone, as keys do: in pasted or piped
 * text it is a byte like any other. */
bool escape_is(const char *input, size_t len, int escape);

#endif
