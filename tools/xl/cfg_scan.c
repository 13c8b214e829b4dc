#include "cfg_scan.h"

#include <string.h>

static int
peek(const struct cfg_scan *s, size_t ahead)
{
	if (s->pos + ahead >= s->len)
		return -1;
	return (unsigned char)s->text[s->pos + ahead];
}

static struct srcpos
here(const struct cfg_scan *s)
{
	struct srcpos at = {
		.file = s->file,
		.line = s->line,
		.col = (unsigned)(s->pos - s->line_start) + 1,
	};

	return at;
}

static void
newline(struct cfg_scan *s)
{
	s->pos++;
	s->line++;
	s->line_start = s->pos;
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int
hex_digit(int c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Blanks, comments, and a backslash that joins two lines. */
static void
skip_blanks(struct cfg_scan *s)
{
	for (;;) {
		int c = peek(s, 0);

		if (c == '#') {
			while (peek(s, 0) != -1 && peek(s, 0) != '\n')
				s->pos++;
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
			s->pos++;
		} else if (c == '\\' && peek(s, 1) == '\n') {
			s->pos++;
			newline(s);
		} else if (c == '\\' && peek(s, 1) == '\r' &&
			   peek(s, 2) == '\n') {
			s->pos += 2;
			newline(s);
		} else {
			return;
		}
	}
}

static bool
first_on_line(const struct cfg_scan *s)
{
	size_t i;

	for (i = s->line_start; i < s->pos; i++) {
		if (s->text[i] != ' ' && s->text[i] != '\t')
			return false;
	}
	return true;
}

/* The value of \xHH or of up to three octal digits; -1 if there is none. */
static int
numeric_escape(struct cfg_scan *s)
{
	int value = 0, digits;

	if (peek(s, 0) == 'x') {
		if (hex_digit(peek(s, 1)) < 0 || hex_digit(peek(s, 2)) < 0)
			return -1;
		value = hex_digit(peek(s, 1)) * 16 + hex_digit(peek(s, 2));
		s->pos += 3;
		return value;
	}
	for (digits = 0; digits < 3; digits++) {
		int c = peek(s, 0);

		if (c < '0' || c > '7')
			break;
		value = value * 8 + (c - '0');
		s->pos++;
	}
	return digits == 0 || value > 255 ? -1 : value;
}

/* What follows a backslash in a string, or -1 (reported). */
static int
escape(struct cfg_scan *s)
{
	static const char names[] = "abfnrtv\\'\"";
	static const char means[] = "\a\b\f\n\r\t\v\\'\"";
	struct srcpos at = here(s);
	int c = peek(s, 0), value;
	const char *name;

	name = c > 0 ? strchr(names, c) : NULL;
	if (name != NULL) {
		s->pos++;
		return means[name - names];
	}
	value = numeric_escape(s);
	if (value < 0)
		diag_error(s->diag, &at, "unknown escape '\\%c' in a string",
		    c > 0 && c != '\n' ? c : ' ');
	else if (value == 0)
		diag_error(s->diag, &at, "a string cannot hold a NUL byte");
	return value > 0 ? value : -1;
}

static bool
at_quotes(const struct cfg_scan *s, int quote, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (peek(s, i) != quote)
			return false;
	}
	return true;
}

/*
 * The bytes of a string whose opening quote has been passed, up to and with
 * the closing one (three quotes if QUOTES is 3). False if reported.
 */
static bool
string_body(struct cfg_scan *s, int quote, unsigned quotes, char *to,
    const struct srcpos *open)
{
	for (;;) {
		int c = peek(s, 0);

		if (at_quotes(s, quote, quotes)) {
			s->pos += quotes;
			*to = '\0';
			return true;
		}
		if (c == -1 || (c == '\n' && quotes == 1)) {
			diag_error(s->diag, open,
			    "the string that starts here is not closed%s",
			    quotes == 1 ? " before the end of the line" : "");
			return false;
		}
		if (c == '\0') {
			diag_error(
			    s->diag, open, "a string cannot hold a NUL byte");
			return false;
		}
		if (c == '\n') {
			newline(s);
		} else {
			s->pos++;
			if (c == '\\' && (c = escape(s)) < 0)
				return false;
		}
		*to++ = (char)c;
	}
}

static void
scan_string(struct cfg_scan *s, struct cfg_token *t)
{
	int quote = peek(s, 0);
	unsigned quotes = at_quotes(s, quote, 3) ? 3 : 1;

	s->pos += quotes;
	t->kind = CFG_T_ERROR;
	if (!string_body(s, quote, quotes, s->scratch, &t->at))
		return;
	t->kind = CFG_T_STRING;
	t->text = arena_strdup(s->mem, s->scratch);
}

/* A run of letters and digits; what a number may look like is checked when
 * somebody wants its value. */
static void
scan_word(struct cfg_scan *s, struct cfg_token *t)
{
	size_t start = s->pos;

	t->kind = is_digit(peek(s, 0)) ? CFG_T_NUMBER : CFG_T_WORD;
	while (is_letter(peek(s, 0)) || is_digit(peek(s, 0)) ||
	       (peek(s, 0) == '.' && t->kind == CFG_T_WORD))
		s->pos++;
	t->text = arena_strndup(s->mem, s->text + start, s->pos - start);
}

static void
scan_mark(struct cfg_scan *s, struct cfg_token *t)
{
	int c = peek(s, 0);

	if (c == '+' && peek(s, 1) == '=') {
		t->kind = CFG_T_MARK;
		t->text = "+=";
		s->pos += 2;
		return;
	}
	s->pos++;
	if (c != '\0' && strchr("=[](),+", c) != NULL) {
		t->kind = CFG_T_MARK;
		t->text = arena_strndup(s->mem, s->text + s->pos - 1, 1);
		return;
	}
	t->kind = CFG_T_ERROR;
	if (c == '%' || c == '{' || c == ':')
		diag_error(s->diag, &t->at,
		    "'%c' is Python; a configuration holds only strings, "
		    "numbers and lists",
		    c);
	else if (c > 0x20 && c < 0x7f)
		diag_error(
		    s->diag, &t->at, "unexpected '%c' outside of a string", c);
	else
		diag_error(s->diag, &t->at,
		    "unexpected byte 0x%02x outside of a string", (unsigned)c);
}

struct cfg_token
cfg_scan_next(struct cfg_scan *s)
{
	struct cfg_token t = { .kind = CFG_T_END, .text = "" };
	int c;

	skip_blanks(s);
	t.at = here(s);
	t.start = s->pos;
	t.first = first_on_line(s);
	c = peek(s, 0);
	if (c == -1)
		return t;
	if (c == '\n' || c == ';') {
		t.kind = CFG_T_NEWLINE;
		if (c == '\n')
			newline(s);
		else
			s->pos++;
	} else if (c == '"' || c == '\'') {
		scan_string(s, &t);
	} else if (is_letter(c) || is_digit(c)) {
		scan_word(s, &t);
	} else {
		scan_mark(s, &t);
	}
	return t;
}

void
cfg_scan_skip_line(struct cfg_scan *s)
{
	while (peek(s, 0) != -1 && peek(s, 0) != '\n')
		s->pos++;
	if (peek(s, 0) == '\n')
		newline(s);
}
