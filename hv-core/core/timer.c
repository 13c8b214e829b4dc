#include "timer.h"

#include "abi/sched.h"
#include "domain.h"
#include "virq.h"

static uint64_t
earliest_of(const struct domain *d, uint64_t so_far)
{
	uint32_t i;

	for (i = 0; i < d->nr_vcpus; i++)
		if (d->vcpu[i].timer < so_far)
			so_far = d->vcpu[i].timer;
	for (i = 0; i < WATCHDOGS; i++)
		if (d->watchdog[i] < so_far)
			so_far = d->watchdog[i];
	return so_far;
}

static void
find_earliest(struct hv *hv)
{
	const struct domain *d;

	hv->deadline = HV_NO_DEADLINE;
	for (d = hv->first; d != NULL; d = d->next)
		hv->deadline = earliest_of(d, hv->deadline);
}

void
timer_set(struct hv *hv, uint64_t *at, uint64_t deadline)
{
	bool was_first = *at == hv->deadline;

	*at = deadline;
	if (deadline < hv->deadline)
		hv->deadline = deadline;
	else if (was_first && hv->deadline != HV_NO_DEADLINE)
		find_earliest(hv);
}

void
timer_stop_all(struct domain *d)
{
	uint32_t i;

	for (i = 0; i < d->nr_vcpus; i++)
		d->vcpu[i].timer = HV_NO_DEADLINE;
	for (i = 0; i < WATCHDOGS; i++)
		d->watchdog[i] = HV_NO_DEADLINE;
	find_earliest(d->hv);
}

static void
run_domain(struct domain *d, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < d->nr_vcpus; i++) {
		if (d->vcpu[i].timer > now)
			continue;
		d->vcpu[i].timer = HV_NO_DEADLINE;
		virq_raise_vcpu(d, i, VIRQ_TIMER);
	}
	for (i = 0; i < WATCHDOGS; i++) {
		if (d->watchdog[i] > now)
			continue;
		d->watchdog[i] = HV_NO_DEADLINE;
		domain_shutdown(d, SHUTDOWN_watchdog);
	}
}

void
timer_run(struct hv *hv)
{
	uint64_t now = hv->ops->now(hv->world);
	struct domain *d;

	if (hv->deadline > now)
		return;
	for (d = hv->first; d != NULL; d = d->next)
		run_domain(d, now);
	find_earliest(hv);
}
