/*
 * The dom0 kernel: xenbus client of the store, home of the vbd and vif
 * backends. Started by the hypervisor's boot loader; its arguments are the
 * kernel command line, of which nothing is needed.
 *
 * This file waits: for the store, for workers, for signals.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "abi/elfnote.h"
#include "hv-core/dom0/backend.h"
#include "hv-core/dom0/device.h"
#include "hv-core/dom0/log.h"
#include "hv-core/dom0/storelink.h"
#include "hv-core/dom0/vbd.h"
#include "hv-core/dom0/vif.h"
#include "hv-core/dom0/worker.h"

#define ROOT_DEFAULT "/run/kernbus"
#define EVENTS 64

/* The Xen notes that make this program a kernel for domain 0: the boot loader
 * looks for them. */
#define FEATURE_DOM0 (1u << 11) /* XENFEAT_dom0 */

#define NOTE(symbol, member)                                                   \
	__attribute__((                                                        \
	    used, aligned(4), section(".note.Xen"))) static const struct {     \
		uint32_t name_size, desc_size, type;                           \
		char name[4];                                                  \
		member;                                                        \
	} symbol

/* clang-format off */
#define HEAD(kind, size) sizeof("Xen"), (size), (kind), "Xen"

NOTE(guest_os, char desc[8]) = {
	HEAD(XEN_ELFNOTE_GUEST_OS, sizeof("Kernbus")), "Kernbus"
};
NOTE(xen_version, char desc[8]) = {
	HEAD(XEN_ELFNOTE_XEN_VERSION, sizeof("xen-3.0")), "xen-3.0"
};
NOTE(loader, char desc[8]) = {
	HEAD(XEN_ELFNOTE_LOADER, sizeof("generic")), "generic"
};
NOTE(features, uint32_t desc) = {
	HEAD(XEN_ELFNOTE_SUPPORTED_FEATURES, sizeof(uint32_t)), FEATURE_DOM0
};
/* clang-format on */

static const struct device_driver *const drivers[] = { &vbd_driver, &vif_driver,
	NULL };

struct kernel {
	int epoll;
	int signals;
	struct storelink *link;
	struct device_host host;
	struct backend *backend;
};

static _Noreturn void
die(const char *what)
{
	dom0_log("kernel", "%s: %s", what, strerror(errno));
	exit(1);
}

static uint64_t
seconds(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec;
}

/* What is not a worker is told apart by its address in struct kernel. */
static void
watch_fd(struct kernel *k, int fd, void *ptr)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = ptr };

	if (epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		die("epoll");
}

static void
watch_worker(void *arg, struct worker *worker)
{
	watch_fd(arg, worker_fd(worker), worker);
}

static void
unwatch_worker(void *arg, struct worker *worker)
{
	struct kernel *k = arg;

	(void)epoll_ctl(k->epoll, EPOLL_CTL_DEL, worker_fd(worker), NULL);
}

/* The signals that end us, as a descriptor. */
static int
open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		die("signals");
	return fd;
}

/* Sleeps until the store daemon says that it is there. */
static void
await_store(struct kernel *k)
{
	struct epoll_event ev;

	for (;;) {
		if (epoll_wait(k->epoll, &ev, 1, -1) < 1)
			continue;
		if (ev.data.ptr == &k->signals) {
			storelink_close(k->link);
			exit(0);
		}
		if (storelink_take(k->link) != 0)
			die("event channel of the store");
		return;
	}
}

static void
handle(struct kernel *k, void *ptr)
{
	if (ptr == &k->link) {
		if (storelink_take(k->link) != 0)
			die("event channel of the store");
	} else {
		worker_handle(ptr);
	}
}

/* Delivers watches; a broken connection is fatal for a kernel. */
static void
poll_store(struct kernel *k)
{
	if (xenbus_pending(k->host.xb) && xenbus_poll(k->host.xb) < 0) {
		dom0_log("kernel", "store: %s", xenbus_reason(k->host.xb));
		exit(1);
	}
}

/* Serves until a signal ends us. */
static void
serve(struct kernel *k)
{
	struct epoll_event ev[EVENTS];
	int n, ms;

	for (;;) {
		poll_store(k);
		backend_reap(k->backend);
		ms = backend_tick(k->backend);
		/* A callback may have left events in the queue. */
		n = epoll_wait(
		    k->epoll, ev, EVENTS, xenbus_pending(k->host.xb) ? 0 : ms);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr == &k->signals)
				return;
			handle(k, ev[i].data.ptr);
		}
	}
}

int
main(int argc, char **argv)
{
	static struct kernel k;
	const char *root = getenv("HV_ROOT");
	struct xenbus_transport transport;
	char why[256];
	int err;

	/* Words of a kernel's command line are not options. */
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts("usage: load FILE [console=DEVICE] in boot.cfg\n"
		     "Domain 0's kernel on the hosted hypervisor; hv-boot(8) "
		     "loads it. See dom0(8).");
		return 0;
	}
	if (root == NULL || *root == '\0')
		root = ROOT_DEFAULT;
	signal(SIGPIPE, SIG_IGN);
	k.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (k.epoll < 0)
		die("epoll");
	k.signals = open_signals();
	watch_fd(&k, k.signals, &k.signals);
	k.link = storelink_open(root, why, sizeof(why));
	if (k.link == NULL) {
		dom0_log("kernel", "%s", why);
		return 1;
	}
	watch_fd(&k, storelink_fd(k.link), &k.link);
	dom0_log("kernel", "waiting for xenstored");
	await_store(&k);

	transport = storelink_transport(k.link);
	k.host.xb = xenbus_open(&transport);
	k.host.root = root;
	k.host.watch_worker = watch_worker;
	k.host.unwatch_worker = unwatch_worker;
	k.host.now = seconds;
	k.host.arg = &k;
	if (k.host.xb == NULL)
		die("store");
	k.backend = backend_start(&k.host, drivers, &err);
	if (k.backend == NULL) {
		errno = err;
		die("watching backend");
	}
	dom0_log("kernel", "xenbus is up");
	serve(&k);
	storelink_close(k.link);
	return 0;
}
