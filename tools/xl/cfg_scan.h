/*
 * cfg_scan: bytes of a configuration into tokens. Only cfg_parse.c uses it.
 */
#ifndef XL_CFG_SCAN_H
#define XL_CFG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "diag.h"

enum cfg_token_kind {
	CFG_T_END,
	CFG_T_NEWLINE, /* also ';' */
	CFG_T_WORD,
	CFG_T_STRING, /* text is what the escapes stand for */
	CFG_T_NUMBER,
	CFG_T_MARK,  /* one of = [ ] ( ) , + and += */
	CFG_T_ERROR, /* already reported */
};

struct cfg_token {
	enum cfg_token_kind kind;
	struct srcpos at;
	const char *text;
	size_t start; /* offset of its first byte */
	bool first;   /* nothing but blanks before it on its line */
};

struct cfg_scan {
	struct arena *mem;
	struct diag *diag;
	const char *file;
	const char *text;
	size_t len;
	char *scratch; /* LEN + 1 bytes */
	size_t pos;
	size_t line_start;
	unsigned line;
};

/* The next token. After CFG_T_END it gives CFG_T_END again. */
struct cfg_token cfg_scan_next(struct cfg_scan *s);

/* Skips the rest of the line, and its end. */
void cfg_scan_skip_line(struct cfg_scan *s);

#endif
