/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/acl.h"

#include <stdlib.h>
#include <string.h>

struct acls {
	struct hash_key key;
	struct acl **bucket;
	size_t mask, n;
};

struct acls *
acls_new(const struct hash_key *key)
{
	struct acls *acls = calloc(1, sizeof(*acls));

	if (acls == NULL)
		return NULL;
	acls->key = *key;
	acls->mask = 63;
	acls->bucket = calloc(acls->mask + 1, sizeof(struct acl *));
	if (acls->bucket == NULL) {
		free(acls);
		return NULL;
	}
	return acls;
}

void
acls_free(struct acls *acls)
{
	if (acls == NULL)
		return;
	free(acls->bucket);
	free(acls);
}

/* A table that cannot grow still works. */
static void
grow(struct acls *acls)
{
	size_t mask = acls->mask * 2 + 1, i;
	struct acl **bucket = calloc(mask + 1, sizeof(struct acl *));
	struct acl *a, *next;

	if (bucket == NULL)
		return;
	for (i = 0; i <= acls->mask; i++) {
		for (a = acls->bucket[i]; a != NULL; a = next) {
			next = a->next;
			a->next = bucket[a->hash & mask];
			bucket[a->hash & mask] = a;
		}
	}
	free(acls->bucket);
	acls->bucket = bucket;
	acls->mask = mask;
}

static uint64_t
hash_entries(const struct acls *acls, const struct acl_entry *entry, size_t n)
{
	uint64_t hash = n, word[4];
	size_t i;

	for (i = 0; i < n; i++) {
		word[0] = hash;
		word[1] = entry[i].perm.domid;
		word[2] = entry[i].perm.bits;
		word[3] =
		    entry[i].who != NULL ? entry[i].who->unique_id + 1 : 0;
		hash = hash_bytes(&acls->key, word, sizeof(word));
	}
	return hash;
}

static bool
entries_equal(const struct acl_entry *a, const struct acl_entry *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (a[i].who != b[i].who ||
		    a[i].perm.domid != b[i].perm.domid ||
		    a[i].perm.bits != b[i].perm.bits)
			return false;
	return true;
}

uint64_t
acl_owner_bit(const struct principal *owner)
{
	return owner == NULL || owner->domid == 0
		   ? 0
		   : UINT64_C(1) << (owner->domid & 63);
}

struct acl *
acl_get(struct acls *acls, const struct acl_entry *entry, size_t n)
{
	uint64_t hash = hash_entries(acls, entry, n);
	struct acl *a;
	size_t i;

	for (a = acls->bucket[hash & acls->mask]; a != NULL; a = a->next)
		if (a->hash == hash && a->n == n &&
		    entries_equal(a->entry, entry, n))
			return acl_ref(a);

	a = malloc(sizeof(*a) + n * sizeof(*entry));
	if (a == NULL)
		return NULL;
	if (acls->n > acls->mask)
		grow(acls);
	a->hash = hash;
	a->ref = 1;
	a->n = (uint32_t)n;
	a->owner_bit = acl_owner_bit(entry[0].who);
	memcpy(a->entry, entry, n * sizeof(*entry));
	for (i = 0; i < n; i++)
		if (entry[i].who != NULL)
			principal_ref(entry[i].who);
	a->next = acls->bucket[hash & acls->mask];
	acls->bucket[hash & acls->mask] = a;
	acls->n++;
	return a;
}

static bool
entry_dead(const struct acl_entry *entry)
{
	return entry->who != NULL && principal_dead(entry->who);
}

struct acl *
acl_inherit(struct acls *acls, struct acl *parent, struct principal *owner)
{
	struct acl_entry *entry;
	struct acl *acl;
	bool same = owner == NULL || owner == acl_owner(parent);
	size_t i, n = 1;

	for (i = 1; i < parent->n && same; i++)
		same = !entry_dead(&parent->entry[i]);
	if (same)
		return acl_ref(parent);

	entry = malloc(parent->n * sizeof(*entry));
	if (entry == NULL)
		return NULL;
	entry[0] = parent->entry[0];
	if (owner != NULL) {
		entry[0].who = owner;
		entry[0].perm.domid = owner->domid;
	}
	for (i = 1; i < parent->n; i++)
		if (!entry_dead(&parent->entry[i]))
			entry[n++] = parent->entry[i];
	acl = acl_get(acls, entry, n);
	free(entry);
	return acl;
}

void
acl_unref(struct acls *acls, struct acl *acl)
{
	struct acl **link;
	uint32_t i;

	if (--acl->ref > 0)
		return;
	link = &acls->bucket[acl->hash & acls->mask];
	while (*link != acl)
		link = &(*link)->next;
	*link = acl->next;
	acls->n--;
	for (i = 0; i < acl->n; i++)
		if (acl->entry[i].who != NULL)
			principal_unref(acl->entry[i].who);
	free(acl);
}

/* A NULL principal is nobody, even if another one is NULL too. */
static bool
is_one_of(const struct principal *p, const struct who *who)
{
	return p != NULL && !principal_dead(p) &&
	       (p == who->self || p == who->target);
}

unsigned
acl_rights(const struct acl *acl, const struct who *who)
{
	const struct acl_entry *e = acl->entry;
	uint32_t i;

	if (who->privileged || is_one_of(e[0].who, who))
		return PERM_READ | PERM_WRITE | ACL_OWNER;
	for (i = 1; i < acl->n; i++)
		if (is_one_of(e[i].who, who) ||
		    e[i].perm.domid == PERM_DOMID_ANY)
			return e[i].perm.bits;
	return e[0].perm.bits;
}

bool
acl_entry_shown(const struct acl_entry *entry, uint64_t stamp)
{
	return !entry_dead(entry) || entry->who->death_stamp > stamp;
}
