#include "cfg.h"

#include <string.h>

#include "cfg_scan.h"

struct parser {
	struct cfg *cfg;
	struct arena *mem;
	struct diag *diag;
	struct cfg_scan scan;
	struct cfg_token tok; /* the one to be looked at */
	unsigned depth;	      /* of open brackets: newlines don't count there */
	bool reported;	      /* the current statement has had its error */
	bool python;	      /* ... which was a statement of Python */
};

static struct cfg_value *expression(struct parser *p);

static void
advance(struct parser *p)
{
	do {
		p->tok = cfg_scan_next(&p->scan);
	} while (p->depth > 0 && p->tok.kind == CFG_T_NEWLINE);
	if (p->tok.kind == CFG_T_ERROR)
		p->reported = true;
}

static bool
at_mark(const struct parser *p, const char *mark)
{
	return p->tok.kind == CFG_T_MARK && strcmp(p->tok.text, mark) == 0;
}

/* How an error message calls the current token. */
static const char *
describe(const struct parser *p)
{
	switch (p->tok.kind) {
	case CFG_T_END:
		return "the end of the file";
	case CFG_T_NEWLINE:
		return "the end of the line";
	case CFG_T_STRING:
		return arena_printf(
		    p->mem, "the string \"%.40s\"", p->tok.text);
	default:
		return arena_printf(p->mem, "'%.40s'", p->tok.text);
	}
}

/* One error a statement: what follows it is mostly its consequence. */
static void
complain(struct parser *p, const char *text)
{
	if (!p->reported)
		diag_error(p->diag, &p->tok.at, "%s", text);
	p->reported = true;
}

static void
expected(struct parser *p, const char *what)
{
	complain(p,
	    arena_printf(p->mem, "expected %s, found %s", what, describe(p)));
}

static struct cfg_value *
new_value(struct parser *p, enum cfg_kind kind, const char *text)
{
	struct cfg_value *v = arena_zalloc(p->mem, sizeof(*v));

	v->kind = kind;
	v->at = p->tok.at;
	v->text = text;
	return v;
}

/* "[" or "(" ... up to CLOSE. One value in parentheses is just that value. */
static struct cfg_value *
list(struct parser *p, const char *close)
{
	struct cfg_value *v = new_value(p, CFG_LIST, NULL), *item;
	unsigned line = p->tok.at.line;
	bool comma = false;

	if (p->depth == CFG_MAX_DEPTH) {
		complain(p, "lists are nested too deeply");
		return NULL;
	}
	p->depth++;
	advance(p);
	while (!at_mark(p, close)) {
		if (v->items > 0 && !comma) {
			expected(p, arena_printf(p->mem,
					"',' or '%s' in the list of line %u",
					close, line));
			return NULL;
		}
		item = expression(p);
		if (item == NULL)
			return NULL;
		v->item =
		    arena_grow(p->mem, v->item, v->items, sizeof(*v->item));
		v->item[v->items++] = item;
		comma = at_mark(p, ",");
		if (comma)
			advance(p);
	}
	p->depth--;
	advance(p);
	if (*close == ')' && v->items == 1 && !comma)
		return (struct cfg_value *)v->item[0];
	return v;
}

static struct cfg_value *
strings(struct parser *p)
{
	struct cfg_value *v = new_value(p, CFG_STRING, p->tok.text);

	advance(p);
	while (p->tok.kind == CFG_T_STRING) {
		v->text = arena_printf(p->mem, "%s%s", v->text, p->tok.text);
		advance(p);
	}
	return v;
}

static struct cfg_value *
word(struct parser *p)
{
	static const struct {
		const char *word;
		enum cfg_kind kind;
		const char *text;
	} known[] = {
		{ "True", CFG_NUMBER, "1" },
		{ "False", CFG_NUMBER, "0" },
		{ "None", CFG_NONE, NULL },
	};
	struct cfg_value *v;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(p->tok.text, known[i].word) != 0)
			continue;
		v = new_value(p, known[i].kind, known[i].text);
		advance(p);
		return v;
	}
	complain(
	    p, arena_printf(p->mem,
		   "'%.40s' is not a value: strings need quotes", p->tok.text));
	return NULL;
}

static struct cfg_value *
atom(struct parser *p)
{
	struct cfg_value *v;

	if (p->tok.kind == CFG_T_STRING)
		return strings(p);
	if (p->tok.kind == CFG_T_WORD)
		return word(p);
	if (p->tok.kind == CFG_T_NUMBER) {
		v = new_value(p, CFG_NUMBER, p->tok.text);
		advance(p);
		return v;
	}
	if (at_mark(p, "["))
		return list(p, "]");
	if (at_mark(p, "("))
		return list(p, ")");
	expected(p, "a value");
	return NULL;
}

/* A + B, for strings and lists; NULL if they cannot be joined. */
static struct cfg_value *
join(struct arena *mem, const struct cfg_value *a, const struct cfg_value *b)
{
	struct cfg_value *v = arena_zalloc(mem, sizeof(*v));
	size_t i;

	*v = *a;
	if (a->kind == CFG_STRING && b->kind == CFG_STRING) {
		v->text = arena_printf(mem, "%s%s", a->text, b->text);
		return v;
	}
	if (a->kind != CFG_LIST || b->kind != CFG_LIST)
		return NULL;
	v->item = arena_array(mem, a->items + b->items, sizeof(*v->item));
	for (i = 0; i < a->items; i++)
		v->item[i] = a->item[i];
	for (i = 0; i < b->items; i++)
		v->item[a->items + i] = b->item[i];
	v->items = a->items + b->items;
	return v;
}

static struct cfg_value *
expression(struct parser *p)
{
	struct cfg_value *left = atom(p), *right;

	while (left != NULL && at_mark(p, "+")) {
		struct srcpos at = p->tok.at;

		advance(p);
		right = atom(p);
		if (right == NULL)
			return NULL;
		left = join(p->mem, left, right);
		if (left == NULL && !p->reported) {
			diag_error(p->diag, &at,
			    "'+' joins two strings or two lists only");
			p->reported = true;
		}
	}
	return left;
}

static struct cfg_entry *
find_or_add(struct cfg *c, const char *key, const struct srcpos *at)
{
	struct cfg_entry *e;

	for (size_t i = 0; i < c->entries; i++) {
		if (strcmp(c->entry[i].key, key) == 0)
			return &c->entry[i];
	}
	c->entry = arena_grow(c->mem, c->entry, c->entries, sizeof(*c->entry));
	e = &c->entry[c->entries++];
	e->key = key;
	e->at = *at;
	return e;
}

/* KEY = VALUE, or KEY += VALUE if ADD says so. */
static void
assign(struct parser *p, const struct cfg_token *key, const char *op,
    struct cfg_value *value)
{
	struct cfg_entry *e = find_or_add(p->cfg, key->text, &key->at);

	if (strcmp(op, "+=") == 0 && e->value != NULL &&
	    e->value->kind != CFG_NONE) {
		value = join(p->mem, e->value, value);
		if (value == NULL) {
			diag_error(p->diag, &key->at,
			    "'%.40s +=' must add a string to a string or a "
			    "list to a list",
			    key->text);
			return;
		}
	}
	e->at = key->at;
	e->value = value;
}

static bool
is_python(const char *name)
{
	static const char *const keywords[] = { "import", "from", "def", "if",
		"elif", "else", "for", "while", "try", "except", "with",
		"class", "return", "print", "lambda", "del", "global", "pass",
		"raise", "assert", NULL };

	for (size_t i = 0; keywords[i] != NULL; i++) {
		if (strcmp(name, keywords[i]) == 0)
			return true;
	}
	return false;
}

/* KEY has been read; the current token is what follows it. */
static void
assignment(struct parser *p, const struct cfg_token *key)
{
	const char *op = p->tok.text;
	struct cfg_value *value;

	if (!at_mark(p, "=") && !at_mark(p, "+=")) {
		if (is_python(key->text) && !p->reported) {
			diag_error(p->diag, &key->at,
			    "'%s' is Python; a configuration holds only "
			    "assignments",
			    key->text);
			p->reported = p->python = true;
		}
		expected(
		    p, arena_printf(p->mem, "'=' after '%.40s'", key->text));
		return;
	}
	advance(p);
	value = expression(p);
	if (value == NULL || p->reported)
		return;
	if (p->tok.kind != CFG_T_NEWLINE && p->tok.kind != CFG_T_END)
		expected(p, "the end of the line");
	else
		assign(p, key, op, value);
}

/* Whether the text at POS has the form "key =" or "key +=". */
static bool
looks_like_statement(const struct cfg_scan *s, size_t pos)
{
	size_t key;

	while (pos < s->len && (s->text[pos] == ' ' || s->text[pos] == '\t'))
		pos++;
	key = pos;
	while (
	    pos < s->len && (s->text[pos] == '_' || s->text[pos] == '.' ||
				(s->text[pos] >= 'a' && s->text[pos] <= 'z') ||
				(s->text[pos] >= 'A' && s->text[pos] <= 'Z') ||
				(s->text[pos] >= '0' && s->text[pos] <= '9')))
		pos++;
	if (pos == key)
		return false;
	while (pos < s->len && (s->text[pos] == ' ' || s->text[pos] == '\t'))
		pos++;
	if (pos < s->len && s->text[pos] == '+')
		pos++;
	return pos < s->len && s->text[pos] == '=';
}

static bool
is_indented(const struct cfg_scan *s)
{
	return s->pos < s->len && strchr(" \t\r\n", s->text[s->pos]) != NULL;
}

/*
 * After an error, goes to where the next statement probably starts: inside of
 * brackets at the next line of the form "key =", after Python where the block
 * ends, else at the next line.
 */
static void
recover(struct parser *p)
{
	struct cfg_scan *s = &p->scan;
	bool inside = p->depth > 0;

	p->depth = 0;
	if (p->tok.kind == CFG_T_END)
		return;
	if (inside && p->tok.kind == CFG_T_WORD && p->tok.first &&
	    looks_like_statement(s, p->tok.start))
		return;
	if (p->tok.kind != CFG_T_NEWLINE)
		cfg_scan_skip_line(s);
	while (
	    s->pos < s->len && ((inside && !looks_like_statement(s, s->pos)) ||
				   (p->python && is_indented(s))))
		cfg_scan_skip_line(s);
	advance(p);
}

static void
statement(struct parser *p)
{
	struct cfg_token key = p->tok;

	p->reported = p->tok.kind == CFG_T_ERROR;
	p->python = false;
	if (key.kind == CFG_T_NEWLINE) {
		advance(p);
		return;
	}
	if (key.kind == CFG_T_WORD) {
		advance(p);
		assignment(p, &key);
	} else {
		expected(p, "the name of a setting");
	}
	if (p->reported)
		recover(p);
}

int
cfg_parse(struct cfg *c, const char *file, const char *text, size_t len)
{
	unsigned errors_before = diag_errors(c->diag);
	struct parser p = {
		.cfg = c,
		.mem = c->mem,
		.diag = c->diag,
		.scan = {
			.mem = c->mem,
			.diag = c->diag,
			.file = arena_strdup(c->mem, file),
			.text = text,
			.len = len,
			.scratch = arena_zalloc(c->mem, len + 1),
			.line = 1,
		},
	};

	if (len > CFG_MAX_BYTES) {
		struct srcpos at = { p.scan.file, 1, 1 };

		diag_error(c->diag, &at,
		    "longer than %u bytes: not a "
		    "configuration",
		    CFG_MAX_BYTES);
		return -1;
	}
	advance(&p);
	while (p.tok.kind != CFG_T_END)
		statement(&p);
	return diag_errors(c->diag) == errors_before ? 0 : -1;
}
