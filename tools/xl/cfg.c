#include "cfg.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cfg *
cfg_new(struct arena *mem, struct diag *diag)
{
	struct cfg *c = arena_zalloc(mem, sizeof(*c));

	c->mem = mem;
	c->diag = diag;
	c->source = "configuration";
	return c;
}

int
cfg_parse_file(struct cfg *c, const char *file)
{
	struct srcpos at = { arena_strdup(c->mem, file), 0, 0 };
	char *text = arena_zalloc(c->mem, CFG_MAX_BYTES + 2);
	FILE *in = fopen(file, "re");
	size_t len;
	int err;

	c->source = at.file;
	if (in == NULL) {
		diag_error(c->diag, &at, "%s", strerror(errno));
		return -1;
	}
	errno = 0;
	len = fread(text, 1, CFG_MAX_BYTES + 1, in);
	err = ferror(in) ? errno : 0;
	fclose(in);
	if (err != 0) {
		diag_error(c->diag, &at, "%s", strerror(err));
		return -1;
	}
	return cfg_parse(c, file, text, len);
}

static struct cfg_entry *
entry_of(struct cfg *c, const char *key)
{
	for (size_t i = 0; i < c->entries; i++) {
		if (strcmp(c->entry[i].key, key) == 0)
			return &c->entry[i];
	}
	return NULL;
}

const struct cfg_entry *
cfg_find(struct cfg *c, const char *key)
{
	struct cfg_entry *e = entry_of(c, key);

	if (e == NULL)
		return NULL;
	e->used = true;
	if (e->value == NULL || e->value->kind == CFG_NONE)
		return NULL;
	return e;
}

/* The value of KEY, to be replaced; made if need be. */
static struct cfg_value *
slot(struct cfg *c, const char *key, enum cfg_kind kind)
{
	struct cfg_value *v = arena_zalloc(c->mem, sizeof(*v));
	struct cfg_entry *e = entry_of(c, key);

	if (e == NULL) {
		c->entry =
		    arena_grow(c->mem, c->entry, c->entries, sizeof(*c->entry));
		e = &c->entry[c->entries++];
		e->key = arena_strdup(c->mem, key);
		e->at = (struct srcpos){ "xl", 1, 1 };
	}
	v->kind = kind;
	v->at = e->at;
	e->value = v;
	return v;
}

void
cfg_set_string(struct cfg *c, const char *key, const char *text)
{
	slot(c, key, CFG_STRING)->text = arena_strdup(c->mem, text);
}

static const struct cfg_value *
string_value(struct cfg *c, const char *text, const struct srcpos *at)
{
	struct cfg_value *v = arena_zalloc(c->mem, sizeof(*v));

	v->kind = CFG_STRING;
	v->at = *at;
	v->text = arena_strdup(c->mem, text);
	return v;
}

void
cfg_set_list(
    struct cfg *c, const char *key, const char *const *text, size_t count)
{
	struct cfg_value *v = slot(c, key, CFG_LIST);

	v->item = arena_array(c->mem, count, sizeof(*v->item));
	for (v->items = 0; v->items < count; v->items++)
		v->item[v->items] = string_value(c, text[v->items], &v->at);
}

static void
append_string(struct cfg *c, const char *key, const char *text)
{
	static const struct srcpos at = { "command line", 1, 1 };
	struct cfg_entry *e = entry_of(c, key);
	const struct cfg_value *old = e != NULL ? e->value : NULL;
	struct cfg_value *v = slot(c, key, CFG_LIST);

	if (old != NULL && old->kind == CFG_LIST) {
		v->item = old->item;
		v->items = old->items;
	}
	v->item = arena_grow(c->mem, v->item, v->items, sizeof(*v->item));
	v->item[v->items++] = string_value(c, text, &at);
}

/* Whether TEXT, a value, is to be read in the syntax of files. */
static bool
in_file_syntax(const char *text)
{
	static const char *const words[] = { "True", "False", "None", NULL };

	if (*text == '\0' || strchr("\"'[(", *text) != NULL)
		return true;
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(text, words[i]) == 0)
			return true;
	}
	if (*text < '0' || *text > '9')
		return false;
	return strspn(text, "0123456789abcdefABCDEFx") == strlen(text);
}

static bool
in_list(const char *word, size_t len, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strlen(*list) == len && memcmp(*list, word, len) == 0)
			return true;
	}
	return false;
}

int
cfg_parse_arg(struct cfg *c, const char *arg, const char *const *lists)
{
	const char *equals = strchr(arg, '='), *value, *key;
	size_t len;

	if (equals == NULL || equals == arg)
		return cfg_parse(c, "command line", arg, strlen(arg));
	value = equals + 1 + strspn(equals + 1, " \t");
	if (in_file_syntax(value) || equals[-1] == '+')
		return cfg_parse(c, "command line", arg, strlen(arg));
	for (len = (size_t)(equals - arg);
	     len > 0 && strchr(" \t", arg[len - 1]) != NULL;)
		len--;
	key = arena_strndup(c->mem, arg, len);
	if (in_list(arg, len, lists)) {
		append_string(c, key, value);
		return 0;
	}
	slot(c, key, CFG_STRING)->text = arena_strdup(c->mem, value);
	entry_of(c, key)->at = (struct srcpos){ "command line", 1, 1 };
	return 0;
}

const char *
cfg_string(struct cfg *c, const char *key, const char *dflt)
{
	const struct cfg_entry *e = cfg_find(c, key);

	if (e == NULL)
		return dflt;
	if (e->value->kind == CFG_LIST) {
		diag_error(c->diag, &e->value->at,
		    "'%s' must be a string, not a list", key);
		return dflt;
	}
	return e->value->text;
}

unsigned long
cfg_ulong(struct cfg *c, const char *key, unsigned long min, unsigned long max,
    unsigned long dflt)
{
	const struct cfg_entry *e = cfg_find(c, key);
	const char *text;
	unsigned long n;
	char *end;

	if (e == NULL)
		return dflt;
	text = e->value->kind == CFG_LIST ? "" : e->value->text;
	errno = 0;
	n = strtoul(text, &end, 0);
	if (*text < '0' || *text > '9' || *end != '\0') {
		diag_error(
		    c->diag, &e->value->at, "'%s' must be a number", key);
		return dflt;
	}
	if (errno == ERANGE || n < min || n > max) {
		diag_error(c->diag, &e->value->at,
		    "'%s' must be from %lu to %lu, not %s", key, min, max,
		    text);
		return dflt;
	}
	return n;
}

bool
cfg_bool(struct cfg *c, const char *key, bool dflt)
{
	const struct cfg_entry *e = cfg_find(c, key);

	if (e == NULL)
		return dflt;
	if (e->value->kind != CFG_LIST && strcmp(e->value->text, "0") == 0)
		return false;
	if (e->value->kind != CFG_LIST && strcmp(e->value->text, "1") == 0)
		return true;
	diag_error(c->diag, &e->value->at, "'%s' must be 0 or 1", key);
	return dflt;
}

unsigned
cfg_enum(
    struct cfg *c, const char *key, const char *const *words, unsigned dflt)
{
	const struct cfg_entry *e = cfg_find(c, key);
	const char *choices = "";

	if (e == NULL)
		return dflt;
	for (unsigned i = 0; words[i] != NULL; i++) {
		if (e->value->kind != CFG_LIST &&
		    strcmp(e->value->text, words[i]) == 0)
			return i;
		choices = arena_printf(
		    c->mem, "%s%s%s", choices, i == 0 ? "" : ", ", words[i]);
	}
	diag_error(
	    c->diag, &e->value->at, "'%s' must be one of %s", key, choices);
	return dflt;
}

const struct cfg_value *
cfg_strings(struct cfg *c, const char *key)
{
	const struct cfg_entry *e = cfg_find(c, key);

	if (e == NULL)
		return NULL;
	if (e->value->kind != CFG_LIST) {
		diag_error(c->diag, &e->value->at,
		    "'%s' must be a list: %s = [ '...' ]", key, key);
		return NULL;
	}
	for (size_t i = 0; i < e->value->items; i++) {
		if (e->value->item[i]->kind == CFG_STRING)
			continue;
		diag_error(c->diag, &e->value->item[i]->at,
		    "'%s' must be a list of strings", key);
		return NULL;
	}
	return e->value;
}
