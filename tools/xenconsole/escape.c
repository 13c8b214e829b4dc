/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsole/escape.h"

int
escape_parse(const char *text)
{
	unsigned char c = (unsigned char)text[0];

	if (c == '\0')
		return -1;
	if (text[1] == '\0')
		return c;
	if (c != '^' || text[2] != '\0')
		return -1;
	c = (unsigned char)text[1];
	if (c >= 'a' && c <= 'z')
		c = (unsigned char)(c - 'a' + 'A');
	return c >= '@' && c <= '_' ? c - '@' : -1;
}

bool
escape_is(const char *input, size_t len, int escape)
{
	return len == 1 && (unsigned char)input[0] == escape;
}
