/* What the files of the explorer share. Private to them. */
#ifndef HV_SIM_EXPLORE_PRIV_H
#define HV_SIM_EXPLORE_PRIV_H

#include "model.h"
#include "sim.h"

#define EXPLORE_CHANNELS 3

struct explore {
	struct sim *s;
	struct model m;
	uint64_t random; /* state of the generator; never 0 */
	char *why;	 /* what differs, empty so far */
	size_t len;
	char channel[EXPLORE_CHANNELS]; /* their addresses are channels */
};

/* 0 .. n-1 */
uint32_t explore_pick(struct explore *e, uint32_t n);

/* Notes that WHAT is GOT and not WANTED (the first time only); whether they are
 * the same. */
bool explore_same(struct explore *e, const char *what, long got, long wanted);

/* Compares all that can be seen. */
bool explore_compare(struct explore *e);

/* An operation: picks its arguments, does it twice, compares the answers.
 * Answers what the hypercall answered. */
typedef long (*explore_fn)(struct explore *e);

struct explore_op {
	const char *name;
	explore_fn run;
	unsigned weight;
};

/* The operations; the last one's name is NULL. */
const struct explore_op *explore_event_ops(void);
const struct explore_op *explore_grant_ops(void);
const struct explore_op *explore_life_ops(void);

/* A domain that exists, dying ones included; a domain id of any kind: a real
 * one, DOMID_SELF or none; a channel or NULL. */
struct model_domain *explore_domain(struct explore *e);
domid_t explore_domid(struct explore *e);
void *explore_channel(struct explore *e);

/* A hypercall by D. */
long explore_call(struct explore *e, const struct model_domain *d,
    void *channel, unsigned nr, unsigned cmd, void *op, unsigned count);

#endif
