/*
 * json: configurations as JSON, for `list -l` and dry runs.
 */
#ifndef XL_JSON_H
#define XL_JSON_H

#include <stdio.h>

#include "cfg.h"

/* C as an object; its lines after the first start with INDENT blanks more. */
void json_config(const struct cfg *c, FILE *out, int indent);

/* TEXT as a string; bytes that are not UTF-8 become U+FFFD. */
void json_string(const char *text, FILE *out);

#endif
