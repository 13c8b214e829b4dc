/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/atom.h"

#include <stdlib.h>
#include <string.h>

#include "xenstored/list.h"

struct atoms {
	struct hash_key key;
	struct table table;
};

struct atoms *
atoms_new(const struct hash_key *key)
{
	struct atoms *atoms = malloc(sizeof(*atoms));

	if (atoms == NULL)
		return NULL;
	atoms->key = *key;
	if (table_init(&atoms->table))
		return atoms;
	free(atoms);
	return NULL;
}

void
atoms_free(struct atoms *atoms)
{
	if (atoms == NULL)
		return;
	table_end(&atoms->table);
	free(atoms);
}

static struct atom *
find(const struct atoms *atoms, uint64_t hash, const char *text, size_t len)
{
	struct table_link *link = table_first(&atoms->table, hash);
	struct atom *a;

	for (; link != NULL; link = table_next(link)) {
		a = list_entry(link, struct atom, link);
		if (a->len == len && memcmp(a->text, text, len) == 0)
			return a;
	}
	return NULL;
}

struct atom *
atom_find(const struct atoms *atoms, const char *text, size_t len)
{
	return find(atoms, hash_bytes(&atoms->key, text, len), text, len);
}

struct atom *
atom_get(struct atoms *atoms, const char *text, size_t len)
{
	uint64_t hash = hash_bytes(&atoms->key, text, len);
	struct atom *a = find(atoms, hash, text, len);

	if (a != NULL) {
		a->ref++;
		return a;
	}
	a = malloc(sizeof(*a) + len + 1);
	if (a == NULL)
		return NULL;
	a->ref = 1;
	a->len = (uint32_t)len;
	memcpy(a->text, text, len);
	a->text[len] = '\0';
	table_add(&atoms->table, &a->link, hash);
	return a;
}

void
atom_unref(struct atoms *atoms, struct atom *atom)
{
	if (--atom->ref > 0)
		return;
	table_remove(&atoms->table, &atom->link);
	free(atom);
}
