/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of the standard libraries: a running hvd with an HV_ROOT of its
 * own, and domains in it that are never started: memory and a grant table that
 * the test writes itself, playing the guest.
 *
 * hvd is $HVD, or bin/hvd of the build tree that the test lies in. Without one
 * the tests are skipped aloud.
 */
#ifndef TESTS_UNIT_LIB_FIXTURE_H
#define TESTS_UNIT_LIB_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "abi/domctl.h"
#include "abi/grant_table.h"
#include "abi/memory.h"
#include "xencall.h"
#include "xenforeignmemory.h"

#define PAGE 4096u
#define GUEST_PAGES 64u

static char fixture_root[64];
static pid_t fixture_hvd;

/* A path in the build tree that the running test lies in. */
static inline void
fixture_built(const char *name, char path[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int up;

	assert_true(n > 0);
	self[n] = '\0';
	for (up = 0; up < 4; up++) /* test, group, unit, tests */
		*strrchr(self, '/') = '\0';
	assert_true(snprintf(path, PATH_MAX, "%s/%s", self, name) < PATH_MAX);
}

static inline void
fixture_sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Start PATH with one argument or none; its output goes to our stderr. */
static inline pid_t
fixture_spawn(const char *path, const char *arg1, const char *arg2)
{
	pid_t pid = fork();

	if (pid == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl(path, path, arg1, arg2, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

static inline void
fixture_remove(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", fixture_root);
	if (system(cmd) != 0)
		fprintf(stderr, "%s failed\n", cmd);
}

static inline void
fixture_stop(void)
{
	if (fixture_hvd <= 0)
		return;
	if (kill(fixture_hvd, SIGTERM) == 0)
		waitpid(fixture_hvd, NULL, 0);
	fixture_hvd = 0;
	fixture_remove();
}

/*
 * 1: hvd runs, HV_ROOT being set for it. 0: there is none to run. One that does
 * not come up ends the program as a failure.
 */
static inline int
fixture_start(void)
{
	char hvd[PATH_MAX], socket_path[128];
	int tries;

	if (getenv("HVD") != NULL)
		snprintf(hvd, sizeof(hvd), "%s", getenv("HVD"));
	else
		fixture_built("bin/hvd", hvd);
	if (access(hvd, X_OK) != 0) {
		fprintf(
		    stderr, "SKIP: no hvd at %s (make it, or set HVD)\n", hvd);
		return 0;
	}
	strcpy(fixture_root, "/tmp/kernbus-lib-XXXXXX");
	assert_non_null(mkdtemp(fixture_root));
	setenv("HV_ROOT", fixture_root, 1);
	setenv("HV_PROVIDER", "hosted", 1);
	fixture_hvd = fixture_spawn(hvd, NULL, NULL);
	snprintf(socket_path, sizeof(socket_path), "%s/hvd.sock", fixture_root);
	for (tries = 0; tries < 1000; tries++) {
		if (access(socket_path, F_OK) == 0)
			return 1;
		if (waitpid(fixture_hvd, NULL, WNOHANG) != 0)
			break;
		fixture_sleep_ms(10);
	}
	fprintf(stderr, "FAIL: %s has not come up\n", hvd);
	fixture_stop();
	exit(1);
}

/* ------------------------------------------------------------- domains ---- */

/* A domain that the test plays: memory, grant table, what it was made with. */
struct guest {
	xencall_handle *xcall;
	xenforeignmemory_handle *fmem;
	xenforeignmemory_resource_handle *res;
	struct grant_entry_v1 *grants;
	uint8_t *ram; /* GUEST_PAGES pages from gfn 0 */
	domid_t domid;
};

/* A domctl on DOMID; the structure is INOUT's. 0, or -1 and errno. */
static inline int
guest_domctl(xencall_handle *xcall, uint32_t cmd, struct xen_domctl *inout)
{
	struct xen_domctl *d = xencall_alloc_buffer(xcall, sizeof(*d));
	int ret;

	assert_non_null(d);
	*d = *inout;
	d->cmd = cmd;
	d->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	ret = xencall1(xcall, __HYPERVISOR_domctl, (uintptr_t)d);
	*inout = *d;
	xencall_free_buffer(xcall, d);
	return ret;
}

/* Give DOMID its pages 0 to GUEST_PAGES - 1. */
static inline void
guest_populate(xencall_handle *xcall, domid_t domid)
{
	uint64_t *pfns = xencall_alloc_buffer(xcall, GUEST_PAGES * 8);
	struct xen_memory_reservation *r =
	    xencall_alloc_buffer(xcall, sizeof(*r));
	unsigned i;

	assert_non_null(pfns);
	assert_non_null(r);
	for (i = 0; i < GUEST_PAGES; i++)
		pfns[i] = i;
	memset(r, 0, sizeof(*r));
	r->extent_start = (uintptr_t)pfns;
	r->nr_extents = GUEST_PAGES;
	r->domid = domid;
	assert_int_equal(xencall2(xcall, __HYPERVISOR_memory_op,
			     XENMEM_populate_physmap, (uintptr_t)r),
	    GUEST_PAGES);
	xencall_free_buffer(xcall, r);
	xencall_free_buffer(xcall, pfns);
}

/* The domain gets the number WISH, if it is not 0. */
static inline void
guest_create_as(struct guest *g, domid_t wish)
{
	struct xen_domctl d = { 0 };
	xen_pfn_t pfns[GUEST_PAGES];
	void *p = NULL;
	unsigned i;

	memset(g, 0, sizeof(*g));
	g->xcall = xencall_open(NULL, 0);
	g->fmem = xenforeignmemory_open(NULL, 0);
	assert_non_null(g->xcall);
	assert_non_null(g->fmem);
	d.domain = wish;
	d.u.createdomain.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
	d.u.createdomain.max_vcpus = 1;
	d.u.createdomain.max_evtchn_port = 1023;
	d.u.createdomain.max_grant_frames = 4;
	d.u.createdomain.max_maptrack_frames = 4;
	d.u.createdomain.grant_opts = 1;
	assert_int_equal(
	    guest_domctl(g->xcall, XEN_DOMCTL_createdomain, &d), 0);
	g->domid = d.domain;
	memset(&d.u, 0, sizeof(d.u));
	d.u.max_mem.max_memkb = GUEST_PAGES * 4 + 1024;
	assert_int_equal(guest_domctl(g->xcall, XEN_DOMCTL_max_mem, &d), 0);
	guest_populate(g->xcall, g->domid);
	for (i = 0; i < GUEST_PAGES; i++)
		pfns[i] = i;
	g->ram = xenforeignmemory_map(
	    g->fmem, g->domid, PROT_READ | PROT_WRITE, GUEST_PAGES, pfns, NULL);
	assert_non_null(g->ram);
	g->res = xenforeignmemory_map_resource(g->fmem, g->domid,
	    XENMEM_resource_grant_table, XENMEM_resource_grant_table_id_shared,
	    0, 1, &p, PROT_READ | PROT_WRITE, 0);
	assert_non_null(g->res);
	g->grants = p;
}

static inline void
guest_create(struct guest *g)
{
	guest_create_as(g, 0);
}

static inline void
guest_destroy(struct guest *g)
{
	struct xen_domctl d = { .domain = g->domid };

	if (g->xcall == NULL)
		return;
	guest_domctl(g->xcall, XEN_DOMCTL_destroydomain, &d);
	xenforeignmemory_unmap_resource(g->fmem, g->res);
	xenforeignmemory_unmap(g->fmem, g->ram, GUEST_PAGES);
	xenforeignmemory_close(g->fmem);
	xencall_close(g->xcall);
	memset(g, 0, sizeof(*g));
}

/* As a guest does: frame and domid first, then the flags. */
static inline void
guest_grant(struct guest *g, uint32_t ref, uint32_t frame, uint16_t flags)
{
	g->grants[ref].frame = frame;
	g->grants[ref].domid = 0;
	__atomic_store_n(&g->grants[ref].flags, flags, __ATOMIC_RELEASE);
}

#endif
