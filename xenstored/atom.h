/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Path components, each stored once and counted. Two components are the same
 * if their atoms are. Knows strings only.
 */
#ifndef XENSTORED_ATOM_H
#define XENSTORED_ATOM_H

#include <stddef.h>
#include <stdint.h>

#include "xenstored/hash.h"
#include "xenstored/table.h"

struct atom {
	struct table_link link;
	uint32_t ref;
	uint32_t len;
	char text[]; /* with a NUL */
};

struct atoms; /* the table */

/* NULL: no memory. KEY is copied. */
struct atoms *atoms_new(const struct hash_key *key);

/* Frees the table; every atom must have been given back. */
void atoms_free(struct atoms *atoms);

/* The atom of LEN bytes at TEXT, with a reference for the caller; NULL: no
 * memory. */
struct atom *atom_get(struct atoms *atoms, const char *text, size_t len);

/* The same without a reference; NULL if nothing has this name. */
struct atom *atom_find(const struct atoms *atoms, const char *text, size_t len);

void atom_unref(struct atoms *atoms, struct atom *atom);

#endif
