/*
 * Latencies of the hosted core beside the bare floor, in one run: a hypercall,
 * an event there and back between two processes, and what eventfd and futex
 * need for the same. Medians of ROUNDS samples, in microseconds; one line a
 * figure: what, whose, figure, unit, separated by tabs.
 *
 * bench_hv NAME: NAME is whose the figures of the core are. Needs a running hvd
 * ($HV_ROOT). "One CPU" pins both sides to one processor, "two CPUs" to two;
 * where there is only one processor, the latter is left out.
 */
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xencall.h>
#include <xenevtchn.h>

#define ROUNDS 5000
#define WARM 500

#define NR_XEN_VERSION 17

static double samples[ROUNDS];

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(void)
{
	qsort(samples, ROUNDS, sizeof(samples[0]), by_value);
	return samples[ROUNDS / 2];
}

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void
die(const char *what)
{
	fprintf(stderr, "bench_hv: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* One side of a ping-pong: how to ring the other, and how to wait for it. */
struct side {
	void (*ring)(struct side *s);
	void (*wait)(struct side *s);
	int fd_out, fd_in;
	_Atomic uint32_t *word;
	uint32_t mine;
	xenevtchn_handle *xce;
	evtchn_port_t port;
};

static void
eventfd_ring(struct side *s)
{
	uint64_t one = 1;

	if (write(s->fd_out, &one, sizeof(one)) != sizeof(one))
		die("eventfd write");
}

static void
eventfd_wait(struct side *s)
{
	uint64_t n;

	if (read(s->fd_in, &n, sizeof(n)) != sizeof(n))
		die("eventfd read");
}

static void
futex_ring(struct side *s)
{
	atomic_store(s->word, s->mine ^ 1u);
	syscall(SYS_futex, s->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void
futex_wait(struct side *s)
{
	while (atomic_load(s->word) != s->mine)
		syscall(SYS_futex, s->word, FUTEX_WAIT, s->mine ^ 1u, NULL,
		    NULL, 0);
}

static void
event_ring(struct side *s)
{
	if (xenevtchn_notify(s->xce, s->port) != 0)
		die("notify");
}

static void
event_wait(struct side *s)
{
	struct pollfd pfd = { .fd = xenevtchn_fd(s->xce), .events = POLLIN };
	xenevtchn_port_or_error_t port;

	do {
		if (poll(&pfd, 1, -1) < 0)
			die("poll");
		port = xenevtchn_pending(s->xce);
	} while (port < 0 && errno == EAGAIN);
	if (port < 0 || xenevtchn_unmask(s->xce, (evtchn_port_t)port) != 0)
		die("pending");
}

static void
ping_pong(const char *name, const char *where, struct side *a, struct side *b,
    int cpu_b)
{
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (child == 0) {
		pin(cpu_b);
		for (int i = 0; i < ROUNDS + WARM; i++) {
			b->wait(b);
			b->ring(b);
		}
		_exit(0);
	}
	pin(0);
	for (int i = 0; i < ROUNDS + WARM; i++) {
		double t = now_us();

		a->ring(a);
		a->wait(a);
		if (i >= WARM)
			samples[i - WARM] = now_us() - t;
	}
	waitpid(child, NULL, 0);
	printf("event one way, %s\t%s\t%.2f\tus\n", where, name, median() / 2);
	fflush(stdout);
}

static void
bench_eventfd(const char *where, int cpu)
{
	int x = eventfd(0, 0), y = eventfd(0, 0);
	struct side a = { eventfd_ring, eventfd_wait, .fd_out = x, .fd_in = y };
	struct side b = { eventfd_ring, eventfd_wait, .fd_out = y, .fd_in = x };

	ping_pong("eventfd", where, &a, &b, cpu);
	close(x);
	close(y);
}

static void
bench_futex(const char *where, int cpu)
{
	_Atomic uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct side a = { futex_ring, futex_wait, .word = word, .mine = 0 };
	struct side b = { futex_ring, futex_wait, .word = word, .mine = 1 };

	ping_pong("futex", where, &a, &b, cpu);
	munmap(word, 4096);
}

/* Both handles are opened here and the child uses the one that we leave. */
static void
bench_event(const char *whose, const char *where, int cpu)
{
	xenevtchn_handle *xa = xenevtchn_open(NULL, 0);
	xenevtchn_handle *xb = xenevtchn_open(NULL, 0);
	struct side a = { event_ring, event_wait, .xce = xa };
	struct side b = { event_ring, event_wait, .xce = xb };
	xenevtchn_port_or_error_t p, q;

	if (xa == NULL || xb == NULL)
		die("xenevtchn_open");
	p = xenevtchn_bind_unbound_port(xa, 0);
	q = p < 0 ? -1 : xenevtchn_bind_interdomain(xb, 0, (evtchn_port_t)p);
	if (p < 0 || q < 0)
		die("bind");
	a.port = (evtchn_port_t)p;
	b.port = (evtchn_port_t)q;
	event_wait(&b); /* binding sets the port pending */
	ping_pong(whose, where, &a, &b, cpu);
	xenevtchn_close(xa);
	xenevtchn_close(xb);
}

static void
bench_hypercall(const char *whose, int cpu)
{
	xencall_handle *call = xencall_open(NULL, 0);

	if (call == NULL)
		die("xencall_open");
	pin(cpu);
	for (int i = 0; i < ROUNDS + WARM; i++) {
		double t = now_us();

		if (xencall2(call, NR_XEN_VERSION, 0, 0) < 0)
			die("xen_version");
		if (i >= WARM)
			samples[i - WARM] = now_us() - t;
	}
	printf("hypercall (xen_version)\t%s\t%.2f\tus\n", whose, median());
	fflush(stdout);
	xencall_close(call);
}

int
main(int argc, char **argv)
{
	static const char *const where[] = { "one CPU", "two CPUs" };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (argc != 2) {
		fprintf(stderr, "usage: bench_hv NAME\n");
		return 2;
	}
	for (int i = 0; i < 2 && i < cpus; i++) {
		bench_eventfd(where[i], i);
		bench_futex(where[i], i);
		bench_event(argv[1], where[i], i);
	}
	bench_hypercall(argv[1], 0);
	return 0;
}
