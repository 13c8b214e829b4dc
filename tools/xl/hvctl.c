#include "hvctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "xencall.h"
#include "xenforeignmemory.h"

#include "abi/domctl.h"
#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/hvm.h"
#include "abi/memory.h"
#include "abi/xen.h"

/* Frames in one call: enough to make calls rare, little enough not to keep
 * everybody else waiting. */
#define BATCH 16384u
#define BIG_ORDER 9u /* 2 MiB at once where there is that much to do */

struct hvctl {
	xencall_handle *call;
	xenforeignmemory_handle *mem;
};

struct hvctl *
hvctl_open(void)
{
	struct hvctl *hv = calloc(1, sizeof(*hv));
	int err;

	if (hv == NULL)
		return NULL;
	hv->call = xencall_open(NULL, XENCALL_OPENFLAG_NON_REENTRANT);
	if (hv->call != NULL)
		hv->mem = xenforeignmemory_open(NULL, 0);
	if (hv->mem != NULL)
		return hv;
	err = errno;
	hvctl_close(hv);
	errno = err;
	return NULL;
}

void
hvctl_close(struct hvctl *hv)
{
	if (hv == NULL)
		return;
	xenforeignmemory_close(hv->mem);
	xencall_close(hv->call);
	free(hv);
}

/* A buffer for a hypercall's structure that starts as a copy of FROM. */
static void *
buffer(struct hvctl *hv, const void *from, size_t size)
{
	void *buf = xencall_alloc_buffer(hv->call, size);

	if (buf != NULL)
		memcpy(buf, from, size);
	return buf;
}

static void
release(struct hvctl *hv, void *buf)
{
	int err = errno;

	xencall_free_buffer(hv->call, buf);
	errno = err;
}

/* Hypercall NR with SUB and the structure ARG, which is copied both ways. */
static int
call2(struct hvctl *hv, unsigned nr, uint64_t sub, void *arg, size_t size)
{
	void *buf = buffer(hv, arg, size);
	int ret;

	if (buf == NULL)
		return -1;
	ret = xencall2(hv->call, nr, sub, (uint64_t)(uintptr_t)buf);
	memcpy(arg, buf, size);
	release(hv, buf);
	return ret;
}

static int
domctl(struct hvctl *hv, uint32_t cmd, uint32_t domid, struct xen_domctl *ctl)
{
	struct xen_domctl *buf;
	int ret;

	ctl->cmd = cmd;
	ctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	ctl->domain = (domid_t)domid;
	buf = buffer(hv, ctl, sizeof(*ctl));
	if (buf == NULL)
		return -1;
	ret = xencall1(hv->call, __HYPERVISOR_domctl, (uint64_t)(uintptr_t)buf);
	*ctl = *buf;
	release(hv, buf);
	return ret < 0 ? -1 : 0;
}

/* A domctl without arguments. */
static int
domctl_plain(struct hvctl *hv, uint32_t cmd, uint32_t domid)
{
	struct xen_domctl ctl = { 0 };

	return domctl(hv, cmd, domid, &ctl);
}

int
hvctl_create(struct hvctl *hv, const uint8_t uuid[16], unsigned vcpus,
    uint32_t *domid_out)
{
	struct xen_domctl ctl = { 0 };
	struct xen_domctl_createdomain *c = &ctl.u.createdomain;

	memcpy(c->handle, uuid, sizeof(c->handle));
	c->flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
	c->max_vcpus = vcpus;
	c->max_evtchn_port = EVTCHN_2L_NR_CHANNELS - 1;
	c->max_grant_frames = -1;
	c->max_maptrack_frames = -1;
	c->grant_opts = 1;
	if (domctl(hv, XEN_DOMCTL_createdomain, 0, &ctl) != 0)
		return -1;
	*domid_out = ctl.domain;
	return 0;
}

int
hvctl_destroy(struct hvctl *hv, uint32_t domid)
{
	static const struct timespec moment = { 0, 1000000 };
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		if (domctl_plain(hv, XEN_DOMCTL_destroydomain, domid) == 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -1;
		nanosleep(&moment, NULL);
	}
	return -1;
}

int
hvctl_set_uuid(struct hvctl *hv, uint32_t domid, const uint8_t uuid[16])
{
	struct xen_domctl ctl = { 0 };

	memcpy(ctl.u.setdomainhandle.handle, uuid, 16);
	return domctl(hv, XEN_DOMCTL_setdomainhandle, domid, &ctl);
}

int
hvctl_pause(struct hvctl *hv, uint32_t domid)
{
	return domctl_plain(hv, XEN_DOMCTL_pausedomain, domid);
}

int
hvctl_unpause(struct hvctl *hv, uint32_t domid)
{
	return domctl_plain(hv, XEN_DOMCTL_unpausedomain, domid);
}

int
hvctl_max_memory(struct hvctl *hv, uint32_t domid, uint64_t kib)
{
	struct xen_domctl ctl = { 0 };

	ctl.u.max_mem.max_memkb = kib;
	return domctl(hv, XEN_DOMCTL_max_mem, domid, &ctl);
}

int
hvctl_max_vcpus(struct hvctl *hv, uint32_t domid, unsigned vcpus)
{
	struct xen_domctl ctl = { 0 };

	ctl.u.max_vcpus.max = vcpus;
	return domctl(hv, XEN_DOMCTL_max_vcpus, domid, &ctl);
}

/* COUNT extents of 2^ORDER frames from FIRST on. How many came, or -1. */
static int
populate(struct hvctl *hv, uint32_t domid, uint64_t first, unsigned order,
    unsigned count, xen_pfn_t *list)
{
	struct xen_memory_reservation res = {
		.extent_start = (uint64_t)(uintptr_t)list,
		.nr_extents = count,
		.extent_order = order,
		.domid = (domid_t)domid,
	};

	for (unsigned i = 0; i < count; i++)
		list[i] = first + ((uint64_t)i << order);
	return call2(hv, __HYPERVISOR_memory_op, XENMEM_populate_physmap, &res,
	    sizeof(res));
}

int
hvctl_populate(struct hvctl *hv, uint32_t domid, uint64_t count)
{
	xen_pfn_t *list = xencall_alloc_buffer(hv->call, BATCH * sizeof(*list));
	unsigned order = BIG_ORDER;
	uint64_t first = 0;

	if (list == NULL)
		return -1;
	errno = 0;
	while (first < count) {
		uint64_t extents;
		int done;

		while ((count - first) >> order == 0)
			order = 0;
		extents = (count - first) >> order;
		if (extents > (BATCH >> order))
			extents = BATCH >> order;
		done =
		    populate(hv, domid, first, order, (unsigned)extents, list);
		if (done > 0)
			first += (uint64_t)done << order;
		else if (order > 0)
			order = 0;
		else
			break;
	}
	if (first < count && errno == 0)
		errno = ENOMEM;
	release(hv, list);
	return first == count ? 0 : -1;
}

int
hvctl_set_param(
    struct hvctl *hv, uint32_t domid, uint32_t index, uint64_t value)
{
	struct xen_hvm_param param = {
		.domid = (domid_t)domid,
		.index = index,
		.value = value,
	};

	return call2(
	    hv, __HYPERVISOR_hvm_op, HVMOP_set_param, &param, sizeof(param));
}

int
hvctl_alloc_port(struct hvctl *hv, uint32_t domid, uint32_t *port_out)
{
	struct evtchn_alloc_unbound alloc = {
		.dom = (domid_t)domid,
		.remote_dom = 0,
	};

	if (call2(hv, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound,
		&alloc, sizeof(alloc)) < 0)
		return -1;
	*port_out = alloc.port;
	return 0;
}

int
hvctl_grant(struct hvctl *hv, uint32_t domid, uint32_t ref, uint64_t gfn)
{
	xenforeignmemory_resource_handle *res;
	struct grant_entry_v1 *entry;
	void *addr = NULL;

	if (gfn > UINT32_MAX ||
	    ref >= HVCTL_PAGE_SIZE / sizeof(struct grant_entry_v1)) {
		errno = EINVAL;
		return -1;
	}
	res = xenforeignmemory_map_resource(hv->mem, (domid_t)domid,
	    XENMEM_resource_grant_table, XENMEM_resource_grant_table_id_shared,
	    0, 1, &addr, PROT_READ | PROT_WRITE, 0);
	if (res == NULL)
		return -1;
	entry = (struct grant_entry_v1 *)addr + ref;
	entry->domid = 0;
	entry->frame = (uint32_t)gfn;
	__atomic_store_n(&entry->flags, GTF_permit_access, __ATOMIC_RELEASE);
	xenforeignmemory_unmap_resource(hv->mem, res);
	return 0;
}

int
hvctl_start_at(struct hvctl *hv, uint32_t domid, uint64_t paddr)
{
	struct xen_domctl ctl = { 0 };

	ctl.u.hosted_start.start_info_paddr = paddr;
	return domctl(hv, XEN_DOMCTL_hosted_start, domid, &ctl);
}

void *
hvctl_map(struct hvctl *hv, uint32_t domid, uint64_t first, size_t pages)
{
	xen_pfn_t *list = calloc(pages + 1, sizeof(*list));
	void *addr;
	int err;

	if (list == NULL)
		return NULL;
	for (size_t i = 0; i < pages; i++)
		list[i] = first + i;
	addr = xenforeignmemory_map(
	    hv->mem, domid, PROT_READ | PROT_WRITE, pages, list, NULL);
	err = errno;
	free(list);
	errno = err;
	return addr;
}

void
hvctl_unmap(struct hvctl *hv, void *addr, size_t pages)
{
	xenforeignmemory_unmap(hv->mem, addr, pages);
}
