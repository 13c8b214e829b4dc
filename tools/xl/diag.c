#include "diag.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct complaint {
	struct srcpos at;
	enum diag_level level;
	size_t file_nr; /* the file's first complaint: files keep that order */
	size_t seq;
	char *text;
};

struct diag {
	struct arena *mem;
	struct complaint *all;
	size_t count;
	unsigned errors;
};

struct diag *
diag_new(struct arena *mem)
{
	struct diag *d = arena_zalloc(mem, sizeof(*d));

	d->mem = mem;
	return d;
}

static void
make_one_line(char *text)
{
	unsigned char *p;

	for (p = (unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

static size_t
file_number(const struct diag *d, const char *file)
{
	size_t i;

	for (i = 0; i < d->count; i++) {
		if (strcmp(d->all[i].at.file, file) == 0)
			return d->all[i].file_nr;
	}
	return d->count;
}

static void
add(struct diag *d, enum diag_level level, const struct srcpos *at, char *text)
{
	struct complaint *c;

	make_one_line(text);
	d->all = arena_grow(d->mem, d->all, d->count, sizeof(*d->all));
	c = &d->all[d->count];
	c->at = *at;
	c->level = level;
	c->file_nr = file_number(d, at->file);
	c->seq = d->count++;
	c->text = text;
}

void
diag_error(struct diag *d, const struct srcpos *at, const char *fmt, ...)
{
	va_list ap;

	d->errors++;
	if (d->errors > DIAG_MAX_ERRORS + 1)
		return;
	if (d->errors == DIAG_MAX_ERRORS + 1) {
		add(d, DIAG_ERROR, at, arena_strdup(d->mem, "too many errors"));
		return;
	}
	va_start(ap, fmt);
	add(d, DIAG_ERROR, at, arena_vprintf(d->mem, fmt, ap));
	va_end(ap);
}

void
diag_warn(struct diag *d, const struct srcpos *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, DIAG_WARNING, at, arena_vprintf(d->mem, fmt, ap));
	va_end(ap);
}

unsigned
diag_errors(const struct diag *d)
{
	return d->errors;
}

static int
by_place(const void *a, const void *b)
{
	const struct complaint *x = a, *y = b;

	if (x->file_nr != y->file_nr)
		return x->file_nr < y->file_nr ? -1 : 1;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	if (x->at.col != y->at.col)
		return x->at.col < y->at.col ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void
diag_print(const struct diag *d, enum diag_level least, FILE *out)
{
	size_t i;

	if (d->count > 1)
		qsort(d->all, d->count, sizeof(*d->all), by_place);
	for (i = 0; i < d->count; i++) {
		const struct complaint *c = &d->all[i];

		if (c->level < least)
			continue;
		if (c->at.line == 0)
			fprintf(out, "%s: ", c->at.file);
		else
			fprintf(out, "%s:%u:%u: ", c->at.file, c->at.line,
			    c->at.col);
		fprintf(out, "%s%s\n",
		    c->level == DIAG_WARNING ? "warning: " : "", c->text);
	}
}

/* Edits between A and B, swapped neighbours counting as one; 99 if too long. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[3][32];
	size_t n = strlen(a), m = strlen(b);

	if (n >= 31 || m >= 31)
		return 99;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *last = row[(i + 2) % 3];
		unsigned *before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[n % 3][m];
}

const char *
diag_nearest(const char *typo, const char *const *words)
{
	unsigned best = UINT_MAX, d;
	const char *found = NULL;

	for (; *words != NULL; words++) {
		d = distance(typo, *words);
		if (d < best) {
			best = d;
			found = *words;
		}
	}
	/* A third of the letters may be wrong, two at most. */
	if (best > 2 || best * 3 > strlen(typo))
		return NULL;
	return found;
}
