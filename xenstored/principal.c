/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/principal.h"

#include <stdlib.h>

#include "common/wire.h"

struct principals {
	struct quota_pool pool;
	struct principal *current[DOMID_FIRST_RESERVED];
};

struct principals *
principals_new(const struct quota_set *limits)
{
	struct principals *all = calloc(1, sizeof(*all));

	if (all != NULL)
		all->pool.limits = *limits;
	return all;
}

void
principals_free(struct principals *all)
{
	unsigned i;

	if (all == NULL)
		return;
	for (i = 0; i < DOMID_FIRST_RESERVED; i++)
		if (all->current[i] != NULL)
			principal_unref(all->current[i]);
	free(all);
}

struct quota_pool *
principals_pool(struct principals *all)
{
	return &all->pool;
}

struct principal *
principal_current(const struct principals *all, uint32_t domid)
{
	return domid < DOMID_FIRST_RESERVED ? all->current[domid] : NULL;
}

/* A living principal with one reference, in no table; NULL: no memory. */
static struct principal *
new_principal(
    struct principals *all, uint32_t domid, uint64_t unique_id, uint64_t stamp)
{
	struct principal *p = calloc(1, sizeof(*p));
	unsigned i;

	if (p == NULL)
		return NULL;
	p->domid = domid;
	p->unique_id = unique_id;
	p->birth_stamp = stamp;
	p->ref = 1;
	p->pool = &all->pool;
	for (i = 0; i < QUOTA_COUNT; i++)
		p->limit.n[i] = -1;
	p->features = WIRE_FEATURES;
	list_init(&p->unburied);
	return p;
}

struct principal *
principal_get(
    struct principals *all, uint32_t domid, uint64_t unique_id, uint64_t stamp)
{
	struct principal *p = principal_current(all, domid);

	if (p != NULL && p->unique_id == unique_id)
		return p;
	if (p != NULL || domid >= DOMID_FIRST_RESERVED)
		return NULL;
	p = new_principal(all, domid, unique_id, stamp);
	if (p != NULL)
		all->current[domid] = p;
	return p;
}

struct principal *
principal_restore(struct principals *all, uint32_t domid, uint64_t unique_id,
    uint64_t birth, uint64_t death)
{
	struct principal *p;

	if (domid >= DOMID_FIRST_RESERVED ||
	    (death == 0 && all->current[domid] != NULL))
		return NULL;
	p = new_principal(all, domid, unique_id, birth);
	if (p == NULL)
		return NULL;
	p->death_stamp = death;
	if (death == 0)
		all->current[domid] = principal_ref(p);
	return p;
}

void
principal_die(struct principals *all, struct principal *p, uint64_t stamp)
{
	if (all->current[p->domid] != p)
		return;
	all->current[p->domid] = NULL;
	p->death_stamp = stamp;
	principal_unref(p);
}

void
principal_unref(struct principal *p)
{
	if (--p->ref == 0)
		free(p);
}

void
principal_charge(struct principal *p, enum quota_id id, int64_t n)
{
	int64_t now = p->usage.n[id] += n;

	if (now <= p->peak.n[id])
		return;
	p->peak.n[id] = now;
	if (!p->privileged && now > p->pool->peak.n[id])
		p->pool->peak.n[id] = now;
}

int64_t
principal_limit(const struct principal *p, enum quota_id id)
{
	return p->limit.n[id] >= 0 ? p->limit.n[id] : p->pool->limits.n[id];
}

bool
principal_allows(const struct principal *p, enum quota_id id, int64_t value)
{
	int64_t limit = principal_limit(p, id);

	if (p->privileged || limit == 0 || value <= limit)
		return true;
	p->pool->refused = (struct refusal){
		.id = id, .domid = p->domid, .value = value, .limit = limit
	};
	return false;
}

bool
principal_may(const struct principal *p, enum quota_id id, int64_t n)
{
	return principal_allows(p, id, p->usage.n[id] + n);
}
