/*
 * A machine for tests: hvd in a child process, and the first steps of a
 * toolstack on top of the client library.
 */
#ifndef TESTS_UNIT_HOSTED_FIXTURE_H
#define TESTS_UNIT_HOSTED_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
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
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "abi/domctl.h"
#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/hvm.h"
#include "abi/memory.h"
#include "abi/sched.h"
#include "hv-core/hosted/hvd.h"
#include "hv-core/hosted/machine.h"
#include "hv-core/lib/hosted/client.h"

#include "guest.h"

#define WAIT_MS 60000

struct machine {
	pid_t pid;
	char root[64];
	struct hv_client *call;
	struct hv_client *ev;
};

/* The folder of this program. */
static inline const char *
test_folder(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(n > 0);
	path[n] = '\0';
	return dirname(path);
}

static inline void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* Try COND every few milliseconds until it holds or WAIT_MS are over. */
#define await(cond)                                                            \
	do {                                                                   \
		int left_ = WAIT_MS / 2;                                       \
		bool ok_;                                                      \
		while (!(ok_ = (cond)) && left_-- > 0)                         \
			pause_ms(2);                                           \
		assert_true(ok_);                                              \
	} while (0)

/* A log for hvd, which it opens as its very first descriptor. */
static const char *fixture_log;

/* hvd in a child, under M->root. */
static inline void
machine_fork(struct machine *m, bool strict, int kernel_fd)
{
	static char libexec[PATH_MAX + 32];
	static struct hvd_config c;

	snprintf(libexec, sizeof(libexec), "%s/../../../bin", test_folder());
	memset(&c, 0, sizeof(c));
	machine_config_init(&c.machine);
	c.root = m->root;
	c.libexec = libexec;
	c.kernel_fd = kernel_fd;
	c.kernel_args = "sh -c exit${DOM0_EXIT}";
	c.strict = strict;
	c.audit = true;
	m->pid = fork();
	assert_true(m->pid >= 0);
	if (m->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fixture_log != NULL)
			close_range(3, ~0u, 0);
		if (fixture_log != NULL || getenv("TEST_LOG") == NULL)
			log_open(
			    fixture_log != NULL ? fixture_log : "/dev/null");
		_exit(machine_run(&c));
	}
}

static inline void
machine_start(struct machine *m, bool strict)
{
	int err = -1;

	memset(m, 0, sizeof(*m));
	snprintf(
	    m->root, sizeof(m->root), "/tmp/hosted-test-%d", (int)getpid());
	setenv("HV_ROOT", m->root, 1);
	machine_fork(m, strict, -1);
	await((err = hv_client_open(HV_CHAN_CALL, &m->call)) == 0);
	assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &m->ev), 0);
}

static inline int
machine_stop(struct machine *m)
{
	int status;

	hv_client_close(m->ev);
	hv_client_close(m->call);
	kill(m->pid, SIGTERM);
	assert_int_equal(waitpid(m->pid, &status, 0), m->pid);
	return status;
}

/* A machine for each test, in both modes; nothing of it is left. */
static struct machine machine;

static inline int
start_direct(void **state)
{
	*state = &machine;
	machine_start(&machine, false);
	return 0;
}

static inline int
start_strict(void **state)
{
	*state = &machine;
	machine_start(&machine, true);
	return 0;
}

static inline int
stop(void **state)
{
	struct machine *m = *state;

	assert_int_equal(machine_stop(m), 0);
	assert_int_equal(access(m->root, F_OK), -1);
	return 0;
}

static inline long
hypercall(struct hv_client *c, unsigned nr, uint64_t op, void *arg, size_t size)
{
	void *buf = hv_client_alloc(c, size);
	uint64_t a[5] = { op, hv_client_addr(c, buf) };
	long ret;

	assert_non_null(buf);
	memcpy(buf, arg, size);
	if (nr == __HYPERVISOR_domctl)
		a[0] = a[1];
	if (nr == __HYPERVISOR_grant_table_op)
		a[2] = 1;
	ret = hv_client_call(c, nr, a);
	memcpy(arg, buf, size);
	hv_client_free(c, buf);
	return ret;
}

static inline long
evtchn_op(struct hv_client *c, uint64_t op, void *arg, size_t size)
{
	return hypercall(c, __HYPERVISOR_event_channel_op, op, arg, size);
}

static inline long
domctl(struct machine *m, uint32_t cmd, domid_t domid, struct xen_domctl *d)
{
	d->cmd = cmd;
	d->domain = domid;
	d->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	return hypercall(m->call, __HYPERVISOR_domctl, 0, d, sizeof(*d));
}

static inline long
domctl_plain(struct machine *m, uint32_t cmd, domid_t domid)
{
	struct xen_domctl d = { 0 };

	return domctl(m, cmd, domid, &d);
}

/* XEN_DOMINF_* of the domain, 0 if there is none. */
static inline uint32_t
domain_flags(struct machine *m, domid_t domid)
{
	struct xen_domctl d = { 0 };

	if (domctl(m, XEN_DOMCTL_getdomaininfo, domid, &d) != 0 ||
	    d.u.getdomaininfo.domain != domid)
		return 0;
	return d.u.getdomaininfo.flags;
}

static inline unsigned
shutdown_code(uint32_t flags)
{
	return flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
}

/* A domain with GUEST_PAGES of memory. */
static inline domid_t
domain_build(struct machine *m)
{
	struct xen_domctl d = { 0 };
	struct xen_memory_reservation r = { .nr_extents = GUEST_PAGES };
	uint64_t *pfn = hv_client_alloc(m->call, GUEST_PAGES * 8);
	domid_t domid;

	d.u.createdomain = (struct xen_domctl_createdomain){
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = 1,
		.max_evtchn_port = 1023,
		.max_grant_frames = 4,
		.max_maptrack_frames = 0,
		.grant_opts = 1,
	};
	assert_int_equal(domctl(m, XEN_DOMCTL_createdomain, 0, &d), 0);
	domid = d.domain;
	d.u.max_mem.max_memkb = GUEST_PAGES * 4;
	assert_int_equal(domctl(m, XEN_DOMCTL_max_mem, domid, &d), 0);
	d.u.max_vcpus.max = 1;
	assert_int_equal(domctl(m, XEN_DOMCTL_max_vcpus, domid, &d), 0);
	for (uint64_t i = 0; i < GUEST_PAGES; i++)
		pfn[i] = i;
	r.domid = domid;
	r.extent_start = hv_client_addr(m->call, pfn);
	assert_int_equal(hypercall(m->call, __HYPERVISOR_memory_op,
			     XENMEM_populate_physmap, &r, sizeof(r)),
	    GUEST_PAGES);
	hv_client_free(m->call, pfn);
	return domid;
}

/* Put FILE and the start record into the domain's memory. */
static inline struct hv_window *
domain_load(struct machine *m, domid_t domid, const char *file)
{
	struct hvm_start_info *si;
	struct hvm_modlist_entry *mod;
	struct hv_window *w;
	ssize_t n;
	int fd, err;

	w = hv_client_ram(m->call, domid, &err);
	assert_non_null(w);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, hv_window_base(w) + GUEST_IMAGE,
	    GUEST_PAGES * 4096 - GUEST_IMAGE);
	close(fd);
	assert_true(n > 0);
	si = (struct hvm_start_info *)(void *)(hv_window_base(w) + GUEST_INFO);
	mod = (struct hvm_modlist_entry *)(void *)(si + 1);
	*si = (struct hvm_start_info){ .magic = XEN_HVM_START_MAGIC_VALUE,
		.version = 1,
		.nr_modules = 1,
		.modlist_paddr = GUEST_INFO + sizeof(*si) };
	*mod = (struct hvm_modlist_entry){ GUEST_IMAGE, (uint64_t)n, 0, 0 };
	return w;
}

static inline long
domain_run(struct machine *m, domid_t domid)
{
	struct xen_domctl d = { 0 };

	d.u.hosted_start.start_info_paddr = GUEST_INFO;
	assert_int_equal(domctl(m, XEN_DOMCTL_hosted_start, domid, &d), 0);
	return domctl_plain(m, XEN_DOMCTL_unpausedomain, domid);
}

struct guest {
	domid_t domid;
	struct hv_window *ram;
	struct guest_control *ctl;
	uint32_t port; /* ours, bound to the guest's */
};

/* A running guest that plays ROLE; its port is bound to one of M->ev. */
static inline void
guest_boot(struct machine *m, struct guest *g, uint32_t role)
{
	struct evtchn_alloc_unbound a = { 0 };
	struct evtchn_bind_interdomain b = { 0 };
	char path[PATH_MAX + 8];

	g->domid = domain_build(m);
	snprintf(path, sizeof(path), "%s/guest", test_folder());
	g->ram = domain_load(m, g->domid, path);
	g->ctl = (struct guest_control *)(void *)(hv_window_base(g->ram) +
						  GUEST_CONTROL);
	a.dom = g->domid;
	assert_int_equal(
	    evtchn_op(m->call, EVTCHNOP_alloc_unbound, &a, sizeof(a)), 0);
	b.remote_dom = g->domid;
	b.remote_port = a.port;
	assert_int_equal(
	    evtchn_op(m->ev, EVTCHNOP_bind_interdomain, &b, sizeof(b)), 0);
	g->port = b.local_port;
	g->ctl->role = role;
	g->ctl->port = a.port;
	assert_int_equal(domain_run(m, g->domid), 0);
	await(__atomic_load_n(&g->ctl->up, __ATOMIC_SEQ_CST) == 1);
}

static inline void
guest_end(struct machine *m, struct guest *g)
{
	hv_window_put(g->ram);
	domctl_plain(m, XEN_DOMCTL_destroydomain, g->domid);
	await(domain_flags(m, g->domid) == 0);
}

static inline void
count_port(void *arg, uint32_t port)
{
	((unsigned *)arg)[port]++;
}

/* Wait until PORT is heard on C: how often it was, 0 if not within MS. */
static inline unsigned
hear(struct hv_client *c, uint32_t port, int ms)
{
	static unsigned heard[HV_PORTS];

	memset(heard, 0, sizeof(heard));
	for (int left = ms; heard[port] == 0 && left > 0; left -= 10) {
		hv_client_wait(c, 10 * 1000000);
		assert_true(hv_client_harvest(c, count_port, heard) >= 0);
	}
	return heard[port];
}

/* Process id of the only guest: hv-spawn's child. 0: there is none. */
static inline pid_t
guest_pid(struct machine *m)
{
	char path[96], line[64] = "";
	long pid = 0;
	FILE *f;

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children",
		    i == 0 ? (long)m->pid : pid, i == 0 ? (long)m->pid : pid);
		f = fopen(path, "r");
		line[0] = '\0';
		if (f == NULL)
			return 0;
		if (fgets(line, sizeof(line), f) == NULL)
			line[0] = '\0';
		fclose(f);
		pid = strtol(line, NULL, 10);
		if (pid == 0)
			return 0;
	}
	return (pid_t)pid;
}

static inline int
count_entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	if (d == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Open descriptors of hvd, after it has finished what it was at. */
static inline int
machine_fds(struct machine *m)
{
	char path[64];

	domain_flags(m, 0);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)m->pid);
	return count_entries(path);
}

#endif
