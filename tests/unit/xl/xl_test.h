/*
 * What the tests of xl share: a configuration parsed from a string, and its
 * complaints as text.
 */
#ifndef TESTS_XL_TEST_H
#define TESTS_XL_TEST_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/xl/arena.h"
#include "tools/xl/cfg.h"
#include "tools/xl/diag.h"

struct fixture {
	struct arena *mem;
	struct diag *diag;
	struct cfg *cfg;
};

static inline int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->mem = arena_new();
	f->diag = diag_new(f->mem);
	f->cfg = cfg_new(f->mem, f->diag);
	*state = f;
	return 0;
}

static inline int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->mem);
	free(f);
	return 0;
}

/* Everything that was complained about. */
static inline const char *
complaints(struct fixture *f, enum diag_level least)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const char *copy;

	diag_print(f->diag, least, out);
	fclose(out);
	copy = arena_strdup(f->mem, text);
	free(text);
	return copy;
}

/* Parses TEXT as the file "dom", from a heap block of just its size, so that
 * a sanitizer sees every byte read beyond it. */
static inline int
parse(struct fixture *f, const char *text)
{
	size_t len = strlen(text);
	char *exact = malloc(len > 0 ? len : 1);
	int ret;

	memcpy(exact, text, len);
	ret = cfg_parse(f->cfg, "dom", exact, len);
	free(exact);
	return ret;
}

#endif
