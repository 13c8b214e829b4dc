/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Permission lists, each distinct one stored once and counted, and what they
 * grant. Entry 0 names the owner, and its letter is for everybody who has no
 * entry; of the others the first that matches counts. Knows principals; knows
 * no node and no connection.
 */
#ifndef XENSTORED_ACL_H
#define XENSTORED_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/perm.h"
#include "xenstored/hash.h"
#include "xenstored/principal.h"

enum { ACL_OWNER = 8 }; /* beside PERM_READ and PERM_WRITE in rights */

struct acl_entry {
	struct principal *who; /* NULL: nobody has this right (or DOMID_ANY) */
	struct perm perm;
};

struct acl {
	struct acl *next; /* in the table */
	uint64_t hash;
	uint32_t ref;
	uint32_t n;	    /* at least 1 */
	uint64_t owner_bit; /* one of 64 that the owner has; 0: domain 0 */
	struct acl_entry entry[];
};

struct acls; /* the table */

struct acls *acls_new(const struct hash_key *key); /* NULL: no memory */
void acls_free(struct acls *acls);

/* The list of N entries, with a reference for the caller; NULL: no memory. */
struct acl *acl_get(struct acls *acls, const struct acl_entry *entry, size_t n);

/*
 * The list for a node that OWNER (NULL: PARENT's owner) creates under a node
 * with list PARENT, with a reference for the caller: PARENT's without entries
 * of the dead, entry 0 renamed. NULL: no memory.
 */
struct acl *acl_inherit(
    struct acls *acls, struct acl *parent, struct principal *owner);

static inline struct acl *
acl_ref(struct acl *acl)
{
	acl->ref++;
	return acl;
}

void acl_unref(struct acls *acls, struct acl *acl);

static inline struct principal *
acl_owner(const struct acl *acl)
{
	return acl->entry[0].who;
}

/* The bit of OWNER's lists: one of 64, but none of domain 0's. */
uint64_t acl_owner_bit(const struct principal *owner);

/* Somebody who asks. */
struct who {
	struct principal *self;
	struct principal *target; /* acts with its rights as well; or NULL */
	bool privileged;	  /* may do everything */
};

/* What WHO may do: PERM_READ, PERM_WRITE, ACL_OWNER. */
unsigned acl_rights(const struct acl *acl, const struct who *who);

/* Whether ENTRY is still shown to one who sees the store as of STAMP. */
bool acl_entry_shown(const struct acl_entry *entry, uint64_t stamp);

#endif
