/*
 * Random walks: the same operations on the core in its simulated world and on
 * the model, with everything that can be seen compared after each one, and the
 * core's own audit.
 */
#ifndef HV_SIM_EXPLORE_H
#define HV_SIM_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * COUNT operations from SEED; the full audit after every AUDIT_EVERYth. True
 * if the two never differed; else WHY says where and how. The walk depends on
 * nothing but its arguments.
 */
bool explore_run(
    uint64_t seed, uint64_t count, unsigned audit_every, char *why, size_t len);

/* How often each operation was done, how often it succeeded: printed. */
void explore_print_counts(void);

#endif
