/*
 * A long random walk of the core beside its model.
 *
 *	model_core [COUNT [SEED [AUDIT_EVERY]]]
 *
 * or MODEL_COUNT, MODEL_SEED, MODEL_AUDIT in the environment; 10^6, 1 and 1 if
 * not given. With the same seed the walk is the same again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hv-core/sim/explore.h"

static unsigned long long
setting(int argc, char **argv, int n, const char *name, unsigned long long def)
{
	const char *text = argc > n ? argv[n] : getenv(name);

	return text == NULL ? def : strtoull(text, NULL, 0);
}

int
main(int argc, char **argv)
{
	unsigned long long count =
	    setting(argc, argv, 1, "MODEL_COUNT", 1000000);
	unsigned long long seed = setting(argc, argv, 2, "MODEL_SEED", 1);
	unsigned long long audit = setting(argc, argv, 3, "MODEL_AUDIT", 1);
	char why[256];

	printf("%llu operations, seed %llu, audit after every %lluth\n", count,
	    seed, audit);
	fflush(stdout);
	if (!explore_run(seed, count, (unsigned)audit, why, sizeof(why))) {
		printf("FAILED: %s\n", why);
		return 1;
	}
	explore_print_counts();
	return 0;
}
