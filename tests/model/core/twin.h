/*
 * A twin is the core with one rule left out: one of its files compiled once
 * more with a call made to do nothing. It takes the place of the archive's
 * member. The walk must find it out, or the model proves little.
 */
#ifndef TEST_TWIN_H
#define TEST_TWIN_H

#include <stdio.h>

#include "hv-core/sim/explore.h"

#define TWIN_COUNT 1000000
#define TWIN_SEED 1
#define TWIN_AUDIT 64

/* Exit status: 0 if the missing rule was noticed. */
static inline int
twin_main(const char *missing)
{
	char why[256];

	if (explore_run(TWIN_SEED, TWIN_COUNT, TWIN_AUDIT, why, sizeof(why))) {
		printf("FAILED: nobody misses that %s\n", missing);
		return 1;
	}
	printf("without the rule that %s:\n  %s\n", missing, why);
	return 0;
}

#endif
