/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A node as a line of xenstore-ls. Lines are cut to the terminal's width or to
 * 80 columns. Whether a value fits is judged by its bytes, but what is cut is
 * its escaped text: this is what scripts have always been shown.
 */
#ifndef TOOLS_XS_LSPRINT_H
#define TOOLS_XS_LSPRINT_H

#include <stdbool.h>

#include "tools/xs/out.h"
#include "tools/xs/walk.h"

struct lsprint {
	bool flat;
	int width; /* negative: lines are not cut */
	struct out text;
};

/* For what stdout is. */
void lsprint_init(struct lsprint *p, bool flat);

/* Shows NODE on stdout. */
void lsprint_node(struct lsprint *p, const struct walk_node *node);

void lsprint_free(struct lsprint *p);

#endif
