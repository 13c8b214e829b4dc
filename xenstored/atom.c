/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/atom.h"

#include <stdlib.h>
#include <string.h>

struct atoms {
	struct hash_key key;
	struct atom **bucket;
	size_t mask; /* buckets - 1 */
	size_t n;
};

struct atoms *
atoms_new(const struct hash_key *key)
{
	struct atoms *atoms = malloc(sizeof(*atoms));

	if (atoms == NULL)
		return NULL;
	atoms->key = *key;
	atoms->mask = 255;
	atoms->n = 0;
	atoms->bucket = calloc(atoms->mask + 1, sizeof(struct atom *));
	if (atoms->bucket == NULL) {
		free(atoms);
		return NULL;
	}
	return atoms;
}

void
atoms_free(struct atoms *atoms)
{
	if (atoms == NULL)
		return;
	free(atoms->bucket);
	free(atoms);
}

/* A table that cannot grow still works. */
static void
grow(struct atoms *atoms)
{
	size_t mask = atoms->mask * 2 + 1, i;
	struct atom **bucket = calloc(mask + 1, sizeof(struct atom *));
	struct atom *a, *next;

	if (bucket == NULL)
		return;
	for (i = 0; i <= atoms->mask; i++) {
		for (a = atoms->bucket[i]; a != NULL; a = next) {
			next = a->next;
			a->next = bucket[a->hash & mask];
			bucket[a->hash & mask] = a;
		}
	}
	free(atoms->bucket);
	atoms->bucket = bucket;
	atoms->mask = mask;
}

static struct atom *
find(const struct atoms *atoms, uint64_t hash, const char *text, size_t len)
{
	struct atom *a = atoms->bucket[hash & atoms->mask];

	while (a != NULL && (a->hash != hash || a->len != len ||
				memcmp(a->text, text, len) != 0))
		a = a->next;
	return a;
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
	if (atoms->n > atoms->mask)
		grow(atoms);
	a->hash = hash;
	a->ref = 1;
	a->len = (uint32_t)len;
	memcpy(a->text, text, len);
	a->text[len] = '\0';
	a->next = atoms->bucket[hash & atoms->mask];
	atoms->bucket[hash & atoms->mask] = a;
	atoms->n++;
	return a;
}

void
atom_unref(struct atoms *atoms, struct atom *atom)
{
	struct atom **link;

	if (--atom->ref > 0)
		return;
	link = &atoms->bucket[atom->hash & atoms->mask];
	while (*link != atom)
		link = &(*link)->next;
	*link = atom->next;
	atoms->n--;
	free(atom);
}
