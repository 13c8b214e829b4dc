/*
 * The world of the core: arguments, time, console; the rest is in guest.c,
 * ram.c and endpoint.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "hv-core/hosted/hvd.h"

/* Bytes a second of guests' console output that go to the log. */
#define CONSOLE_RATE 32000

static void *
world_alloc(void *world, size_t size)
{
	(void)world;
	return calloc(1, size);
}

static void
world_free(void *world, void *mem, size_t size)
{
	(void)world;
	(void)size;
	free(mem);
}

/* Where the caller's LEN bytes at ADDR are, or NULL. */
static void *
argument_at(
    struct hvd *h, const struct hv_caller *caller, uint64_t addr, size_t len)
{
	struct channel *c = caller->channel;
	struct hvd_domain *d;

	if (caller->domid != 0) {
		d = guest_find(h, caller->domid);
		return d != NULL ? ram_at(d, addr, len) : NULL;
	}
	if (c == NULL || c->arena == NULL || addr < c->arena_base)
		return NULL;
	addr -= c->arena_base;
	if (addr > HV_ARENA_SIZE || len > HV_ARENA_SIZE - addr)
		return NULL;
	return c->arena + addr;
}

/* HV_MSG_SEND carries its argument in the message. */
static struct channel *
sender(struct hvd *h, const struct hv_caller *caller)
{
	struct hvd_domain *d;

	if (caller->domid == 0)
		return caller->channel;
	d = guest_find(h, caller->domid);
	return d != NULL ? d->channel : NULL;
}

/* The process whose memory has CALLER's arguments, or 0. */
static pid_t
argument_process(const struct hv_caller *caller)
{
	const struct channel *c = caller->channel;

	if (caller->domid != 0 || c == NULL || c->arena_base != HV_ARENA_NONE)
		return 0;
	return c->pid;
}

/* LEN bytes from THEIRS, an address in PID, to OURS. 0 or -XEN_EFAULT. */
static int
copy_from_process(pid_t pid, void *ours, uint64_t theirs, size_t len)
{
	struct iovec here = { ours, len };
	struct iovec there = { (void *)(uintptr_t)theirs, len };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)len
		   ? 0
		   : -XEN_EFAULT;
}

static int
copy_to_process(pid_t pid, const void *ours, uint64_t theirs, size_t len)
{
	struct iovec here = { (void *)(uintptr_t)ours, len };
	struct iovec there = { (void *)(uintptr_t)theirs, len };

	return process_vm_writev(pid, &here, 1, &there, 1, 0) == (ssize_t)len
		   ? 0
		   : -XEN_EFAULT;
}

static int
world_copy_from(void *world, const struct hv_caller *caller, void *to,
    uint64_t addr, size_t len)
{
	pid_t pid = argument_process(caller);
	const void *from;

	if (pid != 0)
		return copy_from_process(pid, to, addr, len);
	if (addr == HVD_SEND_ADDR) {
		struct channel *c = sender(world, caller);

		if (c == NULL || !c->busy_send || len != sizeof(c->send_port))
			return -XEN_EFAULT;
		from = &c->send_port;
	} else {
		from = argument_at(world, caller, addr, len);
	}
	if (from == NULL)
		return -XEN_EFAULT;
	memcpy(to, from, len);
	return 0;
}

static int
world_copy_to(void *world, const struct hv_caller *caller, uint64_t addr,
    const void *from, size_t len)
{
	pid_t pid = argument_process(caller);
	void *to;

	if (pid != 0)
		return copy_to_process(pid, from, addr, len);
	to = argument_at(world, caller, addr, len);
	if (to == NULL)
		return -XEN_EFAULT;
	memcpy(to, from, len);
	return 0;
}

static void
world_upcall(void *world, domid_t domid, uint32_t vcpu)
{
	struct hvd_domain *d = guest_find(world, domid);

	(void)vcpu; /* a guest is one process with one doorbell */
	if (d != NULL && d->channel != NULL)
		endpoint_kick(d->channel);
}

static void
world_event_post(void *world, domid_t domid, uint32_t port)
{
	struct hvd *h = world;
	struct hv_port_info info;

	/* hv is not set yet while hv_create() runs; nothing is bound then. */
	if (h->hv == NULL || hv_port_info(h->hv, domid, port, &info) != 0 ||
	    info.channel == NULL)
		return;
	endpoint_post(info.channel, port);
}

static void
world_port_changed(void *world, domid_t domid, uint32_t port)
{
	struct hvd *h = world;

	if (h->hv != NULL)
		endpoint_port_changed(h, domid, port);
}

/*
 * Control clients map by their window on the granter's RAM. Guests would see
 * more than what was granted, so they copy.
 */
static int
world_grant_map(void *world, const struct hv_grant_mapping *m)
{
	(void)world;
	return m->mapper == 0 ? 0 : -XEN_EOPNOTSUPP;
}

static void
world_grant_unmap(void *world, const struct hv_grant_mapping *m)
{
	(void)world;
	(void)m;
}

static uint64_t
clock_ns(clockid_t clock)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t
world_now(void *world)
{
	const struct hvd *h = world;

	return clock_ns(CLOCK_MONOTONIC) - h->boot_ns;
}

static uint64_t
world_wallclock(void *world)
{
	(void)world;
	return clock_ns(CLOCK_REALTIME);
}

/* The state letter of a process, or 0. */
static char
process_state(pid_t pid)
{
	char path[32], buf[256];
	const char *p;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = '\0';
	p = strrchr(buf, ')'); /* the name before it may hold anything */
	return p != NULL && p[1] == ' ' ? p[2] : '\0';
}

static void
world_vcpu_times(
    void *world, domid_t domid, uint32_t vcpu, struct hv_vcpu_times *out)
{
	struct hvd *h = world;
	struct hvd_domain *d = guest_find(h, domid);
	pid_t pid = domid == 0 ? h->dom0_pid : d != NULL ? d->pid : 0;
	clockid_t clock;

	memset(out, 0, sizeof(*out));
	if (vcpu != 0)
		return;
	out->running = domid == 0;
	if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0)
		return;
	out->cpu_time = clock_ns(clock);
	out->running = domid == 0 || process_state(pid) == 'R';
}

/* Guests cannot fill the log: what is beyond the rate is left out of it. */
static bool
console_allowed(struct hvd *h, size_t len)
{
	uint64_t now = world_now(h);
	uint64_t ms = (now - h->console_time) / 1000000;

	h->console_time += ms * 1000000;
	h->console_budget += ms * (CONSOLE_RATE / 1000);
	if (h->console_budget > 2 * CONSOLE_RATE)
		h->console_budget = 2 * CONSOLE_RATE;
	if (h->console_budget < len)
		return false;
	h->console_budget -= len;
	return true;
}

static void
world_console_write(void *world, const char *text, size_t len)
{
	const char *nl;

	if (((struct hvd *)world)->printing || !console_allowed(world, len))
		return;
	while (len > 0) {
		size_t n;

		nl = memchr(text, '\n', len);
		n = nl != NULL ? (size_t)(nl - text) : len;
		if (n > 0)
			log_line("console: %.*s", (int)n, text);
		n += nl != NULL;
		text += n;
		len -= n;
	}
}

const struct hv_world hosted_world = {
	.alloc = world_alloc,
	.free = world_free,
	.copy_from = world_copy_from,
	.copy_to = world_copy_to,
	.domain_create = guest_create,
	.domain_start = guest_start,
	.domain_pause = guest_pause,
	.domain_unpause = guest_unpause,
	.domain_kill = guest_kill,
	.domain_free = guest_free,
	.ram_populate = ram_populate,
	.ram_release = ram_release,
	.ram_frame = ram_frame,
	.upcall = world_upcall,
	.event_post = world_event_post,
	.port_changed = world_port_changed,
	.grant_map = world_grant_map,
	.grant_unmap = world_grant_unmap,
	.now = world_now,
	.wallclock = world_wallclock,
	.vcpu_times = world_vcpu_times,
	.console_write = world_console_write,
};
