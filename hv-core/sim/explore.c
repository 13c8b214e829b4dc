#include "explore.h"

#include <stdio.h>
#include <string.h>

#include "explore_priv.h"

#define TOTAL_PAGES 122
#define DOM0_PAGES 104
#define MAX_OPS 64

static const struct explore_op *all[MAX_OPS];
static unsigned nr_all, total_weight;
static uint64_t done[MAX_OPS], succeeded[MAX_OPS];

/* xorshift64* */
uint32_t
explore_pick(struct explore *e, uint32_t n)
{
	e->random ^= e->random >> 12;
	e->random ^= e->random << 25;
	e->random ^= e->random >> 27;
	return (uint32_t)((e->random * UINT64_C(2685821657736338717)) >> 33) %
	       n;
}

bool
explore_same(struct explore *e, const char *what, long got, long wanted)
{
	if (got == wanted)
		return true;
	if (e->why[0] == '\0')
		snprintf(e->why, e->len, "%s: the core says %ld, the model %ld",
		    what, got, wanted);
	return false;
}

struct model_domain *
explore_domain(struct explore *e)
{
	struct model_domain *d;

	do {
		d = &e->m.d[explore_pick(e, MODEL_DOMAINS)];
	} while (!d->exists);
	return d;
}

domid_t
explore_domid(struct explore *e)
{
	switch (explore_pick(e, 8)) {
	case 0:
		return DOMID_SELF;
	case 1:
		return explore_pick(e, 2) ? 0x7001 : DOMID_INVALID;
	default:
		return explore_domain(e)->domid;
	}
}

void *
explore_channel(struct explore *e)
{
	uint32_t i = explore_pick(e, EXPLORE_CHANNELS + 1);

	return i == EXPLORE_CHANNELS ? NULL : &e->channel[i];
}

long
explore_call(struct explore *e, const struct model_domain *d, void *channel,
    unsigned nr, unsigned cmd, void *op, unsigned count)
{
	return sim_call_channel(
	    e->s, d->domid, channel, nr, cmd, (uintptr_t)op, count);
}

static void
collect(const struct explore_op *ops)
{
	for (; ops->name != NULL; ops++) {
		all[nr_all++] = ops;
		total_weight += ops->weight;
	}
}

static unsigned
choose(struct explore *e)
{
	uint32_t n = explore_pick(e, total_weight);
	unsigned i = 0;

	while (n >= all[i]->weight)
		n -= all[i++]->weight;
	return i;
}

/* One step; false when something differs. */
static bool
step(struct explore *e, bool audit)
{
	unsigned i = choose(e);
	const char *bad;
	long ret = all[i]->run(e);

	done[i]++;
	if (ret >= 0)
		succeeded[i]++;
	if (e->why[0] == '\0')
		(void)explore_compare(e);
	bad = audit && e->why[0] == '\0' ? core_audit(e->s->hv) : NULL;
	if (bad != NULL)
		snprintf(e->why, e->len, "%s", bad);
	if (e->why[0] == '\0')
		return true;
	snprintf(e->why + strlen(e->why), e->len - strlen(e->why),
	    " (after %s)", all[i]->name);
	return false;
}

bool
explore_run(
    uint64_t seed, uint64_t count, unsigned audit_every, char *why, size_t len)
{
	const struct sim_config cfg = {
		.total_pages = TOTAL_PAGES,
		.dom0_pages = DOM0_PAGES,
	};
	static struct explore e;
	uint64_t n;

	memset(&e, 0, sizeof(e));
	e.s = sim_new(&cfg);
	e.random = seed * 2 + 1;
	e.why = why;
	e.len = len;
	why[0] = '\0';
	model_init(&e.m, TOTAL_PAGES, DOM0_PAGES, HV_MAX_GRANT_FRAMES);
	nr_all = total_weight = 0;
	collect(explore_event_ops());
	collect(explore_grant_ops());
	collect(explore_life_ops());
	for (n = 0; n < count; n++) {
		if (step(&e, n % audit_every == 0))
			continue;
		snprintf(why + strlen(why), len - strlen(why),
		    ", operation %llu of seed %llu", (unsigned long long)n,
		    (unsigned long long)seed);
		return false; /* the world may be too broken to be freed */
	}
	sim_free(e.s);
	return true;
}

void
explore_print_counts(void)
{
	unsigned i;

	for (i = 0; i < nr_all; i++)
		printf("%-16s %9llu, %9llu succeeded\n", all[i]->name,
		    (unsigned long long)done[i],
		    (unsigned long long)succeeded[i]);
}
