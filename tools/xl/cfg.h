/*
 * cfg: the language of domain configurations, as a table of assignments.
 *
 * Knows the syntax (xl's, and the part of xm's Python that configurations
 * use) and typed access; does not know which keys exist or what they mean.
 *
 *   file  = { stmt }            stmt = KEY ("=" | "+=") expr  end-of-line | ";"
 *   expr  = atom { "+" atom }   atom = STRING { STRING } | NUMBER | True
 *   list  = "[" [ expr { "," expr } [ "," ] ] "]"           | False | None
 *                                      | list | "(" ... ")"
 */
#ifndef XL_CFG_H
#define XL_CFG_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "diag.h"

enum cfg_kind {
	CFG_NONE, /* xm's None: as if the key had not been given */
	CFG_STRING,
	CFG_NUMBER, /* kept as text; True is 1, False is 0 */
	CFG_LIST,
};

struct cfg_value {
	enum cfg_kind kind;
	struct srcpos at;
	const char *text;	       /* STRING and NUMBER */
	const struct cfg_value **item; /* LIST, in the order of the file */
	size_t items;
};

struct cfg_entry {
	const char *key;
	struct srcpos at;
	const struct cfg_value *value;
	bool used; /* a getter has asked for it */
};

/* Entries are in the order in which their keys were first set. */
struct cfg {
	struct arena *mem;
	struct diag *diag;
	const char *source; /* the first file; for what is said of the whole */
	struct cfg_entry *entry;
	size_t entries;
};

#define CFG_MAX_BYTES (1U << 16) /* of one source */
#define CFG_MAX_DEPTH 32	 /* of nested lists */

/* An empty configuration; it and all values live in MEM, errors go to DIAG. */
struct cfg *cfg_new(struct arena *mem, struct diag *diag);

/*
 * Adds the LEN bytes of TEXT, which FILE (copied) names in errors. Later
 * assignments replace earlier ones. After an error parsing goes on at the next
 * statement, so that one run reports several. Returns 0, or -1 if it added
 * errors to the diag.
 */
int cfg_parse(struct cfg *c, const char *file, const char *text, size_t len);

/* Reads and adds FILE. -1 also if it cannot be read or is too long. */
int cfg_parse_file(struct cfg *c, const char *file);

/*
 * Adds one "key=value" of the command line. A value that is not in the
 * file's syntax is taken as a string, and appended if KEY is one of LISTS
 * (ended by NULL): xm's spelling. Returns as cfg_parse does.
 */
int cfg_parse_arg(struct cfg *c, const char *arg, const char *const *lists);

/* The entry of KEY, marked used, or NULL if it is not set or None. */
const struct cfg_entry *cfg_find(struct cfg *c, const char *key);

/* Sets KEY, whatever it was. */
void cfg_set_string(struct cfg *c, const char *key, const char *text);
void cfg_set_list(
    struct cfg *c, const char *key, const char *const *text, size_t count);

/*
 * Typed access. Each returns the default if the key is absent; a value of the
 * wrong kind or range is an error in the diag, and the default as well.
 */
const char *cfg_string(struct cfg *c, const char *key, const char *dflt);
unsigned long cfg_ulong(struct cfg *c, const char *key, unsigned long min,
    unsigned long max, unsigned long dflt);
bool cfg_bool(struct cfg *c, const char *key, bool dflt);

/* The index in WORDS (ended by NULL) of the string of KEY. */
unsigned cfg_enum(
    struct cfg *c, const char *key, const char *const *words, unsigned dflt);

/* The list of KEY; NULL if absent or not a list of strings. */
const struct cfg_value *cfg_strings(struct cfg *c, const char *key);

/*
 * The whole configuration in its own syntax, one assignment a line, in memory
 * of C. Parsing it gives the same configuration.
 */
char *cfg_print(const struct cfg *c);

#endif
