/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths, names and values as JSON. A value is bytes and JSON has characters:
 * one that is not UTF-8 is given in base64, under another key.
 */
#ifndef TOOLS_XS_JSON_H
#define TOOLS_XS_JSON_H

#include <stddef.h>

#include "tools/xs/out.h"

/* "text"; what is no UTF-8 in it becomes U+FFFD. Paths are ASCII, but processes
 * have any name. */
void json_string(struct out *out, const char *text, size_t len);

/* "KEY":"text" */
void json_member(struct out *out, const char *key, const char *text);

/* "KEY":"text" or "KEY_base64":"..."; "KEY":null if VALUE is NULL. */
void json_bytes(
    struct out *out, const char *key, const char *value, size_t len);

/* The same with "value" as KEY. */
void json_value(struct out *out, const char *value, size_t len);

/* Before each element of an array: "[" or "," and a newline. *COUNT is how many
 * there were, and counts on. */
void json_next(struct out *out, unsigned long *count);

/* The end of an array of COUNT elements. */
void json_end(struct out *out, unsigned long count);

#endif
