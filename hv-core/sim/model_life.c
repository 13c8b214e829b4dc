#include <string.h>

#include "model.h"

void
model_init(struct model *m, uint64_t total_pages, uint64_t dom0_pages,
    uint32_t dom0_max_grant_frames)
{
	struct model_domain *d = &m->d[0];

	memset(m, 0, sizeof(*m));
	m->total_pages = total_pages;
	m->dom0_pages = dom0_pages;
	d->exists = true;
	d->max_port = MODEL_PORTS - 1;
	d->vcpus = 1;
	d->shutdown_code = 255;
	d->grant_frames = 1;
	d->max_grant_frames = dom0_max_grant_frames;
	d->max_handles = MODEL_HANDLES;
}

struct model_domain *
model_domain(struct model *m, uint32_t domid)
{
	int i;

	for (i = 0; i < MODEL_DOMAINS; i++)
		if (m->d[i].exists && m->d[i].domid == domid)
			return &m->d[i];
	return NULL;
}

long
model_create(struct model *m, uint32_t max_port, uint32_t max_handles)
{
	struct model_domain *d = &m->d[1];

	while (d->exists)
		d++;
	memset(d, 0, sizeof(*d));
	do {
		m->last_domid++;
		if (m->last_domid == DOMID_FIRST_RESERVED)
			m->last_domid = 1;
	} while (model_domain(m, m->last_domid) != NULL);
	d->exists = true;
	d->domid = m->last_domid;
	d->max_port = max_port;
	d->vcpus = MODEL_VCPUS;
	d->pauses = 1;
	d->shutdown_code = 255;
	d->grant_frames = 1;
	d->max_grant_frames = 2;
	d->max_pages = MODEL_FRAMES;
	d->max_handles = max_handles;
	return d->domid;
}

uint64_t
model_pages(const struct model_domain *d)
{
	uint64_t gfn, n = 0;

	for (gfn = 0; gfn < MODEL_FRAMES; gfn++)
		n += d->frame[gfn].here || d->frame[gfn].leaving;
	return n;
}

static uint64_t
pages_in_use(const struct model *m)
{
	uint64_t n = m->dom0_pages;
	int i;

	for (i = 1; i < MODEL_DOMAINS; i++)
		if (m->d[i].exists)
			n += model_pages(&m->d[i]);
	return n;
}

long
model_populate(struct model *m, struct model_domain *d, uint64_t gfn)
{
	struct model_frame *f = &d->frame[gfn];

	if (d->state != MODEL_ALIVE || d->domid == 0)
		return 0;
	if (f->here || f->leaving || model_pages(d) >= d->max_pages ||
	    pages_in_use(m) >= m->total_pages)
		return 0;
	memset(f, 0, sizeof(*f));
	f->here = true;
	return 1;
}

long
model_decrease(struct model *m, struct model_domain *d, uint64_t gfn)
{
	struct model_frame *f = &d->frame[gfn];

	if (d->state != MODEL_ALIVE || d->domid == 0 || !f->here)
		return 0;
	f->here = false;
	f->leaving = model_frame_pinned(m, d, gfn);
	return 1;
}

void
model_shutdown(struct model *m, struct model_domain *d, uint8_t code)
{
	if (d->shutdown || d->state != MODEL_ALIVE)
		return;
	d->shutdown = true;
	d->shutdown_code = code;
	model_dom_exc(m);
}

long
model_pause(struct model_domain *d)
{
	if (d->pauses >= 255)
		return -XEN_EOVERFLOW;
	d->pauses++;
	return 0;
}

long
model_unpause(struct model_domain *d)
{
	if (d->pauses == 0)
		return -XEN_EINVAL;
	d->pauses--;
	return 0;
}

static void
release_handles(
    struct model *m, struct model_domain *d, const void *channel, bool all)
{
	int i;

	for (i = 0; i < MODEL_HANDLES; i++)
		if (d->handle[i].used &&
		    (all || d->handle[i].channel == channel))
			model_release(m, &d->handle[i]);
}

static void
release_memory(struct model *m, struct model_domain *d)
{
	uint64_t gfn;

	for (gfn = 0; gfn < MODEL_FRAMES; gfn++)
		(void)model_decrease(m, d, gfn);
}

/* First its ports, then what it has mapped, then its memory. */
long
model_destroy_step(struct model *m, domid_t domid)
{
	struct model_domain *d = model_domain(m, domid);
	uint64_t gfn;

	if (d->state == MODEL_DEAD)
		return 0;
	if (d->steps == 0) {
		d->state = MODEL_DYING;
		model_dom_exc(m);
		model_close_all(m, d);
	}
	if (d->steps == 1)
		release_handles(m, d, NULL, true);
	if (++d->steps < 3)
		return -XEN_ERESTART;
	d->state = MODEL_ALIVE; /* so that memory can be given up */
	release_memory(m, d);
	d->state = MODEL_DEAD;
	model_dom_exc(m);
	for (gfn = 0; gfn < MODEL_FRAMES; gfn++)
		if (d->frame[gfn].leaving)
			return 0;
	d->exists = false;
	model_dom_exc(m);
	return 0;
}

void
model_channel_closed(
    struct model *m, struct model_domain *d, const void *channel)
{
	uint32_t port;

	if (d->state != MODEL_ALIVE)
		return;
	for (port = 1; port < MODEL_PORTS; port++)
		if (d->port[port].status != EVTCHNSTAT_closed &&
		    d->port[port].channel == channel)
			(void)model_close(m, d, port);
	release_handles(m, d, channel, false);
}
