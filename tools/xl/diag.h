/*
 * diag: the complaints about a configuration, each with its place.
 *
 * Knows places in files and text; knows nothing of what is being parsed. A
 * complaint is always one line: control characters are shown as '?'.
 */
#ifndef XL_DIAG_H
#define XL_DIAG_H

#include <stddef.h>
#include <stdio.h>

#include "arena.h"

/*
 * A place. FILE outlives what points to it; LINE and COL count from 1. LINE 0
 * is the file as such.
 */
struct srcpos {
	const char *file;
	unsigned line;
	unsigned col;
};

enum diag_level {
	DIAG_WARNING,
	DIAG_ERROR,
};

struct diag; /* opaque: an ordered list */

/* An empty list, owned by MEM. */
struct diag *diag_new(struct arena *mem);

/*
 * Adds a complaint about the place AT. After DIAG_MAX_ERRORS errors one last
 * line says so and the rest is dropped.
 */
#define DIAG_MAX_ERRORS 20
void diag_error(struct diag *d, const struct srcpos *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void diag_warn(struct diag *d, const struct srcpos *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The number of errors so far; warnings do not count. */
unsigned diag_errors(const struct diag *d);

/*
 * Writes the complaints of level LEAST and above, a line each, ordered by
 * place: "FILE:LINE:COL: text", warnings as "FILE:LINE:COL: warning: text".
 */
void diag_print(const struct diag *d, enum diag_level least, FILE *out);

/*
 * The word of WORDS (ended by NULL) that TYPO most likely stands for, or NULL
 * if none is near enough to be worth mentioning.
 */
const char *diag_nearest(const char *typo, const char *const *words);

#endif
