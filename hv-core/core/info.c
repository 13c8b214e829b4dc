#include "info.h"

/* Guest-physical addresses are as long as a p2m can name. */
#define GPADDR_BITS 36

static void
times_of(const struct domain *d, uint32_t vcpu, struct hv_vcpu_times *out)
{
	memset(out, 0, sizeof(*out));
	if (d->hv->ops->vcpu_times != NULL && d->vcpu[vcpu].up)
		d->hv->ops->vcpu_times(d->hv->world, d->domid, vcpu, out);
}

static uint32_t
state_flags(const struct domain *d)
{
	uint32_t flags = (uint32_t)d->shutdown_code << XEN_DOMINF_shutdownshift;

	if (d->state != DOMAIN_ALIVE)
		flags |= XEN_DOMINF_dying;
	if (d->shutdown)
		flags |= XEN_DOMINF_shutdown;
	if (d->pause_count != 0)
		flags |= XEN_DOMINF_paused;
	if ((d->spec.flags & XEN_DOMCTL_CDF_hvm) != 0)
		flags |= XEN_DOMINF_hvm_guest;
	if ((d->spec.flags & XEN_DOMCTL_CDF_hap) != 0)
		flags |= XEN_DOMINF_hap;
	if ((d->spec.flags & XEN_DOMCTL_CDF_xs_domain) != 0)
		flags |= XEN_DOMINF_xs_domain;
	return flags;
}

void
info_domain(const struct domain *d, struct xen_domctl_getdomaininfo *out)
{
	bool running = false;
	uint32_t i;

	memset(out, 0, sizeof(*out));
	out->domain = d->domid;
	out->flags = state_flags(d);
	out->tot_pages = d->p2m.pages;
	out->max_pages = d->p2m.max_pages;
	out->shared_info_frame = d->pages.shared_info_gfn;
	out->max_vcpu_id = d->nr_vcpus - 1; /* ~0 if there are none */
	out->ssidref = d->ssidref;
	out->gpaddr_bits = GPADDR_BITS;
	memcpy(out->handle, d->spec.handle, sizeof(out->handle));
	for (i = 0; i < d->nr_vcpus; i++) {
		struct hv_vcpu_times times;

		times_of(d, i, &times);
		out->cpu_time += times.cpu_time;
		out->nr_online_vcpus += d->vcpu[i].up;
		running = running || times.running;
	}
	if (out->nr_online_vcpus != 0)
		out->flags |= running ? XEN_DOMINF_running : XEN_DOMINF_blocked;
}

void
info_vcpu(
    const struct domain *d, uint32_t vcpu, struct xen_domctl_getvcpuinfo *out)
{
	struct hv_vcpu_times times;

	times_of(d, vcpu, &times);
	out->online = d->vcpu[vcpu].up;
	out->running = times.running;
	out->blocked = out->online && !times.running;
	out->cpu_time = times.cpu_time;
	out->cpu = 0;
}

void
info_state(const struct domain *d, struct xen_domctl_get_domain_state *out)
{
	memset(out, 0, sizeof(*out));
	out->state = XEN_DOMCTL_GETDOMSTATE_STATE_EXIST;
	if (d->shutdown)
		out->state |= XEN_DOMCTL_GETDOMSTATE_STATE_SHUTDOWN;
	if (d->state == DOMAIN_DYING)
		out->state |= XEN_DOMCTL_GETDOMSTATE_STATE_DYING;
	if (d->state == DOMAIN_DEAD)
		out->state |= XEN_DOMCTL_GETDOMSTATE_STATE_DEAD;
	if (d->privileged)
		out->caps = XEN_DOMCTL_GETDOMSTATE_CAP_CONTROL |
			    XEN_DOMCTL_GETDOMSTATE_CAP_HARDWARE |
			    XEN_DOMCTL_GETDOMSTATE_CAP_XENSTORE;
	out->unique_id = d->unique_id;
}

/* The lowest id that is marked in the map of domains that are gone. */
static uint32_t
first_gone(const struct hv *hv)
{
	uint32_t w;

	for (w = 0; w < ARRAY_LEN(hv->gone); w++)
		if (hv->gone[w] != 0)
			return w * 64 + (uint32_t)__builtin_ctzll(hv->gone[w]);
	return DOMID_FIRST_RESERVED;
}

long
info_next_change(
    struct hv *hv, domid_t *domid, struct xen_domctl_get_domain_state *out)
{
	struct domain *d = hv->first;
	uint32_t gone = first_gone(hv);

	while (d != NULL && !d->changed)
		d = d->next;
	if (gone < DOMID_FIRST_RESERVED && (d == NULL || gone < d->domid)) {
		hv->gone[gone / 64] &= ~(UINT64_C(1) << gone % 64);
		memset(out, 0, sizeof(*out));
		*domid = (domid_t)gone;
		return 0;
	}
	if (d == NULL)
		return -XEN_ENOENT;
	d->changed = false;
	info_state(d, out);
	*domid = d->domid;
	return 0;
}

long
info_write_bitmap(struct call *c, const struct xenctl_bitmap *map, uint32_t nr)
{
	uint32_t byte, bytes = (map->nr_bits + 7) / 8;

	/* More than there are CPUs in any machine is nobody's business. */
	if (map->nr_bits > 8 * XEN_PAGE_SIZE)
		return -XEN_EINVAL;
	for (byte = 0; byte < bytes; byte++) {
		uint8_t bits = 0;

		if (nr >= byte * 8 + 8)
			bits = 0xff;
		else if (nr > byte * 8)
			bits = (uint8_t)((1u << (nr - byte * 8)) - 1);
		if (call_write(c, map->bitmap + byte, &bits, 1) < 0)
			return -XEN_EFAULT;
	}
	return 0;
}
