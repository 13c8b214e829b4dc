/*
 * What happens at a time: vcpus' single-shot timers and domains' watchdogs.
 */
#ifndef HV_CORE_TIMER_H
#define HV_CORE_TIMER_H

#include "core.h"

/* Sets one deadline, HV_NO_DEADLINE to stop it. AT points to a vcpu's timer or
 * to a watchdog. */
void timer_set(struct hv *hv, uint64_t *at, uint64_t deadline);

/* Stops all of D's. */
void timer_stop_all(struct domain *d);

/* Fires what is due. */
void timer_run(struct hv *hv);

#endif
