#include "domain.h"

#include "abi/domctl.h"
#include "abi/sched.h"
#include "evtchn.h"
#include "evtchn_2l.h"
#include "grant.h"
#include "maptrack.h"
#include "p2m.h"
#include "timer.h"
#include "virq.h"

#define MAX_PAUSES 255
#define CODE_NONE 255 /* shutdown_code of a domain that is not shut down */

/* Work done by one slice of domain_destroy. */
#define SLICE_PORTS 1024
#define SLICE_HANDLES 1024
#define SLICE_CHUNKS 8

void
domain_changed(struct domain *d)
{
	d->changed = true;
	virq_raise(d->hv, VIRQ_DOM_EXC);
}

/* An id that names no domain: WISH if it may be had, else the next one after
 * the last that was chosen. 0: all are taken. */
static domid_t
choose_id(struct hv *hv, domid_t wish)
{
	domid_t id = hv->rover;
	uint32_t tries;

	if (wish != 0 && wish < DOMID_FIRST_RESERVED &&
	    hv->domain[wish] == NULL)
		return wish;
	for (tries = 1; tries < DOMID_FIRST_RESERVED; tries++) {
		id = id + 1 < (int)DOMID_FIRST_RESERVED ? id + 1 : 1;
		if (hv->domain[id] == NULL) {
			hv->rover = id;
			return id;
		}
	}
	return 0;
}

static void
link_in(struct domain *d)
{
	struct domain **at = &d->hv->first;

	while (*at != NULL && (*at)->domid < d->domid)
		at = &(*at)->next;
	d->next = *at;
	*at = d;
	d->hv->domain[d->domid] = d;
	d->hv->gone[d->domid / 64] &= ~(UINT64_C(1) << d->domid % 64);
	d->changed = true;
}

static void
unlink(struct domain *d)
{
	struct domain **at = &d->hv->first;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	d->hv->domain[d->domid] = NULL;
}

static void
free_tables(struct domain *d)
{
	struct hv *hv = d->hv;

	evtchn_free(d);
	grant_free(d);
	maptrack_free(d);
	p2m_free(d);
	core_free(hv, d->vcpu, d->spec.max_vcpus * sizeof(*d->vcpu));
	core_free(hv, d, sizeof(*d));
}

static bool
spec_makes_sense(const struct hv_domain_spec *s, uint32_t maptrack_frames)
{
	return s->max_vcpus >= 1 && s->max_vcpus <= HV_MAX_VCPUS &&
	       s->max_grant_frames >= 1 &&
	       s->max_grant_frames <= HV_MAX_GRANT_FRAMES &&
	       maptrack_frames <= HV_MAX_MAPTRACK_FRAMES;
}

static void
init_vcpus(struct domain *d)
{
	struct shared_info *si = d->pages.shared_info;
	uint32_t i;

	for (i = 0; i < d->spec.max_vcpus; i++) {
		d->vcpu[i].timer = HV_NO_DEADLINE;
		d->vcpu[i].info = si == NULL ? NULL : &si->vcpu_info[i];
	}
}

static void
init_wallclock(struct domain *d)
{
	const struct hv_world *ops = d->hv->ops;
	struct shared_info *si = d->pages.shared_info;
	uint64_t boot = ops->wallclock(d->hv->world) - ops->now(d->hv->world);

	if (si == NULL)
		return;
	si->wc_sec = (uint32_t)(boot / 1000000000u);
	si->wc_sec_hi = (uint32_t)(boot / 1000000000u >> 32);
	si->wc_nsec = (uint32_t)(boot % 1000000000u);
	__atomic_store_n(&si->wc_version, 2, __ATOMIC_RELEASE);
}

/* The tables of a domain whose pages the world has made. */
static int
init_tables(struct domain *d, uint32_t maptrack_frames)
{
	uint32_t i;
	int err;

	d->maptrack.max_frames = maptrack_frames;
	d->maptrack.first_free = MAPTRACK_NONE;
	for (i = 0; i < WATCHDOGS; i++)
		d->watchdog[i] = HV_NO_DEADLINE;
	init_vcpus(d);
	init_wallclock(d);
	err = evtchn_init(d);
	return err < 0 ? err : grant_init(d);
}

/* A domain that nobody can see yet. */
static int
construct(struct hv *hv, const struct hv_domain_spec *spec,
    uint32_t maptrack_frames, struct domain **out)
{
	struct domain *d = core_alloc(hv, sizeof(*d));
	int err;

	if (d == NULL)
		return -XEN_ENOMEM;
	d->hv = hv;
	d->spec = *spec;
	d->domid = spec->domid;
	d->unique_id = spec->unique_id;
	d->shutdown_code = CODE_NONE;
	d->pause_count = 1;
	d->vcpu = core_alloc(hv, spec->max_vcpus * sizeof(*d->vcpu));
	if (d->vcpu == NULL) {
		core_free(hv, d, sizeof(*d));
		return -XEN_ENOMEM;
	}
	err = hv->ops->domain_create(hv->world, spec, &d->pages);
	if (err < 0) {
		free_tables(d);
		return err;
	}
	err = init_tables(d, maptrack_frames);
	if (err < 0) {
		hv->ops->domain_free(hv->world, d->domid);
		free_tables(d);
		return err;
	}
	*out = d;
	return 0;
}

int
domain_create(struct hv *hv, domid_t wish, struct hv_domain_spec *spec,
    uint32_t maptrack_frames, struct domain **out)
{
	domid_t rover = hv->rover;
	int err;

	if (!spec_makes_sense(spec, maptrack_frames))
		return -XEN_EINVAL;
	spec->domid = choose_id(hv, wish);
	if (spec->domid == 0)
		return -XEN_ENOMEM;
	spec->unique_id = hv->next_unique_id;
	err = construct(hv, spec, maptrack_frames, out);
	if (err < 0) {
		hv->rover = rover;
		return err;
	}
	hv->next_unique_id++;
	link_in(*out);
	return 0;
}

int
domain_create_first(struct hv *hv)
{
	struct hv_domain_spec spec = {
		.unique_id = hv->next_unique_id,
		.max_vcpus = hv->cfg.dom0_vcpus,
		.max_grant_frames = HV_MAX_GRANT_FRAMES,
		.max_evtchn_port = HV_MAX_PORTS - 1,
	};
	struct domain *d;
	uint32_t i;
	int err;

	err = construct(hv, &spec, HV_MAX_MAPTRACK_FRAMES, &d);
	if (err < 0)
		return err;
	hv->next_unique_id++;
	d->privileged = true;
	d->pause_count = 0;
	d->nr_vcpus = spec.max_vcpus;
	for (i = 0; i < d->nr_vcpus; i++)
		d->vcpu[i].up = true;
	d->p2m.max_pages = hv->cfg.dom0_pages;
	d->p2m.pages = hv->cfg.dom0_pages;
	hv->pages_used += hv->cfg.dom0_pages;
	link_in(d);
	return 0;
}

/* Tells the world if D may run now and could not before, or the other way. */
static void
update_running(struct domain *d)
{
	bool may = d->started && d->pause_count == 0 && !d->shutdown &&
		   d->state == DOMAIN_ALIVE;

	if (may == d->running)
		return;
	d->running = may;
	if (may)
		d->hv->ops->domain_unpause(d->hv->world, d->domid);
	else if (d->state == DOMAIN_ALIVE)
		d->hv->ops->domain_pause(d->hv->world, d->domid);
}

void
domain_shutdown(struct domain *d, uint8_t reason)
{
	if (d->shutdown || d->state != DOMAIN_ALIVE)
		return;
	d->shutdown = true;
	d->shutdown_code = reason;
	timer_stop_all(d);
	update_running(d);
	domain_changed(d);
}

void
domain_resume(struct domain *d)
{
	if (!d->shutdown || d->state != DOMAIN_ALIVE)
		return;
	d->shutdown = false;
	d->shutdown_code = CODE_NONE;
	d->changed = true;
	update_running(d);
}

int
domain_pause(struct domain *d)
{
	if (d->pause_count >= MAX_PAUSES)
		return -XEN_EOVERFLOW;
	d->pause_count++;
	update_running(d);
	return 0;
}

/* The first unpause of a domain that has been told where to start. */
static int
start(struct domain *d)
{
	int err =
	    d->hv->ops->domain_start(d->hv->world, d->domid, d->start_info);

	if (err < 0)
		return err;
	d->started = true;
	d->running = true;
	d->vcpu[0].up = true;
	return 0;
}

int
domain_unpause(struct domain *d)
{
	int err;

	if (d->pause_count == 0)
		return -XEN_EINVAL;
	if (d->pause_count == 1 && d->has_start_info && !d->started &&
	    d->state == DOMAIN_ALIVE && d->nr_vcpus > 0) {
		err = start(d);
		if (err < 0)
			return err;
	}
	d->pause_count--;
	update_running(d);
	return 0;
}

static void
begin_dying(struct domain *d)
{
	d->state = DOMAIN_DYING;
	d->relinquish = RELINQUISH_PORTS;
	d->cursor = 0;
	d->running = false;
	timer_stop_all(d);
	virq_forget_handler(d);
	if (d->started)
		d->hv->ops->domain_kill(d->hv->world, d->domid);
	domain_changed(d);
}

/* The vcpu_info pages that D itself has pinned. */
static void
drop_vcpu_infos(struct domain *d)
{
	uint32_t i;

	for (i = 0; i < d->spec.max_vcpus; i++) {
		if (!d->vcpu[i].info_registered)
			continue;
		d->vcpu[i].info_registered = false;
		d->vcpu[i].info = NULL;
		p2m_unpin(d, d->vcpu[i].info_gfn);
	}
}

/* A slice of taking D apart; true when nothing is left to do. */
static bool
relinquish_slice(struct domain *d)
{
	bool done = false;

	switch (d->relinquish) {
	case RELINQUISH_PORTS:
		done = evtchn_relinquish(d, SLICE_PORTS);
		break;
	case RELINQUISH_HANDLES:
		done = grant_relinquish(d, SLICE_HANDLES);
		break;
	case RELINQUISH_MEMORY:
		if (d->cursor == 0)
			drop_vcpu_infos(d);
		done = p2m_relinquish(d, SLICE_CHUNKS);
		break;
	case RELINQUISH_DONE:
		return true;
	}
	if (done) {
		d->relinquish++;
		d->cursor = 0;
	}
	return d->relinquish == RELINQUISH_DONE;
}

int
domain_destroy(struct domain *d)
{
	if (d->state == DOMAIN_ALIVE)
		begin_dying(d);
	if (d->state == DOMAIN_DEAD)
		return 0;
	if (!relinquish_slice(d))
		return -XEN_ERESTART;
	d->state = DOMAIN_DEAD;
	domain_changed(d);
	domain_unpinned(d);
	return 0;
}

void
domain_unpinned(struct domain *d)
{
	struct hv *hv = d->hv;

	if (d->state != DOMAIN_DEAD || d->p2m.pinned != 0)
		return;
	hv->gone[d->domid / 64] |= UINT64_C(1) << d->domid % 64;
	unlink(d);
	hv->ops->domain_free(hv->world, d->domid);
	free_tables(d);
	virq_raise(hv, VIRQ_DOM_EXC);
}

void
domain_discard(struct domain *d)
{
	struct hv *hv = d->hv;

	if (d->started && d->state == DOMAIN_ALIVE)
		hv->ops->domain_kill(hv->world, d->domid);
	unlink(d);
	hv->ops->domain_free(hv->world, d->domid);
	free_tables(d);
}
