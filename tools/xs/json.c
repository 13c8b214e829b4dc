/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xs/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The length of the UTF-8 sequence at S, of which LEN bytes are there; 0 if it
 * is none: too short, too long for its character, a surrogate, beyond U+10FFFF.
 */
static size_t
utf8_sequence(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char first, last; /* of the first byte */
		unsigned char low, high;   /* of the second */
		unsigned char len;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		if (len < forms[i].len || s[1] < forms[i].low ||
		    s[1] > forms[i].high)
			return 0;
		for (size_t j = 2; j < forms[i].len; j++)
			if ((s[j] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

static bool
is_utf8(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_sequence((const unsigned char *)text + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

static void
base64(struct out *out, const char *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = (const unsigned char *)data;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)in[i] << 16;
		char text[4];

		if (n > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (n > 2)
			bits |= in[i + 2];
		text[0] = digits[bits >> 18];
		text[1] = digits[bits >> 12 & 63];
		text[2] = digits[bits >> 6 & 63];
		text[3] = digits[bits & 63];
		memset(text + n + 1, '=', 3 - n);
		out_bytes(out, text, 4);
	}
}

void
json_string(struct out *out, const char *text, size_t len)
{
	out_string(out, "\"");
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)text[i];
		char esc[8];

		n = utf8_sequence((const unsigned char *)text + i, len - i);
		if (n > 1) {
			out_bytes(out, text + i, n);
			continue;
		}
		if (n == 0) {
			out_string(out, "\\ufffd");
			n = 1;
			continue;
		}
		if (c == '"' || c == '\\')
			snprintf(esc, sizeof(esc), "\\%c", c);
		else if (c == '\n' || c == '\t' || c == '\r')
			snprintf(esc, sizeof(esc), "\\%c",
			    c == '\n'	? 'n'
			    : c == '\t' ? 't'
					: 'r');
		else if (c < 0x20 || c == 0x7f)
			snprintf(esc, sizeof(esc), "\\u%04x", c);
		else
			snprintf(esc, sizeof(esc), "%c", c);
		out_string(out, esc);
	}
	out_string(out, "\"");
}

void
json_member(struct out *out, const char *key, const char *text)
{
	json_string(out, key, strlen(key));
	out_string(out, ":");
	json_string(out, text, strlen(text));
}

void
json_bytes(struct out *out, const char *key, const char *value, size_t len)
{
	bool text = value == NULL || is_utf8(value, len);

	out_string(out, "\"");
	out_string(out, key);
	out_string(out, text ? "\":" : "_base64\":");
	if (value == NULL) {
		out_string(out, "null");
	} else if (text) {
		json_string(out, value, len);
	} else {
		out_string(out, "\"");
		base64(out, value, len);
		out_string(out, "\"");
	}
}

void
json_value(struct out *out, const char *value, size_t len)
{
	json_bytes(out, "value", value, len);
}

void
json_next(struct out *out, unsigned long *count)
{
	out_string(out, *count == 0 ? "[\n" : ",\n");
	++*count;
}

void
json_end(struct out *out, unsigned long count)
{
	out_string(out, count == 0 ? "[]\n" : "\n]\n");
}
