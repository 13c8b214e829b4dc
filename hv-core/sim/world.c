/* The functions of struct hv_world over malloc. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* Whether the call that is counted by *FAIL is the one to fail. */
static bool
fails(unsigned *fail)
{
	return *fail != 0 && --*fail == 0;
}

static struct sim_domain *
domain_of(struct sim *s, domid_t domid)
{
	struct sim_domain *d = s->domain[domid];

	assert(d != NULL);
	return d;
}

static void *
w_alloc(void *world, size_t size)
{
	struct sim *s = world;
	void *mem;

	if (fails(&s->fail_alloc))
		return NULL;
	mem = calloc(1, size);
	assert(mem != NULL);
	s->core_bytes += size;
	return mem;
}

static void
w_free(void *world, void *mem, size_t size)
{
	struct sim *s = world;

	assert(s->core_bytes >= size);
	s->core_bytes -= size;
	free(mem);
}

static int
w_copy_from(void *world, const struct hv_caller *caller, void *to,
    uint64_t addr, size_t len)
{
	(void)caller;
	if (fails(&((struct sim *)world)->fail_copy) || addr < XEN_PAGE_SIZE)
		return -XEN_EFAULT;
	memcpy(to, (const void *)(uintptr_t)addr, len);
	return 0;
}

static int
w_copy_to(void *world, const struct hv_caller *caller, uint64_t addr,
    const void *from, size_t len)
{
	(void)caller;
	if (fails(&((struct sim *)world)->fail_copy) || addr < XEN_PAGE_SIZE)
		return -XEN_EFAULT;
	memcpy((void *)(uintptr_t)addr, from, len);
	return 0;
}

static int
w_domain_create_posting(
    void *world, const struct hv_domain_spec *spec, struct hv_domain_pages *out)
{
	struct sim *s = world;
	struct sim_domain *d = calloc(1, sizeof(*d));

	assert(d != NULL && s->domain[spec->domid] == NULL);
	d->spec = *spec;
	d->ram = calloc(SIM_MAX_FRAMES, sizeof(*d->ram));
	d->grants = calloc(spec->max_grant_frames, XEN_PAGE_SIZE);
	assert(d->ram != NULL && d->grants != NULL);
	if (spec->domid != 0) {
		d->shared_info = calloc(1, XEN_PAGE_SIZE);
		assert(d->shared_info != NULL);
	}
	s->domain[spec->domid] = d;
	s->nr_domains++;
	out->shared_info = d->shared_info;
	out->grant_table = d->grants;
	out->shared_info_gfn = SIM_SHARED_INFO_GFN;
	out->grant_table_gfn = SIM_GRANT_GFN;
	return 0;
}

static int
w_domain_create(
    void *world, const struct hv_domain_spec *spec, struct hv_domain_pages *out)
{
	struct sim *s = world;
	int err = w_domain_create_posting(world, spec, out);

	if (spec->domid == 0) {
		out->shared_info = calloc(1, XEN_PAGE_SIZE);
		assert(out->shared_info != NULL);
		s->domain[0]->shared_info = out->shared_info;
	}
	return err;
}

static int
w_domain_start(void *world, domid_t domid, uint64_t start_info)
{
	struct sim_domain *d = domain_of(world, domid);

	assert(!d->started && !d->killed);
	if (fails(&((struct sim *)world)->fail_start))
		return -XEN_ENOEXEC;
	d->started = true;
	d->start_info = start_info;
	return 0;
}

static void
w_domain_pause(void *world, domid_t domid)
{
	struct sim_domain *d = domain_of(world, domid);

	assert(d->started && !d->paused && !d->killed);
	d->paused = true;
}

static void
w_domain_unpause(void *world, domid_t domid)
{
	struct sim_domain *d = domain_of(world, domid);

	assert(d->started && d->paused && !d->killed);
	d->paused = false;
}

static void
w_domain_kill(void *world, domid_t domid)
{
	struct sim_domain *d = domain_of(world, domid);

	assert(d->started && !d->killed);
	d->killed = true;
}

static void
w_domain_free(void *world, domid_t domid)
{
	struct sim *s = world;
	struct sim_domain *d = domain_of(s, domid);
	uint64_t gfn;

	assert(!d->started || d->killed);
	for (gfn = 0; d->frames > 0; gfn++) {
		if (d->ram[gfn] == NULL)
			continue;
		free(d->ram[gfn]);
		d->frames--;
	}
	free(d->ram);
	free(d->grants);
	free(d->shared_info);
	free(d);
	s->domain[domid] = NULL;
	s->nr_domains--;
}

static int
w_ram_populate(void *world, domid_t domid, uint64_t gfn, uint64_t nr)
{
	struct sim_domain *d = domain_of(world, domid);
	uint64_t i;

	assert(domid != 0 && nr > 0);
	if (fails(&((struct sim *)world)->fail_populate))
		return -XEN_ENOMEM;
	if (gfn + nr > SIM_MAX_FRAMES)
		return -XEN_EINVAL;
	for (i = gfn; i < gfn + nr; i++) {
		assert(d->ram[i] == NULL);
		d->ram[i] = calloc(1, XEN_PAGE_SIZE);
		assert(d->ram[i] != NULL);
		d->frames++;
	}
	return 0;
}

static void
w_ram_release(void *world, domid_t domid, uint64_t gfn, uint64_t nr)
{
	struct sim_domain *d = domain_of(world, domid);
	uint64_t i;

	assert(nr > 0 && gfn + nr <= SIM_MAX_FRAMES);
	for (i = gfn; i < gfn + nr; i++) {
		assert(d->ram[i] != NULL);
		free(d->ram[i]);
		d->ram[i] = NULL;
		d->frames--;
	}
}

static void *
w_ram_frame(void *world, domid_t domid, uint64_t gfn)
{
	struct sim_domain *d = domain_of(world, domid);

	assert(gfn < SIM_MAX_FRAMES && d->ram[gfn] != NULL);
	return d->ram[gfn];
}

static int
w_physmap_add(void *world, domid_t domid, enum hv_xen_page kind, uint32_t idx,
    uint64_t gfn)
{
	const struct sim_domain *d = domain_of(world, domid);

	assert(
	    kind == HV_XEN_PAGE_SHARED_INFO || idx < d->spec.max_grant_frames);
	return gfn >= SIM_MAX_FRAMES ? 0 : -XEN_EINVAL;
}

static void
w_upcall(void *world, domid_t domid, uint32_t vcpu)
{
	struct sim_domain *d = domain_of(world, domid);

	assert(vcpu < d->spec.max_vcpus);
	d->upcalls++;
}

static void
w_event_post(void *world, domid_t domid, uint32_t port)
{
	struct sim_domain *d = domain_of(world, domid);

	assert(d->shared_info == NULL && port < HV_MAX_PORTS);
	d->posted[port / 64] |= UINT64_C(1) << (port % 64);
}

static void
w_port_changed(void *world, domid_t domid, uint32_t port)
{
	struct sim *s = world;
	struct hv_port_info info;

	domain_of(s, domid)->changes++;
	assert(s->hv == NULL || hv_port_info(s->hv, domid, port, &info) == 0);
}

static int
w_grant_map(void *world, const struct hv_grant_mapping *m)
{
	struct sim *s = world;

	assert(domain_of(s, m->granter)->ram[m->gfn] != NULL);
	if (fails(&s->fail_map))
		return -XEN_EOPNOTSUPP;
	s->mappings++;
	return 0;
}

static void
w_grant_unmap(void *world, const struct hv_grant_mapping *m)
{
	struct sim *s = world;

	assert(s->mappings > 0);
	assert(domain_of(s, m->granter)->ram[m->gfn] != NULL);
	s->mappings--;
}

static uint64_t
w_now(void *world)
{
	return ((struct sim *)world)->now;
}

static uint64_t
w_wallclock(void *world)
{
	return ((struct sim *)world)->wallclock;
}

static void
w_vcpu_times(
    void *world, domid_t domid, uint32_t vcpu, struct hv_vcpu_times *out)
{
	const struct sim_domain *d = domain_of(world, domid);

	out->cpu_time = 1000u * domid + vcpu;
	out->running = d->started && !d->paused;
}

static void
w_console_write(void *world, const char *text, size_t len)
{
	struct sim *s = world;

	if (s->console_len + len + 1 > sizeof(s->console))
		s->console_len = 0;
	if (len + 1 > sizeof(s->console))
		len = sizeof(s->console) - 1;
	memcpy(s->console + s->console_len, text, len);
	s->console_len += len;
	s->console[s->console_len] = '\0';
}

#define COMMON                                                                 \
	.alloc = w_alloc, .free = w_free, .copy_from = w_copy_from,            \
	.copy_to = w_copy_to, .domain_start = w_domain_start,                  \
	.domain_pause = w_domain_pause, .domain_unpause = w_domain_unpause,    \
	.domain_kill = w_domain_kill, .domain_free = w_domain_free,            \
	.ram_populate = w_ram_populate, .ram_release = w_ram_release,          \
	.ram_frame = w_ram_frame, .physmap_add = w_physmap_add,                \
	.upcall = w_upcall, .event_post = w_event_post,                        \
	.port_changed = w_port_changed, .grant_map = w_grant_map,              \
	.grant_unmap = w_grant_unmap, .now = w_now, .wallclock = w_wallclock,  \
	.vcpu_times = w_vcpu_times, .console_write = w_console_write

const struct hv_world *
sim_world(void)
{
	static const struct hv_world ops = {
		COMMON,
		.domain_create = w_domain_create,
	};

	return &ops;
}

const struct hv_world *
sim_world_posting(void)
{
	static const struct hv_world ops = {
		COMMON,
		.domain_create = w_domain_create_posting,
	};

	return &ops;
}
