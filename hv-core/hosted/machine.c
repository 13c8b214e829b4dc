/*
 * Putting the machine together and taking it apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "hv-core/hosted/hvd.h"
#include "hv-core/hosted/machine.h"

/* How long domain 0's kernel has to end when the machine goes down. */
#define DOM0_GRACE_NS UINT64_C(2000000000)
#define INSIST_NS UINT64_C(500000000)

static void
signals_ready(struct source *s, uint32_t events)
{
	struct hvd *h =
	    (struct hvd *)((char *)s - offsetof(struct hvd, signals));
	struct signalfd_siginfo si;
	uint64_t now = world_now(h);

	(void)events;
	if (read(s->fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	/* One wish often comes as several signals; insisting takes a while. */
	if (h->stop_at != 0 && now + DOM0_GRACE_NS < h->stop_at + INSIST_NS)
		return;
	log_line("signal %u: the machine goes down", si.ssi_signo);
	if (h->dom0_pid <= 0 || h->stop_at != 0) {
		loop_stop(h, 0);
		return;
	}
	/* Domain 0 may put its things in order first. */
	h->stop_at = now + DOM0_GRACE_NS;
	kill(h->dom0_pid, SIGTERM);
}

static int
signals_init(struct hvd *h)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	h->signals = (struct source){
		.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		.ready = signals_ready,
	};
	if (h->signals.fd < 0)
		return -1;
	return loop_add(h, &h->signals, EPOLLIN);
}

/* Descriptors: a few for each domain and client. */
static void
raise_limits(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static uint32_t
host_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (uint32_t)n : 1;
}

static int
core_init(struct hvd *h)
{
	const struct machine_config *m = &h->config->machine;
	struct hv_config cfg = {
		.total_pages = m->mem / HV_PAGE_SIZE,
		.dom0_pages = m->dom0_mem / HV_PAGE_SIZE,
		.dom0_vcpus = m->dom0_vcpus,
		.nr_cpus = host_cpus(),
		.cpu_khz = 1000000,
		.cmdline = m->cmdline,
	};
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	h->boot_ns = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	/* Room for what a toolstack places below 4G. */
	h->ram_max = (m->mem + (UINT64_C(4) << 30) + HV_PAGE_SIZE - 1) &
		     ~(uint64_t)(HV_PAGE_SIZE - 1);
	h->domains = calloc(DOMID_FIRST_RESERVED, sizeof(*h->domains));
	h->owner0 = calloc(HV_PORTS, sizeof(*h->owner0));
	if (h->domains != NULL && h->owner0 != NULL)
		h->hv = hv_create(&hosted_world, h, &cfg);
	return h->hv != NULL ? 0 : -1;
}

static int
machine_init(struct hvd *h)
{
	h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	h->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (h->epoll_fd < 0 || signals_init(h) != 0) {
		log_loud("starting: %s", strerror(errno));
		return -1;
	}
	/* First: it finds out whether the place is taken. */
	if (nodes_create(h) != 0)
		return -1;
	if (core_init(h) != 0) {
		log_loud("not enough memory for the hypervisor's tables");
		return -1;
	}
	/* It mounts its node while we go on. */
	if (h->config->kernel_fd >= 0)
		kernfs_start(h);
	if (spawner_start(h) != 0)
		return -1;
	if (h->config->kernel_fd >= 0) {
		int err;

		kernfs_await(h); /* a machine that is up has the node */
		err = spawner_dom0(h);
		if (err != 0) {
			log_loud(
			    "starting domain 0's kernel: %s", strerror(-err));
			return -1;
		}
	}
	return 0;
}

static void
machine_fini(struct hvd *h)
{
	/* Processes first: nothing must find a machine half gone. */
	spawner_stop(h);
	channels_close_all(h);
	kernfs_stop(h); /* now that it cannot wait for us */
	nodes_remove(h);
	if (h->hv != NULL)
		hv_destroy(h->hv);
	channels_reap(h);
	for (domid_t id = 0; h->domains != NULL && id < DOMID_FIRST_RESERVED;
	     id++)
		if (h->domains[id] != NULL)
			guest_free(h, id);
	free(h->domains);
	free(h->owner0);
	if (h->signals.fd > 0)
		close(h->signals.fd);
	if (h->spare_fd >= 0)
		close(h->spare_fd);
	close(h->epoll_fd);
}

int
machine_run(const struct hvd_config *c)
{
	struct hvd h = { .config = c, .exit_status = 1 };

	h.listener.fd = -1;
	raise_limits();
	if (machine_init(&h) == 0) {
		log_note(&h, "up: %llu MiB, domain 0 %llu MiB, events %s",
		    (unsigned long long)(c->machine.mem >> 20),
		    (unsigned long long)(c->machine.dom0_mem >> 20),
		    c->strict ? "strict" : "direct");
		loop_run(&h);
	}
	machine_fini(&h);
	log_line("down");
	return h.exit_status;
}
