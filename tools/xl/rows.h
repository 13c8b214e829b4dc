/*
 * rows: the tables that `list` prints, as xl and as xm lay them out. Pure:
 * knows no hypervisor call and no store.
 */
#ifndef XL_ROWS_H
#define XL_ROWS_H

#include <stdio.h>

#include "tools/common/hvinfo.h"

enum rows_style {
	ROWS_XL,
	ROWS_XM,
};

enum rows_more {
	ROWS_VERBOSE = 1, /* uuid, reason, label */
	ROWS_NUMA = 2,	  /* node affinity */
};

/* The header; MORE is of enum rows_more. */
void rows_header(FILE *out, enum rows_style style, unsigned more);

/* A domain called NAME (NULL if it has no name). */
void rows_domain(FILE *out, enum rows_style style, unsigned more,
    const struct hvinfo_domain *d, const char *name);

/* Six letters and a NUL: running, blocked, paused, shut down, why, dying. */
#define ROWS_STATE 7
void rows_state(const struct hvinfo_domain *d, char buf[ROWS_STATE]);

#endif
