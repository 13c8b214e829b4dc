/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A principal is one incarnation of a domain: (domid, unique_id). Rights, nodes
 * and accounting belong to it, so that a domain that gets a used domid inherits
 * nothing. Knows no node, no connection.
 */
#ifndef XENSTORED_PRINCIPAL_H
#define XENSTORED_PRINCIPAL_H

#include <stdbool.h>
#include <stdint.h>

#include "xenstored/list.h"
#include "xenstored/quota.h"

enum {
	DOMID_FIRST_RESERVED = 0x7ff0, /* domids of domains are below */
	DOMID_SELF = 0x7ff0,
};

/* DOMID would have had VALUE of ID, where LIMIT is allowed. */
struct refusal {
	enum quota_id id; /* QUOTA_COUNT: there was none */
	uint32_t domid;
	int64_t value, limit;
};

/* What all principals of one machine have in common. */
struct quota_pool {
	struct quota_set limits; /* for all that have none of their own */
	struct quota_set peak;	 /* the most that an unprivileged one used */
	struct refusal refused;	 /* the last one, for those who look on */
};

struct principal {
	uint32_t domid;
	uint32_t ref;
	uint64_t unique_id;
	uint64_t birth_stamp; /* store stamp when it was first heard of */
	uint64_t death_stamp; /* store stamp at death; 0 while it lives */
	bool privileged;      /* no quota is applied */
	bool soft_told;	      /* it uses much memory, and that was said */
	uint32_t features;    /* that its ring offers */
	struct list unburied; /* in the list of the dead who still own nodes */
	bool stuck;	      /* there, and waits for memory */
	struct quota_pool *pool;
	struct quota_set limit; /* -1: the pool's */
	struct quota_set usage, peak;
	int64_t growth; /* scratch space of a commit: memory more for it */
	/* scratch space of state_check(): usage when it began, and in fact */
	struct quota_set stated, counted;
};

struct principals; /* all of them, by domid */

/* NULL: no memory. */
struct principals *principals_new(const struct quota_set *limits);
void principals_free(struct principals *all);

struct quota_pool *principals_pool(struct principals *all);

/* The living principal with DOMID, or NULL. No reference is taken. */
struct principal *principal_current(
    const struct principals *all, uint32_t domid);

/*
 * The living principal (DOMID, UNIQUE_ID), made if there was none; the table
 * keeps it until its death, the caller gets no reference. There must be no
 * living one with this DOMID and another UNIQUE_ID. STAMP is when this is.
 * NULL: no memory.
 */
struct principal *principal_get(
    struct principals *all, uint32_t domid, uint64_t unique_id, uint64_t stamp);

/* Takes P out of the table: STAMP is when. It has no rights from now on. */
void principal_die(struct principals *all, struct principal *p, uint64_t stamp);

/*
 * A principal as it once was, that lived from BIRTH to DEATH (0: it lives, and
 * no other one with this DOMID does); one reference is the caller's. NULL: no
 * memory, or there is a living one.
 */
struct principal *principal_restore(struct principals *all, uint32_t domid,
    uint64_t unique_id, uint64_t birth, uint64_t death);

static inline bool
principal_dead(const struct principal *p)
{
	return p->death_stamp != 0;
}

static inline struct principal *
principal_ref(struct principal *p)
{
	p->ref++;
	return p;
}

/* Frees P with the last reference. */
void principal_unref(struct principal *p);

/* Adds N (may be negative) to what P uses of ID. */
void principal_charge(struct principal *p, enum quota_id id, int64_t n);

/* What P is limited to; 0: nothing. */
int64_t principal_limit(const struct principal *p, enum quota_id id);

/* Whether VALUE is within P's limit, or P has none. */
bool principal_allows(
    const struct principal *p, enum quota_id id, int64_t value);

/* Whether P may use N more of ID. */
bool principal_may(const struct principal *p, enum quota_id id, int64_t n);

#endif
