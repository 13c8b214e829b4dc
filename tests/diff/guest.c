/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Domains with a real store ring: built as xl builds them, running puppet,
 * which sends the events; the ring itself is worked through a mapping.
 */
#include "diff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/domctl.h"
#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/sched.h"
#include "tools/xl/build.h"
#include "xencall.h"
#include "xenevtchn.h"

enum { STRING_PORT = 3, GUEST_KIB = 16 << 10 }; /* behind store and console */

struct machine {
	const char *root;
	struct hvctl *hv;
	xencall_handle *call;
	xenevtchn_handle *xce;
	struct arena *mem;
	struct build_images images;
	struct domcfg config;
};

struct guest {
	uint32_t domid;
	struct nodes_rings rings;
	struct wire_ring *ring;
	int string; /* our end of what puppet listens to */
};

static const char *at = ""; /* the machine that was worked on last */

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
	fprintf(stderr, "diff: %s %s: %s\n", at, what, why);
	exit(1);
}

struct machine *
machine_open(const char *root, const char *kernel)
{
	struct machine *m = calloc(1, sizeof(*m));
	const char *why = "";

	setenv("HV_ROOT", root, 1);
	m->root = strdup(root);
	m->hv = hvctl_open();
	m->call = xencall_open(NULL, 0);
	m->xce = xenevtchn_open(NULL, 0);
	if (m->hv == NULL || m->call == NULL || m->xce == NULL)
		die(root, "no hypervisor");
	fcntl(xenevtchn_fd(m->xce), F_SETFL, O_NONBLOCK);
	m->mem = arena_new();
	m->config = (struct domcfg){
		.name = "puppet",
		.type = DOMCFG_PVH,
		.kernel = kernel,
		.cmdline = "port=3",
		.memory_kib = GUEST_KIB,
		.max_memory_kib = GUEST_KIB,
		.vcpus = 1,
		.max_vcpus = 1,
	};
	if (build_load(m->mem, &m->config, &m->images, &why) != 0)
		die(kernel, why);
	return m;
}

/* Creates the domain with just that id, once nobody holds on to an old one. */
static void
create(struct machine *m, unsigned domid)
{
	static const struct timespec moment = { 0, 1000000 };
	struct xen_domctl *ctl = xencall_alloc_buffer(m->call, sizeof(*ctl));
	int tries;

	for (tries = 0; tries < 5000; tries++) {
		struct xen_domctl_createdomain *c = &ctl->u.createdomain;

		memset(ctl, 0, sizeof(*ctl));
		ctl->cmd = XEN_DOMCTL_createdomain;
		ctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
		ctl->domain = (domid_t)domid;
		c->flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
		c->max_vcpus = 1;
		c->max_evtchn_port = 1023;
		c->max_grant_frames = -1;
		c->max_maptrack_frames = -1;
		c->grant_opts = 1;
		if (xencall1(m->call, __HYPERVISOR_domctl, (uintptr_t)ctl) != 0)
			die("a new domain", strerror(errno));
		if (ctl->domain == domid)
			break;
		/* somebody still maps a page of the old one */
		hvctl_destroy(m->hv, ctl->domain);
		nanosleep(&moment, NULL);
	}
	if (tries == 5000)
		die("a new domain", "the old one does not go away");
	xencall_free_buffer(m->call, ctl);
}

/* Creates the domain with KIB of memory and builds it. */
static struct guest *
make(struct machine *m, unsigned domid, uint64_t kib)
{
	struct guest *g = calloc(1, sizeof(*g));
	const char *why = "";

	m->config.memory_kib = m->config.max_memory_kib = kib;
	at = m->root;
	create(m, domid);
	g->domid = domid;
	g->string = -1;
	if (build_domain(m->mem, m->hv, domid, &m->config, &m->images,
		&g->rings, &why) != 0)
		die("a new domain", why);
	return g;
}

struct guest *
guest_still(struct machine *m, unsigned domid)
{
	return make(m, domid, build_needs_kib(&m->images));
}

struct guest *
guest_new(struct machine *m, unsigned domid)
{
	struct guest *g = make(m, domid, GUEST_KIB);
	uint32_t port;

	if (hvctl_alloc_port(m->hv, domid, &port) != 0 || port != STRING_PORT)
		die("a new domain", "its ports are not what they were");
	g->string = xenevtchn_bind_interdomain(m->xce, domid, port);
	g->ring = hvctl_map(m->hv, domid, g->rings.store_gfn, 1);
	if (g->string < 0 || g->ring == NULL ||
	    hvctl_unpause(m->hv, domid) != 0)
		die("a new domain", strerror(errno));
	return g;
}

void
guest_free(struct machine *m, struct guest *g)
{
	if (g->string >= 0)
		xenevtchn_unbind(m->xce, (evtchn_port_t)g->string);
	if (g->ring != NULL)
		hvctl_unmap(m->hv, g->ring, 1);
	if (hvctl_destroy(m->hv, g->domid) != 0)
		die("the end of a domain", strerror(errno));
	free(g);
}

void
guest_shutdown(struct machine *m, struct guest *g)
{
	struct sched_remote_shutdown *op =
	    xencall_alloc_buffer(m->call, sizeof(*op));

	op->domain_id = (domid_t)g->domid;
	op->reason = SHUTDOWN_poweroff;
	if (xencall2(m->call, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown,
		(uintptr_t)op) != 0)
		die("shutting a domain down", strerror(errno));
	xencall_free_buffer(m->call, op);
}

void
guest_grant_ring(struct machine *m, struct guest *g, bool granted)
{
	uint64_t nowhere = UINT32_MAX;

	if (hvctl_grant(m->hv, g->domid, GNTTAB_RESERVED_XENSTORE,
		granted ? g->rings.store_gfn : nowhere) != 0)
		die("a grant", strerror(errno));
}

struct wire_ring *
guest_ring(struct guest *g)
{
	return g->ring;
}

uint32_t
guest_store_port(const struct guest *g)
{
	return g->rings.store_port;
}

uint64_t
guest_store_gfn(const struct guest *g)
{
	return g->rings.store_gfn;
}

void
guest_kick(struct machine *m, struct guest *g)
{
	xenevtchn_notify(m->xce, (evtchn_port_t)g->string);
}

int
machine_fd(struct machine *m)
{
	return xenevtchn_fd(m->xce);
}

int
machine_event(struct machine *m)
{
	int port = xenevtchn_pending(m->xce);

	if (port >= 0)
		xenevtchn_unmask(m->xce, (evtchn_port_t)port);
	return port;
}

void
machine_drain(struct machine *m)
{
	while (machine_event(m) >= 0)
		;
}

int
guest_string(const struct guest *g)
{
	return g->string;
}
