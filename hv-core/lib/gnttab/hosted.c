/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants of the hosted hypervisor: a hypercall pins the granted frame and says
 * where in the granter's memory it is; that memory is a descriptor, so mapping
 * is mmap() of a piece of it. Unmapping is the mapper's word, as its right to
 * map foreign memory at all is that of domain 0.
 */
#include "hosted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../common/provider.h"
#include "abi/event_channel.h"

/* hvd keeps it for us and wants to hear it again at the unmap. */
#define HOST_ADDR UINT64_C(0x1000)

/* What one call of xengnttab_map_*() mapped. */
struct gnttab_mapping {
	struct gnttab_mapping *next;
	uint8_t *addr;
	uint32_t count;
	uint32_t notify_offset, notify_port;
	struct gnttab_pin pins[];
};

/* The errno number for a GNTST_* status; 0 for GNTST_okay. */
static int
hosted_errno(int16_t status)
{
	switch (status) {
	case GNTST_okay:
		return 0;
	case GNTST_bad_domain:
		return ESRCH;
	case GNTST_permission_denied:
		return EACCES;
	case GNTST_bad_page:
		return EFAULT;
	case GNTST_eagain:
		return EAGAIN;
	case GNTST_no_space:
		return ENOSPC;
	default:
		return EINVAL;
	}
}

/* Pin up to PIN_BATCH grants by one hypercall; as hosted_pin(). */
static int
pin_batch(struct gnttab_hosted *g, struct gnttab_pin *pins, uint32_t count)
{
	struct gnttab_map_grant_ref *op = g->ops;
	uint64_t args[5] = { GNTTABOP_map_grant_ref,
		hv_client_addr(g->client, op), count, 0, 0 };
	int64_t ret;
	uint32_t i;

	memset(op, 0, count * sizeof(*op));
	for (i = 0; i < count; i++) {
		op[i].host_addr = HOST_ADDR;
		op[i].flags = GNTMAP_host_map;
		if (pins[i].readonly)
			op[i].flags |= GNTMAP_readonly;
		op[i].ref = pins[i].ref;
		op[i].dom = pins[i].domid <= DOMID_MASK ? (domid_t)pins[i].domid
							: DOMID_INVALID;
		op[i].status = GNTST_general_error;
	}
	ret = hv_client_call(g->client, __HYPERVISOR_grant_table_op, args);
	if (ret < 0)
		return (int)ret;
	for (i = 0; i < count; i++) {
		pins[i].status = op[i].status;
		pins[i].handle = op[i].handle;
		pins[i].addr = op[i].dev_bus_addr;
	}
	return 0;
}

static void
unpin_batch(
    struct gnttab_hosted *g, const struct gnttab_pin *pins, uint32_t count)
{
	struct gnttab_unmap_grant_ref *op = g->ops;
	uint64_t args[5] = { GNTTABOP_unmap_grant_ref,
		hv_client_addr(g->client, op), 0, 0, 0 };
	uint32_t i, n = 0;

	for (i = 0; i < count; i++) {
		if (pins[i].status != GNTST_okay)
			continue;
		op[n].host_addr = HOST_ADDR;
		op[n].dev_bus_addr = 0;
		op[n].handle = pins[i].handle;
		op[n].status = 0;
		n++;
	}
	args[2] = n;
	if (n > 0)
		hv_client_call(g->client, __HYPERVISOR_grant_table_op, args);
}

int
hosted_pin(struct gnttab_hosted *g, struct gnttab_pin *pins, uint32_t count)
{
	uint32_t done, n;

	for (done = 0; done < count; done += n) {
		int err;

		n = count - done < PIN_BATCH ? count - done : PIN_BATCH;
		err = pin_batch(g, pins + done, n);
		if (err < 0) {
			hosted_unpin(g, pins, done);
			return err;
		}
	}
	return 0;
}

void
hosted_unpin(
    struct gnttab_hosted *g, const struct gnttab_pin *pins, uint32_t count)
{
	uint32_t done, n;

	for (done = 0; done < count; done += n) {
		n = count - done < PIN_BATCH ? count - done : PIN_BATCH;
		unpin_batch(g, pins + done, n);
	}
}

static int
hosted_open(struct xengntdev_handle *h)
{
	struct gnttab_hosted *g = calloc(1, sizeof(*g));
	int err;

	if (g == NULL)
		return -1;
	err = hv_client_open(HV_CHAN_GNTTAB, &g->client);
	if (err < 0) {
		free(g);
		provider_log_hvd(h->logger, "xengnttab", -err);
		errno = -err;
		return -1;
	}
	g->ops = hv_client_alloc(
	    g->client, PIN_BATCH * sizeof(struct gnttab_map_grant_ref));
	if (g->ops == NULL) {
		hv_client_close(g->client);
		free(g);
		errno = ENOMEM;
		return -1;
	}
	g->owner = getpid();
	g->max = UINT32_MAX;
	g->free_page = KBGNTTAB_NO_HANDLE;
	h->hosted = g;
	return 0;
}

static struct gnttab_mapping **
bucket_of(struct gnttab_hosted *g, const void *addr)
{
	return &g->mappings[(uintptr_t)addr / GNTTAB_PAGE % MAP_BUCKETS];
}

/* Send an event on PORT of our domain; nobody is told if that fails. */
static void
notify(struct gnttab_hosted *g, uint32_t port)
{
	struct evtchn_send *op = hv_client_alloc(g->client, sizeof(*op));
	uint64_t args[5] = { EVTCHNOP_send, 0, 0, 0, 0 };

	if (op == NULL)
		return;
	op->port = port;
	args[1] = hv_client_addr(g->client, op);
	hv_client_call(g->client, __HYPERVISOR_event_channel_op, args);
	hv_client_free(g->client, op);
}

/* Unmap M, notify as it asks for, and free it. It is in no list any more. */
static void
mapping_drop(struct gnttab_hosted *g, struct gnttab_mapping *m)
{
	if (m->notify_offset != GNTTAB_NO_NOTIFY)
		__atomic_store_n(
		    m->addr + m->notify_offset, 0, __ATOMIC_RELEASE);
	munmap(m->addr, (size_t)m->count * GNTTAB_PAGE);
	hosted_unpin(g, m->pins, m->count);
	if (m->notify_port != GNTTAB_NO_NOTIFY)
		notify(g, m->notify_port);
	g->used -= m->count;
	free(m);
}

/*
 * A child after fork() shares the channel with its parent: what it closes must
 * not be unmapped for the parent, too.
 */
static void
hosted_close(struct xengntdev_handle *h)
{
	struct gnttab_hosted *g = h->hosted;
	bool inherited = g->owner != getpid();
	unsigned i;

	for (i = 0; i < MAP_BUCKETS; i++) {
		while (g->mappings[i] != NULL) {
			struct gnttab_mapping *m = g->mappings[i];

			g->mappings[i] = m->next;
			if (inherited) {
				munmap(m->addr, (size_t)m->count * GNTTAB_PAGE);
				free(m);
			} else {
				mapping_drop(g, m);
			}
		}
	}
	hosted_pages_free(g);
	hv_client_close(g->client);
	free(g);
}

static int
hosted_set_max_grants(struct xengntdev_handle *h, uint32_t max)
{
	if (h->hosted->used > 0) {
		errno = EBUSY;
		return -1;
	}
	h->hosted->max = max;
	return 0;
}

/* How many of COUNT pins are frames of one domain that follow each other. */
static uint32_t
run_length(const struct gnttab_pin *pins, uint32_t count)
{
	uint32_t n = 1;

	while (n < count && pins[n].domid == pins[0].domid &&
	       pins[n].addr == pins[0].addr + (uint64_t)n * GNTTAB_PAGE)
		n++;
	return n;
}

/* Map N frames that follow each other at ADDR. 0 or a negative errno number. */
static int
map_run(struct gnttab_hosted *g, uint8_t *addr, const struct gnttab_pin *pin,
    uint32_t n, int prot)
{
	struct hv_window *w;
	size_t size = (size_t)n * GNTTAB_PAGE;
	int err = 0;

	w = hv_client_ram(g->client, (uint16_t)pin->domid, &err);
	if (w == NULL)
		return err;
	if (pin->addr % GNTTAB_PAGE != 0 || pin->addr > w->size ||
	    size > w->size - pin->addr)
		err = -EFAULT;
	else if (mmap(addr, size, prot, MAP_SHARED | MAP_FIXED, w->fd,
		     (off_t)pin->addr) == MAP_FAILED)
		err = -errno;
	hv_window_put(w);
	return err;
}

/* Give M's pins an address. 0 or a negative errno number; M->addr is set. */
static int
mapping_place(struct gnttab_hosted *g, struct gnttab_mapping *m, int prot)
{
	size_t size = (size_t)m->count * GNTTAB_PAGE;
	uint32_t done, n;
	void *addr = mmap(NULL, size, PROT_NONE,
	    MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);

	if (addr == MAP_FAILED)
		return -errno;
	m->addr = addr;
	for (done = 0; done < m->count; done += n) {
		int err;

		n = run_length(m->pins + done, m->count - done);
		err = map_run(g, m->addr + (size_t)done * GNTTAB_PAGE,
		    m->pins + done, n, prot);
		if (err < 0) {
			munmap(addr, size);
			return err;
		}
	}
	return 0;
}

/* 0 if PORT is one of our domain's that can send, else negative. */
static int
check_port(struct gnttab_hosted *g, uint32_t port)
{
	struct evtchn_status *op = hv_client_alloc(g->client, sizeof(*op));
	uint64_t args[5] = { EVTCHNOP_status, 0, 0, 0, 0 };
	int64_t ret;

	if (op == NULL)
		return -ENOMEM;
	memset(op, 0, sizeof(*op));
	op->dom = DOMID_SELF;
	op->port = port;
	args[1] = hv_client_addr(g->client, op);
	ret = hv_client_call(g->client, __HYPERVISOR_event_channel_op, args);
	if (ret >= 0 && op->status != EVTCHNSTAT_interdomain &&
	    op->status != EVTCHNSTAT_unbound)
		ret = -EINVAL;
	hv_client_free(g->client, op);
	return ret < 0 ? (int)ret : 0;
}

/* A mapping for REQ with its pins not yet pinned. NULL: no memory. */
static struct gnttab_mapping *
mapping_new(const struct gnttab_request *req)
{
	struct gnttab_mapping *m;
	uint32_t i;

	m = calloc(1, sizeof(*m) + req->count * sizeof(m->pins[0]));
	if (m == NULL)
		return NULL;
	m->count = req->count;
	m->notify_offset = req->notify_offset;
	m->notify_port = req->notify_port;
	for (i = 0; i < req->count; i++) {
		m->pins[i].domid = req->domids[i * req->domid_step];
		m->pins[i].ref = req->refs[i];
		m->pins[i].readonly = (req->prot & PROT_WRITE) == 0;
	}
	return m;
}

/* Pin all of M and place it, or nothing. 0 or a negative errno number. */
static int
mapping_establish(struct gnttab_hosted *g, struct gnttab_mapping *m, int prot)
{
	int err = hosted_pin(g, m->pins, m->count);
	uint32_t i;

	if (err < 0)
		return err;
	for (i = 0; i < m->count && err == 0; i++)
		err = -hosted_errno(m->pins[i].status);
	if (err == 0)
		err = mapping_place(g, m, prot);
	if (err < 0)
		hosted_unpin(g, m->pins, m->count);
	return err;
}

static void *
hosted_map(struct xengntdev_handle *h, const struct gnttab_request *req)
{
	struct gnttab_hosted *g = h->hosted;
	struct gnttab_mapping **bucket, *m;
	int err = 0;

	if (req->count > g->max - g->used)
		err = -ENOSPC;
	else if (req->notify_port != GNTTAB_NO_NOTIFY)
		err = check_port(g, req->notify_port);
	if (err < 0) {
		errno = -err;
		return NULL;
	}
	m = mapping_new(req);
	if (m == NULL)
		return NULL;
	err = mapping_establish(g, m, req->prot);
	if (err < 0) {
		free(m);
		errno = -err;
		return NULL;
	}
	bucket = bucket_of(g, m->addr);
	m->next = *bucket;
	*bucket = m;
	g->used += m->count;
	return m->addr;
}

static int
hosted_unmap(struct xengntdev_handle *h, void *addr, uint32_t count)
{
	struct gnttab_hosted *g = h->hosted;
	struct gnttab_mapping **link, *m;

	for (link = bucket_of(g, addr); *link != NULL; link = &(*link)->next) {
		m = *link;
		if (m->addr != addr || m->count != count)
			continue;
		*link = m->next;
		mapping_drop(g, m);
		return 0;
	}
	errno = EINVAL;
	return -1;
}

const struct gnttab_ops *
gnttab_hosted_ops(void)
{
	static const struct gnttab_ops ops = {
		.open_tab = hosted_open,
		.close = hosted_close,
		.set_max_grants = hosted_set_max_grants,
		.map = hosted_map,
		.unmap = hosted_unmap,
		.copy = hosted_copy,
		.map_pages = hosted_map_pages,
		.unmap_pages = hosted_unmap_pages,
	};

	return &ops;
}
