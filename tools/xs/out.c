/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xs/out.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
out_bytes(struct out *out, const void *data, size_t len)
{
	if (out->size - out->len <= len) {
		out->size = out->size * 2 + len + 1;
		out->text = realloc(out->text, out->size);
		if (out->text == NULL)
			err(1, "output");
	}
	if (len > 0)
		memcpy(out->text + out->len, data, len);
	out->len += len;
	out->text[out->len] = '\0';
}

void
out_string(struct out *out, const char *s)
{
	out_bytes(out, s, strlen(s));
}

/* The character behind the backslash, or 0 for bytes without one. */
static char
short_escape(unsigned char c)
{
	switch (c) {
	case '\t':
		return 't';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\\':
		return '\\';
	default:
		return 0;
	}
}

void
out_escaped(struct out *out, const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];
		char name = short_escape(c);
		char text[5];

		if (name != 0)
			snprintf(text, sizeof(text), "\\%c", name);
		else if (c >= 0x20 && c < 0x7f)
			snprintf(text, sizeof(text), "%c", c);
		else
			snprintf(text, sizeof(text),
			    c < 8 ? "\\%03o" : "\\x%02x", c);
		out_string(out, text);
	}
}

void
out_clear(struct out *out)
{
	out->len = 0;
}

int
out_show(struct out *out)
{
	/* text is NULL before the first byte */
	size_t n = out->len > 0 ? fwrite(out->text, 1, out->len, stdout) : 0;
	int ok = n == out->len && fflush(stdout) == 0;

	out->len = 0;
	return ok ? 0 : -1;
}

void
out_free(struct out *out)
{
	free(out->text);
	*out = (struct out){ 0 };
}

/* A digit's value in BASE, or -1. */
static int
digit(char c, int base)
{
	static const char digits[] = "0123456789abcdef";
	const char *p;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	p = c != '\0' ? strchr(digits, c) : NULL;
	return p != NULL && p - digits < base ? (int)(p - digits) : -1;
}

/* Reads up to MAX digits at *P and moves it behind them; the low byte. */
static char
number(const char **p, int base, int max)
{
	unsigned value = 0;

	for (; max > 0 && digit(**p, base) >= 0; max--)
		value = value * (unsigned)base + (unsigned)digit(*(*p)++, base);
	return (char)(value & 0xff);
}

/* The byte that the escape at *P (behind the backslash) means. */
static char
unescape_one(const char **p)
{
	char c = **p;

	if (c >= '0' && c <= '7')
		return number(p, 8, 3);
	if (c != '\0')
		++*p;
	switch (c) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 'x':
		return digit(**p, 16) >= 0 ? number(p, 16, 2) : 'x';
	default:
		return c;
	}
}

size_t
out_unescape(char *text)
{
	const char *in = text;
	char *to = text;

	while (*in != '\0') {
		if (*in != '\\') {
			*to++ = *in++;
			continue;
		}
		in++;
		*to++ = unescape_one(&in);
	}
	return (size_t)(to - text);
}
